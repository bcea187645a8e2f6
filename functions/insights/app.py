"""Overviews for organizations: an instructor's schedule, analytics, and the access log."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from marquee.core import database, paging
from marquee.core.models import Day, Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.insights import analytics, schedule
from marquee.operations import access_log

app = http.resolver()


@app.get("/instructors/<instructor_id>/schedule", tags=["insights"], responses=http.problems(403, 404))
def get_schedule(
    instructor_id: Annotated[Id, Path()],
    first_day: Annotated[Day | None, Query(alias="from", description="The first day. Default: today.")] = None,
    last_day: Annotated[
        Day | None, Query(alias="to", description="The last day. Default: four weeks from the first.")
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=schedule.EVENTS_MOST, description="The maximum number of events.")
    ] = schedule.EVENTS_MOST,
    cursor: http.Cursor = None,
) -> Response[schedule.Schedule]:
    """Get an instructor's events and their attendance; for the instructor and staff.

    Days are those of the organization's time zone. The totals cover all events of the days.
    """
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        page = schedule.read_schedule(session, instructor_id, first_day, last_day, limit, cursor)
        return http.json(HTTPStatus.OK, page)


@app.get("/organizations/<organization_id>/analytics", tags=["insights"], responses=http.problems(403, 404))
def get_analytics(organization_id: Annotated[Id, Path()]) -> Response[analytics.Analytics]:
    """Get an organization's current figures; for its members."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, analytics.read_analytics(session, organization_id))


@app.get("/access-log", tags=["access-log"], responses=http.problems(403))
def list_accesses(
    person_id: Annotated[access_log.PersonId | None, Query()] = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[access_log.AccessEntry]]:
    """List reads of personal data of the organization's people, newest first; for admins and owners.

    Entries are kept for 13 months.
    """
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, access_log.entries(session, person_id, limit, cursor))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
