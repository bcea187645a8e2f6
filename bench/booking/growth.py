"""Growth: milliseconds per booking after a million bookings, compared with a database that has none (the floor)."""

from collections.abc import Iterator
from typing import LiteralString

from psycopg import sql

from bench import databases
from bench.booking import routine, wire_tap
from bench.figures import Row, compared, interleaved
from bench.runs import Run, log, step

# The rows as after the sales: bookings with all indexes, the responses of their idempotency keys, and the counters.
# Triggers are off meanwhile. So it takes seconds, and no message waits in the outbox.
_SELL: LiteralString = """
set session_replication_role = replica;

insert into events.bookings (
    event_id, organization_id, customer_id, seats, status, payment_method, price_cents, currency, policy
)
select
    ({event} || {first} + n % {events})::uuid, '00000000-0000-7000-8000-000000000001',
    ({customer} || {seller} + n / {events})::uuid, 1, 'confirmed', 'none', 0, 'CHF', '{{"cancel_hours_before": 24}}'
from generate_series(0::bigint, {sold} - 1) as n;

insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
select b.customer_id, 'book', b.id::text, sha256(b.id::text::bytea), '{{}}'
from events.bookings as b;

update events.inventory as i
set taken = b.seats
from (select s.event_id, sum(s.seats) as seats from events.bookings as s group by s.event_id) as b
where i.event_id = b.event_id;

reset session_replication_role;
"""
_ANALYZE: LiteralString = "vacuum analyze events.bookings, ops.idempotency_keys, events.inventory"


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `growth`: wall-clock milliseconds per booking under the load of `sent_uniform`."""
    runs, seconds, sold = run.pick(5, 3), run.pick(2, 1), run.pick(1_000_000, 100_000)
    people = routine.customers(runs)
    customers = people + sold // routine.EVENTS
    loads, databases = [], []
    for name, sales in (("none_sold", 0), ("many_sold", sold)):
        database = factory.create(name, customers=customers, events=routine.EVENTS + 1)
        if sales:
            with step(f"selling {sales:,} bookings"):
                database.run(_sales(sales, people), _ANALYZE, "checkpoint")
        string = wire_tap.booking_sql(database, people - wire_tap.WARM_UP)
        load = routine.Load(run.folder, database, wire_tap.pgbench_script(string, people - wire_tap.WARM_UP))
        with step(f"{name}: warming up"):
            load.book(seconds, hot=False, first=routine.share(runs))
        loads.append(load)
        databases.append(database)

    def cost(load: routine.Load, number: int) -> float:
        return 1000 / load.book(seconds, hot=False, first=routine.share(number))

    fresh, grown = loads
    with step(f"growth: {runs} times {seconds} s on either database"):
        pairs = interleaved(runs, lambda number: cost(fresh, number), lambda number: cost(grown, number))
    log("growth: " + ", ".join(f"{after:.3f} to {before:.3f}" for before, after in pairs) + " ms")
    yield compared("growth", "ms/booking", pairs)
    for database in databases:
        factory.drop(database)


def _sales(sold: int, seller: int) -> sql.Composed:
    """Return statements that insert sold bookings of customers from the number `seller` on."""
    return sql.SQL(_SELL).format(
        event=sql.Literal(databases.EVENT),
        customer=sql.Literal(databases.CUSTOMER),
        first=sql.Literal(databases.FIRST),
        seller=sql.Literal(databases.FIRST + seller),
        events=sql.Literal(routine.EVENTS),
        sold=sql.Literal(sold),
    )
