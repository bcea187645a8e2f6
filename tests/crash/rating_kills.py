"""A batch of ratings that is killed at one statement, and finished by others."""

import time
from typing import Any
from uuid import UUID

import psycopg

from local.postgres import Server
from tests import given
from tests.concurrency import crew, raters, standings
from tests.conftest import API_PASSWORD
from tests.crash.executioner import Executioner, Sentence

EVENTS = raters.made_up(300, items=12, voters=9, seed=5)
OTHERS = """
select count(*) as n from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


def url_of(server: Server, database_name: str, port: int | None = None) -> str:
    """Where a worker logs in as the functions do, by another port where it is led through a wire."""
    url = server.url(database_name, "marquee_api", API_PASSWORD)
    if port is not None:
        url = url.replace(f":{server.port}/", f":{port}/")
    return f"{url}{'&' if '?' in url else '?'}sslmode=disable&gssencmode=disable"


def staged(db: psycopg.Connection[Any], events: list[raters.Event] = EVENTS) -> UUID:
    """An organization whose period stays open, with events that are to be counted."""
    organization_id = given.stage(db).organization_id
    keep_period_open(db, organization_id)
    for request in raters.requests(events, 50):
        raters.ingest(db, organization_id, request)
    return organization_id


def keep_period_open(db: psycopg.Connection[Any], organization_id: UUID) -> None:
    """Have everything counted against the same ratings, so that two ways of counting may be compared."""
    db.execute("insert into rating.settings (organization_id, period_seconds) values (%s, 86400)", [organization_id])
    db.execute("insert into rating.populations (organization_id) values (%s)", [organization_id])


def run_out(db: psycopg.Connection[Any]) -> None:
    """Have the leases of the dead run out, once their sessions have ended."""
    deadline = time.monotonic() + 20
    while (db.execute(OTHERS).fetchone() or {})["n"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    db.execute("update rating.dirty_items set lease_until = null, available_at = now()")


def clean_run(db: psycopg.Connection[Any], server: Server, name: str, worker: str) -> tuple[UUID, list[str]]:
    """An organization whose events one worker has counted undisturbed, and the statements that it took."""
    organization_id = staged(db)
    with Executioner(server.port) as wire:
        process = crew.start(worker, url_of(server, name, wire.port))
        wire.aim(process.pid or 0)
        crew.finish(process)
        return organization_id, wire.statements


def killed(db: psycopg.Connection[Any], server: Server, name: str, worker: str, sentence: Sentence) -> UUID:
    """An organization whose events were counted by a worker that was killed, and then by two others."""
    organization_id = staged(db)
    with Executioner(server.port, sentence) as wire:
        process = crew.start(worker, url_of(server, name, wire.port))
        wire.aim(process.pid or 0)
        process.join(60)
        assert wire.carried_out.is_set()
        assert process.exitcode == -9
    run_out(db)
    crew.finish(*(crew.start(worker, url_of(server, name)) for _ in range(2)))
    return organization_id


def faults(db: psycopg.Connection[Any], organization_id: UUID, clean: UUID) -> list[str]:
    """What is not as it must be: counters, and everything else beside a clean run."""
    return standings.miscounted(db, organization_id, EVENTS) + standings.differences(
        standings.state_of(db, organization_id), standings.state_of(db, clean)
    )
