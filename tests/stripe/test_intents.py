"""The states of a payment intent, with cards and TWINT."""

import html
import json
import re

import pytest
import stripe

from tests.kit.stripe_process import Api

RETURN = "https://shop.example/back"
CARD = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"]}
TWINT = {
    "amount": 2000,
    "currency": "chf",
    "payment_method_types": ["twint"],
    "payment_method_data": {"type": "twint"},
    "confirm": True,
    "return_url": RETURN,
}


def paid(api: Api, **given: object) -> stripe.PaymentIntent:
    made: stripe.PaymentIntent = api.v1.payment_intents.create(
        {**CARD, "payment_method": "pm_card_visa", "confirm": True, **given}
    )
    return made


def test_intent_succeeds_after_method_and_confirmation(api: Api):
    made = api.v1.payment_intents.create({**CARD, "metadata": {"order": "1"}})
    assert (made.status, made.payment_method, made.latest_charge) == ("requires_payment_method", None, None)
    assert made.client_secret.startswith(f"{made.id}_secret_")

    chosen = api.v1.payment_intents.update(made.id, {"payment_method": "pm_card_visa"})
    assert chosen.status == "requires_confirmation"
    assert chosen.payment_method.startswith("pm_")

    done = api.v1.payment_intents.confirm(made.id, {"expand": ["latest_charge"]})
    assert (done.status, done.amount_received) == ("succeeded", 2000)
    assert done.latest_charge.status == "succeeded"
    assert done.latest_charge.metadata.to_dict() == {"order": "1"}
    assert done.latest_charge.payment_intent == made.id


def test_intent_stays_open_after_a_declined_card(api: Api):
    made = api.v1.payment_intents.create(CARD)

    with pytest.raises(stripe.CardError) as refusal:
        api.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_chargeDeclinedInsufficientFunds"})

    error = refusal.value.error
    assert (refusal.value.http_status, error.type, error.code, error.decline_code) == (
        402,
        "card_error",
        "card_declined",
        "insufficient_funds",
    )
    assert error.payment_intent.id == made.id
    found = api.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    assert (found.status, found.payment_method) == ("requires_payment_method", None)
    assert found.last_payment_error.decline_code == "insufficient_funds"
    assert (found.latest_charge.status, found.latest_charge.failure_code) == ("failed", "card_declined")
    assert error.charge == found.latest_charge.id

    done = api.v1.payment_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.last_payment_error) == ("succeeded", None)


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
    ],
)
def test_declined_card_reports_its_reason(api: Api, card: str, code: str, decline_code: str | None):
    with pytest.raises(stripe.CardError) as refusal:
        paid(api, payment_method=card)

    assert refusal.value.code == code
    assert decline_code is None or refusal.value.error.decline_code == decline_code


def test_intent_refuses_actions_that_its_state_does_not_allow(api: Api):
    done, gone = paid(api), api.v1.payment_intents.create(CARD)
    api.v1.payment_intents.cancel(gone.id)

    for call in (
        lambda: api.v1.payment_intents.confirm(done.id),
        lambda: api.v1.payment_intents.cancel(done.id),
        lambda: api.v1.payment_intents.capture(done.id),
        lambda: api.v1.payment_intents.update(done.id, {"amount": 100}),
        lambda: api.v1.payment_intents.confirm(gone.id, {"payment_method": "pm_card_visa"}),
        lambda: api.v1.payment_intents.cancel(gone.id),
        lambda: api.v1.payment_intents.confirm(api.v1.payment_intents.create(CARD).id),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            call()
        assert refusal.value.code == "payment_intent_unexpected_state"
        assert refusal.value.http_status == 400


def test_metadata_changes_after_payment_and_empty_values_remove_keys(api: Api):
    done = paid(api, metadata={"a": "1", "b": "2"})

    changed = api.v1.payment_intents.update(done.id, {"metadata": {"a": "", "c": "3"}})

    assert changed.metadata.to_dict() == {"b": "2", "c": "3"}
    assert api.v1.payment_intents.update(done.id, {"metadata": ""}).metadata.to_dict() == {}


def test_partial_capture_releases_the_remaining_amount(api: Api):
    made = paid(api, capture_method="manual")
    assert (made.status, made.amount_capturable, made.amount_received) == ("requires_capture", 2000, 0)
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_intents.capture(made.id, {"amount_to_capture": 2001})

    done = api.v1.payment_intents.capture(made.id, {"amount_to_capture": 1500, "expand": ["latest_charge"]})

    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 1500)
    charge = done.latest_charge
    assert (charge.captured, charge.amount_captured, charge.amount_refunded) == (True, 1500, 500)


