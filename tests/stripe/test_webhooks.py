"""Events and their delivery: signed, retried, delayed, duplicated, reordered and dropped."""

import json
import time
from collections import Counter

import pytest
import stripe

from tests.kit.stripe_process import Api, Mailbox

CARD = {"amount": 2000, "currency": "chf", "payment_method_types": ["card"], "payment_method": "pm_card_visa"}


def register(api: Api, mailbox: Mailbox, **given: object) -> tuple[str, str]:
    made = api.v1.webhook_endpoints.create({"url": mailbox.url, "enabled_events": ["*"], **given})
    return made.id, made.secret


def test_payment_creates_its_events(api: Api):
    since = int(time.time()) - 2
    made = api.v1.payment_intents.create({**CARD, "confirm": True, "capture_method": "automatic"})

    told = [
        event
        for event in api.events(created={"gte": since})
        if made.id in (event.data.object.id, getattr(event.data.object, "payment_intent", None))
    ]

    assert {event.type for event in told} == {
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    }
    assert api.v1.events.retrieve(told[0].id).type == told[0].type


def test_event_shows_the_object_at_that_time(stand_in: Api):
    made = stand_in.v1.payment_intents.create({**CARD}, {"idempotency_key": "tap-1"})
    stand_in.v1.payment_intents.confirm(made.id)

    created, succeeded = stand_in.events(types=["payment_intent.created", "payment_intent.succeeded"])

    assert (created.data.object.status, succeeded.data.object.status) == ("requires_payment_method", "succeeded")
    assert (created.request.idempotency_key, created.request.id) == ("tap-1", made.last_response.request_id)


def test_update_event_contains_the_previous_values(stand_in: Api):
    made = stand_in.v1.customers.create({"name": "Ana", "metadata": {"a": "1", "b": "2"}})
    stand_in.v1.customers.update(made.id, {"name": "Ben", "metadata": {"b": "3"}})

    updated = stand_in.events(type="customer.updated")[0]

    assert updated.data.previous_attributes.to_dict() == {"name": "Ana", "metadata": {"b": "2"}}


def test_delivery_signature_passes_the_check_of_the_sdk(stand_in: Api, mailbox: Mailbox):
    _, secret = register(stand_in, mailbox)
    stand_in.v1.payment_intents.create(CARD)
    letter = mailbox.wait(1)[0]

    event = stripe.Webhook.construct_event(letter.body, letter.headers["stripe-signature"], secret)

    assert event.type == "payment_intent.created"
    assert event.api_version == stripe.api_version
    assert event.pending_webhooks == 1
    for body, key in ((letter.body[:-1], secret), (letter.body, "whsec_other"), (letter.body + b" ", secret)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, letter.headers["stripe-signature"], key)


def test_delivery_may_have_a_stale_or_future_timestamp(stand_in: Api, mailbox: Mailbox):
    _, secret = register(stand_in, mailbox)
    stand_in.v1.payment_intents.create(CARD)
    event = mailbox.wait(1)[0].id

    stand_in.control(f"/events/{event}/send", stamp_offset_seconds=-600)
    stand_in.control(f"/events/{event}/send", stamp_offset_seconds=600)

    stale, future = mailbox.wait(3)[1:]
    with pytest.raises(stripe.SignatureVerificationError, match="tolerance"):
        stripe.Webhook.construct_event(stale.body, stale.headers["stripe-signature"], secret)
    stamp = int(future.headers["stripe-signature"].split(",")[0].removeprefix("t="))
    assert stamp > time.time() + 500


def test_rolled_secret_and_its_predecessor_both_sign_until_expiry(stand_in: Api, mailbox: Mailbox):
    endpoint, old = register(stand_in, mailbox)
    new = stand_in.control(f"/webhook_endpoints/{endpoint}/roll", expires_in=60)["secret"]
    stand_in.v1.payment_intents.create(CARD)
    letter = mailbox.wait(1)[0]
    assert letter.headers["stripe-signature"].count("v1=") == 2
    for secret in (old, new):
        assert stripe.Webhook.construct_event(letter.body, letter.headers["stripe-signature"], secret)

    stand_in.control(f"/webhook_endpoints/{endpoint}/roll", expires_in=0)
    stand_in.v1.payment_intents.create(CARD)

    last = mailbox.wait(2)[1]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(last.body, last.headers["stripe-signature"], new)


