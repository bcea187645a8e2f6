"""Each object that the API returns matches the SDK's classes: required fields, types and values."""

from typing import Any

import pytest

from tests.kit.stripe_process import Api
from tests.kit.stripe_types import faults

RETURN = "https://shop.example/back"
CARD = {"amount": 5000, "currency": "chf", "payment_method_types": ["card"]}


def raw(api: Api, path: str, **headers: str) -> Any:
    answer = api.request("GET", path, **headers)
    assert answer.status == 200, answer.body
    return answer.json


def test_missing_wrong_or_unknown_field_is_found(api: Api):
    made = raw(api, "/v1/customers/" + api.v1.customers.create({"name": "Ana"}).id)
    assert faults(made) == []

    del made["created"]
    made |= {"livemode": "no", "tax_exempt": "maybe", "colour": "blue"}

    assert [fault.split(" is ")[0] for fault in faults(made)] == [
        "customer.created",
        "customer.livemode",
        "customer.tax_exempt",
        "customer.colour",
    ]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"payment_method": "pm_card_visa"},
        {"payment_method": "pm_card_visa", "confirm": True},
        {"payment_method": "pm_card_visa", "confirm": True, "capture_method": "manual"},
        {"payment_method": "pm_card_authenticationRequired", "confirm": True},
        {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": RETURN},
        {
            "payment_method_types": ["card", "twint"],
            "payment_method_data": {"type": "twint"},
            "confirm": True,
            "return_url": RETURN,
        },
        {
            "receipt_email": "ana@example.com",
            "shipping": {"name": "Ana", "address": {"city": "Bern"}},
            "metadata": {"a": "b"},
        },
    ],
)
def test_payment_intent_matches_the_sdk(api: Api, given: dict[str, Any]):
    made = api.v1.payment_intents.create({**CARD, **given})

    document = raw(api, f"/v1/payment_intents/{made.id}?expand[]=latest_charge&expand[]=payment_method")

    assert faults(document) == []


def test_declined_payment_intent_matches_the_sdk(api: Api):
    made = api.v1.payment_intents.create(CARD)
    api.request("POST", f"/v1/payment_intents/{made.id}/confirm", "payment_method=pm_card_chargeDeclined")

    assert faults(raw(api, f"/v1/payment_intents/{made.id}?expand[]=latest_charge")) == []


def test_canceled_payment_intent_matches_the_sdk(api: Api):
    made = api.v1.payment_intents.create(CARD)
    api.v1.payment_intents.cancel(made.id, {"cancellation_reason": "abandoned"})

    assert faults(raw(api, f"/v1/payment_intents/{made.id}")) == []


def test_refund_charge_and_balance_transactions_match_the_sdk(api: Api):
    given = {**CARD, "payment_method": "pm_card_visa", "confirm": True, "capture_method": "automatic"}
    made = api.v1.payment_intents.create(given)
    refund = api.v1.refunds.create({"payment_intent": made.id, "amount": 100, "reason": "duplicate"})

    assert faults(raw(api, f"/v1/refunds/{refund.id}?expand[]=balance_transaction")) == []
    charge = raw(api, f"/v1/charges/{made.latest_charge}?expand[]=balance_transaction&expand[]=refunds")
    assert faults(charge) == []
    assert [each["id"] for each in charge["refunds"]["data"]] == [refund.id]
    assert faults(raw(api, f"/v1/balance_transactions?source={refund.id}")) == []
    assert faults(raw(api, "/v1/balance")) == []


def test_customer_and_payment_methods_match_the_sdk(api: Api):
    customer = api.v1.customers.create({"email": "ana@example.com", "address": {"city": "Bern"}, "phone": "+41"})
    card = api.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    twint = api.v1.payment_methods.create({"type": "twint"})

    assert faults(raw(api, f"/v1/customers/{customer.id}")) == []
    for method in (card, twint):
        assert faults(raw(api, f"/v1/payment_methods/{method.id}")) == []


