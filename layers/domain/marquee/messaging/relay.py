"""The relay: sends the outbox to its queues, in order per key, at-least-once.

A batch is claimed and committed, sent, and finished. If a relay stops in between, its leases expire, and rows that it
had sent are sent again; the receivers recognize them by their ids. Rows travel in bundles, several bundles in one call.
All rows of a key in one call are in one bundle, so that later rows never overtake a bundle that was not accepted. A row
that cannot be sent delays only the later rows of its key, until it is sent or parked.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from marquee.core import database
from marquee.messaging.topics import CATALOGUE, Bundle, OutboxMessage

CLAIM_MOST = 500
BUNDLES_MOST = 10
BUNDLE_ROWS_MOST = 25
BUNDLE_BYTES_MAX = 200 * 1024
LEASE_SECONDS = 45
RESERVE_SECONDS = 8.0


class NotTaken(Exception):
    """Some bundles were not accepted; all others of the call were."""

    def __init__(self, bundles: Collection[Bundle], reason: str) -> None:
        super().__init__(reason)
        self.bundles = bundles
        self.reason = reason


Send = Callable[[Sequence[Bundle]], None]
"""Sends up to ten bundles. Raises NotTaken; any other exception means that none can be sent at the moment."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """The result of a run: the numbers of rows that were sent, failed for now and were parked; `more`: rows remain."""

    relayed: int = 0
    failed: int = 0
    parked: int = 0
    more: bool = False


@dataclass(slots=True)
class _Batch:
    """Claimed rows, with their results so far."""

    rows: list[OutboxMessage]
    sent: list[int] = field(default_factory=list)
    failed: dict[str, list[int]] = field(default_factory=dict)
    refused: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Load:
    """A bundle that is being filled."""

    rows: list[OutboxMessage] = field(default_factory=list)
    length: int = 0

    def has_room(self, length: int) -> bool:
        return len(self.rows) < BUNDLE_ROWS_MOST and self.length + length <= BUNDLE_BYTES_MAX


def relay(send: Send, seconds_left: Callable[[], float], *, most: int = CLAIM_MOST) -> Relayed:
    """Relay batch after batch, until nothing can be claimed or the time (less a reserve) is up.

    `more` means that time ended the run. Raises exceptions of `send` other than NotTaken, after the unsent rows were
    released without counting an attempt.
    """
    total, after = Relayed(), 0
    while rows := _claim(most, after):
        after = rows[-1].id
        batch = _Batch(rows)
        try:
            _send(batch, send)
        finally:
            parked = _record(batch)
        failed = sum(map(len, (*batch.failed.values(), *batch.refused.values()))) - parked
        total = Relayed(total.relayed + len(batch.sent), total.failed + failed, total.parked + parked)
        if seconds_left() < RESERVE_SECONDS:
            return replace(total, more=True)
    return total


def _claim(most: int, after: int) -> list[OutboxMessage]:
    with database.single(database.service()) as session:
        rows = session.all(
            "select c.* from ops.claim_outbox(most => %s, lease_seconds => %s, after => %s) as c",
            [most, LEASE_SECONDS, after],
        )
    return [OutboxMessage(**{name: row[name] for name in OutboxMessage.model_fields}) for row in rows]


def _send(batch: _Batch, send: Send) -> None:
    """Send the rows that can be sent; the later rows of a key that failed stay for another run."""
    held_back: set[str] = set()
    for call in _calls(_sendable(batch)):
        kept = [[row for row in rows if row.key not in held_back] for rows in call]
        bundles = [Bundle(messages=rows) for rows in kept if rows]
        if not bundles:
            continue
        not_taken: Collection[Bundle] = ()
        try:
            send(bundles)
        except NotTaken as failure:
            not_taken = failure.bundles
            rows = [row for bundle in not_taken for row in bundle.messages]
            batch.failed.setdefault(failure.reason, []).extend(row.id for row in rows)
            held_back.update(row.key for row in rows)
        batch.sent.extend(row.id for bundle in bundles if bundle not in not_taken for row in bundle.messages)


def _sendable(batch: _Batch) -> list[OutboxMessage]:
    """Return the rows that have a known topic and fit; the others are refused."""
    rows = []
    for row in batch.rows:
        if row.topic not in CATALOGUE:
            batch.refused.setdefault(f"the topic {row.topic} is not in the catalogue", []).append(row.id)
        elif _length(row) > BUNDLE_BYTES_MAX:
            batch.refused.setdefault("the message is too long for the queue", []).append(row.id)
        else:
            rows.append(row)
    return rows


def _calls(rows: Iterable[OutboxMessage]) -> list[list[list[OutboxMessage]]]:
    """Split rows by call and bundle: a key's rows of one call are in one bundle, the others in later calls."""
    calls: list[list[_Load]] = []
    places: dict[str, tuple[int, _Load]] = {}
    for row in rows:
        length = _length(row)
        number, load = places.get(row.key, (-1, None))
        while load is None or not load.has_room(length):
            number += 1
            if number == len(calls):
                calls.append([_Load()])
            call = calls[number]
            if not call[-1].has_room(length) and len(call) < BUNDLES_MOST:
                call.append(_Load())
            load = call[-1]
        load.rows.append(row)
        load.length += length
        places[row.key] = (number, load)
    return [[load.rows for load in call] for call in calls]


def _length(row: OutboxMessage) -> int:
    return len(row.model_dump_json().encode())


def _record(batch: _Batch) -> int:
    """Record the results of the rows. Returns the number of parked ones."""
    settled = {*batch.sent}.union(*batch.failed.values(), *batch.refused.values())
    untried = [row.id for row in batch.rows if row.id not in settled]
    parked = 0
    if batch.sent:
        with database.single(database.service()) as session:
            session.value("select ops.finish_outbox(ids => %s)", [batch.sent])
    for permanent, failures in ((False, batch.failed), (True, batch.refused)):
        for reason, ids in failures.items():
            with database.single(database.service()) as session:
                parked += session.value(
                    "select ops.fail_outbox(ids => %s, error => %s, permanent => %s)", [ids, reason, permanent]
                )
    if untried:
        with database.single(database.service()) as session:
            session.value("select ops.release_outbox(ids => %s)", [untried])
    return parked
