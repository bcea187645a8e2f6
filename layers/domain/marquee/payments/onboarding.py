"""Onboarding of an organizer at Stripe: the account is created once, and its owner signs up on Stripe's page."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from marquee.core import database, urls
from marquee.core.database import Limit, Session
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.core.models import Answer, Request
from marquee.payments import stripe_calls

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe.params import AccountCreateParams

PageUrl = Annotated[str, Field(max_length=urls.LENGTH_MAX), AfterValidator(urls.page)]


class OnboardingRequest(Request):
    """The pages to which Stripe sends the owner when they are done, and when the sign-up page has expired."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"return_url": "https://studio.example.com/done", "refresh_url": "https://studio.example.com/again"}
            ]
        }
    )

    return_url: PageUrl
    refresh_url: PageUrl


class PayoutAccount(Answer):
    """An organization's account at Stripe."""

    organization_id: UUID
    stripe_account_id: Annotated[str | None, Field(description="Null: the account does not exist yet.")]
    charges_enabled: bool
    payouts_enabled: bool
    details_submitted: bool
    requirements: Annotated[
        dict[str, Any], Field(description="Information that Stripe still requires, as Stripe reports it.")
    ]


class Onboarding(PayoutAccount):
    """A payout account, and the page on which its owner signs up."""

    url: Annotated[str, Field(description="Valid once, for some minutes. Send the request again for another.")]
    expires_at: datetime


def account_of(session: Session, organization_id: UUID) -> PayoutAccount:
    """Return an organization's payout account. Refuses: 404 organization_not_found."""
    return PayoutAccount.model_validate(
        session.value("select payments.payout_account(organization_id => %s)", [organization_id])
    )


def start(
    client: Callable[[], "StripeClient"],
    caller: Caller,
    organization_id: UUID,
    request: OnboardingRequest,
    limit: Limit | None = None,
) -> Onboarding:
    """Return a link to Stripe's sign-up page; the account is created by the first call.

    Refuses: 403 forbidden, 404 organization_not_found, 409 onboarding_not_possible. Raises Unavailable.
    """
    with database.single(caller, limit=limit) as session:
        known = session.value("select payments.start_payout_onboarding(organization_id => %s)", [organization_id])
    try:
        if known["stripe_account_id"] is None:
            known = _made(client(), organization_id, known["country"])
        with stripe_calls.calling():
            link = client().v1.account_links.create(
                {
                    "account": known["stripe_account_id"],
                    "type": "account_onboarding",
                    "return_url": request.return_url,
                    "refresh_url": request.refresh_url,
                }
            )
    except stripe_calls.StripeUnavailable as error:
        raise Unavailable("Stripe cannot be reached. Send the request again.") from error
    except stripe_calls.StripeRefused as refusal:
        raise Refused(409, "onboarding_not_possible", refusal.message, stripe_code=refusal.code) from refusal
    return Onboarding(
        **PayoutAccount.model_validate(known).model_dump(),
        url=link.url,
        expires_at=datetime.fromtimestamp(link.expires_at, UTC),
    )


def _made(client: "StripeClient", organization_id: UUID, country: str) -> dict[str, Any]:
    params: AccountCreateParams = {
        "type": "express",
        "country": country,
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        "metadata": {"organization_id": str(organization_id)},
    }
    with stripe_calls.calling():
        made = client.v1.accounts.create(params, {"idempotency_key": f"account-{organization_id}"})
    with database.single(database.service()) as session:
        kept: dict[str, Any] = session.value(
            "select payments.attach_payout_account(organization_id => %s, stripe_account_id => %s)",
            [organization_id, made.id],
        )
    return kept
