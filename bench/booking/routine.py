"""The booking routine beside the floor, and what functions send beside it: same clients, server and disk, in turns."""

from collections.abc import Iterator
from pathlib import Path

from bench import pgbench, stage
from bench.booking import statement
from bench.measurements import Row, compared, interleaved
from bench.runs import Run, say, step

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


# The claims are set before the routine is called, in the same statement: its from comes first.
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
    """pgbench's scripts for one database: routine, what functions send, floor; over many events or a hot one."""

    def __init__(self, folder: Path, database: stage.Database, booking: str) -> None:
        self._database = database
        self._folder = folder
        self._booking = booking

    def floor(self, seconds: int, *, hot: bool) -> float:
        """Transactions a second of one insert and one counter's update, as the owner."""
        event = f"\\set event {EVENTS + 1}\n" if hot else f"\\set event random(1, {EVENTS})\n"
        script = self._script("floor", event + FLOOR)
        return pgbench.rate(self._database.owner, script, seconds, "prepared")

    def routine(self, seconds: int, *, hot: bool, first: int) -> float:
        """Bookings a second by the routine alone, prepared as the floor is, in a session of the callers' role."""
        text = ROUTINE.format(customer=stage.CUSTOMER, event=stage.EVENT)
        script = self._script("routine", _event(hot=hot) + NEXT_CUSTOMER + text)
        return pgbench.rate(
            self._database.owner,
            script,
            seconds,
            "prepared",
            role="authenticated",
            first=stage.FIRST + first,
            share=CUSTOMERS_PER_CLIENT,
            number=0,
        )

    def book(self, seconds: int, *, hot: bool, first: int) -> float:
        """Bookings a second as functions send them, by their login; `first` is the number of the first customer."""
        script = self._script("book", _event(hot=hot) + NEXT_CUSTOMER + self._booking)
        return pgbench.rate(
            self._database.people,
            script,
            seconds,
            "simple",
            first=stage.FIRST + first,
            share=CUSTOMERS_PER_CLIENT,
            number=0,
        )

    def _script(self, name: str, text: str) -> Path:
        file = self._folder / f"{name}.pgbench"
        file.write_text(text)
        return file


def _event(*, hot: bool) -> str:
    numbers = f"{stage.FIRST + EVENTS}" if hot else f"random({stage.FIRST}, {stage.FIRST + EVENTS - 1})"
    return f"\\set event {numbers}\n"


def share(number: int) -> int:
    """The number of the first customer of a run: each run has its own."""
    return number * pgbench.CLIENTS * CUSTOMERS_PER_CLIENT


def customers(runs: int) -> int:
    """How many customers the rows of this module want: each books once at an event of either row."""
    return share(2 * (runs + 1)) + statement.WARM_UP


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """routine_uniform and routine_hot, the routine alone; sent_uniform and sent_hot, as functions send it."""
    runs, seconds = run.pick(7, 3), run.pick(2, 1)
    people = customers(runs)
    database = made.database("routine", customers=people, events=EVENTS + 1)
    database.run(FLOOR_TABLES)
    with step("listening to what a booking sends"):
        string = statement.sent(database, people - statement.WARM_UP)
        booking = statement.script(string, people - statement.WARM_UP)
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
            say(f"{name}: " + ", ".join(f"{booked:.0f} of {bare:.0f}" for bare, booked in pairs) + " a second")
            yield compared(name, "bookings/s", pairs)
    made.drop(database)
