"""How people receive messages: by family of topics and by channel.

Topics without a family are always sent: payments, cancellations, and what concerns a person's rights.
"""

import json
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core.database import Session
from marquee.core.models import Answer, Request
from marquee.messaging.topics import FAMILIES, Family

Channel = Literal["app", "email"]
CHANNELS: tuple[Channel, ...] = ("app", "email")
Delivery = Literal["immediately", "off"]
UNSUBSCRIBE_PATH = "/unsubscribe/{token}"


class Preference(Answer):
    """How the caller receives the messages of a family on a channel."""

    family: Annotated[Family, Field(description="Topics that are switched together: the catalogue of topics has them.")]
    channel: Annotated[Channel, Field(description="app: notifications in the application.")]
    delivery: Delivery


class Preferences(Answer):
    """All preferences of the caller. Messages about payments and cancellations are always sent."""

    items: list[Preference]


class PreferenceChange(Request):
    """Another delivery of a family on a channel."""

    family: Family
    channel: Channel
    delivery: Delivery


class PreferencesEdit(Request):
    """Changed preferences; omitted ones stay the same."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"family": "reminders", "channel": "email", "delivery": "off"}]}]}
    )

    items: Annotated[list[PreferenceChange], Field(min_length=1, max_length=50)]


class Unsubscribed(Answer):
    """The family whose e-mails have stopped."""

    family: str


def read(session: Session) -> Preferences:
    """Return the caller's preferences, one for each family and channel."""
    rows = session.all(
        "select p.family, p.channel, p.delivery from messaging.preferences as p where p.user_id = ops.caller_id()"
    )
    chosen = {(row["family"], row["channel"]): row["delivery"] for row in rows}
    return Preferences(
        items=[
            Preference(family=family, channel=channel, delivery=chosen.get((family, channel), "immediately"))
            for family in FAMILIES
            for channel in CHANNELS
        ]
    )


def edit(session: Session, request: PreferencesEdit) -> Preferences:
    """Change preferences. The session runs two statements. Refuses: 401 unauthenticated, 403 forbidden."""
    changes = [change.model_dump() for change in request.items]
    session.value("select messaging.set_preferences(changes => %s::jsonb)", [json.dumps(changes)])
    return read(session)


def unsubscribe(session: Session, token: str) -> Unsubscribed:
    """Stop the e-mails of a family by a signed token. Refuses: 404 unsubscribe_link_not_found."""
    return Unsubscribed(family=session.value("select messaging.unsubscribe(token => %s)", [token]))


def unsubscribe_url(session: Session, base_url: str, user_id: UUID, family: str) -> str:
    """Return the link that stops the e-mails of a family to a person, for the service."""
    token = session.value("select messaging.unsubscribe_token(user_id => %s, family => %s)", [user_id, family])
    return base_url.rstrip("/") + UNSUBSCRIBE_PATH.format(token=token)
