"""POST /holds, DELETE /holds/{hold_id}: reserve seats for some minutes."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.booking import holds
from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http

routes = http.routes()


@routes.post("/holds", tags=["bookings"], status_code=201, responses=http.problems(404, 409))
def hold(request: Annotated[holds.HoldRequest, Body()]) -> Response[holds.Hold]:
    """Hold seats for some minutes, so that they can be booked with `hold_id`."""
    event = routes.current_event
    limit = http.limited(event, "hold", customer_id=request.customer_id)
    with database.single(http.caller(event), limit=limit) as session:
        return http.json(HTTPStatus.CREATED, holds.hold(session, request))


@routes.delete("/holds/<hold_id>", tags=["bookings"], responses=http.problems(404, 409))
def release(hold_id: Annotated[Id, Path()]) -> Response[holds.Hold]:
    """Release a hold before it expires."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "release_hold")) as session:
        return http.json(HTTPStatus.OK, holds.release(session, hold_id))
