"""Closures: an organization, a location or a room is closed for a period, and its events there are cancelled."""

import datetime as dates
import json
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Day, Id, Moment, Request
from marquee.core.text_types import Text
from marquee.scheduling import consent
from marquee.scheduling.consent import Cancelled, Consent


class ClosureRequest(Request):
    """A period to close, of the whole organization, or of a location or a room."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"from": "2030-12-24", "until": "2030-12-26", "reason": "Christmas."}]}
    )

    from_: Annotated[
        Day | Moment, Field(alias="from", description="A date, in the zone of the location or organization; or a time.")
    ]
    until: Annotated[Day | Moment, Field(description="The last date, which is included; or a time, which is not.")]
    location_id: Id | None = None
    room_id: Annotated[Id | None, Field(description="A room; it determines the location.")] = None
    reason: Annotated[Text, Field(min_length=1, max_length=500, description="Customers of cancelled events see it.")]
    confirm: Consent = False


class Closure(Answer):
    """A period in which no event takes place at the organization, location or room."""

    id: UUID
    organization_id: UUID
    location_id: UUID | None
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    reason: str | None
    ended_at: Annotated[datetime | None, Field(description="When staff ended it early.")]
    created_at: datetime


class NewClosure(Closure):
    """A closure with the numbers that it cancelled."""

    cancelled: Cancelled = Cancelled()


def close(session: Session, organization_id: UUID, request: ClosureRequest, idempotency_key: str | None) -> NewClosure:
    """Close a period, and cancel the events in it.

    Refuses: 403 forbidden, 404 organization_not_found, 409 closure_too_large, too_many_closures and would_cancel,
    422 idempotency_conflict, 422 invalid_request.
    """
    answer = session.value(
        """
        select events.close_period(
            organization_id => %s, details => %s::jsonb, confirmed => %s::jsonb, idempotency_key => %s
        )
        """,
        [organization_id, json.dumps(_details(request)), consent.as_json(request.confirm), idempotency_key],
    )
    return NewClosure.model_validate(answer)


def list_upcoming(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[Closure]:
    """List the closures of one of the caller's organizations that are not over, by start; none of other ones."""
    after = paging.after(cursor, datetime, UUID)
    rows = session.all(
        """
        select c.*
        from events.closures as c
        where
            c.organization_id = %(organization_id)s
            and c.ended_at is null
            and c.ends_at > statement_timestamp()
            and (%(id)s::uuid is null or (c.starts_at, c.id) > (%(starts_at)s::timestamptz, %(id)s::uuid))
        order by c.starts_at, c.id
        limit %(most)s
        """,
        {
            "organization_id": organization_id,
            "starts_at": after[0] if after else None,
            "id": after[1] if after else None,
            "most": limit + 1,
        },
    )
    return paging.page(rows, limit, Closure.model_validate, lambda row: (row["starts_at"], row["id"]))


def end(session: Session, organization_id: UUID, closure_id: UUID) -> None:
    """End a closure early. Ending it again changes nothing.

    Refuses: 403 forbidden, 404 closure_not_found and organization_not_found.
    """
    session.value("select events.end_closure(organization_id => %s, closure_id => %s)", [organization_id, closure_id])


def _details(request: ClosureRequest) -> dict[str, str | None]:
    """Return the request in the form that the routine accepts."""
    places = {"location_id": request.location_id, "room_id": request.room_id}
    return {
        "from": _time(request.from_),
        "until": _time(request.until),
        "reason": request.reason,
        **{name: str(value) for name, value in places.items() if value is not None},
    }


def _time(value: dates.date) -> str:
    return value.isoformat()