def test_endpoint_receives_its_event_types_while_enabled(stand_in: Api, mailbox: Mailbox):
    endpoint, _ = register(stand_in, mailbox, enabled_events=["payment_intent.succeeded"])
    stand_in.v1.payment_intents.create({**CARD, "confirm": True})
    stand_in.control("/run")
    assert mailbox.types() == ["payment_intent.succeeded"]

    stand_in.v1.webhook_endpoints.update(endpoint, {"disabled": True})
    stand_in.v1.payment_intents.create({**CARD, "confirm": True})
    stand_in.control("/run")

    assert mailbox.types() == ["payment_intent.succeeded"]
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.webhook_endpoints.update(endpoint, {"enabled_events": ["payment_intent.exploded"]})
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.v1.webhook_endpoints.create({"url": "https://example.com/hook", "enabled_events": ["*"]})


def test_rejected_delivery_is_retried(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox)
    mailbox.statuses = [500, 302]
    stand_in.v1.payment_intents.create(CARD)

    letters = mailbox.wait(3)

    assert len({letter.id for letter in letters}) == 1
    until = time.monotonic() + 5
    while (delivery := stand_in.control("/deliveries", "GET")["data"][0])["state"] != "delivered":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert (delivery["attempts"], delivery["status"]) == (3, 200)
    assert stand_in.events()[0].pending_webhooks == 0


def test_held_deliveries_are_released_in_any_order(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox)
    stand_in.control("/deliveries/hold")
    made = stand_in.v1.payment_intents.create({**CARD, "confirm": True})
    time.sleep(0.2)
    assert mailbox.letters == []
    assert stand_in.events()[0].pending_webhooks == 1

    stand_in.control("/deliveries/release", order="reversed", hold=True)
    assert mailbox.types() == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]

    stand_in.v1.refunds.create({"payment_intent": made.id})
    held = {each["type"]: each["event"] for each in stand_in.control("/deliveries", "GET")["data"]}
    chosen = [held["charge.refunded"], held["refund.created"], held["charge.refunded"]]
    stand_in.control("/deliveries/release", events=chosen)

    assert mailbox.types()[3:] == ["charge.refunded", "refund.created", "charge.refunded"]


def test_shuffled_order_is_the_same_for_the_same_seed(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox)
    orders = []
    for seed in (1, 1, 2):
        stand_in.control("/deliveries/hold")
        for name in "abcdefg":
            stand_in.v1.customers.create({"name": name})
        count = len(mailbox.letters)
        stand_in.control("/deliveries/release", order="shuffled", seed=seed)
        orders.append([json.loads(each.body)["data"]["object"]["name"] for each in mailbox.letters[count:]])

    assert orders[0] == orders[1] != orders[2]
    assert Counter(orders[0]) == Counter("abcdefg")


def test_deliveries_are_duplicated_on_request(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox)
    stand_in.control("/deliveries/hold")
    stand_in.v1.payment_intents.create({**CARD, "confirm": True})

    stand_in.control("/deliveries/release", times=2)

    assert set(Counter(letter.id for letter in mailbox.letters).values()) == {2}


def test_dropped_event_is_not_delivered_and_stays_in_the_list(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox)
    stand_in.control("/deliveries/hold")
    made = stand_in.v1.payment_intents.create({**CARD, "confirm": True})
    lost = stand_in.events(type="payment_intent.succeeded")[0].id

    assert stand_in.control(f"/events/{lost}/drop") == {"dropped": 1}
    stand_in.control("/deliveries/release")
    stand_in.control("/run")

    assert mailbox.types() == ["payment_intent.created", "charge.succeeded"]
    assert stand_in.v1.events.retrieve(lost).data.object.id == made.id
    stand_in.control(f"/events/{lost}/send")
    assert mailbox.types()[-1] == "payment_intent.succeeded"


def test_connect_endpoint_receives_events_of_connected_accounts(stand_in: Api, mailbox: Mailbox):
    register(stand_in, mailbox, connect=True)
    account = stand_in.v1.accounts.create({"type": "express", "capabilities": {"transfers": {"requested": True}}})
    stand_in.v1.payment_intents.create(CARD)

    stand_in.act("accounts", account.id, "activate")
    stand_in.control("/run")

    assert set(mailbox.types()) == {"account.updated", "capability.updated"}
    assert {json.loads(letter.body)["account"] for letter in mailbox.letters} == {account.id}


def test_endpoint_secret_is_shown_once(stand_in: Api, mailbox: Mailbox):
    endpoint, secret = register(stand_in, mailbox)

    assert secret.startswith("whsec_")
    assert getattr(stand_in.v1.webhook_endpoints.retrieve(endpoint), "secret", None) is None
    assert [each.id for each in stand_in.v1.webhook_endpoints.list().data] == [endpoint]
