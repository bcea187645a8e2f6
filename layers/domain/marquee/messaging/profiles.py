"""People's own profiles and settings: their names, languages and time zones.

The e-mail address comes from the issuer: it follows tokens with a verified address, and nothing here changes it.
"""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from marquee.core import locales
from marquee.core.database import Session
from marquee.core.models import Answer, Request
from marquee.core.text_types import Name

# The database refuses unknown languages, because it has the list and names them.
Language = Annotated[
    str,
    Field(max_length=100),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^[a-z]{2}$",
            "description": "Language code (ISO 639): en, de, fr…",
            "examples": ["fr"],
        }
    ),
]

PreferredLanguage = Annotated[str, Field(description="The person's preferred language.", examples=["fr"])]
MessageLanguage = Annotated[
    str, Field(description="The language of messages: the preferred one if it has texts, else en.", examples=["fr"])
]


def _absent() -> Any:
    """Return the default of a member that a change may omit; null is not a valid value."""
    return Field(default_factory=lambda: None)


class ProfileEdit(Request):
    """Changes of the caller's profile, at least one of the two; omitted members stay the same."""

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
    """A person's profile."""

    id: UUID
    name: str | None
    email: Annotated[
        str | None,
        Field(description="The address that the issuer verified. Null: there is none. It cannot be changed here."),
    ]
    language: PreferredLanguage
    messages_in: MessageLanguage
    created_at: datetime


class ProfileSettings(Answer):
    """The languages and the time zone of a person."""

    language: PreferredLanguage
    messages_in: MessageLanguage
    time_zone: Annotated[
        str | None,
        Field(
            description="The IANA time zone that the token names by its claim `zoneinfo`, to display times in. "
            "Null: it names no known zone. Messages state times in the event's zone.",
            examples=["Europe/Zurich"],
        ),
    ]


def own(session: Session) -> Profile:
    """Return the caller's profile, created from the claims if there is none.

    Refuses: 401 unauthenticated, 403 forbidden.
    """
    return _profile(session.value("select users.own_profile()"))


def settings(session: Session) -> ProfileSettings:
    """Return the caller's languages, and the time zone that their token names, if `ref.timezones` has it.

    Refuses: 401 unauthenticated, 403 forbidden.
    """
    row = session.value(
        """
        select users.own_profile() || jsonb_build_object(
            'time_zone', (select z.name from ref.timezones as z where z.name = ops.claims() ->> 'zoneinfo')
        )
        """
    )
    return ProfileSettings.model_validate({**row, "messages_in": locales.of(row["language"])})


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
