"""Packages of credits, which organizations sell and customers buy through Stripe."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Access, Session
from marquee.core.models import Answer, Id, Request, TotalCents, Whole
from marquee.core.text_types import Line
from marquee.payments.checkout import Payment
from marquee.payments.wallets import Amount, Categories, Currency, Kind


class PackageRequest(Request):
    """A package of credits to put up for sale."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "name": "Ten classes",
                    "kind": "pass",
                    "price_cents": 20000,
                    "currency": "CHF",
                    "amount": 10,
                    "valid_days": 365,
                    "categories": ["yoga"],
                }
            ]
        }
    )

    organization_id: Id
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    kind: Kind
    price_cents: Annotated[Whole, Field(ge=1, le=100_000_000)]
    currency: Currency
    amount: Amount
    bonus: Annotated[
        Whole, Field(ge=0, le=100_000_000, description="Additional credits at the organization's expense.")
    ] = 0
    valid_days: Annotated[Whole | None, Field(ge=1, le=3650)] = None
    categories: Categories = None


class PurchaseRequest(Request):
    """The way to pay for a package."""

    payment_method: Literal["card", "twint"] | None = None
    total_cents: TotalCents | None = None


class Package(Answer):
    """A package of credits for sale."""

    id: UUID
    organization_id: UUID
    name: str
    kind: Kind
    price_cents: int
    currency: str
    amount: Annotated[int, Field(description="Cents of wallet money, or units of a pass.")]
    bonus: int
    valid_days: int | None
    categories: list[str] | None
    active: bool


class Purchase(Answer):
    """A customer's purchase of a package, with its payment."""

    id: UUID
    package_id: UUID
    organization_id: UUID
    customer_id: UUID
    kind: Kind
    credits: int
    bonus: int
    categories: list[str] | None
    price_cents: Annotated[int, Field(description="The price to pay, including tax.")]
    net_cents: int
    tax_cents: int
    currency: str
    status: Annotated[
        Literal["pending", "granted", "refunded", "expired"],
        Field(description="pending: not paid yet. granted: the credits can be used."),
    ]
    refunded_cents: int
    created_at: datetime
    payment: Annotated[Payment | None, Field(description="Null for a package that was sold at the desk.")]


def on_sale(session: Session, organization_id: UUID, limit: int, cursor: str | None) -> paging.Page[Package]:
    """List an organization's packages on sale, newest first."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select p.*
        from payments.packages as p
        where
            p.organization_id = %(organization_id)s and p.active
            and (%(after)s::uuid is null or p.id < %(after)s::uuid)
        order by p.id desc
        limit %(most)s
        """,
        {"organization_id": organization_id, "after": after[0] if after else None, "most": limit + 1},
    )
    return paging.page(rows, limit, Package.model_validate, lambda row: (row["id"],))


def create(session: Session, request: PackageRequest) -> Package:
    """Put a package up for sale, for admins and owners. Refuses: 403 forbidden, 422 invalid_request."""
    terms = request.model_dump()
    named = ", ".join(f"{name} => %({name})s" for name in terms)
    return Package.model_validate(session.value(f"select payments.create_package({named})", terms))


def end(session: Session, package_id: UUID) -> Package:
    """Take a package off sale, for admins and owners. Refuses: 404 package_not_found."""
    return Package.model_validate(session.value("select payments.end_package(%s)", [package_id]))


def buy(
    session: Session, package_id: UUID, request: PurchaseRequest, idempotency_key: str | None
) -> tuple[Purchase, Payment]:
    """Start a purchase, and return it with its payment. The credits are granted once it is paid.

    Stripe is not called yet.

    Refuses: 400 idempotency_key_required, 402 payment_required, 404 package_not_found,
    409 price_changed, 422 idempotency_conflict.
    """
    query = "select payments.buy_package(%s, %s, %s, %s)"
    given = [package_id, request.payment_method, idempotency_key, request.total_cents]
    bought = Purchase.model_validate(session.value(query, given))
    if bought.payment is None:
        raise RuntimeError("payments.buy_package returned no payment.")
    return bought, bought.payment


def purchase(session: Session, purchase_id: UUID) -> Purchase:
    """Return a purchase, for its customer and for staff. Refuses: 404 purchase_not_found."""
    return Purchase.model_validate(session.value("select payments.purchase_details(%s)", [purchase_id]))


def refund(session: Session, purchase_id: UUID) -> Purchase:
    """Take back the unused credits of a purchase and refund their share of the price; once.

    Refuses: 404 purchase_not_found, 409 nothing_to_refund.
    """
    query = "select payments.refund_purchase(%s) as answer"
    answer = session.value(query, [purchase_id], access=Access.of_answer("refund_purchase"))
    return Purchase.model_validate(answer)
