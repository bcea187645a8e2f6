"""The book handler in a process of its own, one booking after the other: what one core does."""

from collections.abc import Iterator

from bench import stage
from bench.booking import worker
from bench.measurements import Row, against, interleaved
from bench.runs import Run, say, step

EVENTS = 200
TARGET_PER_SECOND = 300


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """handler: the handler waits for its backend and the backend for it, so both together have one core's time."""
    runs, bookings = run.pick(5, 3), run.pick(1000, 250)
    each = worker.customers_of(bookings)
    database = made.database("handler", customers=runs * each, events=EVENTS)

    def booked(number: int) -> float:
        seconds = worker.booked(database.api, bookings=bookings, first=number * each, events=EVENTS)
        return bookings / seconds

    with step(f"handler: {runs} times {bookings} bookings"):
        rates = [rate for (rate,) in interleaved(runs, booked)]
    say("handler: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
    yield against("handler", "bookings/s", rates, TARGET_PER_SECOND)
    made.drop(database)
