"""Call the routes of members, and read the codes of sent invitations.

invitation = members.invite(stage, "ana@example.org", "editor")
code = members.sent_codes(stage.db, aws)["ana@example.org"]
"""

import json
import re
from typing import Any
from uuid import UUID, uuid4

from marquee.core.identity import Caller
from tests.kit import gateway
from tests.kit.databases import Connection
from tests.kit.message_worker import deliver, plain

CODE = re.compile(r": ([A-Za-z0-9_-]{43})$", re.MULTILINE)


def invited(email: str, person: UUID | None = None, iat: int = 1_700_000_000) -> Caller:
    """Return a person who signs in with this verified address. A later `iat` replaces their former address."""
    claims = {"email": email, "email_verified": True, "name": "Ana", "iat": iat}
    return Caller(person or uuid4(), "authenticated", claims=claims)


def invite(stage: Any, email: str = "ana@example.org", role: str = "editor", **options: Any) -> dict[str, Any]:
    """Invite a person through the handler as the owner, and return the response."""
    body = {"email": email, "role": role, **options}
    path = f"/organizations/{stage.organization_id}/invitations"
    answer = gateway.post("people", path, body, caller=stage.owner)
    assert answer.status == 201, answer.text
    made: dict[str, Any] = answer.body
    return made


def pending_messages(db: Connection, *topics: str) -> list[dict[str, Any]]:
    """Return the rows of the outbox with these topics as a bundle has them, in order."""
    rows = db.execute(
        "select id, topic, key, payload, created_at, correlation_id from public.outbox where topic = any (%s)"
        " order by id",
        [list(topics)],
    ).fetchall()
    return [json.loads(json.dumps(row, default=str)) for row in rows]


def sent_codes(db: Connection, aws: Any) -> dict[str, str]:
    """Pass all messages about invitations to send-messages. Return the code of the last new e-mail by address."""
    deliver(*pending_messages(db, "invitation.sent"))
    return {message["To"]: CODE.findall(plain(message))[-1] for message in aws.mailed()}


def accept(code: str, caller: Caller) -> gateway.Answer:
    return gateway.post("people", "/invitations/accept", {"code": code}, caller=caller)


def role_of(db: Connection, organization_id: UUID, user_id: UUID) -> str | None:
    """Return the role of a person in an organization, if there is a membership."""
    row = db.execute(
        "select role::text as role from organizations.memberships where organization_id = %s and user_id = %s",
        [organization_id, user_id],
    ).fetchone()
    return row["role"] if row else None


def changes(db: Connection, organization_id: UUID) -> list[tuple[str, UUID | None, Any, Any]]:
    """Return the recorded changes as kind, actor, before and after, oldest first."""
    rows = db.execute(
        "select kind, actor_id, before, after from organizations.changes where organization_id = %s"
        " order by created_at, kind, id",
        [organization_id],
    ).fetchall()
    return [(row["kind"], row["actor_id"], row["before"], row["after"]) for row in rows]
