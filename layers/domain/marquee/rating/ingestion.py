"""From rating events to the database: at once, or through a queue whose messages are recorded in batches.

A request to be recorded later is split into parts that a queue accepts. Each part is a message, and its results are in
the database once it is recorded. A repeated part is recorded once.
"""

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from uuid import UUID

import psycopg
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import to_json

from marquee.core import database
from marquee.core.database import Session
from marquee.core.errors import Refused
from marquee.core.identity import Caller
from marquee.core.models import Answer, Id
from marquee.rating.events import EventResult, EventsRequest, validate

PART_BYTES_MAX = 200 * 1024
"""Size of a part's events, as ASCII; a message has room for 256 KB."""

EVENT_BYTES_MAX = 8 * 1024
"""More than any valid event has; of larger ones only the key is passed on, to be refused."""


class EventsTaken(Answer):
    """The results of a request's events, in their order."""

    accepted: int
    duplicates: int
    refused: int
    results: list[EventResult]


class EventsQueued(Answer):
    """A request that is recorded later."""

    request_id: UUID
    status_url: Annotated[str, Field(description="The address of the request's results.")]


class RequestState(Answer):
    """The state of a request that is recorded later."""

    request_id: UUID
    status: Annotated[
        Literal["queued", "done"], Field(description="done: all events are processed, and `taken` has the results.")
    ]
    taken: EventsTaken | None = None


class Part(BaseModel):
    """A message: some of the events of a request, with its sender. The sender's permission was checked before."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    request_id: Id
    part: Annotated[int, Field(ge=1)]
    parts: Annotated[int, Field(ge=1)]
    organization_id: Id
    caller_id: Id | None
    role: Literal["authenticated", "service_role"]
    events: Annotated[list[Any], Field(min_length=1, examples=[[{"type": "fire", "key": "f-1", "item_id": "dusk"}]])]


@dataclass(frozen=True, slots=True)
class PartsTaken:
    """The number of a batch's events by result, and the messages that could not be recorded, with the reasons."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    failed: Mapping[int, str] = field(default_factory=dict)


def take(session: Session, request: EventsRequest) -> EventsTaken:
    """Record the events of a request, in one statement. Refuses: 401 unauthenticated, 404 organization_not_found."""
    good, refused = validate(request.events)
    results = {result.index: result for result in refused}
    if good:
        places = list(good)
        answer = session.value(
            "select rating.ingest(organization_id => %s, events => %s::json)",
            [request.organization_id, to_json(list(good.values()), exclude_none=True).decode()],
        )
        for result in _RESULTS.validate_python(answer):
            place = places[result.index]
            results[place] = result if result.index == place else result.model_copy(update={"index": place})
    return _taken([results[index] for index in range(len(request.events))])


def require_accepted(taken: EventsTaken) -> EventsTaken:
    """Return the results if any event was accepted or known already.

    Refuses: 422 no_event_accepted with the results.
    """
    if taken.accepted or taken.duplicates:
        return taken
    results = [result.model_dump(exclude_none=True) for result in taken.results]
    raise Refused(422, "no_event_accepted", results=results)


def parts(request: EventsRequest, request_id: UUID, caller: Caller) -> list[Part]:
    """Split a request into messages.

    Refuses 422 no_event_accepted if no event is valid. Otherwise invalid events are refused when they are recorded.
    """
    good, refused = validate(request.events)
    if not good:
        require_accepted(_taken(refused))
    if caller.role == "anon":
        raise Refused(401, "unauthenticated")
    slices = list(_slices(request.events))
    return [
        Part(
            request_id=request_id,
            part=number,
            parts=len(slices),
            organization_id=request.organization_id,
            caller_id=caller.id,
            role=caller.role,
            events=events,
        )
        for number, events in enumerate(slices, start=1)
    ]


def take_parts(messages: Sequence[Part]) -> PartsTaken:
    """Record the events of many requests in one transaction; repeated parts have no effect.

    Parts that cannot be recorded are found by bisection, so that they cost the others only time. Raises Unavailable if
    the outcome of all of them is unknown.
    """
    try:
        with database.single(database.service()) as session:
            return _write_parts(session, messages)
    except (Refused, psycopg.Error) as error:
        if len(messages) == 1:
            return PartsTaken(failed={0: error.code if isinstance(error, Refused) else type(error).__name__})
    half = len(messages) // 2
    first, second = take_parts(messages[:half]), take_parts(messages[half:])
    return PartsTaken(
        accepted=first.accepted + second.accepted,
        duplicates=first.duplicates + second.duplicates,
        refused=first.refused + second.refused,
        failed={**first.failed, **{half + place: reason for place, reason in second.failed.items()}},
    )


def state(session: Session, request_id: UUID, *, now_seconds: float) -> RequestState:
    """Return the state of a request; `now_seconds` since 1970. Refuses: 404 rating_request_not_found.

    For an unknown id younger than a day the state is "queued", because it may still be in the queue.
    """
    rows = session.all(
        "select r.part, r.parts, r.results from rating.requests as r where r.request_id = %s order by r.part",
        [request_id],
    )
    if rows and len(rows) == rows[0]["parts"]:
        results = [result for row in rows for result in _RESULTS.validate_python(row["results"])]
        numbered = [result.model_copy(update={"index": index}) for index, result in enumerate(results)]
        return RequestState(request_id=request_id, status="done", taken=_taken(numbered))
    if not rows and not _is_of_today(request_id, now_seconds):
        raise Refused(404, "rating_request_not_found")
    return RequestState(request_id=request_id, status="queued")


def new_request_id(now_seconds: float) -> UUID:
    """Return a UUID of version 7. Its time shows later whether an unknown request can still be in the queue."""
    milliseconds = int(now_seconds * 1000)
    number = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return UUID(int=number)


def _write_parts(session: Session, messages: Sequence[Part]) -> PartsTaken:
    written = session.value("select rating.ingest_requests(requests => %s::json)", [to_json(messages).decode()])
    return PartsTaken(**{name: sum(part[name] for part in written) for name in ("accepted", "duplicates", "refused")})


_RESULTS = TypeAdapter(list[EventResult])
_DAY_SECONDS = 86_400
_AHEAD_SECONDS_MAX = 60


def _taken(results: list[EventResult]) -> EventsTaken:
    statuses = [result.status for result in results]
    return EventsTaken(
        accepted=statuses.count("accepted"),
        duplicates=statuses.count("duplicate"),
        refused=statuses.count("refused"),
        results=results,
    )


def _slices(events: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the events in their order, in lists that a message can carry."""
    some: list[Any] = []
    size = 0
    for given in events:
        event, length = given, len(json.dumps(given)) + 1
        if length > EVENT_BYTES_MAX:
            key = given.get("key") if isinstance(given, dict) else None
            event, length = {"key": key[:128] if isinstance(key, str) else None}, EVENT_BYTES_MAX
        if some and size + length > PART_BYTES_MAX:
            yield some
            some, size = [], 0
        some.append(event)
        size += length
    yield some


def _is_of_today(request_id: UUID, now_seconds: float) -> bool:
    if request_id.version != 7:
        return False
    age_seconds = now_seconds - (request_id.int >> 80) / 1000
    return -_AHEAD_SECONDS_MAX <= age_seconds < _DAY_SECONDS
