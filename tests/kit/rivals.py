"""Change the facts that a routine decides by, on a second connection, while the routine waits for a lock.

A case is tried three times, each time in a scene of its own:

- undisturbed: the routine runs alone;
- after: the rival commits its change, then the routine starts;
- waiting: the rival takes a lock and makes its change, the routine starts and waits for the lock, the rival commits.

A routine that waits must decide like one that starts afterwards, so `waiting` must equal `after`. The change must
matter, so `after` must differ from `undisturbed`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from tests.kit import routines, stages
from tests.kit.concurrency import InBackground
from tests.kit.databases import Connect

Connection = psycopg.Connection[Any]

LOCKS = {
    "event": "select from events.inventory where event_id = %(event_id)s for no key update",
    "person": "select events.lock_person(%(customer)s)",
    "payment": "select from payments.intents where booking_id = %(booking_id)s for no key update",
    "series": "select from events.series where id = %(series_id)s for no key update",
    "programme": "select pg_advisory_xact_lock(uuid_hash_extended(%(organization_id)s, 2))",
    "closures": "select pg_advisory_xact_lock(uuid_hash_extended(%(organization_id)s, 4))",
    "closure": "select from events.closures where id = %(closure_id)s for no key update",
    "nothing": None,
}
"""Locks that a rival takes before its change. With `nothing` the change itself takes the lock."""

ROWS_OF_CUSTOMER = """
select jsonb_build_object(
    'bookings', (
        select jsonb_agg(
            jsonb_build_array(
                b.seats, b.guest, b.status, b.price_cents, b.payment_method, b.late, b.fee_cents, b.policy
            )
            order by b.seats, b.guest, b.status
        )
        from events.bookings as b where b.customer_id = %(customer)s
    ),
    'holds', (
        select jsonb_agg(
            jsonb_build_array(h.seats, h.purpose, h.status) order by h.seats, h.purpose, h.status
        )
        from events.holds as h where h.customer_id = %(customer)s
    ),
    'entries', (
        select jsonb_agg(jsonb_build_array(w.seats, w.place, w.status) order by w.place)
        from events.waitlist_entries as w where w.customer_id = %(customer)s
    )
) as rows
"""

BLOCKED = "select %s = any (pg_blocking_pids(pid)) as blocked from pg_stat_activity where pid = %s"


@dataclass
class Scene:
    """An organization, an event and a customer, with whatever else a case has prepared in `more`."""

    stage: stages.Stage
    event_id: UUID
    customer: UUID
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def db(self) -> Connection:
        """Return the owner's connection."""
        return self.stage.db

    def names(self) -> dict[str, Any]:
        """Return the ids for the parameters of a statement."""
        return {
            "event_id": self.event_id,
            "customer": self.customer,
            "owner": self.stage.owner,
            "organization_id": self.stage.organization_id,
            **self.more,
        }


Change = Callable[[Connection, Scene], Any]
Call = Callable[[Connection, Scene], Any]


def empty_scene(db: Connection, **event: Any) -> Scene:
    """Create an organization with a free event of four seats, and a customer."""
    stage = stages.create(db)
    return Scene(stage, stage.event(**{"capacity": 4, **event}), stage.customer())


def calls(query: str, caller: str = "customer") -> Call:
    """Return a call of a routine by a person of the scene (`customer`, `owner`, a name of `more`), or the service."""
    return lambda connection, scene: routines.call(
        connection, None if caller == "service" else scene.names()[caller], query, scene.names()
    )


def runs(query: str) -> Change:
    """Return a change by one statement of the owner of the database."""
    return lambda connection, scene: connection.execute(query, scene.names())


DISMISSED = runs(
    """
    with successor as (insert into users.profiles (name) values ('successor') returning id),
    appointed as (
        insert into organizations.memberships (organization_id, user_id, role)
        select %(organization_id)s, s.id, 'owner' from successor as s
    )
    delete from organizations.memberships where user_id = %(owner)s
    """
)
"""The owner of the scene leaves. Another owner takes over, since an organization keeps at least one."""


@dataclass(frozen=True)
class Case:
    """A routine, the fact that a rival changes, and how to see the outcome.

    `look` is a query with one value, in addition to the customer's rows and the code of a refusal.
    """

    routine: str
    act: Call
    rival: Change
    prepare: Callable[[Connection], Scene] = empty_scene
    lock: str = "event"
    look: str = "select null as value"


def outcome(scene: Scene, got: Any, look: str) -> dict[str, Any]:
    """Return the code of a refusal or `done`, and the rows that the routine may have written."""
    row = scene.db.execute(ROWS_OF_CUSTOMER, scene.names()).fetchone()
    seen = scene.db.execute(look, scene.names()).fetchone()
    assert row is not None
    assert seen is not None
    return {"result": got if isinstance(got, str) else "done", "value": seen["value"], **row["rows"]}


def acted(connect: Connect, case: Case, scene: Scene) -> Any:
    """Run the routine without a rival. Return its code or `done`."""
    connection = connect()
    background = InBackground(lambda: (case.act(connection, scene), "done")[1])
    got = background.got()
    connect.give_back(connection)
    return got


def try_case(connect: Connect, db: Connection, case: Case) -> dict[str, dict[str, Any]]:
    """Try a case three times and return the three outcomes."""
    found = {}
    for way in ("undisturbed", "after", "waiting"):
        scene = case.prepare(db)
        rival = connect(autocommit=False)
        if way != "undisturbed":
            statement = LOCKS[case.lock]
            if statement:
                rival.execute(statement, scene.names())
            case.rival(rival, scene)
        if way == "after":
            rival.commit()
        if way == "waiting":
            got = _while_waiting(connect, case, scene, rival)
        else:
            rival.commit()
            got = acted(connect, case, scene)
        connect.give_back(rival)
        found[way] = outcome(scene, got, case.look)
    return found


def _while_waiting(connect: Connect, case: Case, scene: Scene, rival: Connection) -> Any:
    """Start the routine, wait until the rival blocks it, let the rival commit, and return the code or `done`."""
    connection = connect()
    background = InBackground(lambda: (case.act(connection, scene), "done")[1])
    until = time.monotonic() + 20
    pids = [rival.info.backend_pid, connection.info.backend_pid]
    while (row := scene.db.execute(BLOCKED, pids).fetchone()) is None or not row["blocked"]:
        assert background.is_alive(), f"{case.routine} did not wait for the rival: {background.got()}"
        assert time.monotonic() < until
        time.sleep(0.005)
    rival.commit()
    got = background.got()
    connect.give_back(connection)
    return got
