"""Customers' credits at organizations: wallet money, passes, grants by staff, and promo codes.

Amounts of wallet money are whole cents of a currency; those of passes are units, one per seat.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from marquee.core import paging
from marquee.core.database import Session
from marquee.core.models import Answer, Id, Moment, PromoCode, Request, Whole
from marquee.core.text_types import Text

Kind = Literal["wallet", "pass"]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["CHF"])]
Amount = Annotated[Whole, Field(ge=1, le=100_000_000, description="Cents of wallet money, or units of a pass.")]
Slug = Annotated[str, Field(pattern="^[a-z0-9-]{1,60}$")]
Categories = Annotated[
    Annotated[list[Slug], Field(min_length=1, max_length=50)] | None,
    Field(description="Categories of events for which a pass is valid. Default: all."),
]


class Credit(Answer):
    """Credits that were received at once, with their remaining amount."""

    id: UUID
    kind: Kind
    source: Literal["purchase", "grant", "refund", "promotion"]
    organization_id: UUID
    customer_id: UUID
    currency: Annotated[str | None, Field(description="The currency of wallet money. Null for a pass.")]
    amount: int
    remaining: int
    expires_at: Annotated[datetime | None, Field(description="When the credits expire. Null: never.")]
    categories: Annotated[
        list[str] | None, Field(description="Categories of events for which a pass is valid. Null: all.")
    ]
    created_at: datetime


class Balance(Answer):
    """Wallet money that can be spent now."""

    currency: str
    cents: int


class Wallet(Answer):
    """The customer's credits at an organization, in the order in which they are used."""

    organization_id: UUID
    balances: list[Balance]
    credits: list[Credit]


class GrantRequest(Request):
    """Credits to grant to a customer at the organization's expense."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "customer_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "kind": "wallet",
                    "amount": 5000,
                    "currency": "CHF",
                    "note": "Welcome",
                }
            ]
        }
    )

    organization_id: Id
    customer_id: Id
    kind: Kind
    amount: Amount
    currency: Annotated[Currency | None, Field(description="Required for wallet money.")] = None
    expires_at: Moment | None = None
    categories: Categories = None
    note: Annotated[Text, Field(max_length=500)] | None = None


class PromoCodeRequest(Request):
    """A promo code for an organization's customers: a discount, or bonus credits."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "organization_id": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
                    "code": "SPRING",
                    "kind": "percent",
                    "percent_bps": 1000,
                    "uses_most": 100,
                    "uses_most_per_customer": 1,
                }
            ]
        }
    )

    organization_id: Id
    code: PromoCode
    kind: Literal["percent", "amount", "credits"]
    percent_bps: Annotated[
        Whole | None, Field(ge=1, le=10_000, description="For kind percent: the discount in hundredths of a percent.")
    ] = None
    amount_cents: Annotated[
        Whole | None, Field(ge=1, le=100_000_000, description="For the other kinds: the amount, with its currency.")
    ] = None
    currency: Currency | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    uses_most: Annotated[Whole | None, Field(ge=1, le=1_000_000_000)] = None
    uses_most_per_customer: Annotated[
        Whole | None,
        Field(ge=1, le=1_000_000, description="Without it: once for a code that adds credits, otherwise no limit."),
    ] = None


class ListedPromoCode(Answer):
    """A promo code, and how often it is in use."""

    id: UUID
    organization_id: UUID
    code: str
    kind: Literal["percent", "amount", "credits"]
    percent_bps: int | None
    amount_cents: int | None
    currency: str | None
    valid_from: datetime
    valid_until: datetime | None
    uses_most: int | None
    uses_most_per_customer: int | None
    used: int
    active: bool
    created_at: datetime


def read_wallet(session: Session, organization_id: UUID) -> Wallet:
    """Return the caller's usable credits at an organization: the balances of all lots, and at most a thousand lots."""
    answer = session.one(
        """
        with usable as materialized (
            select c.*
            from payments.credits as c
            where c.customer_id = (select ops.caller_id()) and c.organization_id = %s
        ),

        listed as (
            select u.*
            from usable as u
            order by u.expires_at nulls last, u.id
            limit 1000
        ),

        totals as (
            select u.currency, sum(u.remaining)::bigint as cents
            from usable as u
            where u.currency is not null
            group by u.currency
        )

        select
            (select coalesce(jsonb_agg(to_jsonb(t) order by t.currency), '[]') from totals as t) as balances,
            (
                select coalesce(jsonb_agg(to_jsonb(l) order by l.expires_at nulls last, l.id), '[]') from listed as l
            ) as credits
        """,
        [organization_id],
    )
    return Wallet.model_validate({**(answer or {}), "organization_id": organization_id})


def grant(session: Session, request: GrantRequest, idempotency_key: str | None) -> Credit:
    """Grant credits, for the organization's bookkeepers; once per key.

    Refuses: 400 idempotency_key_required, 403 forbidden, 404 customer_not_found, 422 idempotency_conflict, 422
    invalid_request.
    """
    answer = session.value(
        """
        select payments.grant_credits(
            organization_id => %(organization_id)s, customer_id => %(customer_id)s, kind => %(kind)s,
            amount => %(amount)s, idempotency_key => %(idempotency_key)s, currency => %(currency)s,
            expires_at => %(expires_at)s, categories => %(categories)s, note => %(note)s
        )
        """,
        {**request.model_dump(), "idempotency_key": idempotency_key},
    )
    return Credit.model_validate(answer)


def create_promo_code(session: Session, request: PromoCodeRequest) -> ListedPromoCode:
    """Create a promo code; an identical request returns it again.

    Refuses: 403 forbidden, 409 promo_code_exists, 422 invalid_request.
    """
    terms: dict[str, Any] = request.model_dump()
    named = ", ".join(f"{name} => %({name})s" for name in terms)
    return ListedPromoCode.model_validate(session.value(f"select payments.create_promo_code({named})", terms))


def promo_codes(
    session: Session, organization_id: UUID, limit: int, cursor: str | None
) -> paging.Page[ListedPromoCode]:
    """List an organization's promo codes, newest first; none for callers who do not work for it."""
    after = paging.after(cursor, UUID)
    rows = session.all(
        """
        select c.*
        from payments.promo_codes as c
        where c.organization_id = %(organization_id)s and (%(after)s::uuid is null or c.id < %(after)s::uuid)
        order by c.id desc
        limit %(most)s
        """,
        {"organization_id": organization_id, "after": after[0] if after else None, "most": limit + 1},
    )
    return paging.page(rows, limit, ListedPromoCode.model_validate, lambda row: (row["id"],))
