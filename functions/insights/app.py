"""Overviews: a customer's dashboard and calendar, an instructor's schedule, analytics and the access log."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

import accesses
import own_calendar
from marquee.core import database
from marquee.core.models import Day, Id
from marquee.edge import http
from marquee.edge.observability import LambdaContext, observed
from marquee.insights import analytics, dashboard, schedule

app = http.resolver(own_calendar.routes, accesses.routes)


@app.get("/dashboard", tags=["insights"])
def get_dashboard() -> Response[dashboard.Dashboard]:
    """One's own bookings, spending and waits at a glance."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, dashboard.of_caller(session))


@app.get("/instructors/<instructor_id>/schedule", tags=["insights"], responses=http.problems(403, 404))
def get_schedule(
    instructor_id: Annotated[Id, Path()],
    first_day: Annotated[Day | None, Query(alias="from", description="The first day; today, if left out.")] = None,
    last_day: Annotated[Day | None, Query(alias="to", description="The last day; four weeks, if left out.")] = None,
) -> Response[schedule.Schedule]:
    """What an instructor leads and how full it is, in the organization's days; for the instructor and staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, schedule.of_instructor(session, instructor_id, first_day, last_day))


@app.get("/organizations/<organization_id>/analytics", tags=["insights"], responses=http.problems(403, 404))
def get_analytics(organization_id: Annotated[Id, Path()]) -> Response[analytics.Analytics]:
    """How an organization does, as of now; for its members."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "insights")) as session:
        return http.json(HTTPStatus.OK, analytics.of_organization(session, organization_id))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request."""
    return app.resolve(event, context)
