"""Members of an organization, for its owners and admins; and the caller's own memberships."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Request
from marquee.people.roles import GivenRole, Role


class RoleChange(Request):
    """Another role for a member."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "front_desk"}]})

    role: GivenRole


class Member(Answer):
    """A member of an organization."""

    user_id: UUID
    name: str | None
    email: Annotated[str | None, Field(description="The verified address. Null: there is none.")]
    role: Role
    created_at: Annotated[datetime, Field(description="When the person became a member.")]


class Membership(Answer):
    """A person's role in an organization."""

    organization_id: UUID
    user_id: UUID
    role: Role
    created_at: datetime


class OwnMembership(Answer):
    """An organization for which the caller may act."""

    organization_id: UUID
    name: str
    slug: str
    role: Annotated[Role, Field(description="The caller's role there.")]
    created_at: Annotated[datetime, Field(description="When the caller became a member.")]


def list_members(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[Member]:
    """List an organization's members by their ids.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    after = paging.after(cursor, UUID)
    rows = session.all(
        "select m.* from organizations.list_members(organization_id => %s, after => %s::uuid, most => %s) as m",
        [organization_id, after[0] if after else None, limit + 1],
    )
    return paging.page(rows, limit, Member.model_validate, lambda row: (row["user_id"],))


def change_role(session: Session, organization_id: UUID, user_id: UUID, request: RoleChange) -> Membership:
    """Give a member another role.

    Refuses: 403 forbidden, 404 organization_not_found and member_not_found, 409 last_owner.
    """
    return Membership.model_validate(
        session.value(
            """
            select organizations.change_member_role(
                organization_id => %s, user_id => %s, role => %s::organizations.member_role
            )
            """,
            [organization_id, user_id, request.role],
        )
    )


def remove(session: Session, organization_id: UUID, user_id: UUID) -> None:
    """End another person's membership. Refuses: 403 forbidden, 404 organization_not_found and member_not_found."""
    session.value(
        "select organizations.remove_member(organization_id => %s, user_id => %s)", [organization_id, user_id]
    )


def list_own(session: Session, limit: int, cursor: str | None) -> paging.Page[OwnMembership]:
    """List the caller's memberships by the ids of the organizations. Refuses: 403 forbidden, 422 invalid_request."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        "select m.* from organizations.list_memberships(after => %s::uuid, most => %s) as m",
        [after[0] if after else None, limit + 1],
    )
    return paging.page(rows, limit, OwnMembership.model_validate, lambda row: (row["organization_id"],))


def leave(session: Session, organization_id: UUID) -> None:
    """End the caller's own membership. Refuses: 403 forbidden, 404 member_not_found, 409 last_owner."""
    session.value("select organizations.leave_organization(organization_id => %s)", [organization_id])
