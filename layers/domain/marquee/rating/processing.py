"""The worker: counts the events in the inboxes of due items, and publishes their scores.

A batch is claimed and committed. Then one transaction locks the items, takes their events, reads their state, writes
the results and finishes them. If a worker stops, events and results have changed together or not at all, and an expired
lease makes the items due again. Claims only save work: the second worker of an item finds its inbox empty.

An item that cannot be counted is set aside with its error, and the others of its batch continue.
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
from marquee.rating import batch_input, models, storage
from marquee.rating.batch_output import Results
from marquee.rating.storage import Events, Item

BATCH_MOST = 500
ATTEMPTS_MAX = 3
PAUSE_SECONDS = 0.05
JOB = storage.JOB
ITEM_FAULTS = (psycopg.DataError, psycopg.IntegrityError, ArithmeticError)
"""Faults that an item's own events or rows can cause; any other fault has another cause."""


class Report(BaseModel):
    """The result of a batch. `full`: the batch reached its maximum of items or of events, so there may be more.

    `items` were claimed; `failed` of these were set aside; `held` are scores whose publication is delayed. `statements`
    is the number of SQL statements; `seconds` are by step.
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
        """Add the result of a transaction."""
        self.events += counted.events
        self.published += counted.published
        self.held += counted.held
        self.full |= counted.is_cut

    def figures(self) -> dict[str, Any]:
        """Return the report as JSON."""
        return self.model_dump() | {"seconds": {name: round(value, 6) for name, value in self.seconds.items()}}


@dataclass(slots=True)
class _Counted:
    """The result of a transaction. `is_cut`: there were more events than it may take."""

    events: int = 0
    published: int = 0
    held: int = 0
    is_cut: bool = False


@dataclass(slots=True)
class _Tally:
    """An unfinished report, and the time of its last step."""

    report: Report = field(default_factory=Report)
    since: float = field(default_factory=time.perf_counter)

    def step(self, name: str) -> None:
        """Add the time since the last step to this one."""
        now = time.perf_counter()
        self.report.seconds[name] = self.report.seconds.get(name, 0.0) + now - self.since
        self.since = now


def require_staff(session: Session, organization_id: UUID | None) -> None:
    """Refuse callers except the service role and the organization's staff: 401 unauthenticated, 403 forbidden."""
    session.value("select rating.require_staff(organization_id => %s::uuid)", [organization_id])


def begin_periods() -> int:
    """Start a new period in each organization whose period is over and where items wait. Returns their number."""
    return storage.begin_periods()


def process_batch(most: int = BATCH_MOST, *, record_nothing: bool = True) -> Report:
    """Claim up to `most` items, count and publish them, and record the run as one of the job process_ratings.

    `record_nothing` records also a run without items. Raises Unavailable if the database is lost or too busy; the items
    are then released, or left to their lease. Any other fault leaves them to their lease.
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
        _process(items, tally)
    except BaseException as error:
        with contextlib.suppress(Unavailable):
            if isinstance(error, Unavailable):
                storage.release(items)
            storage.record(report.figures(), f"{type(error).__name__}: {error}")
        raise
    return report


def _process(items: Sequence[Item], tally: _Tally) -> None:
    """Count all items in one transaction; if that fails, find those that cannot be counted."""
    try:
        _try(items, tally, whole=True)
    except ITEM_FAULTS:
        tally.step("failed")
        _bisect(items, tally)
        tally.report.statements += 1
        storage.record(tally.report.figures())


def _bisect(items: Sequence[Item], tally: _Tally) -> None:
    """Count the halves of a failed batch, down to the single items that fail, which are set aside."""
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
    """Count items in one transaction. A deadlock or a lost connection is retried."""
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
    """Count items, publish due scores, and finish the items; with the report, if these are the whole batch."""
    taken = storage.take_events(session, items)
    tally.step("take")
    known = [items[place] for place in taken.known]
    counted = _Counted(events=len(taken.events.item), is_cut=len(taken.events.item) >= storage.EVENTS_MOST)
    publish_at = dict.fromkeys(items)
    if known:
        publish_at.update(_rate(session, known, taken.events, counted, tally))
    # An item with remaining events is finished with a generation that it never had, so that it stays due.
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
    """Rate items by their events, and write the results. Returns the time of each delayed publication."""
    parts = batch_input.shares(items, events)
    opponents = [each for part in parts for each in part.opponents]
    voters = [each for part in parts for each in part.voters]
    tally.step("assemble")
    organizations = storage.read_organizations(session, [part.organization_id for part in parts])
    rows = storage.read_items(session, items, opponents)
    voter_rows = storage.read_voters(session, voters)
    tally.step("read")
    results = Results()
    for work in batch_input.works(parts, rows, voter_rows, organizations):
        results.add(work, models.rate(work.batch.settings.model, work.batch))
    tally.step("compute")
    counted.published, counted.held = results.published, results.held
    if results.items:
        storage.write_items(session, results.items, results.columns)
    if voters:
        storage.write_voters(session, voters, results.periods, results.additions)
    tally.step("write")
    return zip(items, results.publish_at, strict=True)
