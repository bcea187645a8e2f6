"""The relay's handler in its own process: rows of the outbox per second that it sends, against 1,000 a second."""

from collections.abc import Iterator

import psycopg

from bench import databases
from bench.figures import Row, against, interleaved
from bench.money import relay_worker, services
from bench.runs import MeasurementFailed, Run, log, step
from marquee.messaging import relay

KEYS = 500
TARGET_PER_SECOND = 1000

# Rows as the booking routine writes them, of busy and quiet events.
FILL = """
insert into public.outbox (topic, key, payload)
select
    'booking.confirmed', 'event-' || (n * n) %% %(keys)s,
    jsonb_build_object(
        'id', gen_random_uuid(), 'event_id', gen_random_uuid(), 'organization_id', gen_random_uuid(),
        'customer_id', gen_random_uuid(), 'seats', 2, 'guest', false, 'status', 'confirmed', 'payment_method', 'none',
        'price_cents', 0, 'currency', 'CHF', 'created_at', now(), 'cancelled_at', null, 'late', false, 'fee_cents', 0
    )
from generate_series(1, %(rows)s) as n
"""


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `outbox_rows_s`. Both queues, for messages and for subscribers, receive every row."""
    runs, most = run.pick(7, 3), run.pick(10_000, 3_000)
    database = factory.create_empty("outbox")

    def relayed(_number: int) -> float:
        with psycopg.connect(database.owner, autocommit=True) as connection:
            connection.execute("truncate public.outbox")
            connection.execute(FILL, {"keys": KEYS, "rows": most})
            connection.execute("vacuum analyze public.outbox")
            seconds = relay_worker.relay(database.api, queue, rows=most)
            unsent = connection.execute("select count(*) from public.outbox where relayed_at is null").fetchone()
        if unsent != (0,):
            raise MeasurementFailed(f"The relay did not send all rows: {unsent} remain.")
        return most / seconds

    with services.queue() as queue, step(f"outbox_rows_s: {runs} times {most:,} rows"):
        rates = [rate for (rate,) in interleaved(runs, relayed)]
        bundles = queue.messages()
    if bundles < 2 * runs * most / relay.BUNDLE_ROWS_MOST:
        raise MeasurementFailed(f"Only {bundles} bundles reached the two queues.")
    log("outbox_rows_s: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    yield against("outbox_rows_s", "rows/s", rates, TARGET_PER_SECOND)
    factory.drop(database)
