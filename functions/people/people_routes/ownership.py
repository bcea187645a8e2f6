"""Routes of offers of ownership."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http
from marquee.edge.observability import count
from marquee.people import ownership

routes = http.routes()


@routes.post(
    "/organizations/<organization_id>/ownership-offers",
    tags=["members"],
    status_code=201,
    responses=http.problems(403, 404, 409),
)
def offer_ownership(
    organization_id: Annotated[Id, Path()], request: Annotated[ownership.OwnershipRequest, Body()]
) -> Response[ownership.OwnershipOffer]:
    """Offer a member the ownership, for seven days; for owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        return http.json(HTTPStatus.CREATED, ownership.create(session, organization_id, request))


@routes.get("/organizations/<organization_id>/ownership-offers", tags=["members"])
def list_ownership_offers(
    organization_id: Annotated[Id, Path()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[ownership.OwnershipOffer]]:
    """List the offers of ownership: all of them to owners, and to other members those to or by them."""
    with database.single(http.caller(routes.current_event)) as session:
        return http.json(HTTPStatus.OK, ownership.list_all(session, organization_id, limit, cursor))


@routes.post("/ownership-offers/<offer_id>/accept", tags=["members"], responses=http.problems(403, 404, 409))
def accept_ownership(offer_id: Annotated[Id, Path()]) -> Response[ownership.OwnershipOffer]:
    """Make the caller an owner; for the member to whom it was offered."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        accepted = ownership.decide(session, offer_id, "accepted")
    count("OwnershipTransferred")
    return http.json(HTTPStatus.OK, accepted)


@routes.post("/ownership-offers/<offer_id>/decline", tags=["members"], responses=http.problems(403, 404, 409))
def decline_ownership(offer_id: Annotated[Id, Path()]) -> Response[ownership.OwnershipOffer]:
    """Decline the ownership; for the member to whom it was offered."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        return http.json(HTTPStatus.OK, ownership.decide(session, offer_id, "declined"))


@routes.post("/ownership-offers/<offer_id>/withdraw", tags=["members"], responses=http.problems(403, 404, 409))
def withdraw_ownership(offer_id: Annotated[Id, Path()]) -> Response[ownership.OwnershipOffer]:
    """Withdraw an offer of ownership; for owners."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "members")) as session:
        return http.json(HTTPStatus.OK, ownership.decide(session, offer_id, "withdrawn"))
