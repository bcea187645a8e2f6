"""The relay: carries the outbox outwards, in order per key, at least once.

A batch is claimed and committed, sent, and finished; a relay that dies in between leaves leases that run out, and what
it had sent goes out again, which those who receive it recognise by its id. Rows travel in bundles, several bundles in
one call; all rows of a key that one call carries are in one bundle, so that a bundle which is not taken never lets
later rows of its keys pass. A row that cannot be sent holds back the later ones of its key until it is sent or parked,
and no others.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from marquee.core import database
from marquee.messaging.happenings import TOPICS, Bundle, Happening

CLAIM_MOST = 500
BUNDLES_MOST = 10
BUNDLE_ROWS_MOST = 25
BUNDLE_BYTES_MAX = 200 * 1024
LEASE_SECONDS = 45
RESERVE_SECONDS = 8.0


class NotTaken(Exception):
    """Some bundles were not taken; all others of the call were."""

    def __init__(self, bundles: Collection[Bundle], reason: str) -> None:
        super().__init__(reason)
        self.bundles = bundles
        self.reason = reason


Send = Callable[[Sequence[Bundle]], None]
"""Sends up to ten bundles. Raises NotTaken; anything else means that none can be sent just now."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """What a run did: how many rows went out, failed for now and were parked, and whether more are waiting."""

    relayed: int = 0
    failed: int = 0
    parked: int = 0
    more: bool = False


@dataclass(slots=True)
class _Batch:
    """Claimed rows, and what has become of each so far."""

    rows: list[Happening]
    sent: list[int] = field(default_factory=list)
    failed: dict[str, list[int]] = field(default_factory=dict)
    refused: dict[str, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class _Load:
    """A bundle that is being filled."""

    rows: list[Happening] = field(default_factory=list)
    length: int = 0

    def has_room(self, length: int) -> bool:
        return len(self.rows) < BUNDLE_ROWS_MOST and self.length + length <= BUNDLE_BYTES_MAX


def relay(send: Send, seconds_left: Callable[[], float], *, most: int = CLAIM_MOST) -> Relayed:
    """Relay batch after batch, until nothing can be claimed or the time is up (less a reserve, for the last batch).

    `more` says that the time ended it. Raises what `send` raises beyond NotTaken, after the claimed rows that were not
    sent have been given back without counting as an attempt.
    """
    total, after = Relayed(), 0
    while rows := _claim(most, after):
        after = rows[-1].id
        batch = _Batch(rows)
        try:
            _send(batch, send)
        finally:
            parked = _settle(batch)
        failed = sum(map(len, (*batch.failed.values(), *batch.refused.values()))) - parked
        total = Relayed(total.relayed + len(batch.sent), total.failed + failed, total.parked + parked)
        if seconds_left() < RESERVE_SECONDS:
            return replace(total, more=True)
    return total


def _claim(most: int, after: int) -> list[Happening]:
    with database.single(database.service()) as session:
        rows = session.all(
            "select c.* from ops.claim_outbox(most => %s, lease_seconds => %s, after => %s) as c",
            [most, LEASE_SECONDS, after],
        )
    return [Happening(**{name: row[name] for name in Happening.model_fields}) for row in rows]


def _send(batch: _Batch, send: Send) -> None:
    """Send what can be sent; the later rows of a key that failed stay for another run."""
    held_back: set[str] = set()
    for call in _calls(_sendable(batch)):
        kept = [[row for row in rows if row.key not in held_back] for rows in call]
        bundles = [Bundle(happenings=rows) for rows in kept if rows]
        if not bundles:
            continue
        not_taken: Collection[Bundle] = ()
        try:
            send(bundles)
        except NotTaken as failure:
            not_taken = failure.bundles
            rows = [row for bundle in not_taken for row in bundle.happenings]
            batch.failed.setdefault(failure.reason, []).extend(row.id for row in rows)
            held_back.update(row.key for row in rows)
        batch.sent.extend(row.id for bundle in bundles if bundle not in not_taken for row in bundle.happenings)


def _sendable(batch: _Batch) -> list[Happening]:
    """The rows that somebody can receive; the others are refused."""
    rows = []
    for row in batch.rows:
        if row.topic not in TOPICS:
            batch.refused.setdefault(f"nobody listens to the topic {row.topic}", []).append(row.id)
        elif _length(row) > BUNDLE_BYTES_MAX:
            batch.refused.setdefault("the message is too long for the queue", []).append(row.id)
        else:
            rows.append(row)
    return rows


def _calls(rows: Iterable[Happening]) -> list[list[list[Happening]]]:
    """Rows by call and bundle: a key's rows of one call are in one bundle, the rest in later calls."""
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


def _length(row: Happening) -> int:
    return len(row.model_dump_json().encode())


def _settle(batch: _Batch) -> int:
    """Write down what became of the rows; how many were parked."""
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
