"""A booking by card, through the book handler and the stand-in: how long it takes, what it costs the database."""

from collections.abc import Iterator
from statistics import median

from psycopg import sql

from bench import stage
from bench.booking import round_trips
from bench.booking.worker import customers_of
from bench.measurements import Row, against, compared, percentile
from bench.money import buyer, services
from bench.runs import Run, say, step

EVENTS = 200
# The booking with its intent before Stripe is asked, and what Stripe answered after: less would lose a payment.
TRANSACTIONS = 2
PRICED = sql.SQL("update events.events set price_cents = {}").format(buyer.PRICE_CENTS)


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """paid_booking_p95_ms, paid_booking_p50_ms, paid_roundtrips, paid_commits."""
    with services.stripe(run.folder / "stripe") as stripe:
        yield from _timed(run, made, stripe)
        yield from _counted(made, stripe)


def _timed(run: Run, made: stage.Stage, stripe: str) -> Iterator[Row]:
    runs, bookings = run.pick(5, 3), run.pick(500, 100)
    each = customers_of(bookings)
    database = made.database("paying", customers=runs * each, events=EVENTS)
    database.run(PRICED)

    def asked(_number: int) -> list[float]:
        return buyer.asked(stripe, intents=bookings)

    def bought(number: int) -> list[float]:
        return buyer.bought(database.api, stripe, bookings=bookings, first=number * each, events=EVENTS)

    with step(f"paid_booking_p95_ms: {runs} times {bookings} PaymentIntents and as many bookings by card"):
        taken = [(asked(number), bought(number)) for number in range(runs)]
    slow, usual = (
        [(percentile(stripes, 0.95), percentile(ours, 0.95)) for stripes, ours in taken],
        [(median(stripes), median(ours)) for stripes, ours in taken],
    )
    say(
        "paid booking: "
        + ", ".join(f"p50 {a:.1f} ms, p95 {b:.1f} ms" for (_, a), (_, b) in zip(usual, slow, strict=True))
    )
    yield compared("paid_booking_p95_ms", "ms", slow)
    yield compared("paid_booking_p50_ms", "ms", usual)
    made.drop(database)


def _counted(made: stage.Stage, stripe: str) -> Iterator[Row]:
    def bought(url: str, bookings: int, first: int) -> None:
        buyer.bought(url, stripe, bookings=bookings, first=first, events=round_trips.EVENTS)

    database = made.database("paid_counting", customers=round_trips.CUSTOMERS, events=round_trips.EVENTS)
    database.run(PRICED)
    with step(f"paid_roundtrips, paid_commits: {round_trips.RUNS} times over a counted wire"):
        counts = round_trips.counted(made, database, bought)
    yield against("paid_roundtrips", "per booking", [each for each, _, _ in counts], TRANSACTIONS)
    yield against("paid_commits", "per booking", [each for _, each, _ in counts], TRANSACTIONS)
    made.drop(database)
