"""Marks of attendance from devices at the door: POST /events/{event_id}/attendance."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import attendance
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.post("/events/<event_id>/attendance", tags=["desk"], responses=http.problems(403, 404, 409))
def mark_attendance(
    event_id: Annotated[Id, Path()], request: Annotated[attendance.MarksRequest, Body()]
) -> Response[attendance.MarkResults]:
    """Record up to 500 marks of attendance, each with its own result.

    Marks may come twice, late and in any order: the mark with the latest time counts.
    """
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "record_attendance")) as session:
        return http.json(HTTPStatus.OK, attendance.mark(session, event_id, request))
