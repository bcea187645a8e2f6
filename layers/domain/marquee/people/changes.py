"""The record of an organization's changes, for its owners."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer


class Change(Answer):
    """A change of an organization's settings, terms or people."""

    id: UUID
    kind: Annotated[str, Field(description="The object and the fact.", examples=["member.changed"])]
    subject_id: Annotated[UUID, Field(description="The changed object: the person, of a membership.")]
    actor_id: Annotated[UUID | None, Field(description="The person who made the change. Null: the service.")]
    actor_name: str | None
    before: Annotated[dict[str, Any] | None, Field(description="The changed members before. Null: the object is new.")]
    after: Annotated[
        dict[str, Any] | None, Field(description="The changed members afterwards. Null: the object was deleted.")
    ]
    created_at: datetime


def list_all(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[Change]:
    """List an organization's changes, newest first.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    before = paging.after(cursor, UUID)
    rows = session.all(
        "select c.* from organizations.list_changes(organization_id => %s, before_id => %s::uuid, most => %s) as c",
        [organization_id, before[0] if before else None, limit + 1],
    )
    return paging.page(rows, limit, Change.model_validate, lambda row: (row["id"],))
