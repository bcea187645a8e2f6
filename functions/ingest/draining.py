"""Rating events out of RatingEventsQueue, and GET /ratings/requests/{request_id}."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

import waking
from marquee.core import clock, database
from marquee.core.models import Id
from marquee.edge import http, queues
from marquee.edge.observability import LambdaContext
from marquee.rating import ingestion

routes = http.routes()


def receive(event: dict[str, Any], _context: LambdaContext) -> Any:
    """Record the events of a batch of messages in one transaction."""

    def write(parts: Sequence[ingestion.Part]) -> Mapping[int, str]:
        taken = ingestion.take_parts(parts)
        waking.count_and_wake(taken)
        return taken.failed

    return queues.receive_together(event, ingestion.Part, write)


@routes.get("/ratings/requests/<request_id>", tags=["ratings"])
def get_rating_request(request_id: Annotated[Id, Path()]) -> Response[ingestion.RequestState]:
    """Get the state of a request that is recorded later; for its sender."""
    with database.single(http.caller(routes.current_event)) as session:
        found = ingestion.state(session, request_id, now_seconds=clock.now().timestamp())
    return http.json(HTTPStatus.OK, found)