def test_checkout_session_matches_the_sdk(api: Api):
    line = {"quantity": 2, "price_data": {"currency": "chf", "unit_amount": 900, "product_data": {"name": "Class"}}}
    made = api.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [line], "success_url": RETURN, "metadata": {"a": "b"}}
    )

    document = raw(api, f"/v1/checkout/sessions/{made.id}?expand[]=line_items")

    assert faults(document) == []
    assert document["amount_total"] == 1800


def test_webhook_endpoint_matches_the_sdk(stand_in: Api):
    api = stand_in
    made = api.request("POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:1/x&enabled_events[]=*")
    assert made.status == 200
    document = made.json

    assert faults(document) == []
    assert document["secret"].startswith("whsec_")
    assert "secret" not in raw(api, f"/v1/webhook_endpoints/{document['id']}")
    api.v1.webhook_endpoints.delete(document["id"])


def test_objects_created_by_controls_match_the_sdk(stand_in: Api):
    api = stand_in
    account = api.v1.accounts.create(
        {"type": "express", "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}}}
    )
    assert faults(raw(api, f"/v1/accounts/{account.id}")) == []
    api.act("accounts", account.id, "activate")
    assert faults(raw(api, f"/v1/accounts/{account.id}")) == []
    assert faults(raw(api, f"/v1/accounts/{account.id}/capabilities")) == []
    assert faults(raw(api, "/v1/account")) == []
    answer = api.request(
        "POST",
        "/v1/account_links",
        f"account={account.id}&type=account_onboarding&return_url={RETURN}&refresh_url={RETURN}",
    )
    assert faults(answer.json) == []

    given = {"payment_method": "pm_card_bypassPending", "confirm": True, "capture_method": "automatic"}
    made = api.v1.payment_intents.create({**CARD, **given})
    transfer = api.v1.transfers.create({"amount": 1000, "currency": "chf", "destination": account.id})
    api.v1.transfers.reversals.create(transfer.id, {"amount": 400})
    assert faults(raw(api, f"/v1/transfers/{transfer.id}?expand[]=destination&expand[]=balance_transaction")) == []
    assert faults(raw(api, f"/v1/transfers/{transfer.id}/reversals")) == []
    destination = raw(api, "/v1/charges?expand[]=data.balance_transaction", Stripe_Account=account.id)
    assert len(destination["data"]) == 1
    assert faults(destination) == []

    payout = api.v1.payouts.create({"amount": 100, "currency": "chf"})
    assert faults(raw(api, f"/v1/payouts/{payout.id}?expand[]=destination")) == []
    api.act("payouts", payout.id, "fail")
    assert faults(raw(api, f"/v1/payouts/{payout.id}")) == []

    dispute = api.act("charges", made.latest_charge, "dispute", reason="product_not_received")
    assert faults(raw(api, f"/v1/disputes/{dispute['id']}?expand[]=charge")) == []
    api.act("disputes", dispute["id"], "close", status="won")
    assert faults(raw(api, f"/v1/disputes/{dispute['id']}")) == []

    payment = api.v1.payment_intents.create(
        {
            **CARD,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "application_fee_amount": 500,
            "transfer_data": {"destination": account.id},
        }
    )
    api.settle()
    refund = {"payment_intent": payment.id, "reverse_transfer": True, "refund_application_fee": True, "amount": 1000}
    failed = api.v1.refunds.create(refund)
    api.act("refunds", failed.id, "fail")
    for path in ("application_fees", "refunds", "charges", "payment_intents", "transfers", "balance_transactions"):
        assert faults(raw(api, f"/v1/{path}?limit=100")) == [], path

    session = api.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": RETURN,
            "line_items": [{"price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Class"}}}],
        }
    )
    api.act("sessions", session.id, "pay", email="ana@example.com")
    assert faults(raw(api, f"/v1/checkout/sessions/{session.id}?expand[]=payment_intent")) == []
    events = raw(api, "/v1/events?limit=100")
    assert len({event["type"] for event in events["data"]}) >= 20
    assert faults(events) == []
    for event in events["data"]:
        assert faults(event["data"]["object"]) == [], event["type"]
    assert faults(raw(api, "/v1/events?limit=100", Stripe_Account=account.id)) == []
