"""People's consent to marketing: for each organization and purpose, with time, wording and source.

Decisions are only added, so that an organization can prove a consent. The latest decision holds.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Id, Request

Purpose = Literal["newsletter", "offers", "surveys"]
Wording = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="The version of the text that the person accepted. It is required for a consent.",
    ),
]


class ConsentDecision(Request):
    """A consent to marketing, or its withdrawal."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "purpose": "newsletter",
                    "granted": True,
                    "wording": "2030-05",
                }
            ]
        }
    )

    organization_id: Id
    purpose: Purpose
    granted: bool
    wording: Wording | None = None


class Consent(Answer):
    """A decision about the marketing of an organization."""

    organization_id: UUID
    organization_name: str
    purpose: Purpose
    granted: bool
    wording: str | None
    source: Annotated[
        Literal["profile", "unsubscribe_link"], Field(description="profile: the person decided while signed in.")
    ]
    decided_at: datetime
    is_current: Annotated[bool, Field(description="Whether it is the latest one of its organization and purpose.")]


def decide(session: Session, request: ConsentDecision) -> None:
    """Record a decision of the caller.

    Refuses: 401 unauthenticated, 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    session.value(
        "select users.set_consent(organization_id => %s, purpose => %s, granted => %s, wording => %s)",
        [request.organization_id, request.purpose, request.granted, request.wording],
    )


def list_own(session: Session, limit: int, cursor: str | None) -> paging.Page[Consent]:
    """List the caller's decisions, newest first."""
    before = paging.after(cursor, paging.BIGINT)
    rows = session.all(
        """
        select
            c.id, c.organization_id, o.name as organization_name, c.purpose, c.granted, c.wording, c.source,
            c.decided_at,
            not exists (
                select
                from users.consents as n
                where
                    n.user_id = c.user_id
                    and n.organization_id = c.organization_id
                    and n.purpose = c.purpose
                    and n.id > c.id
            ) as is_current
        from users.consents as c
        inner join organizations.organizations as o on o.id = c.organization_id
        where c.user_id = (select ops.caller_id()) and (%(before)s::bigint is null or c.id < %(before)s)
        order by c.id desc
        limit %(most)s
        """,
        {"before": before[0] if before else None, "most": limit + 1},
    )
    return paging.page(
        rows,
        limit,
        lambda row: Consent.model_validate({name: row[name] for name in Consent.model_fields}),
        lambda row: (row["id"],),
    )
