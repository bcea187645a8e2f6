"""Secret links and codes of events: a person with one of them sees and books the event, also a private one.

A link has a secret of 256 bits for its address, and a code of 60 bits for people to type. The database stores hashes.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.catalog.details import EventDetails, details_of
from marquee.core import codes
from marquee.core.database import Session
from marquee.core.models import Answer

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = 13


class AccessLink(Answer):
    """A link to an event, without its secrets."""

    id: UUID
    event_id: UUID
    created_at: datetime
    revoked_at: datetime | None


class NewAccessLink(AccessLink):
    """A new link. Its secrets are shown this once."""

    secret: Annotated[str, Field(description="For the address: GET /events/by-link/{secret}.")]
    code: Annotated[str, Field(description="For people to type: the `access_code` of POST /bookings.")]


class AccessLinks(Answer):
    """The links of an event, newest first."""

    items: list[AccessLink]


def create(session: Session, event_id: UUID) -> NewAccessLink:
    """Create a link to an event. Refuses: 403 forbidden, 404 event_not_found, 409 too_many_links."""
    secret = codes.new_code()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    row = session.value(
        "select events.create_access_link(event_id => %s, secret_hash => %s, code_hash => %s)",
        [event_id, codes.hash_of(secret), access_hash(event_id, code)],
    )
    return NewAccessLink.model_validate({**row, "secret": secret, "code": code})


def revoke(session: Session, event_id: UUID, link_id: UUID) -> AccessLink:
    """Revoke a link. Refuses: 403 forbidden, 404 event_not_found, link_not_found."""
    row = session.value("select events.revoke_access_link(event_id => %s, link_id => %s)", [event_id, link_id])
    return AccessLink.model_validate(row)


def list_links(session: Session, event_id: UUID) -> AccessLinks:
    """List the links of an event. Refuses: 403 forbidden, 404 event_not_found."""
    rows = session.all(
        "select l.id, l.event_id, l.created_at, l.revoked_at from events.list_access_links(event_id => %s) as l",
        [event_id],
    )
    return AccessLinks(items=[AccessLink.model_validate(row) for row in rows])


def read_event(session: Session, secret: str) -> EventDetails:
    """Return the event of a link. Refuses: 404 event_not_found, also for a revoked link."""
    return details_of(session.value("select events.event_by_link(secret_hash => %s)", [codes.hash_of(secret)]))


def access_hash(event_id: UUID, access_code: str) -> bytes:
    """Return the hash of what a person sends as `access_code`: the secret of a link, or its code in any case."""
    if len(access_code) == codes.CODE_LENGTH:
        return codes.hash_of(access_code)
    return hashlib.sha256(f"{event_id}:{access_code.upper()}".encode()).digest()
