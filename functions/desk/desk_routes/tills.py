"""Tills: the report of a day, transfers of cash, and closings."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Day, Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.payments import tills
from marquee.payments.tills import TillReport

routes = http.routes()

Organization = Annotated[Id, Path()]
Place = Annotated[Id | None, Query(description="The location of the desk. Default: the organization's till.")]
Currency = Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Default: the organization's currency.")]


@routes.post("/organizations/<organization_id>/tills", tags=["desk"], responses=http.problems(403, 404))
def open_till(organization_id: Organization, request: Annotated[tills.TillRequest, Body()]) -> Response[tills.Till]:
    """Give a location its own till; for accountants, admins and owners. Repeating it returns the same till."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        return http.json(HTTPStatus.OK, tills.open_till(session, organization_id, request))


@routes.get("/organizations/<organization_id>/till", tags=["desk"], responses=http.problems(403, 404))
def get_till(
    organization_id: Organization,
    location_id: Place = None,
    day: Annotated[Day | None, Query(description="Default: the current day.")] = None,
    currency: Currency = None,
) -> Response[TillReport]:
    """Get the report of a till: the stored one of a closed day, or the figures of the open days so far."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, tills.report(session, organization_id, location_id, day, currency))


@routes.post("/organizations/<organization_id>/till/transfers", tags=["desk"], responses=http.problems(403, 404, 409))
def transfer(
    organization_id: Organization,
    request: Annotated[tills.TransferRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[TillReport]:
    """Put cash into a till as change, or take it out. Returns the report of the current day."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        return http.json(HTTPStatus.OK, tills.transfer(session, organization_id, request, idempotency_key))


@routes.post("/organizations/<organization_id>/till/closings", tags=["desk"], responses=http.problems(403, 404, 409))
def close(organization_id: Organization, request: Annotated[tills.ClosingRequest, Body()]) -> Response[TillReport]:
    """Close a day of a till with the counted cash. The report is stored for good; the same count returns it again."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "take_money")) as session:
        report = tills.close(session, organization_id, request)
    count("TillClosed")
    return http.json(HTTPStatus.OK, report)


@routes.get("/organizations/<organization_id>/till/closings", tags=["desk"], responses=http.problems(403, 404))
def list_closings(
    organization_id: Organization,
    location_id: Place = None,
    limit: http.PageSize = paging.DEFAULT_LIMIT,
    cursor: http.Cursor = None,
) -> Response[paging.Page[TillReport]]:
    """List the closed days of an organization's tills, newest first; for staff who may take money."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, tills.closings(session, organization_id, location_id, limit, cursor))
