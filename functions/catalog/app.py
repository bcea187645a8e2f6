"""The public catalog: events, organizations, and their calendars; and calendars at secret addresses."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.booking import access_links
from marquee.catalog import calendars, details, organizations, search
from marquee.core import clock, database, identity, paging
from marquee.core.models import Id, Moment
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed

app = http.resolver()

LIST_SECONDS = 60
EVENT_SECONDS = 30
BRANDING_SECONDS = 3600
PLACES_SECONDS = 300
CALENDAR_SECONDS = 300
IdOrSlug = Annotated[str, Path(pattern="^[A-Za-z0-9-]{1,80}$", description="The id of an organization, or its slug.")]
CALENDAR: dict[int, Any] = {
    200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}


@app.get("/events", tags=["catalog"], responses=http.problems(304))
def search_events(
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description='Words to find, the last one as a prefix. `-word` excludes a word; "…" finds a phrase.',
        ),
    ] = None,
    city: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    category: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[a-z0-9-]+$", description="Slug of a category; includes its subcategories."),
    ] = None,
    organization_id: Annotated[Id | None, Query()] = None,
    series_id: Annotated[Id | None, Query()] = None,
    instructor_id: Annotated[Id | None, Query()] = None,
    availability: Annotated[search.Availability | None, Query()] = None,
    price: Annotated[search.PriceTier | None, Query(description="In whole units of the event's currency.")] = None,
    starts_from: Annotated[
        Moment | None, Query(alias="from", description="Only events from this start on. A past time is now.")
    ] = None,
    starts_before: Annotated[Moment | None, Query(alias="to", description="Only events that start earlier.")] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[search.EventListing]]:
    """Search public events that have not started, by rank of words, then by start. The number of seats is current."""
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
    """Get a public event with its seats, place, instructor and organization."""
    with database.single(identity.anonymous()) as session:
        event = details.get(session, event_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, event), seconds=EVENT_SECONDS)


@app.get("/events/by-link/<secret>", tags=["catalog"], responses=http.problems(404, 429))
def get_event_by_link(secret: Annotated[str, Path(min_length=1, max_length=100)]) -> Response[details.EventDetails]:
    """Get the event of a secret link, also a private one."""
    limit = http.limited(app.current_event, "access_link")
    with database.single(identity.anonymous(), limit=limit) as session:
        return http.json(HTTPStatus.OK, access_links.read_event(session, secret))


@app.get("/organizations", tags=["catalog"], responses=http.problems(304))
def list_organizations(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[organizations.OrganizationListing]]:
    """List all organizations, by slug."""
    with database.single(identity.anonymous()) as session:
        page = organizations.organizations(session, limit, cursor)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, page), seconds=LIST_SECONDS)


@app.get("/organizations/<organization_id>", tags=["catalog"], responses=http.problems(304, 308, 404))
def get_organization(organization_id: IdOrSlug) -> Response[organizations.Organization]:
    """Get an organization with its branding, by its id or its slug. A former slug redirects to the present one."""
    with database.single(identity.anonymous()) as session:
        organization = organizations.organization(session, organization_id)
    if organization_id.lower() not in (str(organization.id), organization.slug):
        return http.moved(app.current_event, f"/organizations/{organization.slug}")
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, organization), seconds=BRANDING_SECONDS)


@app.get("/organizations/<organization_id>/locations", tags=["catalog"], responses=http.problems(304, 404))
def list_locations(organization_id: Annotated[Id, Path()]) -> Response[organizations.Locations]:
    """List the locations of an organization's events."""
    with database.single(identity.anonymous()) as session:
        locations = organizations.locations(session, organization_id)
    return http.cacheable(app.current_event, http.json(HTTPStatus.OK, locations), seconds=PLACES_SECONDS)


@app.get("/events/<event_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def event_calendar(event_id: Annotated[Id, Path()]) -> Response[str]:
    """Get an event as a calendar."""
    limit = http.limited(app.current_event, "calendar")
    with database.single(identity.anonymous(), limit=limit) as session:
        return _calendar(calendars.write_event_calendar(session, event_id))


@app.get("/series/<series_id>/calendar.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def series_calendar(series_id: Annotated[Id, Path()]) -> Response[str]:
    """Get the events of a series as a calendar to subscribe to."""
    limit = http.limited(app.current_event, "calendar")
    with database.single(identity.anonymous(), limit=limit) as session:
        return _calendar(calendars.write_series_calendar(session, series_id, clock.now()))


@app.get("/calendars/<secret>/bookings.ics", tags=["catalog"], responses={**CALENDAR, **http.problems(304, 404)})
def secret_calendar(secret: Annotated[str, Path(min_length=1, max_length=100)]) -> Response[str]:
    """Get the bookings of the person who has this secret address, as a calendar to subscribe to."""
    limit = http.limited(app.current_event, "calendar")
    with database.single(identity.anonymous(), limit=limit) as session:
        return _calendar(calendars.write_secret_calendar(session, secret, clock.now()), public=False)


def _calendar(text: str, *, public: bool = True) -> Response[str]:
    response = http.text_of(HTTPStatus.OK, calendars.CONTENT_TYPE, text)
    return http.cacheable(app.current_event, response, seconds=CALENDAR_SECONDS, public=public)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
