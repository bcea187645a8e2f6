"""Bookings by card through the handler of functions/book and Stripe's stand-in.

The milliseconds of a booking compare with a PaymentIntent alone. Its round trips and commits compare with two.
"""

from collections.abc import Iterator
from statistics import median

from psycopg import sql

from bench import databases
from bench.booking import round_trips
from bench.booking.booking_worker import customers_needed
from bench.figures import Row, against, compared, percentile
from bench.money import card_worker, services
from bench.runs import Run, log, step

EVENTS = 200
# One stores the booking and its intent before the call to Stripe, one stores the response. Fewer could lose a payment.
TRANSACTIONS = 2
PRICED = sql.SQL("update events.events set price_cents = {}").format(card_worker.PRICE_CENTS)


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `paid_booking_p95_ms`, `paid_booking_p50_ms`, `paid_roundtrips`, `paid_commits`."""
    with services.stripe(run.folder / "stripe") as stripe:
        yield from _timed(run, factory, stripe)
        yield from _counted(factory, stripe)


def _timed(run: Run, factory: databases.Factory, stripe: str) -> Iterator[Row]:
    runs, bookings = run.pick(5, 3), run.pick(500, 100)
    each = customers_needed(bookings)
    database = factory.create("paying", customers=runs * each, events=EVENTS)
    database.run(PRICED)

    def create_intents(_number: int) -> list[float]:
        return card_worker.create_intents(stripe, intents=bookings)

    def book(number: int) -> list[float]:
        return card_worker.book(database.api, stripe, bookings=bookings, first=number * each, events=EVENTS)

    with step(f"paid_booking_p95_ms: {runs} times {bookings} PaymentIntents and as many bookings by card"):
        taken = [(create_intents(number), book(number)) for number in range(runs)]
    slow, usual = (
        [(percentile(stripes, 0.95), percentile(ours, 0.95)) for stripes, ours in taken],
        [(median(stripes), median(ours)) for stripes, ours in taken],
    )
    log(
        "paid booking: "
        + ", ".join(f"p50 {a:.1f} ms, p95 {b:.1f} ms" for (_, a), (_, b) in zip(usual, slow, strict=True))
    )
    yield compared("paid_booking_p95_ms", "ms", slow)
    yield compared("paid_booking_p50_ms", "ms", usual)
    factory.drop(database)


def _counted(factory: databases.Factory, stripe: str) -> Iterator[Row]:
    def book(url: str, bookings: int, first: int) -> None:
        card_worker.book(url, stripe, bookings=bookings, first=first, events=round_trips.EVENTS)

    database = factory.create("paid_counting", customers=round_trips.CUSTOMERS, events=round_trips.EVENTS)
    database.run(PRICED)
    with step(f"paid_roundtrips, paid_commits: {round_trips.RUNS} times through a counting proxy"):
        counts = round_trips.count(factory, database, book)
    yield against("paid_roundtrips", "per booking", [each for each, _, _ in counts], TRANSACTIONS)
    yield against("paid_commits", "per booking", [each for _, each, _ in counts], TRANSACTIONS)
    factory.drop(database)
