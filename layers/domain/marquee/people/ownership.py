"""Offers of ownership: an owner offers it to a member, who accepts or declines within seven days."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Id, Request

StaysAs = Annotated[
    Literal["owner", "admin"],
    Field(description="The offering owner's role after the transfer: owner for shared ownership, or admin."),
]
Decision = Literal["accepted", "declined", "withdrawn"]


class OwnershipRequest(Request):
    """An offer of the ownership to a member."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "stays_as": "admin"}]}
    )

    user_id: Annotated[Id, Field(description="A member of the organization.")]
    stays_as: StaysAs = "admin"


class OwnershipOffer(Answer):
    """An offer of the ownership of an organization."""

    id: UUID
    organization_id: UUID
    offered_by: UUID
    offered_to: UUID
    stays_as: StaysAs
    status: Literal["offered", "accepted", "declined", "withdrawn", "expired"]
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


def create(session: Session, organization_id: UUID, request: OwnershipRequest) -> OwnershipOffer:
    """Offer a member the ownership.

    Refuses: 403 forbidden, 404 organization_not_found and member_not_found, 409 already_owner and ownership_offered.
    """
    return OwnershipOffer.model_validate(
        session.value(
            """
            select organizations.offer_ownership(
                organization_id => %s, user_id => %s, stays_as => %s::organizations.member_role
            )
            """,
            [organization_id, request.user_id, request.stays_as],
        )
    )


def list_all(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[OwnershipOffer]:
    """List an organization's offers, newest first: all to owners, to other members those to or by them.

    Refuses: 422 invalid_request.
    """
    before = paging.after(cursor, UUID)
    rows = session.all(
        """
        select f.*, organizations.ownership_offer_status(f) as status_now
        from organizations.ownership_offers as f
        where
            f.organization_id = %(organization_id)s
            and (%(before)s::uuid is null or f.id < %(before)s::uuid)
        order by f.id desc
        limit %(most)s
        """,
        {"organization_id": organization_id, "before": before[0] if before else None, "most": limit + 1},
    )
    return paging.page(
        rows,
        limit,
        lambda row: OwnershipOffer.model_validate({**row, "status": row["status_now"]}),
        lambda row: (row["id"],),
    )


def decide(session: Session, offer_id: UUID, decision: Decision) -> OwnershipOffer:
    """Accept or decline an offer as the member, or withdraw it as an owner.

    Refuses: 403 forbidden, 404 ownership_offer_not_found, 409 ownership_offer_closed.
    """
    return OwnershipOffer.model_validate(
        session.value("select organizations.answer_ownership_offer(offer_id => %s, answer => %s)", [offer_id, decision])
    )
