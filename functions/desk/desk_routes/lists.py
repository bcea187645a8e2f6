"""Lists for staff, as pages and as CSV: events, bookings, the history of a booking, and the day."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.booking import staff_lists
from marquee.booking.bookings import PaymentMethod, Status
from marquee.booking.staff_lists import BookingFilters, EventFilters
from marquee.core import csv_files, database, paging
from marquee.core.models import Day, Id, Moment
from marquee.edge import http

routes = http.routes()

CSV: dict[int, Any] = {200: {"description": "A CSV file", "content": {"text/csv": {"schema": {"type": "string"}}}}}
Organization = Annotated[Id, Path()]
Begin = Annotated[Moment | None, Query(alias="from", description="Only events from this start on.")]
End = Annotated[Moment | None, Query(alias="to", description="Only events that start earlier.")]
Words = Annotated[str | None, Query(alias="q", min_length=1, max_length=100)]
EventStatus = Annotated[staff_lists.EventStatus | None, Query(alias="status")]
Visibility = Annotated[staff_lists.Visibility | None, Query()]
Order = Annotated[staff_lists.Order, Query(description="Start with the earliest or the latest event.")]
BookingStatus = Annotated[Status | None, Query(alias="status")]
Method = Annotated[PaymentMethod | None, Query()]
Unpaid = Annotated[bool | None, Query(description="Whether money is still to be received.")]
OptionalId = Annotated[Id | None, Query()]
Person = Annotated[Id | None, Query(description="The customer.")]
EventsPage = Annotated[
    int, Query(ge=1, le=staff_lists.EVENTS_MOST, alias="limit", description="The maximum number of items.")
]


@routes.get("/organizations/<organization_id>/events", tags=["desk"], responses=http.problems(403, 404))
def list_organization_events(
    organization_id: Organization,
    begins_at: Begin = None,
    ends_at: End = None,
    status: EventStatus = None,
    visibility: Visibility = None,
    location_id: OptionalId = None,
    instructor_id: OptionalId = None,
    series_id: OptionalId = None,
    q: Words = None,
    order: Order = "earliest",
    limit: EventsPage = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[staff_lists.StaffEvent]]:
    """List an organization's events with drafts, private and past ones; for its members."""
    event = routes.current_event
    filters = EventFilters(begins_at, ends_at, status, visibility, location_id, instructor_id, series_id, q, order)
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        page = staff_lists.list_events(session, organization_id, filters, limit, cursor)
    return http.json(HTTPStatus.OK, page)


@routes.get("/organizations/<organization_id>/events.csv", tags=["desk"], responses={**CSV, **http.problems(403, 404)})
def get_events_csv(
    organization_id: Organization,
    begins_at: Begin = None,
    ends_at: End = None,
    status: EventStatus = None,
    visibility: Visibility = None,
    location_id: OptionalId = None,
    instructor_id: OptionalId = None,
    series_id: OptionalId = None,
    q: Words = None,
    order: Order = "earliest",
) -> Response[str]:
    """Get an organization's events as CSV, at most 10,000."""
    event = routes.current_event
    filters = EventFilters(begins_at, ends_at, status, visibility, location_id, instructor_id, series_id, q, order)
    with database.single(http.caller(event), limit=http.limited(event, "export_list")) as session:
        text = staff_lists.events_csv(session, organization_id, filters)
    return http.text_of(HTTPStatus.OK, csv_files.CONTENT_TYPE, text)


@routes.get("/organizations/<organization_id>/bookings", tags=["desk"], responses=http.problems(403, 404))
def list_organization_bookings(
    organization_id: Organization,
    begins_at: Begin = None,
    ends_at: End = None,
    event_id: OptionalId = None,
    person_id: Person = None,
    status: BookingStatus = None,
    payment_method: Method = None,
    unpaid: Unpaid = None,
    q: Words = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[staff_lists.StaffBooking]]:
    """List an organization's bookings with their customers, the latest event first; for its staff."""
    event = routes.current_event
    filters = BookingFilters(begins_at, ends_at, event_id, person_id, status, payment_method, unpaid, q)
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        page = staff_lists.list_bookings(session, organization_id, filters, limit, cursor)
    return http.json(HTTPStatus.OK, page)


@routes.get(
    "/organizations/<organization_id>/bookings.csv", tags=["desk"], responses={**CSV, **http.problems(403, 404)}
)
def get_bookings_csv(
    organization_id: Organization,
    begins_at: Begin = None,
    ends_at: End = None,
    event_id: OptionalId = None,
    person_id: Person = None,
    status: BookingStatus = None,
    payment_method: Method = None,
    unpaid: Unpaid = None,
    q: Words = None,
) -> Response[str]:
    """Get an organization's bookings with their customers as CSV, at most 10,000."""
    event = routes.current_event
    filters = BookingFilters(begins_at, ends_at, event_id, person_id, status, payment_method, unpaid, q)
    with database.single(http.caller(event), limit=http.limited(event, "export_list")) as session:
        text = staff_lists.bookings_csv(session, organization_id, filters)
    return http.text_of(HTTPStatus.OK, csv_files.CONTENT_TYPE, text)


@routes.get("/bookings/<booking_id>/history", tags=["desk"], responses=http.problems(404))
def get_history(booking_id: Annotated[Id, Path()]) -> Response[staff_lists.History]:
    """Get the changes of a booking and the movements of its money, for its customer and for staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, staff_lists.history(session, booking_id))


@routes.get("/organizations/<organization_id>/today", tags=["desk"], responses=http.problems(403, 404))
def get_day(
    organization_id: Organization,
    day: Annotated[Day | None, Query(description="Default: today, in the organization's time zone.")] = None,
    location_id: OptionalId = None,
) -> Response[staff_lists.DeskDay]:
    """Get a day of an organization: events with rooms, instructors and numbers of customers, and unpaid bookings."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, staff_lists.day(session, organization_id, day, location_id))
