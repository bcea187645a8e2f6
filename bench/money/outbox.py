"""The relay's handler in a process of its own: how many rows of the outbox a second it brings to its queues."""

from collections.abc import Iterator

import psycopg

from bench import stage
from bench.measuring import Row, against, interleaved
from bench.money import carrier, services
from bench.running import Broken, Run, say, step
from marquee.messaging import relay

KEYS = 500
TARGET_PER_SECOND = 1000

# What the booking routine writes, of so many events that hot and quiet ones are mixed.
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


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """outbox_rows_s: both queues, for messages and for subscribers, take every row."""
    runs, most = run.pick(7, 3), run.pick(10_000, 3_000)
    database = made.empty("outbox")

    def relayed(_number: int) -> float:
        with psycopg.connect(database.owner, autocommit=True) as connection:
            connection.execute("truncate public.outbox")
            connection.execute(FILL, {"keys": KEYS, "rows": most})
            connection.execute("vacuum analyze public.outbox")
            seconds = carrier.carried(database.api, queue, rows=most)
            left = connection.execute("select count(*) from public.outbox where relayed_at is null").fetchone()
        if left != (0,):
            raise Broken(f"The relay left rows behind: {left}")
        return most / seconds

    with services.queue() as queue, step(f"outbox_rows_s: {runs} times {most:,} rows"):
        rates = [rate for (rate,) in interleaved(runs, relayed)]
        bundles = queue.messages()
    if bundles < 2 * runs * most / relay.BUNDLE_ROWS_MOST:
        raise Broken(f"Only {bundles} bundles came through, for two queues.")
    say("outbox_rows_s: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    yield against("outbox_rows_s", "rows/s", rates, TARGET_PER_SECOND)
    made.drop(database)
