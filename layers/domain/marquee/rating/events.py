"""Rating events as clients send them, and the result of each: a vote between two items, a slider, a fire.

The rules exist here and in rating.ingest: here a wrong event gets a sentence, there it is never stored, for every
caller.
"""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, SkipValidation, Strict, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from marquee.core.models import Answer, Id, Moment, Request
from marquee.core.text_types import Line, is_line

EVENTS_MOST = 500
SENTENCE_LENGTH_MAX = 300

Kind = Literal["vote", "slider", "fire"]
VoteKind = Literal["normal", "super"]

StoredId = Annotated[
    str,
    Strict(),
    Field(
        min_length=1,
        max_length=128,
        description="An id chosen by the client: a UUID, a slug, any text.",
        examples=["art/dawn 1"],
    ),
]
"""An id in a request that looks up what is stored: ids from before the rule for new ids are found too."""

ClientId = Annotated[
    Line,
    Strict(),
    Field(min_length=1, max_length=128, description="An id chosen by the client: a UUID, a slug, any line of text."),
]
"""An id in an event. People read ids, and logs hold them, so it is one line without hidden characters."""

Key = Annotated[
    Line,
    Strict(),
    Field(
        min_length=1, max_length=128, description="A key chosen by the client. An event that is sent again counts once."
    ),
]
Voter = Annotated[ClientId | None, Field(description="Default: the caller.")]
Occurred = Annotated[Moment | None, Field(description="When it happened. Scores do not depend on it.")]


class Vote(Request):
    """A vote for one of two items."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "vote", "key": "v-1", "item_a": "a", "item_b": "b", "winner": "a"}]}
    )

    type: Literal["vote"]
    key: Key
    voter_id: Voter = None
    item_a: ClientId
    item_b: ClientId
    winner: Annotated[ClientId, Field(description="One of the two items.")]
    kind: Annotated[VoteKind, Field(description="A super vote counts twice.")] = "normal"
    occurred_at: Occurred = None

    @model_validator(mode="after")
    def _is_between_two(self) -> "Vote":
        if self.item_a == self.item_b:
            raise PydanticCustomError("items_are_the_same", "A vote needs two different items.")
        if self.winner not in (self.item_a, self.item_b):
            raise PydanticCustomError("winner_not_in_pair", "The winner must be one of the two items.")
        return self


class Slider(Request):
    """A voter's rating of an item, from 0 to 100."""

    type: Literal["slider"]
    key: Key
    voter_id: Voter = None
    item_id: ClientId
    value: Annotated[float, Strict(), Field(ge=0, le=100, allow_inf_nan=False)]
    occurred_at: Occurred = None


class Fire(Request):
    """A voter's fire for an item: once, for ever."""

    type: Literal["fire"]
    key: Key
    voter_id: Voter = None
    item_id: ClientId
    occurred_at: Occurred = None


Event = Annotated[Vote | Slider | Fire, Field(discriminator="type")]


class EventsRequest(Request):
    """Up to 500 events for items of one organization; each is judged separately."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "events": [
                        {"type": "vote", "key": "v-1", "item_a": "dawn", "item_b": "dusk", "winner": "dawn"},
                        {"type": "slider", "key": "s-1", "item_id": "dawn", "value": 72.5},
                        {"type": "fire", "key": "f-1", "item_id": "dusk"},
                    ],
                }
            ]
        }
    )

    judged_singly: ClassVar[str | None] = "events"

    organization_id: Id
    events: Annotated[list[SkipValidation[Event]], Field(min_length=1, max_length=EVENTS_MOST)]
    """The events as they were sent, because an error in one must not refuse the others."""


class EventResult(Answer):
    """The result of one event."""

    index: Annotated[int, Field(description="Position in the request, from 0.")]
    key: str | None
    status: Annotated[
        Literal["accepted", "duplicate", "refused"],
        Field(description="duplicate: it was accepted before, and is not counted again."),
    ]
    code: Annotated[str | None, Field(description="Why it was refused: a stable code.")] = None
    detail: Annotated[str | None, Field(description="The reason as a sentence for people.")] = None
    event_id: Annotated[
        int | None, Field(description="The event's number. Events of a request count in this order.")
    ] = None


def validate(events: Sequence[Any]) -> tuple[dict[int, Vote | Slider | Fire], list[EventResult]]:
    """Return the valid events, by their places, and the refusals of the others."""
    good: dict[int, Vote | Slider | Fire] = {}
    refused: list[EventResult] = []
    for index, event in enumerate(events):
        try:
            good[index] = _EVENT.validate_python(event)
        except ValidationError as error:
            refused.append(_refusal(index, event, error))
    return good, refused


_EVENT: TypeAdapter[Vote | Slider | Fire] = TypeAdapter(Event)

_CODES = {
    "items_are_the_same": "items_are_the_same",
    "winner_not_in_pair": "winner_not_in_pair",
    "union_tag_invalid": "unknown_type",
    "union_tag_not_found": "unknown_type",
}


def _refusal(index: int, event: Any, error: ValidationError) -> EventResult:
    """Return the refusal of an invalid event: the place and reason of its first error, and its key if that is valid."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"][1:])
    message = first["msg"].removeprefix("Value error, ")
    sentence = f"{place}: {message}" if place else message
    if first["type"].startswith("union_tag"):
        sentence = "type must be vote, slider or fire."
    key = event.get("key") if isinstance(event, dict) else None
    return EventResult(
        index=index,
        key=key if isinstance(key, str) and len(key) <= 128 and is_line(key) else None,
        status="refused",
        code=_CODES.get(first["type"], "invalid_event"),
        detail=sentence[:SENTENCE_LENGTH_MAX],
    )
