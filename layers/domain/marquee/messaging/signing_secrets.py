"""The secrets that sign webhooks: created here, sealed before they reach the database, resealed when the key changes.

Each is sealed with the id of its endpoint, so that a secret copied to another endpoint cannot be opened there.
"""

import base64
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from marquee.core import database
from marquee.core.encryption import KeyRing, Unreadable, key_id_of
from marquee.messaging.webhooks import SECRET_PREFIX

SECRET_BYTES = 32
RESEAL_MOST = 100
STEPS_MOST = 10_000


class Keys(Protocol):
    """The source of the key ring; `renewed` fetches it again, past the copy in memory."""

    def __call__(self, *, renewed: bool = False) -> KeyRing:
        """Return the key ring. Raises if there is none."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """The result of one step: the numbers of secrets that the current key now seals, and that no key opens."""

    sealed: int
    unreadable: int


def new_endpoint_id() -> UUID:
    """Return a UUID of version 7, as the database makes them: endpoints are listed in the order of their ids."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    number = (number & ~(0xF << 76)) | (7 << 76)
    return UUID(int=(number & ~(0b11 << 62)) | (0b10 << 62))


def new_secret() -> str:
    """Return a new secret as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def sealed(keys: KeyRing, endpoint_id: UUID, secret: str) -> str:
    """Return an endpoint's secret as the database stores it."""
    return keys.seal(secret, _context(endpoint_id))


def opened(keys: KeyRing, endpoint_id: UUID, stored: str) -> str:
    """Return an endpoint's secret from its stored form. Raises Unreadable."""
    if stored.startswith(SECRET_PREFIX):  # from before secrets were sealed
        return stored
    return keys.open(stored, _context(endpoint_id))


def ring_for(keys: Keys, stored: Sequence[str]) -> KeyRing:
    """Return the key ring, fetched again if it lacks the key of a stored secret.

    A new key may be only minutes old.
    """
    ring = keys()
    needed = {key_id_of(text) for text in stored if not text.startswith(SECRET_PREFIX)}
    return ring if needed <= set(ring.keys) else keys(renewed=True)


def reseal(keys: Keys) -> Iterator[Resealed]:
    """Seal all secrets with the current key, step by step; each step is one transaction of a hundred secrets at most.

    A secret that no key opens stays as it is, and its webhooks wait: `unreadable` counts it.
    """
    ring, after = keys(renewed=True), None
    for _step in range(STEPS_MOST):
        with database.transaction(database.service()) as session:
            rows = session.all(
                """
                select s.id, s.endpoint_id, coalesce(s.sealed, s.secret) as stored
                from messaging.webhook_secrets_to_seal(key_id => %s, after => %s::uuid, most => %s) as s
                """,
                [ring.current, after, RESEAL_MOST],
            )
            changes = []
            for row in rows:
                try:
                    secret = opened(ring, row["endpoint_id"], row["stored"])
                except Unreadable:
                    continue
                changes.append({"id": str(row["id"]), "sealed": sealed(ring, row["endpoint_id"], secret)})
            if changes:
                session.value("select messaging.seal_webhook_secrets(secrets => %s::jsonb)", [json.dumps(changes)])
        if not rows:
            return
        yield Resealed(len(changes), len(rows) - len(changes))
        after = rows[-1]["id"]


def _context(endpoint_id: UUID) -> str:
    return f"webhook endpoint {endpoint_id}"
