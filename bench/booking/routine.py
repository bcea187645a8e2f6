"""The booking routine: bookings per second by pgbench, against the floor on the same server, measured in turns.

The floor inserts one row and updates one counter. The routine is called alone (prepared), and as functions send it.
"""

from collections.abc import Iterator
from pathlib import Path

from bench import databases, pgbench
from bench.booking import wire_tap
from bench.figures import Row, compared, interleaved
from bench.runs import Run, log, step

EVENTS = 200
CUSTOMERS_PER_CLIENT = 4_500

FLOOR_TABLES = """
create table public.floor_events (
    id integer primary key,
    taken integer not null default 0
) with (fillfactor = 50);
insert into public.floor_events (id) select generate_series(1, 201);
create table public.floor_bookings (
    id bigint generated always as identity primary key,
    event_id integer not null,
    customer_id integer not null,
    seats integer not null,
    created_at timestamptz not null default now()
);
"""
FLOOR = """\\set customer random(1, 1000000)
begin;
insert into floor_bookings (event_id, customer_id, seats) values (:event, :customer, 1);
update floor_events set taken = taken + 1 where id = :event;
commit;
"""
NEXT_CUSTOMER = """\\set customer :first + :client_id * :share + :number
\\set number :number + 1
"""


# The claims are set before the routine is called, because PostgreSQL evaluates the `from` clause first.
ROUTINE = """select events.book(
    event_id => ('{event}' || :event::text)::uuid, idempotency_key => :customer::text || '-' || :event::text
)
from (
    select set_config(
        'request.jwt.claims', format('{{"sub": "{customer}%s", "role": "authenticated"}}', :customer::text), false
    ) as claims
    offset 0
) as caller
where caller.claims is not null;
"""


class Load:
    """The scripts of pgbench for one database: floor, routine, and a booking as functions send it."""

    def __init__(self, folder: Path, database: databases.Database, booking: str) -> None:
        self._database = database
        self._folder = folder
        self._booking = booking

    def floor(self, seconds: int, *, hot: bool) -> float:
        """Measure the floor, as the owner: transactions per second of one insert and one update of a counter."""
        event = f"\\set event {EVENTS + 1}\n" if hot else f"\\set event random(1, {EVENTS})\n"
        script = self._script("floor", event + FLOOR)
        return pgbench.rate(self._database.owner, script, seconds, "prepared")

    def routine(self, seconds: int, *, hot: bool, first: int) -> float:
        """Measure bookings per second by the routine alone, prepared like the floor, in the callers' role."""
        text = ROUTINE.format(customer=databases.CUSTOMER, event=databases.EVENT)
        script = self._script("routine", _event(hot=hot) + NEXT_CUSTOMER + text)
        return pgbench.rate(
            self._database.owner,
            script,
            seconds,
            "prepared",
            role="authenticated",
            first=databases.FIRST + first,
            share=CUSTOMERS_PER_CLIENT,
            number=0,
        )

    def book(self, seconds: int, *, hot: bool, first: int) -> float:
        """Measure bookings per second as functions send them, by their login, from the customer `first` on."""
        script = self._script("book", _event(hot=hot) + NEXT_CUSTOMER + self._booking)
        return pgbench.rate(
            self._database.people,
            script,
            seconds,
            "simple",
            first=databases.FIRST + first,
            share=CUSTOMERS_PER_CLIENT,
            number=0,
        )

    def _script(self, name: str, text: str) -> Path:
        file = self._folder / f"{name}.pgbench"
        file.write_text(text)
        return file


def _event(*, hot: bool) -> str:
    numbers = f"{databases.FIRST + EVENTS}" if hot else f"random({databases.FIRST}, {databases.FIRST + EVENTS - 1})"
    return f"\\set event {numbers}\n"


def share(number: int) -> int:
    """Return the number of the first customer of a run, because each run has its own customers."""
    return number * pgbench.CLIENTS * CUSTOMERS_PER_CLIENT


def customers(runs: int) -> int:
    """Return how many customers this module needs, because nobody books an event twice."""
    return share(2 * (runs + 1)) + wire_tap.WARM_UP


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `routine_uniform` and `routine_hot` (the routine), `sent_uniform` and `sent_hot` (as functions send)."""
    runs, seconds = run.pick(7, 3), run.pick(2, 1)
    people = customers(runs)
    database = factory.create("routine", customers=people, events=EVENTS + 1)
    database.run(FLOOR_TABLES)
    with step("recording the SQL of a booking"):
        string = wire_tap.booking_sql(database, people - wire_tap.WARM_UP)
        booking = wire_tap.pgbench_script(string, people - wire_tap.WARM_UP)
    load = Load(run.folder, database, booking)
    for where, hot in (("uniform", False), ("hot", True)):
        with step(f"{where}: warming up"):
            load.routine(1, hot=hot, first=share(2 * runs))
            load.book(1, hot=hot, first=share(2 * runs + 1))

        def floor(_number: int, *, hot: bool = hot) -> float:
            return load.floor(seconds, hot=hot)

        def routine(number: int, *, hot: bool = hot) -> float:
            return load.routine(seconds, hot=hot, first=share(2 * number))

        def book(number: int, *, hot: bool = hot) -> float:
            return load.book(seconds, hot=hot, first=share(2 * number + 1))

        for name, measured in ((f"routine_{where}", routine), (f"sent_{where}", book)):
            with step(f"{name}: {runs} times {seconds} s of the floor and of the booking"):
                pairs = interleaved(runs, floor, measured)
            log(f"{name}: " + ", ".join(f"{booked:.0f} of {bare:.0f}" for bare, booked in pairs) + " a second")
            yield compared(name, "bookings/s", pairs)
    factory.drop(database)
