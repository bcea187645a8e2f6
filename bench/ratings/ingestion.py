"""Votes through the handler of functions/ingest: many in a request, and one by one."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench import stage
from bench.measurements import Row, against
from bench.money import services
from bench.ratings import datasets, voter
from bench.runs import Broken, Run, say, step

PROCESSES = 8
VOTES_LEAST, VOTES_MOST = 20, 500
BULK_TARGET, SINGLE_TARGET = 8000, 1000
BULK_WARM_UP, SINGLE_WARM_UP = 10, 400
"""So many requests first: until plans are made and the interpreter has seen the code often enough."""


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """ingest_bulk_s and ingest_single_s."""
    runs = 3
    database = datasets.database(made, "ingest", items=20)
    chance = random.Random(7)
    bulk = [chance.randint(VOTES_LEAST, VOTES_MOST) for _ in range(run.pick(50, 15))]
    single = [1] * run.pick(1000, 500)
    with services.queue() as queue:
        environment = {**queue.variables, "DATABASE_URL": database.api}
        for name, sizes, warm_up, target in (
            ("ingest_bulk_s", bulk, BULK_WARM_UP, BULK_TARGET),
            ("ingest_single_s", single, SINGLE_WARM_UP, SINGLE_TARGET),
        ):
            with step(f"{name}: {runs} times {PROCESSES} x {sum(sizes):,} votes in {len(sizes)} requests"):
                rates = [_rate(run, environment, sizes, warm_up, f"{name}-{number}") for number in range(runs)]
            say(f"{name}: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
            yield against(name, "votes/s", rates, target)
    _check(database)
    made.drop(database)


def _rate(run: Run, environment: dict[str, str], sizes: list[int], warm_up: int, name: str) -> float:
    """Votes a second of several processes side by side, without the requests that warm them up."""
    folder = run.folder / name
    folder.mkdir()

    def post(process: int) -> voter.Posted:
        return voter.posted(
            environment,
            sizes=sizes,
            warm_up=warm_up,
            name=f"{name}-{process}",
            folder=folder,
            processes=PROCESSES,
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(post, range(PROCESSES)))
    return sum(one.votes for one in done) / (max(one.ended for one in done) - min(one.began for one in done))


def _check(database: stage.Database) -> None:
    """Every vote that was accepted is kept, and waits for both of its items."""
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "select (select count(*) from rating.votes) * 2 = count(*) and count(*) > 0 from rating.inbox"
        ).fetchone()
    if row != (True,):
        raise Broken("Votes that were accepted are not waiting.")
