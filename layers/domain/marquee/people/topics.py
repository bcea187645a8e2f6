"""Messages about invitations, offers of ownership and requested erasures."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from marquee.core.models import Answer
from marquee.people.ownership import StaysAs
from marquee.people.roles import Role


class SentInvitation(Answer):
    """An invitation to send. Its address is read when the e-mail is written."""

    id: UUID
    organization_id: UUID
    role: Role
    sends: Annotated[int, Field(description="The number of this e-mail among those of the invitation.")]
    expires_at: datetime


class RequestedErasure(Answer):
    """A requested erasure, for the person."""

    customer_id: UUID
    requested_at: datetime
    due_at: datetime
    due_on: Annotated[date, Field(description="The day of due_at, in the person's time zone if it is known.")]


class OfferedOwnership(Answer):
    """An offer of ownership, for the member who decides."""

    id: UUID
    organization_id: UUID
    user_id: Annotated[UUID, Field(description="The member to whom it is offered.")]
    offered_by: UUID
    stays_as: StaysAs
    expires_at: datetime
