"""Deliveries of webhooks: created once for each message and endpoint, sent at-least-once until accepted.

A worker claims due deliveries under a lease and commits, sends with several threads, and records all results in one
statement. If it stops in between, its leases expire, and deliveries that it had sent are sent again under the same
webhook-id. First attempts for one key of an endpoint are made in order, one after the other. After a failure, its
retries follow the clock and delay no other delivery.
"""

import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from marquee.core import clock, database
from marquee.core.encryption import KeyRing, Unreadable
from marquee.messaging import http_client, signing_secrets, url_safety, webhooks
from marquee.messaging.topics import OutboxMessage, is_for_subscribers

CLAIM_MOST = 64
PER_ENDPOINT_MOST = 8
HANDS = 16
LEASE_SECONDS = 90
BATCH_SECONDS_MAX = 20.0
"""Attempts start within this time after a claim; the remaining deliveries are released."""
RESERVE_SECONDS = 40.0
SOON_SECONDS_MAX = 60
UNREADABLE_PAUSE_SECONDS = 300
"""The pause of a delivery whose secret no key opens. It uses up no attempt, because the subscriber is not at fault."""

Row = dict[str, Any]
Post = Callable[[url_safety.Target, bytes, dict[str, str]], http_client.Answer]
"""Sends a request. Raises posting.NotSent."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The result of a run; `more`: time ended it; `soon_seconds`: when the first retry within a minute is due.

    `held` deliveries wait because no key opens their secret.
    """

    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    disabled: int = 0
    more: bool = False
    soon_seconds: int | None = None
    held: int = 0


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: UUID
    endpoint_id: UUID
    url: str
    secrets: list[str]
    topic: str
    key: str
    payload: Row
    occurred_at: datetime
    attempt: int
    tries: int


def fan_out(messages: Sequence[OutboxMessage]) -> int:
    """Create a delivery for each public message and each endpoint with its topic. Returns the number of new ones.

    Idempotent.
    """
    heard = [each.model_dump(mode="json") for each in messages if is_for_subscribers(each)]
    if not heard:
        return 0
    with database.single(database.service()) as session:
        made: int = session.value("select messaging.fan_out_webhooks(happenings => %s::jsonb)", [json.dumps(heard)])
    return made


def deliver(
    seconds_left: Callable[[], float],
    keys: signing_secrets.Keys,
    *,
    allow_private: bool = False,
    post: Post | None = None,
) -> Delivered:
    """Send due deliveries, batch after batch, until none is due or the time (less a reserve) is up.

    It fetches the keys first: without them nothing is claimed, and everything waits.
    """

    def send(target: url_safety.Target, content: bytes, headers: dict[str, str]) -> http_client.Answer:
        return http_client.post(target, content, headers, allow_private=allow_private)

    counts: Counter[str] = Counter()
    soon: list[int] = []
    keys()
    with ThreadPoolExecutor(HANDS) as hands:
        while seconds_left() > RESERVE_SECONDS:
            claimed = _claim()
            if not claimed:
                return _report(counts, soon, more=False)
            readable, results = _opened(claimed, keys)
            counts["held"] += len(results)
            results += _attempted(readable, hands, post or send, allow_private=allow_private)
            counts.update(_finish(results))
            pauses = [result["retry_seconds"] for result in results if result.get("retry_seconds") is not None]
            soon += [math.ceil(pause) for pause in pauses if pause <= SOON_SECONDS_MAX]
    return _report(counts, soon, more=True)


def _report(counts: Counter[str], soon: Sequence[int], *, more: bool) -> Delivered:
    return Delivered(
        counts["delivered"],
        counts["failed"],
        counts["given_up"],
        counts["disabled"],
        more,
        min(soon, default=None),
        counts["held"],
    )


def _claim() -> list[_Claimed]:
    with database.single(database.service()) as session:
        rows = session.all(
            """
            select c.*
            from messaging.claim_webhook_deliveries(
                most => %s, per_endpoint => %s, lease_seconds => %s, sealed => true
            ) as c
            """,
            [CLAIM_MOST, PER_ENDPOINT_MOST, LEASE_SECONDS],
        )
    return [_Claimed(**{name: row["try" if name == "tries" else name] for name in _Claimed.__slots__}) for row in rows]


