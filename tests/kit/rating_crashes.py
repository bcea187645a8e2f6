"""Kill or hold a batch of ratings at one statement, and let other workers finish it."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from local.postgres import Server
from tests.kit import rating_load, rating_results, rating_workers
from tests.kit.databases import api_url
from tests.kit.statement_proxy import Fault, StatementProxy

EVENTS = rating_load.made_up(300, items=12, voters=9, seed=5)
SECONDS_MAX = 60
OTHERS = """
select count(*) as n from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""
WAITING = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
RUN_OUT = """
update rating.dirty_items as d
set lease_until = null, available_at = now()
from (select o.organization_id, o.item_id from rating.dirty_items as o for update skip locked) as o
where o.organization_id = d.organization_id and o.item_id = d.item_id
"""


def url_of(server: Server, database_name: str, port: int | None = None) -> str:
    """Return the database URL of a worker, with another port if it connects through a proxy."""
    url = api_url(server, database_name)
    if port is not None:
        url = url.replace(f":{server.port}/", f":{port}/")
    return f"{url}{'&' if '?' in url else '?'}sslmode=disable&gssencmode=disable"


def expire_leases(db: psycopg.Connection[Any], dead: bool = True) -> None:
    """Expire leases: with `dead`, only after the sessions of dead workers have ended."""
    deadline = time.monotonic() + SECONDS_MAX
    while dead and (db.execute(OTHERS).fetchone() or {})["n"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    db.execute(RUN_OUT)


class Bench:
    """The database and the server in which one kind of worker is tested."""

    def __init__(
        self, db: psycopg.Connection[Any], server: Server, name: str, worker: str = rating_workers.PRODUCT
    ) -> None:
        self.db, self.server, self.name, self.worker = db, server, name, worker
        self.first_known = 1
        self.url = url_of(server, name)

    def clean(self, events: Sequence[rating_load.Event] = EVENTS) -> tuple[UUID, list[str]]:
        """Count events with one undisturbed worker. Return the organization and the worker's statements."""
        organization_id = rating_results.stage(self.db, events, self.first_known)
        with StatementProxy(self.server.port) as wire:
            process = rating_workers.start(self.worker, url_of(self.server, self.name, wire.port))
            wire.aim(process.pid or 0)
            rating_workers.finish(process)
            return organization_id, wire.statements

    def interrupted(self, fault: Fault) -> UUID:
        """Kill or disconnect a worker, let two others finish, and return the organization."""
        organization_id = rating_results.stage(self.db, EVENTS, self.first_known)
        with StatementProxy(self.server.port, fault) as wire:
            process = rating_workers.start(self.worker, url_of(self.server, self.name, wire.port))
            wire.aim(process.pid or 0)
            process.join(SECONDS_MAX)
            assert wire.carried_out.is_set()
            assert process.exitcode == (-signal.SIGKILL if fault.deed == "kill" else 0)
        self.finish()
        return organization_id

    def held(self, fault: Fault, meanwhile: Callable[[UUID], None]) -> UUID:
        """Hold a worker during another action, or until that action waits for a lock. Return the organization."""
        organization_id = rating_results.stage(self.db, EVENTS, self.first_known)
        with StatementProxy(self.server.port, fault) as wire:
            process = rating_workers.start(self.worker, url_of(self.server, self.name, wire.port))
            wire.aim(process.pid or 0)
            assert wire.carried_out.wait(SECONDS_MAX)
            other = threading.Thread(target=meanwhile, args=(organization_id,))
            other.start()
            deadline = time.monotonic() + SECONDS_MAX
            while other.is_alive() and not self.db.execute(WAITING).fetchall():
                assert time.monotonic() < deadline
                time.sleep(0.005)
            wire.let_go.set()
            other.join(SECONDS_MAX)
            rating_workers.finish(process)
        self.finish()
        return organization_id

    def finish(self) -> None:
        """Let other workers count the remaining events."""
        expire_leases(self.db)
        rating_workers.finish(*(rating_workers.start(self.worker, self.url) for _ in range(2)))

    def faults(self, organization_id: UUID, clean: UUID, events: Sequence[rating_load.Event] = EVENTS) -> list[str]:
        """Return wrong counters and differences from an undisturbed run."""
        return rating_results.miscounted(self.db, organization_id, events) + rating_results.differences(
            rating_results.state_of(self.db, organization_id), rating_results.state_of(self.db, clean)
        )
