"""The handler of functions/book in its own process: bookings per second, one after the other, against 300 a second."""

from collections.abc import Iterator

from bench import databases
from bench.booking import booking_worker
from bench.figures import Row, against, interleaved
from bench.runs import Run, log, step

EVENTS = 200
TARGET_PER_SECOND = 300


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `handler`. Handler and backend wait for each other, so together they use one core."""
    runs, bookings = run.pick(5, 3), run.pick(1000, 250)
    each = booking_worker.customers_needed(bookings)
    database = factory.create("handler", customers=runs * each, events=EVENTS)

    def booked(number: int) -> float:
        seconds = booking_worker.book(database.api, bookings=bookings, first=number * each, events=EVENTS)
        return bookings / seconds

    with step(f"handler: {runs} times {bookings} bookings"):
        rates = [rate for (rate,) in interleaved(runs, booked)]
    log("handler: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    yield against("handler", "bookings/s", rates, TARGET_PER_SECOND)
    factory.drop(database)
