"""A person's own pages: profile, dashboard, the calendar of their bookings, and their data."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from marquee.catalog import addresses, calendars
from marquee.core import clock, database, paging
from marquee.edge import http, storage
from marquee.edge.observability import LambdaContext, count, observed
from marquee.insights import dashboard
from marquee.messaging import profiles
from marquee.people import consents, erasure, exports

app = http.resolver()

CALENDAR_SECONDS = 300
CALENDAR: dict[int, Any] = {
    200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}


@app.get("/profile", tags=["profile"])
def get_profile() -> Response[profiles.Profile]:
    """Get the caller's profile; the first call creates it from the token."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.own(session))


@app.patch("/profile", tags=["profile"])
def edit_profile(request: Annotated[profiles.ProfileEdit, Body()]) -> Response[profiles.Profile]:
    """Change the caller's name or the language of future messages."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.edit(session, request))


@app.delete("/profile", tags=["profile"], status_code=202, responses=http.problems(409))
def request_erasure() -> Response[erasure.ScheduledErasure]:
    """Schedule the erasure of the caller in seven days, and show what it will do."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "person_data")) as session:
        scheduled = erasure.request(session)
    count("ErasureRequested")
    return http.json(HTTPStatus.ACCEPTED, scheduled)


@app.post("/profile/restore", tags=["profile"], status_code=204, responses=http.problems(404))
def cancel_erasure() -> Response[None]:
    """Cancel the scheduled erasure of the caller."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "person_data")) as session:
        erasure.cancel(session)
    return http.empty()


@app.get("/profile/consents", tags=["profile"])
def list_consents(
    limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[consents.Consent]]:
    """List the caller's decisions about marketing, newest first; the current ones are marked."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, consents.list_own(session, limit, cursor))


@app.put("/profile/consents", tags=["profile"], status_code=204, responses=http.problems(404))
def set_consent(request: Annotated[consents.ConsentDecision, Body()]) -> Response[None]:
    """Record a consent to the marketing of an organization, or its withdrawal."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        consents.decide(session, request)
    return http.empty()


@app.get("/profile/settings", tags=["profile"])
def get_settings() -> Response[profiles.ProfileSettings]:
    """Get the caller's language, the language of their messages, and their time zone."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.OK, profiles.settings(session))


@app.post("/profile/calendar", tags=["profile"], status_code=201)
def create_calendar_address() -> Response[addresses.CalendarAddress]:
    """Create the secret address of the calendar of the caller's bookings; the former one stops working."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        return http.json(HTTPStatus.CREATED, addresses.create(session, http.base_url(event)))


@app.delete("/profile/calendar", tags=["profile"], status_code=204)
def revoke_calendar_address() -> Response[None]:
    """Revoke the secret address of the calendar of the caller's bookings."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "profile")) as session:
        addresses.revoke(session)
    return http.empty()


@app.get("/profile/export", tags=["profile"], responses=http.problems(404))
def get_export() -> Response[exports.Export]:
    """Get the caller's latest export: its state, and a link to the file while it is ready."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "person_data")) as session:
        return http.json(HTTPStatus.OK, exports.read(session, storage.export_link))


@app.post("/profile/export", tags=["profile"], status_code=202)
def request_export() -> Response[exports.Export]:
    """Request a ZIP of JSON and CSV with everything about the caller, at most once in 24 hours."""
    event = app.current_event
    with database.transaction(http.caller(event), limit=http.limited(event, "person_data")) as session:
        export = exports.request(session, storage.export_link)
    return http.json(HTTPStatus.ACCEPTED, export)


@app.get("/dashboard", tags=["profile"])
def get_dashboard() -> Response[dashboard.Dashboard]:
    """Get an overview of the caller's bookings, spending and waitlist entries."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, dashboard.read_dashboard(session))


@app.get("/bookings/calendar.ics", tags=["bookings"], responses={**CALENDAR, **http.problems(304)})
def bookings_calendar() -> Response[str]:
    """Get the caller's bookings as a calendar to subscribe to."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "calendar")) as session:
        text = calendars.write_own_calendar(session, clock.now())
    response = http.text_of(HTTPStatus.OK, calendars.CONTENT_TYPE, text)
    return http.cacheable(event, response, seconds=CALENDAR_SECONDS, public=False)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
