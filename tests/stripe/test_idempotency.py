"""Idempotency keys: the same key returns the same response, or an error."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import stripe

from tests.kit.stripe_process import Api

INTENT = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"]}
FORM = "amount=2000&currency=chf&payment_method_types[]=card"


def key() -> str:
    return f"test-{uuid4()}"


def test_same_key_and_parameters_return_an_identical_response(api: Api):
    name = key()

    first = api.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name)
    again = api.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name)

    assert first.status == again.status == 200
    assert first.body == again.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"] != again.headers["request-id"]


def test_same_key_and_reordered_parameters_return_the_same_response(api: Api):
    name = key()

    first = api.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name)
    again = api.request(
        "POST", "/v1/payment_intents", "payment_method_types[]=card&currency=chf&amount=2000", Idempotency_Key=name
    )

    assert first.body == again.body


def test_same_key_with_other_parameters_is_refused(api: Api):
    name = key()
    api.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    with pytest.raises(stripe.IdempotencyError) as refusal:
        api.v1.payment_intents.create({**INTENT, "amount": 2100}, {"idempotency_key": name})

    assert refusal.value.http_status == 400
    assert refusal.value.error.type == "idempotency_error"


def test_same_key_on_another_path_is_refused(api: Api):
    name = key()
    api.v1.customers.create({"name": "Ana"}, {"idempotency_key": name})

    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        api.v1.payment_intents.create(INTENT, {"idempotency_key": name})


def test_declined_payment_returns_the_same_decline_to_a_retry(api: Api):
    name = key()
    given = {**INTENT, "payment_method": "pm_card_chargeDeclined", "confirm": True}

    refusals = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refusal:
            api.v1.payment_intents.create(given, {"idempotency_key": name})
        refusals.append(refusal.value)

    assert refusals[0].http_body == refusals[1].http_body
    assert refusals[1].headers["Idempotent-Replayed"] == "true"


def test_refusal_by_the_operation_is_stored_under_its_key(api: Api):
    name = key()
    intent = api.v1.payment_intents.create(INTENT)
    refund = {"payment_intent": intent.id}

    bodies = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            api.v1.refunds.create(refund, {"idempotency_key": name})
        bodies.append(refusal.value.http_body)

    assert bodies[0] == bodies[1]


def test_invalid_parameters_leave_the_key_unused(api: Api):
    name = key()
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_intents.create({**INTENT, "amount": "many"}, {"idempotency_key": name})

    made = api.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    assert made.status == "requires_payment_method"


def test_key_longer_than_255_characters_is_refused(api: Api):
    with pytest.raises(stripe.InvalidRequestError):
        api.v1.payment_intents.create(INTENT, {"idempotency_key": "k" * 256})


def test_key_is_ignored_by_a_read(api: Api):
    name = key()
    made = api.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    assert api.request("GET", f"/v1/payment_intents/{made.id}", Idempotency_Key=name).status == 200


def test_concurrent_requests_with_one_key_create_one_intent(api: Api):
    name, mark = key(), uuid4().hex
    form = f"{FORM}&metadata[mark]={mark}"

    with ThreadPoolExecutor(max_workers=10) as pool:
        answers = list(
            pool.map(lambda _: api.request("POST", "/v1/payment_intents", form, Idempotency_Key=name), range(10))
        )

    assert {answer.status for answer in answers} <= {200, 409}
    assert len({answer.body for answer in answers if answer.status == 200}) == 1


def test_key_in_use_returns_409_until_the_first_request_ends(stand_in: Api):
    name = key()
    stand_in.control("/faults", kind="delay", seconds=0.5, matches="POST /v1/payment_intents")

    with ThreadPoolExecutor(max_workers=2) as pool:
        slow = pool.submit(stand_in.request, "POST", "/v1/payment_intents", FORM, Idempotency_Key=name)
        while stand_in.control("", "GET")["faults"]:
            time.sleep(0.005)
        refused = stand_in.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name)
        first = slow.result()

    assert refused.status == 409
    assert refused.json["error"]["code"] == "idempotency_key_in_use"
    assert stand_in.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name).body == first.body


def test_lost_response_is_returned_to_the_retry(stand_in: Api):
    name = key()
    stand_in.control("/faults", kind="drop_after", matches="POST /v1/payment_intents")
    with pytest.raises(stripe.APIConnectionError):
        stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    made = stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    assert [each.id for each in stand_in.v1.payment_intents.list().data] == [made.id]


def test_sdk_retries_and_charges_once(stand_in: Api):
    for kind in ("drop_after", "lock_timeout"):
        stand_in.control("/faults", kind=kind, matches="POST /v1/payment_intents")
    client = stripe.StripeClient(stand_in.key, base_addresses={"api": stand_in.url}, max_network_retries=3)

    made = client.v1.payment_intents.create({**INTENT, "payment_method": "pm_card_visa", "confirm": True})

    assert made.status == "succeeded"
    assert [charge.payment_intent for charge in stand_in.v1.charges.list().data] == [made.id]


def test_server_error_is_stored_under_its_key(stand_in: Api):
    name = key()
    stand_in.control("/faults", kind="error", matches="POST /v1/payment_intents")

    answers = [stand_in.request("POST", "/v1/payment_intents", FORM, Idempotency_Key=name) for _ in range(2)]

    assert [answer.status for answer in answers] == [500, 500]
    assert answers[0].body == answers[1].body
    assert stand_in.v1.payment_intents.list().data == []


def test_rate_limited_request_leaves_the_key_unused(stand_in: Api):
    name = key()
    stand_in.control("/faults", kind="rate_limit", matches="POST /v1/payment_intents")
    with pytest.raises(stripe.RateLimitError):
        stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name})

    assert stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name}).amount == 2000


def test_key_expires_after_a_day(stand_in: Api):
    name = key()
    first = stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name})
    stand_in.control("/clock", advance=86_401)

    assert stand_in.v1.payment_intents.create(INTENT, {"idempotency_key": name}).id != first.id
