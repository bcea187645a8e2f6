"""Customers' credits: their wallet, packages and purchases of them, grants by staff, and promo codes."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from marquee.core import database, paging
from marquee.core.models import Id
from marquee.edge import http, stripe
from marquee.edge.observability import LambdaContext, count, observed
from marquee.payments import checkout, packages, wallets
from marquee.payments.packages import Package, Purchase
from marquee.payments.wallets import ListedPromoCode

app = http.resolver()


@app.get("/wallet", tags=["credits"])
def get_wallet(organization_id: Annotated[Id, Query()]) -> Response[wallets.Wallet]:
    """Get the caller's wallet money and passes at an organization, in the order in which they are used."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, wallets.read_wallet(session, organization_id))


@app.post("/credits/grants", tags=["credits"], status_code=201, responses=http.problems(403, 404))
def grant(
    request: Annotated[wallets.GrantRequest, Body()], idempotency_key: http.IdempotencyKey = None
) -> Response[wallets.Credit]:
    """Grant credits to a customer at the organization's expense; for its bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "grant_credits")) as session:
        credit = wallets.grant(session, request, idempotency_key)
    count("CreditGranted")
    return http.json(HTTPStatus.CREATED, credit)


@app.get("/packages", tags=["credits"])
def list_packages(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[Package]]:
    """List the packages that an organization sells, newest first."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, packages.on_sale(session, organization_id, limit, cursor))


@app.post("/packages", tags=["credits"], status_code=201, responses=http.problems(403))
def create_package(request: Annotated[packages.PackageRequest, Body()]) -> Response[Package]:
    """Put a package of credits up for sale; for admins and owners of the organization."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.CREATED, packages.create(session, request))


@app.post("/packages/<package_id>/end", tags=["credits"], responses=http.problems(404))
def end_package(package_id: Annotated[Id, Path()]) -> Response[Package]:
    """Take a package off sale; credits that were sold stay valid."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.OK, packages.end(session, package_id))


@app.post("/packages/<package_id>/purchases", tags=["credits"], status_code=201, responses=http.problems(402, 404, 409))
def buy(
    package_id: Annotated[Id, Path()],
    request: Annotated[packages.PurchaseRequest, Body()],
    idempotency_key: http.IdempotencyKey = None,
) -> Response[Purchase]:
    """Buy a package; its credits are granted once it is paid. The same Idempotency-Key returns the same purchase."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "buy_package")) as session:
        purchase, unsent = packages.buy(session, package_id, request, idempotency_key)
    payment = checkout.create_at_stripe(stripe.client, unsent)
    count("PurchaseBegun" if payment.client_secret is not None else "StripeUnavailable")
    return http.json(HTTPStatus.CREATED, purchase.model_copy(update={"payment": payment}))


@app.get("/purchases/<purchase_id>", tags=["credits"], responses=http.problems(404))
def get_purchase(purchase_id: Annotated[Id, Path()]) -> Response[Purchase]:
    """Get a purchase with its payment: the caller's, or one of an organization where the caller is staff."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "read_records")) as session:
        return http.json(HTTPStatus.OK, packages.purchase(session, purchase_id))


@app.post("/purchases/<purchase_id>/refund", tags=["credits"], responses=http.problems(404, 409))
def refund_purchase(purchase_id: Annotated[Id, Path()]) -> Response[Purchase]:
    """Take back a package's unused credits and refund their share of the price; for the organization's bookkeepers."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "refund")) as session:
        return http.json(HTTPStatus.OK, packages.refund(session, purchase_id))


@app.post("/promo-codes", tags=["credits"], status_code=201, responses=http.problems(403, 409))
def create_promo_code(request: Annotated[wallets.PromoCodeRequest, Body()]) -> Response[ListedPromoCode]:
    """Create a promo code for an organization's customers: a discount, or bonus credits."""
    event = app.current_event
    with database.single(http.caller(event), limit=http.limited(event, "edit_packages")) as session:
        return http.json(HTTPStatus.CREATED, wallets.create_promo_code(session, request))


@app.get("/promo-codes", tags=["credits"])
def list_promo_codes(
    organization_id: Annotated[Id, Query()], limit: http.PageSize = paging.DEFAULT_LIMIT, cursor: http.Cursor = None
) -> Response[paging.Page[ListedPromoCode]]:
    """List an organization's promo codes and how often each is in use, newest first; for staff."""
    with database.single(http.caller(app.current_event)) as session:
        return http.json(HTTPStatus.OK, wallets.promo_codes(session, organization_id, limit, cursor))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Serve a request."""
    return app.resolve(event, context)
