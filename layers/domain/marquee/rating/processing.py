"""The worker: counts what is in the inboxes of items that are due, and publishes their scores.

A batch is claimed and committed; then one transaction has the items to itself, takes their events, reads what is known,
writes what follows and finishes them. Whatever dies, events and results change together or not at all, and a lease that
runs out brings the items back. Claims only save work: who comes second for an item finds its inbox empty.

An item that cannot be counted is set aside with its error, and the others of its batch go on.
"""

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import psycopg
from pydantic import BaseModel, Field

from marquee.core import database
from marquee.core.database import Session
from marquee.core.errors import Unavailable
from marquee.rating import assembling, models, storage
from marquee.rating.results import Results
from marquee.rating.storage import Events, Item

BATCH_MOST = 500
ATTEMPTS_MAX = 3
PAUSE_SECONDS = 0.05
JOB = storage.JOB
ITEM_FAULTS = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError)
"""What an item's own events or rows may lead to; anything else is no item's fault."""


class Report(BaseModel):
    """What a batch did. `full`: as many items were claimed as were asked for, or not all events fitted in.

    `items` were claimed; `failed` of these were set aside; `held` are scores whose publish waits. `statements` are
    what the database was asked; `seconds` are by step.
    """

    statements: int = 0
    items: int = 0
    events: int = 0
    published: int = 0
    held: int = 0
    failed: int = 0
    full: bool = False
    seconds: dict[str, float] = Field(default_factory=dict)

    def add(self, counted: "_Counted") -> None:
        """Also what a transaction did."""
        self.events += counted.events
        self.published += counted.published
        self.held += counted.held
        self.full |= counted.is_cut

    def figures(self) -> dict[str, Any]:
        """The report as JSON."""
        return self.model_dump() | {"seconds": {name: round(value, 6) for name, value in self.seconds.items()}}


@dataclass(slots=True)
class _Counted:
    """What a transaction did. `is_cut`: there were more events than it may take."""

    events: int = 0
    published: int = 0
    held: int = 0
    is_cut: bool = False


@dataclass(slots=True)
class _Tally:
    """A report in the making, and the time since its last step."""

    report: Report = field(default_factory=Report)
    since: float = field(default_factory=time.perf_counter)

    def step(self, name: str) -> None:
        """The time since the last step went into this one."""
        now = time.perf_counter()
        self.report.seconds[name] = self.report.seconds.get(name, 0.0) + now - self.since
        self.since = now


def require_staff(session: Session, organization_id: UUID | None) -> None:
    """Refuses all but the service role and the staff of this organization: 401 unauthenticated, 403 forbidden."""
    session.value("select rating.require_staff(organization_id => %s::uuid)", [organization_id])


def begin_periods() -> int:
    """Begin a new period wherever the last one has lasted long enough and items wait; how many began."""
    return storage.begin_periods()


def process_batch(most: int = BATCH_MOST, *, record_nothing: bool = True) -> Report:
    """Claim up to so many items, count and publish them; the run is written down as one of the job process_ratings.

    `record_nothing`: also where nothing was to be claimed. Raises Unavailable when the database is lost or too busy;
    the items are then given back, or left to their lease. Any other fault leaves them to their lease.
    """
    tally = _Tally()
    report = tally.report
    items, report.statements = storage.claim(most)
    report.items = len(items)
    report.full = len(items) >= most
    tally.step("claim")
    if not items:
        if record_nothing:
            report.statements += 1
            storage.record(tally.report.figures())
        return report
    try:
        _settle(items, tally)
    except BaseException as error:
        with contextlib.suppress(Unavailable):
            if isinstance(error, Unavailable):
                storage.release(items)
            storage.record(report.figures(), f"{type(error).__name__}: {error}")
        raise
    return report


def _settle(items: Sequence[Item], tally: _Tally) -> None:
    """Count all items in one transaction; if that fails, find those that cannot be counted."""
    try:
        _try(items, tally, whole=True)
    except ITEM_FAULTS:
        tally.step("failed")
        _bisect(items, tally)
        tally.report.statements += 1
        storage.record(tally.report.figures())


def _bisect(items: Sequence[Item], tally: _Tally) -> None:
    """Count halves of what failed as a whole, down to the items that fail by themselves, which are set aside."""
    middle = len(items) // 2
    for half in (items[:middle], items[middle:]) if middle else (items,):
        try:
            _try(half, tally, whole=False)
        except ITEM_FAULTS as error:
            tally.step("failed")
            if len(half) > 1:
                _bisect(half, tally)
                continue
            storage.fail(half, f"{type(error).__name__}: {error}")
            tally.report.statements += 1
            tally.report.failed += 1
            tally.step("fail")


def _try(items: Sequence[Item], tally: _Tally, *, whole: bool) -> None:
    """Count items in one transaction. A deadlock or a lost connection is nobody's fault: it is tried again."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            with database.transaction(database.service()) as session:
                try:
                    counted = _count(session, items, tally, whole=whole)
                finally:
                    tally.report.statements += session.statements
        except Unavailable:
            tally.step("lost")
            if attempt == ATTEMPTS_MAX:
                raise
            time.sleep(PAUSE_SECONDS * attempt)
        else:
            tally.report.add(counted)
            tally.step("commit")
            return


def _count(session: Session, items: Sequence[Item], tally: _Tally, *, whole: bool) -> _Counted:
    """Count items, publish what is due, and finish them; with the report, where these are the whole batch."""
    taken = storage.take_events(session, items)
    tally.step("take")
    known = [items[place] for place in taken.known]
    counted = _Counted(events=len(taken.events.item), is_cut=len(taken.events.item) >= storage.EVENTS_MOST)
    publish_at = dict.fromkeys(items)
    if known:
        publish_at.update(_rate(session, known, taken.events, counted, tally))
    # An item with events left over is finished as of a generation that it never had: it stays, and is due.
    finished = [replace(item, generation=0) for item in items] if counted.is_cut else items
    report = None
    if whole:
        statements = tally.report.statements + session.statements + 1
        report = tally.report.model_copy(update={"statements": statements})
        report.add(counted)
    storage.finish(session, finished, list(publish_at.values()), None if report is None else report.figures())
    tally.step("finish")
    return counted


def _rate(
    session: Session, items: Sequence[Item], events: Events, counted: _Counted, tally: _Tally
) -> Iterable[tuple[Item, float | None]]:
    """Rate items by their events, write what came of it, and answer when each one's publish is due, if later."""
    parts = assembling.shares(items, events)
    opponents = [each for part in parts for each in part.opponents]
    voters = [each for part in parts for each in part.voters]
    tally.step("assemble")
    organizations = storage.read_organizations(session, [part.organization_id for part in parts])
    rows = storage.read_items(session, items, opponents)
    voter_rows = storage.read_voters(session, voters)
    tally.step("read")
    results = Results()
    for work in assembling.works(parts, rows, voter_rows, organizations):
        results.add(work, models.rate(work.batch.settings.model, work.batch))
    tally.step("compute")
    counted.published, counted.held = results.published, results.held
    if results.items:
        storage.write_items(session, results.items, results.columns)
    if voters:
        storage.write_voters(session, voters, results.periods, results.additions)
    tally.step("write")
    return zip(items, results.publish_at, strict=True)
