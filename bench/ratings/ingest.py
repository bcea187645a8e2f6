"""Votes per second through the handler of functions/ingest: many per request (against 8,000) or one (against 1,000)."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bench import databases
from bench.figures import Row, against
from bench.money import services
from bench.ratings import dataset, ingest_worker
from bench.runs import MeasurementFailed, Run, log, step

PROCESSES = 8
VOTES_LEAST, VOTES_MOST = 20, 500
BULK_TARGET, SINGLE_TARGET = 8000, 1000
BULK_WARM_UP, SINGLE_WARM_UP = 10, 400
"""Requests that are not measured, until PostgreSQL has cached its plans and Python has specialized its bytecode."""


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `ingest_bulk_s` and `ingest_single_s`."""
    runs = 3
    database = dataset.create_database(factory, "ingest", items=20)
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
            log(f"{name}: " + ", ".join(f"{rate:.0f}" for rate in rates) + " a second")
            yield against(name, "votes/s", rates, target)
    _check(database)
    factory.drop(database)


def _rate(run: Run, environment: dict[str, str], sizes: list[int], warm_up: int, name: str) -> float:
    """Return the votes per second of several processes at the same time, without their warm-up requests."""
    folder = run.folder / name
    folder.mkdir()

    def post_votes(process: int) -> ingest_worker.Posted:
        return ingest_worker.post(
            environment,
            sizes=sizes,
            warm_up=warm_up,
            name=f"{name}-{process}",
            folder=folder,
            processes=PROCESSES,
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        done = list(pool.map(post_votes, range(PROCESSES)))
    return sum(one.votes for one in done) / (max(one.ended for one in done) - min(one.began for one in done))


def _check(database: databases.Database) -> None:
    """Check that every accepted vote is stored and waits for both of its items. Raises MeasurementFailed."""
    with psycopg.connect(database.owner) as connection:
        row = connection.execute(
            "select (select count(*) from rating.votes) * 2 = count(*) and count(*) > 0 from rating.inbox"
        ).fetchone()
    if row != (True,):
        raise MeasurementFailed("The inbox does not contain two rows for each accepted vote.")
