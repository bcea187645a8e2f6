"""People's own profiles: what they are called, and the language in which they are written to.

The e-mail address is the issuer's: it follows the tokens that have a verified one, and nothing here changes it.
"""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from marquee.core import locales
from marquee.core.database import Session
from marquee.core.models import Answer, Request
from marquee.core.readable import Name

# Whatever is none of them is refused by the database, which knows them all and names them.
Language = Annotated[
    str,
    Field(max_length=100),
    WithJsonSchema(
        {"type": "string", "pattern": "^[a-z]{2}$", "description": "ISO 639: en, de, fr…", "examples": ["fr"]}
    ),
]


def _absent() -> Any:
    """The default of a member that a change may leave out; null is no value of it."""
    return Field(default_factory=lambda: None)


class ProfileEdit(Request):
    """What changes about one's profile, at least one of the two; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "examples": [{"language": "fr"}, {"name": "Ana", "language": "de"}]}
    )

    name: Name = _absent()
    language: Language = _absent()

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("send name, language or both")
        return self


class Profile(Answer):
    """A person, as they are known here."""

    id: UUID
    name: str | None
    email: Annotated[
        str | None, Field(description="As the issuer verified it; null: no address is used. Not changed here.")
    ]
    language: Annotated[str, Field(description="The language that the person prefers.", examples=["fr"])]
    messages_in: Annotated[
        str,
        Field(
            description="The language of messages: the preferred one if there are texts in it, else en.",
            examples=["fr"],
        ),
    ]
    created_at: datetime


def own(session: Session) -> Profile:
    """The caller's profile, made from their claims if there is none. Refuses: 401 unauthenticated, 403 forbidden."""
    return _profile(session.value("select users.own_profile()"))


def edit(session: Session, request: ProfileEdit) -> Profile:
    """Change the caller's profile. Refuses: 401 unauthenticated, 403 forbidden, 422 invalid_request."""
    return _profile(
        session.value(
            "select users.edit_profile(name => %s, language => %s)",
            [request.name, request.language],
        )
    )


def _profile(row: dict[str, Any]) -> Profile:
    return Profile.model_validate({**row, "messages_in": locales.of(row["language"])})
