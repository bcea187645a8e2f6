"""POST /packages/{package_id}/purchases, GET /purchases/{purchase_id}: buy credits, and refund them."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from marquee.core import database
from marquee.core.models import Id
from marquee.edge import http, stripe
from marquee.edge.observability import count
from marquee.payments import checkout, packages
from marquee.payments.packages import Purchase

routes = http.routes()


@routes.post(
    "/packages/<package_id>/purchases", tags=["credits"], status_code=201, responses=http.problems(402, 404, 409)
)
def buy(
    package_id: Annotated[Id, Path()],
    request: Annotated[packages.PurchaseRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Purchase]:
    """Buy a package; its credits are granted once it is paid. The same Idempotency-Key returns the same purchase."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "buy_package")) as session:
        purchase = packages.buy(session, package_id, request, idempotency_key)
    payment = checkout.begun(stripe.client, purchase.payment)
    count("PurchaseBegun" if payment.client_secret is not None else "StripeUnavailable")
    return http.json(HTTPStatus.CREATED, purchase.model_copy(update={"payment": payment}))


@routes.get("/purchases/<purchase_id>", tags=["credits"], responses=http.problems(404))
def get_purchase(purchase_id: Annotated[Id, Path()]) -> Response[Purchase]:
    """Get a purchase with its payment: the caller's, or one of an organization where the caller is staff."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, packages.purchase(session, purchase_id))


@routes.post("/purchases/<purchase_id>/refund", tags=["credits"], responses=http.problems(404, 409))
def refund_purchase(purchase_id: Annotated[Id, Path()]) -> Response[Purchase]:
    """Take back a package's unused credits and refund their share of the price; for the organization's bookkeepers."""
    event = routes.current_event
    with database.single(http.caller(event), limit=http.limited(event, "refund")) as session:
        return http.json(HTTPStatus.OK, packages.refund(session, purchase_id))