def _opened(claimed: Sequence[_Claimed], keys: signing_secrets.Keys) -> tuple[list[_Claimed], list[Row]]:
    """Open the secrets. Returns the deliveries that can be signed, and results that postpone the others."""
    ring = signing_secrets.ring_for(keys, [stored for each in claimed for stored in each.secrets])
    readable: list[_Claimed] = []
    held: list[Row] = []
    for each in claimed:
        try:
            readable.append(replace(each, secrets=_secrets(ring, each)))
        except Unreadable:
            held.append(
                {
                    "id": str(each.id),
                    "attempt": each.attempt,
                    "outcome": "untried",
                    "error": "secret_unreadable",
                    "retry_seconds": UNREADABLE_PAUSE_SECONDS,
                }
            )
    return readable, held


def _secrets(ring: KeyRing, claimed: _Claimed) -> list[str]:
    return [signing_secrets.opened(ring, claimed.endpoint_id, stored) for stored in claimed.secrets]


def _finish(results: Sequence[Row]) -> dict[str, int]:
    with database.single(database.service()) as session:
        counts: dict[str, int] = session.value(
            "select messaging.finish_webhook_deliveries(results => %s::jsonb)", [json.dumps(results)]
        )
    return counts


def _attempted(claimed: Sequence[_Claimed], hands: ThreadPoolExecutor, post: Post, *, allow_private: bool) -> list[Row]:
    """Make the attempts, the first ones of a key in order. Returns all results, also of those without time."""
    until = time.monotonic() + BATCH_SECONDS_MAX

    def attempt_all(chain: Sequence[_Claimed]) -> list[Row]:
        return [
            _attempt(each, post, allow_private=allow_private)
            if time.monotonic() < until
            else {"id": str(each.id), "attempt": each.attempt, "outcome": "untried"}
            for each in chain
        ]

    chains: dict[Any, list[_Claimed]] = {}
    for each in claimed:
        chains.setdefault((each.endpoint_id, each.key) if each.attempt == 1 else each.id, []).append(each)
    return [result for results in hands.map(attempt_all, chains.values()) for result in results]


def _attempt(claimed: _Claimed, post: Post, *, allow_private: bool) -> Row:
    """Send a delivery once. Returns the result in the form of the database."""
    started_at, began = clock.now(), time.monotonic()
    answer: http_client.Answer | None = None
    error: str | None = None
    try:
        answer = _sent(claimed, started_at, post, allow_private=allow_private)
    except http_client.NotSent as failure:
        error = failure.code
    result: Row = {
        "id": str(claimed.id),
        "attempt": claimed.attempt,
        "started_at": started_at.isoformat(),
        "duration_ms": round((time.monotonic() - began) * 1000),
        "error": error,
    }
    if answer is None:
        return {**result, "outcome": "failed", "retry_seconds": _pause(claimed, None)}
    result |= {"status_code": answer.status_code, "response": answer.body}
    if HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
        return {**result, "outcome": "delivered"}
    if answer.status_code == HTTPStatus.GONE:
        return {**result, "outcome": "gone", "error": "endpoint_gone"}
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status_code < HTTPStatus.BAD_REQUEST:
        result["error"] = "redirect_not_followed"
    asked = webhooks.retry_after_seconds(answer.status_code, answer.retry_after, clock.now())
    return {**result, "outcome": "failed", "retry_seconds": _pause(claimed, asked)}


def _sent(claimed: _Claimed, sent_at: datetime, post: Post, *, allow_private: bool) -> http_client.Answer:
    if claimed.tries > webhooks.TRIES_MAX:  # its worker stopped too often
        raise http_client.NotSent("worker_lost")
    try:
        target = url_safety.target(claimed.url, allow_private=allow_private)
    except url_safety.NotAllowed as error:
        raise http_client.NotSent("address_not_allowed") from error
    content = webhooks.body(claimed.topic, claimed.occurred_at, claimed.payload)
    return post(target, content, webhooks.headers(str(claimed.id), sent_at, content, claimed.secrets))


def _pause(claimed: _Claimed, asked_seconds: float | None) -> float | None:
    return webhooks.pause_seconds(claimed.tries, random.random(), asked_seconds)  # noqa: S311 - spreads load
