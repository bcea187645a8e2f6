"""What is on, for everybody: GET /events, /organizations, calendars; and the caller's own calendar."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.catalog import calendars, details, places, search
from marquee.core import clock, database, identity, paging
from marquee.core.models import Id, Moment
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

LIST_SECONDS = 60
EVENT_SECONDS = 30
PLACES_SECONDS = 300
BRANDING_SECONDS = 3600
CALENDAR_SECONDS = 300

app = http.resolver()


@app.get("/events", tags=["catalog"], responses=http.problems(304))
def search_events(
    q: Annotated[
        str | None,
        Query(min_length=1, max_length=200, description='Words to find; -word leaves out, "…" keeps together.'),
    ] = None,
    city: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    category: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[a-z0-9-]+$", description="A category's slug; brings what is in it."),
    ] = None,
    organization_id: Annotated[Id | None, Query()] = None,
    series_id: Annotated[Id | None, Query()] = None,
    instructor_id: Annotated[Id | None, Query()] = None,
    availability: Annotated[search.Availability | None, Query()] = None,
    price: Annotated[search.PriceTier | None, Query(description="In whole units of the event's currency.")] = None,
    starts_from: Annotated[Moment | None, Query(alias="from", description="Events that start then or later.")] = None,
    starts_before: Annotated[Moment | None, Query(alias="to", description="Events that start before.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[search.EventListing]]:
    """Public events that are to come, in order of their start; the seats left are those of this moment."""
    query = search.EventQuery(
        q=q,
        city=city,
        category=category,
        organization_id=organization_id,
        series_id=series_id,
        instructor_id=instructor_id,
        availability=availability,
        price=price,
        starts_from=starts_from,
        starts_before=starts_before,
    )
    with database.single(identity.anonymous()) as session:
        page = search.search(session, query, limit, cursor)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, page), seconds=LIST_SECONDS)


@app.get("/events/<event_id>", tags=["catalog"], responses=http.problems(304, 404))
def get_event(event_id: Annotated[Id, Path()]) -> Response[details.EventDetails]:
    """A public event with its seats, place, instructor and organization."""
    with database.single(identity.anonymous()) as session:
        event = details.get(session, event_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, event), seconds=EVENT_SECONDS)


@app.get("/organizations", tags=["catalog"], responses=http.problems(304))
def list_organizations(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[places.OrganizationListing]]:
    """All organizations, by slug."""
    with database.single(identity.anonymous()) as session:
        page = places.organizations(session, limit, cursor)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, page), seconds=LIST_SECONDS)


@app.get("/organizations/<organization_id>", tags=["catalog"], responses=http.problems(304, 404))
def get_organization(organization_id: Annotated[Id, Path()]) -> Response[places.Organization]:
    """An organization with its branding."""
    with database.single(identity.anonymous()) as session:
        organization = places.organization(session, organization_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, organization), seconds=BRANDING_SECONDS)


@app.get("/organizations/<organization_id>/locations", tags=["catalog"], responses=http.problems(304, 404))
def list_locations(organization_id: Annotated[Id, Path()]) -> Response[places.Locations]:
    """Where an organization's events take place."""
    with database.single(identity.anonymous()) as session:
        locations = places.locations(session, organization_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, locations), seconds=PLACES_SECONDS)


CALENDAR: dict[int, Any] = {
    200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}


@app.get("/events/<event_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def event_calendar(event_id: Annotated[Id, Path()]) -> Response[str]:
    """An event as a calendar."""
    with database.single(identity.anonymous()) as session:
        return _calendar(calendars.of_event(session, event_id))


@app.get("/series/<series_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def series_calendar(series_id: Annotated[Id, Path()]) -> Response[str]:
    """A series' events as a calendar to subscribe to."""
    with database.single(identity.anonymous()) as session:
        return _calendar(calendars.of_series(session, series_id, clock.now()))


@app.get("/bookings/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304)})
def bookings_calendar() -> Response[str]:
    """The caller's bookings as a calendar to subscribe to."""
    with database.single(http.caller(app.current_event)) as session:
        return _calendar(calendars.of_caller(session, clock.now()), public=False)


def _calendar(text: str, *, public: bool = True) -> Response[str]:
    response = http.text_of(HTTPStatus.OK, calendars.CONTENT_TYPE, text)
    return http.cacheable(app.current_event, response, seconds=CALENDAR_SECONDS, public=public)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
