"""Roles of members. organizations.may_manage has the rule who gives which role."""

from typing import Annotated, Literal

from pydantic import Field

Role = Literal["viewer", "editor", "admin", "owner", "instructor", "front_desk", "accountant"]
"""A member's role, as organizations.member_role."""

GivenRole = Annotated[
    Literal["viewer", "editor", "admin", "instructor", "front_desk", "accountant"],
    Field(description="Owners give every role here, admins all but admin. Ownership is offered and accepted."),
]
"""A role that owners or admins give."""