def test_canceled_intent_releases_its_authorization(api: Api):
    made = paid(api, capture_method="manual")

    gone = api.v1.payment_intents.cancel(made.id, {"cancellation_reason": "requested_by_customer"})

    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "requested_by_customer", 0)
    assert api.v1.charges.retrieve(made.latest_charge).refunded


def test_authorization_expires_after_a_week(stand_in: Api):
    made = paid(stand_in, capture_method="manual")

    stand_in.settle()
    assert stand_in.v1.payment_intents.retrieve(made.id).status == "requires_capture"
    stand_in.control("/clock", advance=7 * 86_400 + 1)

    found = stand_in.v1.payment_intents.retrieve(made.id)
    assert (found.status, found.cancellation_reason) == ("canceled", "automatic")


def test_card_may_require_authentication(api: Api):
    made = paid(api, payment_method="pm_card_authenticationRequired", return_url=RETURN)

    assert (made.status, made.next_action.type) == ("requires_action", "redirect_to_url")
    assert made.next_action.redirect_to_url.return_url == RETURN
    assert made.latest_charge is None


def test_authenticated_payment_succeeds(stand_in: Api):
    made = paid(stand_in, payment_method="pm_card_authenticationRequired", return_url=RETURN)
    page = stand_in.request("GET", made.next_action.redirect_to_url.url.removeprefix(stand_in.url))
    assert (page.status, b"Approve" in page.body) == (200, True)

    stand_in.act("payment_intents", made.id, "authenticate", outcome="succeeded")

    found = stand_in.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    assert (found.status, found.next_action) == ("succeeded", None)
    assert found.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"


def test_failed_authentication_fails_the_payment_without_a_charge(stand_in: Api):
    made = paid(stand_in, payment_method="pm_card_authenticationRequired")
    assert made.next_action.type == "use_stripe_sdk"

    stand_in.act("payment_intents", made.id, "authenticate", outcome="failed")

    found = stand_in.v1.payment_intents.retrieve(made.id)
    assert (found.status, found.latest_charge) == ("requires_payment_method", None)
    assert found.last_payment_error.code == "payment_intent_authentication_failure"
    assert stand_in.types() == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
    ]


def test_manual_intent_needs_another_confirmation_after_authentication(stand_in: Api):
    made = paid(stand_in, payment_method="pm_card_authenticationRequired", confirmation_method="manual")

    stand_in.act("payment_intents", made.id, "authenticate")

    assert stand_in.v1.payment_intents.retrieve(made.id).status == "requires_confirmation"
    assert stand_in.v1.payment_intents.confirm(made.id).status == "succeeded"


def test_off_session_payment_is_declined_when_it_needs_authentication(api: Api):
    with pytest.raises(stripe.CardError) as refusal:
        paid(api, payment_method="pm_card_authenticationRequired", off_session=True)

    assert refusal.value.code == "authentication_required"


def test_twint_payment_redirects_the_payer(api: Api):
    made = api.v1.payment_intents.create(TWINT)

    assert (made.status, made.next_action.type) == ("requires_action", "redirect_to_url")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("succeeded", "succeeded"), ("failed", "requires_payment_method"), ("processing", "processing")],
)
def test_twint_payment_ends_as_the_payer_decides(stand_in: Api, outcome: str, status: str):
    made = stand_in.v1.payment_intents.create(TWINT)

    stand_in.act("payment_intents", made.id, "authenticate", outcome=outcome)

    found = stand_in.v1.payment_intents.retrieve(made.id, {"expand": ["latest_charge"]})
    assert found.status == status
    assert found.latest_charge is None or found.latest_charge.id.startswith("py_")


@pytest.mark.parametrize(("outcome", "status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")])
def test_processing_payment_ends_later(stand_in: Api, outcome: str, status: str):
    made = stand_in.v1.payment_intents.create(TWINT)
    stand_in.act("payment_intents", made.id, "authenticate", outcome="processing")
    assert stand_in.v1.payment_intents.retrieve(made.id).status == "processing"

    stand_in.act("payment_intents", made.id, "process", outcome=outcome)

    assert stand_in.v1.payment_intents.retrieve(made.id).status == status
    assert stand_in.types()[2:4] == ["charge.pending", "payment_intent.processing"]


@pytest.mark.parametrize(
    "given",
    [
        {"currency": "eur"},
        {"amount": 500_001},
        {"capture_method": "manual"},
        {"return_url": None},
        {"payment_method_data": {"type": "card", "card": {"token": "tok_visa"}}},
    ],
)
def test_twint_payment_outside_its_limits_is_refused(api: Api, given: dict[str, object]):
    request = {name: value for name, value in {**TWINT, **given}.items() if value is not None}

    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_intents.create(request)


