"""Invitations to become a member of an organization, by e-mail and for seven days.

The e-mail contains a code, of which the database stores the hash alone. Only a person whose verified address is the
invited one can accept: the code by itself gives no rights, because e-mails are forwarded and scanned.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from marquee.core import codes, paging
from marquee.core.database import Session
from marquee.core.models import Answer, Request
from marquee.core.text_types import ADDRESS_LENGTH_MAX, is_address
from marquee.people.members import Membership
from marquee.people.roles import GivenRole, Role

Status = Literal["pending", "accepted", "declined", "revoked", "expired"]
Language = Literal["de", "en", "fr", "it"]


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("write a plain e-mail address, such as ana@example.org")
    return value


class InvitationRequest(Request):
    """An invitation of the person with an e-mail address."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ana@example.org", "role": "front_desk", "language": "fr"}]}
    )

    email: Annotated[
        str,
        Field(min_length=3, max_length=ADDRESS_LENGTH_MAX, json_schema_extra={"format": "email"}),
        AfterValidator(_address),
    ]
    role: GivenRole
    language: Annotated[Language | None, Field(description="The language of the e-mail. Null: the organization's.")] = (
        None
    )


class InvitationCode(Request):
    """The code in an e-mail with an invitation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "mJ0Xn2pS7VQm3wq9uJ1c5dZ0aTn8yFhKb4rLx6sEoGk"}]})

    code: Annotated[
        str,
        Field(min_length=codes.CODE_LENGTH, max_length=codes.CODE_LENGTH, pattern=r"^[A-Za-z0-9_-]+$"),
    ]


class Invitation(Answer):
    """An invitation, without its code."""

    id: UUID
    organization_id: UUID
    email: str
    role: Role
    language: Annotated[str, Field(description="The language of the e-mail.")]
    status: Status
    invited_by: Annotated[UUID | None, Field(description="Null: the service, or a person who was erased.")]
    accepted_by: Annotated[UUID | None, Field(description="The member, of an accepted invitation.")]
    sends: Annotated[int, Field(description="The number of e-mails. Only the codes of the last one work.")]
    sent_at: datetime
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


def create(session: Session, organization_id: UUID, request: InvitationRequest) -> Invitation:
    """Invite the owner of an address.

    Refuses: 403 forbidden, 404 organization_not_found, 409 already_member, already_invited, too_many_invitations and
    too_many_members.
    """
    return Invitation.model_validate(
        session.value(
            """
            select organizations.invite_member(
                organization_id => %s, email => %s, role => %s::organizations.member_role, language => %s
            )
            """,
            [organization_id, request.email, request.role, request.language],
        )
    )


def list_all(
    session: Session, organization_id: UUID, status: Status | None, limit: int, cursor: str | None
) -> paging.Page[Invitation]:
    """List an organization's invitations, newest first, of one status or any.

    Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.
    """
    before = paging.after(cursor, UUID)
    rows = session.all(
        """
        select i.answer
        from organizations.list_invitations(
            organization_id => %s, invitation_status => %s, before_id => %s::uuid, most => %s
        ) as i
        """,
        [organization_id, status, before[0] if before else None, limit + 1],
    )
    return paging.page(
        rows, limit, lambda row: Invitation.model_validate(row["answer"]), lambda row: (UUID(row["answer"]["id"]),)
    )


def resend(session: Session, invitation_id: UUID) -> Invitation:
    """Send a pending invitation again, with seven days from now.

    Refuses: 403 forbidden, 404 invitation_not_found, 409 invitation_closed and too_many_invitations.
    """
    return Invitation.model_validate(
        session.value("select organizations.resend_invitation(invitation_id => %s)", [invitation_id])
    )


def revoke(session: Session, invitation_id: UUID) -> None:
    """End a pending invitation. Refuses: 403 forbidden, 404 invitation_not_found, 409 invitation_closed."""
    session.value("select organizations.revoke_invitation(invitation_id => %s)", [invitation_id])


def accept(session: Session, request: InvitationCode) -> Membership:
    """Make the caller a member.

    Refuses: 403 forbidden and address_not_invited, 404 invitation_not_found, 409 already_member and invitation_closed.
    """
    return Membership.model_validate(
        session.value("select organizations.accept_invitation(secret_hash => %s)", [codes.hash_of(request.code)])
    )


def decline(session: Session, request: InvitationCode) -> None:
    """Decline an invitation.

    Refuses: 403 forbidden and address_not_invited, 404 invitation_not_found, 409 invitation_closed.
    """
    session.value("select organizations.decline_invitation(secret_hash => %s)", [codes.hash_of(request.code)])
