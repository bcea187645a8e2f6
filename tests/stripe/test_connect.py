"""Connected accounts, transfers to them, and payouts to the bank."""

import pytest
import stripe

from tests.kit.stripe_process import Api

RETURN = "https://shop.example/back"
CARD = {"amount": 10_000, "currency": "chf", "payment_method_types": ["card"], "confirm": True}
AT_ONCE = {"payment_method": "pm_card_bypassPending", "capture_method": "automatic"}
ASKED = {"card_payments": {"requested": True}, "transfers": {"requested": True}}


def account(api: Api, *, active: bool = True) -> str:
    made = api.v1.accounts.create({"type": "express", "country": "CH", "capabilities": ASKED})
    if active:
        api.act("accounts", made.id, "activate")
    return str(made.id)


def balance(api: Api, of: str | None = None) -> int:
    found = api.v1.balance.retrieve({}, {"stripe_account": of} if of else {})
    return int(found.available[0].amount + found.pending[0].amount)


def test_account_has_no_capabilities_until_it_is_activated(stand_in: Api):
    made = stand_in.v1.accounts.create({"type": "express", "country": "CH", "capabilities": ASKED})
    assert (made.charges_enabled, made.payouts_enabled, made.details_submitted) == (False, False, False)
    assert made.capabilities.to_dict() == {"card_payments": "inactive", "transfers": "inactive"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand_in.v1.transfers.create({"amount": 1, "currency": "chf", "destination": made.id})
    assert refusal.value.code == "insufficient_capabilities_for_transfer"

    stand_in.act("accounts", made.id, "activate")

    found = stand_in.v1.accounts.retrieve(made.id)
    assert (found.charges_enabled, found.payouts_enabled, found.details_submitted) == (True, True, True)
    assert found.requirements.currently_due == []
    told = stand_in.v1.events.list({}, {"stripe_account": made.id}).data
    assert {event.type for event in told} == {"account.updated", "capability.updated"}
    assert {event.account for event in told} == {made.id}
    assert stand_in.v1.events.list({"type": "account.updated"}).data == []

    stand_in.act("accounts", made.id, "restrict")
    assert not stand_in.v1.accounts.retrieve(made.id).charges_enabled


def test_onboarding_link_works_once(stand_in: Api):
    made = account(stand_in, active=False)
    given = {"account": made, "refresh_url": f"{RETURN}/again", "return_url": RETURN, "type": "account_onboarding"}
    link = stand_in.v1.account_links.create(given)
    path = link.url.removeprefix(stand_in.url)

    page = stand_in.request("GET", path)
    assert (page.status, b"Sign up" in page.body) == (200, True)
    again = stand_in.request("GET", path)
    assert (again.status, again.headers["location"]) == (303, f"{RETURN}/again")

    late = stand_in.v1.account_links.create(given)
    stand_in.control("/clock", advance=301)
    assert stand_in.request("GET", late.url.removeprefix(stand_in.url)).status == 303


def test_customer_of_one_account_is_not_found_in_another(stand_in: Api):
    one, other = account(stand_in), account(stand_in)
    made = stand_in.v1.customers.create({"name": "Ana"}, {"stripe_account": one})

    assert stand_in.v1.customers.retrieve(made.id, {}, {"stripe_account": one}).name == "Ana"
    for options in ({}, {"stripe_account": other}):
        with pytest.raises(stripe.InvalidRequestError):
            stand_in.v1.customers.retrieve(made.id, {}, options)
    with pytest.raises(stripe.PermissionError):
        stand_in.v1.customers.list({}, {"stripe_account": "acct_nobody"})


def test_transfer_of_a_charge_is_limited_to_its_amount(stand_in: Api):
    to = account(stand_in)
    paid = stand_in.v1.payment_intents.create({**CARD, **AT_ONCE, "transfer_group": "order-1"})
    charge = paid.latest_charge
    before = balance(stand_in)

    transfer = stand_in.v1.transfers.create(
        {"amount": 9000, "currency": "chf", "destination": to, "source_transaction": charge}
    )

    assert (transfer.transfer_group, transfer.amount_reversed, transfer.reversed) == ("order-1", 0, False)
    assert balance(stand_in) == before - 9000
    assert balance(stand_in, to) == 9000
    with pytest.raises(stripe.InvalidRequestError, match="must not exceed the source amount"):
        stand_in.v1.transfers.create(
            {"amount": 1001, "currency": "chf", "destination": to, "source_transaction": charge}
        )
    found = stand_in.v1.transfers.list({"transfer_group": "order-1"}).data
    assert [each.id for each in found] == [transfer.id]


def test_transfer_without_a_source_needs_available_balance(stand_in: Api):
    to = account(stand_in)
    given = {"amount": 5000, "currency": "chf", "destination": to}
    stand_in.v1.payment_intents.create({**CARD, "payment_method": "pm_card_visa", "capture_method": "automatic"})

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand_in.v1.transfers.create(given)
    assert refusal.value.code == "balance_insufficient"

    stand_in.control("/clock", advance=3 * 86_400)
    assert stand_in.v1.transfers.create(given).amount == 5000


def test_transfer_is_reversed_in_parts_up_to_its_amount(stand_in: Api):
    to = account(stand_in)
    stand_in.v1.payment_intents.create({**CARD, **AT_ONCE})
    transfer = stand_in.v1.transfers.create({"amount": 5000, "currency": "chf", "destination": to})
    before = balance(stand_in)

    part = stand_in.v1.transfers.reversals.create(transfer.id, {"amount": 2000, "metadata": {"why": "test"}})
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.transfers.reversals.create(transfer.id, {"amount": 3001})

    found = stand_in.v1.transfers.retrieve(transfer.id)
    assert (found.amount_reversed, found.reversed) == (2000, False)
    assert [each.id for each in found.reversals.data] == [part.id]
    assert (balance(stand_in), balance(stand_in, to)) == (before + 2000, 3000)
    stand_in.v1.transfers.reversals.create(transfer.id)
    assert stand_in.v1.transfers.retrieve(transfer.id).reversed
    told = stand_in.events(type="transfer.reversed")
    assert [event.data.object.amount_reversed for event in told] == [2000, 5000]
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.transfers.reversals.create(transfer.id)


def test_destination_charge_and_its_refund_move_amount_and_fee(stand_in: Api):
    to = account(stand_in)
    given = {"application_fee_amount": 500, "transfer_data": {"destination": to}, "on_behalf_of": to}
    paid = stand_in.v1.payment_intents.create({**CARD, **AT_ONCE, **given, "expand": ["latest_charge"]})

    # 100.00 less Stripe's 3.20, less 100.00 to the account, and 5.00 back as a fee.
    assert (balance(stand_in), balance(stand_in, to)) == (10_000 - 320 - 10_000 + 500, 9500)
    fee = stand_in.v1.application_fees.retrieve(paid.latest_charge.application_fee)
    assert (fee.amount, fee.account, fee.originating_transaction) == (500, to, paid.latest_charge.id)

    refund = stand_in.v1.refunds.create(
        {"payment_intent": paid.id, "amount": 5000, "reverse_transfer": True, "refund_application_fee": True}
    )

    assert refund.transfer_reversal.startswith("trr_")
    assert (balance(stand_in), balance(stand_in, to)) == (180 - 5000 + 5000 - 250, 9500 - 5000 + 250)
    assert stand_in.v1.application_fees.retrieve(fee.id).amount_refunded == 250


def test_direct_charge_pays_the_application_fee_to_the_platform(stand_in: Api):
    to = account(stand_in)

    paid = stand_in.v1.payment_intents.create(
        {**CARD, "payment_method": "pm_card_visa", "capture_method": "automatic", "application_fee_amount": 500},
        {"stripe_account": to},
    )

    assert paid.status == "succeeded"
    assert (balance(stand_in), balance(stand_in, to)) == (500, 10_000 - 320 - 500)


@pytest.mark.parametrize("ready", [True, False])
def test_inactive_account_takes_no_payments(stand_in: Api, ready: bool):
    to = account(stand_in, active=ready)
    given = {**CARD, **AT_ONCE, "transfer_data": {"destination": to}}

    if ready:
        assert stand_in.v1.payment_intents.create(given).transfer_data.destination == to
    else:
        with pytest.raises(stripe.InvalidRequestError):
            stand_in.v1.payment_intents.create(given)
        with pytest.raises(stripe.InvalidRequestError):
            stand_in.v1.payment_intents.create({**CARD, **AT_ONCE}, {"stripe_account": to})


def test_payout_arrives_after_two_days(stand_in: Api):
    stand_in.v1.payment_intents.create({**CARD, **AT_ONCE})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        stand_in.v1.payouts.create({"amount": 20_000, "currency": "chf"})
    assert refusal.value.code == "balance_insufficient"

    payout = stand_in.v1.payouts.create({"amount": 9000, "currency": "chf", "metadata": {"week": "47"}})
    assert payout.status == "pending"
    stand_in.control("/clock", advance=2 * 86_400 + 1)

    assert stand_in.v1.payouts.retrieve(payout.id).status == "paid"
    assert [each for each in stand_in.types() if each.startswith("payout")] == ["payout.created", "payout.paid"]
    booked = stand_in.v1.balance_transactions.list({"type": "payout"}).data
    assert [(each.amount, each.source) for each in booked] == [(-9000, payout.id)]


def test_failed_payout_returns_to_the_balance(stand_in: Api):
    to = account(stand_in)
    stand_in.v1.payment_intents.create({**CARD, **AT_ONCE})
    stand_in.v1.transfers.create({"amount": 5000, "currency": "chf", "destination": to})
    payout = stand_in.v1.payouts.create({"amount": 5000, "currency": "chf"}, {"stripe_account": to})
    assert balance(stand_in, to) == 0

    stand_in.act("payouts", payout.id, "fail", failure_code="no_account")

    found = stand_in.v1.payouts.retrieve(payout.id, {}, {"stripe_account": to})
    assert (found.status, found.failure_code) == ("failed", "no_account")
    assert balance(stand_in, to) == 5000
    told = stand_in.v1.events.list({"type": "payout.failed"}, {"stripe_account": to}).data
    assert [event.account for event in told] == [to]


def test_payout_can_be_canceled_only_while_pending(stand_in: Api):
    stand_in.v1.payment_intents.create({**CARD, **AT_ONCE})
    before = balance(stand_in)
    payout = stand_in.v1.payouts.create({"amount": 5000, "currency": "chf"})

    assert stand_in.v1.payouts.cancel(payout.id).status == "canceled"
    assert balance(stand_in) == before
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.payouts.cancel(payout.id)


def test_balance_is_the_sum_of_its_transactions(stand_in: Api):
    to = account(stand_in)
    paid = stand_in.v1.payment_intents.create({**CARD, **AT_ONCE, "transfer_data": {"destination": to, "amount": 7000}})
    stand_in.v1.refunds.create({"payment_intent": paid.id, "amount": 3333, "reverse_transfer": True})
    stand_in.act("charges", paid.latest_charge, "dispute")

    for options in ({}, {"stripe_account": to}):
        movements = stand_in.v1.balance_transactions.list({"limit": 100}, options).data
        assert sum(each.net for each in movements) == balance(stand_in, options.get("stripe_account"))
        assert all(each.net == each.amount - each.fee for each in movements)
        assert all(each.fee == sum(line.amount for line in each.fee_details) for each in movements)


def test_stripe_fee_reduces_the_balance(stand_in: Api):
    stand_in.v1.payment_intents.create({**CARD, **AT_ONCE})
    before = balance(stand_in)

    stand_in.control("/movements", type="stripe_fee", amount=-200, currency="chf", description="Radar")

    newest = stand_in.v1.balance_transactions.list({"type": "stripe_fee"}).data[0]
    assert (newest.amount, newest.source, newest.description) == (-200, None, "Radar")
    assert balance(stand_in) == before - 200


def test_checkout_session_is_paid_or_expires(stand_in: Api):
    line = {"price_data": {"currency": "chf", "unit_amount": 2500, "product_data": {"name": "Pass"}}, "quantity": 2}
    given = {"mode": "payment", "line_items": [line], "success_url": RETURN, "client_reference_id": "order-9"}
    session = stand_in.v1.checkout.sessions.create({**given, "payment_intent_data": {"metadata": {"order": "9"}}})
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert b"Pay by card" in stand_in.request("GET", session.url.removeprefix(stand_in.url)).body

    stand_in.act("sessions", session.id, "pay", payment_method="pm_card_chargeDeclined")
    assert stand_in.v1.checkout.sessions.retrieve(session.id).status == "open"
    stand_in.act("sessions", session.id, "pay", email="ana@example.com")

    found = stand_in.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (found.status, found.payment_status, found.url) == ("complete", "paid", None)
    assert (found.payment_intent.status, found.payment_intent.amount) == ("succeeded", 5000)
    assert found.payment_intent.metadata.to_dict() == {"order": "9"}
    assert found.customer_details.email == "ana@example.com"
    assert [item.amount_total for item in stand_in.v1.checkout.sessions.line_items.list(session.id).data] == [5000]

    left = stand_in.v1.checkout.sessions.create(given)
    gone = stand_in.v1.checkout.sessions.expire(stand_in.v1.checkout.sessions.create(given).id)
    assert gone.status == "expired"
    stand_in.control("/clock", advance=86_401)
    assert stand_in.v1.checkout.sessions.retrieve(left.id).status == "expired"
    told = [each for each in stand_in.types() if each.startswith("checkout")]
    assert told == ["checkout.session.completed", "checkout.session.expired", "checkout.session.expired"]
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.checkout.sessions.expire(session.id)


def test_checkout_session_may_be_complete_before_it_is_paid(stand_in: Api):
    line = {"price_data": {"currency": "chf", "unit_amount": 2500, "product_data": {"name": "Pass"}}}
    session = stand_in.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [line], "success_url": RETURN, "payment_method_types": ["twint"]}
    )
    stand_in.act("sessions", session.id, "pay", payment_method="twint", outcome="processing")
    found = stand_in.v1.checkout.sessions.retrieve(session.id)
    assert (found.status, found.payment_status) == ("complete", "unpaid")

    stand_in.act("payment_intents", found.payment_intent, "process")

    assert stand_in.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert "checkout.session.async_payment_succeeded" in stand_in.types()