def test_automatic_payment_methods_are_the_default_and_need_a_return_url(stand_in: Api):
    francs = stand_in.v1.payment_intents.create({"amount": 2000, "currency": "chf"})
    euros = stand_in.v1.payment_intents.create({"amount": 2000, "currency": "eur"})

    assert francs.automatic_payment_methods.enabled
    assert francs.payment_method_types == ["card", "twint"]
    assert euros.payment_method_types == ["card"]
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        stand_in.v1.payment_intents.confirm(francs.id, {"payment_method": "pm_card_visa"})
    assert (
        stand_in.v1.payment_intents.confirm(francs.id, {"payment_method": "pm_card_visa", "return_url": RETURN}).status
        == "succeeded"
    )


def test_fee_is_known_once_the_charge_settles(stand_in: Api):
    made = paid(stand_in)
    assert stand_in.v1.charges.retrieve(made.latest_charge).balance_transaction is None

    stand_in.settle()

    charge = stand_in.v1.charges.retrieve(made.latest_charge, {"expand": ["balance_transaction"]})
    booked = charge.balance_transaction
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("charge", 2000, 88, 1912)
    assert [(line.type, line.amount) for line in booked.fee_details] == [("stripe_fee", 88)]
    updated = stand_in.events()[-1]
    assert updated.type == "charge.updated"
    assert updated.data.previous_attributes.to_dict() == {"balance_transaction": None}


def test_browser_confirms_with_the_client_secret_and_sees_fewer_fields(stand_in: Api):
    made = stand_in.v1.payment_intents.create(CARD)
    key = "pk_test_0123456789"
    path = f"/v1/payment_intents/{made.id}"
    card = "payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242"
    card += "&payment_method_data[card][exp_month]=12&payment_method_data[card][exp_year]=2034"
    secret = f"client_secret={made.client_secret}"

    assert stand_in.request("GET", path, key=key).status == 400
    assert stand_in.request("GET", f"{path}?client_secret={made.id}_secret_x", key=key).status == 404
    assert stand_in.request("POST", f"{path}/cancel", key=key).status == 401
    assert stand_in.request("POST", "/v1/payment_intents", "amount=2000&currency=chf", key=key).status == 401
    assert stand_in.request("POST", f"{path}/confirm", f"{card}&{secret}").status == 402
    done = stand_in.request("POST", f"{path}/confirm", f"{card}&{secret}&key={key}", Authorization="")

    assert (done.status, done.json["status"]) == (200, "succeeded")
    assert "metadata" not in done.json
    assert "latest_charge" not in done.json


def test_payment_page_lets_the_payer_choose_the_outcome(stand_in: Api):
    made = stand_in.v1.payment_intents.create({"amount": 2000, "currency": "chf"})
    path = f"/_stand_in/pay/{made.id}"
    assert stand_in.request("GET", path).status == 403
    page = stand_in.request("GET", f"{path}?client_secret={made.client_secret}").body.decode()
    assert page.count("<button") == 3

    for attributes in re.findall(r'<button data-path="(.*?)" data-body="(.*?)"', page):
        way, body = (html.unescape(each) for each in attributes)
        stand_in.control(way.removeprefix("/_stand_in"), **json.loads(body))
        if stand_in.v1.payment_intents.retrieve(made.id).status == "succeeded":
            break

    assert b"succeeded" in stand_in.request("GET", f"{path}?client_secret={made.client_secret}").body


def test_card_saved_with_a_customer_pays_again_and_an_unsaved_one_does_not(api: Api):
    customer = api.v1.customers.create({"name": "Ana"})
    kept = api.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    bare = api.v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}})

    for _ in range(2):
        assert paid(api, payment_method=kept.id, customer=customer.id).status == "succeeded"
    assert paid(api, payment_method=bare.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        paid(api, payment_method=bare.id)
    with pytest.raises(stripe.InvalidRequestError):
        paid(api, payment_method=kept.id)


def test_card_is_saved_for_future_use_on_request(api: Api):
    customer = api.v1.customers.create({"name": "Ana"})

    paid(api, customer=customer.id, setup_future_usage="off_session")

    kept = api.v1.customers.payment_methods.list(customer.id).data
    assert [method.card.last4 for method in kept] == ["4242"]
    assert paid(api, customer=customer.id, payment_method=kept[0].id, off_session=True).status == "succeeded"
