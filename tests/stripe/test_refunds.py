"""Refunds and disputes: limits, pending and failed states, and their events."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.kit.stripe_process import Api

CARD = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"], "confirm": True}


def paid(api: Api, card: str = "pm_card_visa", **given: object) -> str:
    made = api.v1.payment_intents.create({**CARD, "payment_method": card, **given})
    return str(made.id)


def test_partial_refunds_never_exceed_the_payment(api: Api):
    intent = paid(api)
    api.v1.refunds.create({"payment_intent": intent, "amount": 700, "reason": "requested_by_customer"})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.v1.refunds.create({"payment_intent": intent, "amount": 1301})
    assert (refusal.value.http_status, refusal.value.param) == (400, "amount")

    rest = api.v1.refunds.create({"payment_intent": intent})

    assert (rest.amount, rest.status) == (1300, "succeeded")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.v1.refunds.create({"payment_intent": intent})
    assert refusal.value.code == "charge_already_refunded"
    charge = api.v1.charges.retrieve(rest.charge)
    assert (charge.amount_refunded, charge.refunded) == (2000, True)
    assert [each.amount for each in api.v1.refunds.list({"payment_intent": intent}).data] == [1300, 700]


def test_concurrent_refunds_never_exceed_the_payment(api: Api):
    intent = paid(api)

    def refund(amount: int) -> int:
        answer = api.request("POST", "/v1/refunds", f"payment_intent={intent}&amount={amount}")
        return amount if answer.status == 200 else 0

    amounts = [random.Random(place).randrange(100, 600) for place in range(16)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        given = sum(pool.map(refund, amounts))

    charge = api.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
    assert charge.amount_refunded == given <= 2000


def test_unpaid_intent_is_not_refunded(api: Api):
    unpaid = api.v1.payment_intents.create({**CARD, "confirm": False}).id
    held = paid(api, capture_method="manual")

    for given in ({"payment_intent": unpaid}, {"payment_intent": held}, {}, {"payment_intent": held, "amount": 0}):
        with pytest.raises(stripe.InvalidRequestError):
            api.v1.refunds.create(given)


def test_refund_does_not_return_the_fee(api: Api):
    intent = paid(api, capture_method="automatic")

    refund = api.v1.refunds.create({"payment_intent": intent, "expand": ["balance_transaction"]})

    booked = refund.balance_transaction
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("refund", -2000, 0, -2000)


def test_pending_refund_succeeds_later(stand_in: Api):
    intent = paid(stand_in, "pm_card_pendingRefund")
    refund = stand_in.v1.refunds.create({"payment_intent": intent})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")

    stand_in.settle()

    assert stand_in.v1.refunds.retrieve(refund.id).status == "succeeded"
    assert stand_in.types()[-4:] == ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]


@pytest.mark.parametrize("by_itself", [True, False])
def test_failed_refund_returns_to_the_balance_and_can_be_retried(stand_in: Api, by_itself: bool):
    intent = paid(stand_in, "pm_card_refundFail" if by_itself else "pm_card_visa", capture_method="automatic")
    before = stand_in.v1.balance.retrieve().pending[0].amount
    refund = stand_in.v1.refunds.create({"payment_intent": intent, "amount": 800})
    assert refund.status == "succeeded"

    if by_itself:
        stand_in.settle()
    else:
        stand_in.act("refunds", refund.id, "fail", reason="lost_or_stolen_card")

    found = stand_in.v1.refunds.retrieve(refund.id, {"expand": ["charge", "failure_balance_transaction"]})
    assert (found.status, found.failure_reason) == ("failed", "unknown" if by_itself else "lost_or_stolen_card")
    assert found.failure_balance_transaction.type == "refund_failure"
    assert (found.charge.amount_refunded, found.charge.refunded) == (0, False)
    assert stand_in.v1.balance.retrieve().pending[0].amount == before
    for each in ("refund.updated", "charge.refund.updated"):
        told = stand_in.events(type=each)[-1].data.previous_attributes.to_dict()
        assert (told["status"], told["failure_balance_transaction"]) == ("succeeded", None)
    assert stand_in.types()[-1] == "refund.failed"
    assert stand_in.v1.refunds.create({"payment_intent": intent}).amount == 2000


def test_twint_refund_succeeds_later(stand_in: Api):
    made = stand_in.v1.payment_intents.create({"amount": 2000, "currency": "chf", "payment_method_types": ["twint"]})
    stand_in.act("payment_intents", made.id, "pay", payment_method="twint")

    refund = stand_in.v1.refunds.create({"payment_intent": made.id})

    assert (refund.id.split("_")[0], refund.status) == ("pyr", "pending")
    stand_in.settle()
    assert stand_in.v1.refunds.retrieve(refund.id).status == "succeeded"


def test_refund_events_have_cumulative_amounts(stand_in: Api):
    intent = paid(stand_in)
    for amount in (300, 500):
        stand_in.v1.refunds.create({"payment_intent": intent, "amount": amount})

    told = stand_in.events(type="charge.refunded")

    assert [event.data.object.amount_refunded for event in told] == [300, 800]
    assert [event.data.previous_attributes.amount_refunded for event in told] == [0, 300]


@pytest.mark.parametrize(
    ("card", "reason", "status"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response"),
        ("pm_card_createDisputeInquiry", "fraudulent", "warning_needs_response"),
    ],
)
def test_disputed_payment_cannot_be_refunded_except_during_an_inquiry(
    stand_in: Api, card: str, reason: str, status: str
):
    intent = paid(stand_in, card)

    stand_in.settle()

    dispute = stand_in.v1.disputes.list({"payment_intent": intent}, {}).data[0]
    assert (dispute.reason, dispute.status, dispute.amount) == (reason, status, 2000)
    if status == "needs_response":
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            stand_in.v1.refunds.create({"payment_intent": intent})
        assert refusal.value.code == "charge_disputed"
    else:
        assert stand_in.v1.refunds.create({"payment_intent": intent}).status == "succeeded"


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_dispute_is_won_or_lost_by_its_evidence(stand_in: Api, evidence: str, status: str):
    intent = paid(stand_in, capture_method="automatic")
    charge = stand_in.v1.payment_intents.retrieve(intent).latest_charge
    before = balance(stand_in)
    dispute = stand_in.act("charges", charge, "dispute")
    assert balance(stand_in) == before - 2000 - 1500

    answered = stand_in.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": evidence}})
    assert answered.status == "under_review"
    stand_in.settle()

    found = stand_in.v1.disputes.retrieve(dispute["id"])
    assert found.status == status
    assert balance(stand_in) == before - 1500 - (0 if status == "won" else 2000)
    told = [each for each in stand_in.types() if each.startswith("charge.dispute")]
    assert told[:2] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert told[-1] == "charge.dispute.closed"
    assert ("charge.dispute.funds_reinstated" in told) == (status == "won")
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.disputes.close(dispute["id"])


def balance(api: Api) -> int:
    found = api.v1.balance.retrieve()
    return int(found.available[0].amount + found.pending[0].amount)
