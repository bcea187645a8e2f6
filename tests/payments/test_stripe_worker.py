"""The Stripe worker applies the state of each payment at Stripe once, even after failures."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from marquee.core.identity import service
from marquee.edge.stripe import API_VERSION, connect
from marquee.payments import intents, stripe_sync
from tests.kit import gateway, routines
from tests.kit.stripe_standin import PRICE, StandinBookings, deliver, settle
from tests.kit.stripe_worker import Died, an_event, deliver_and_handle, die, handle, inbox_rows


@pytest.fixture
def shop(db, stripe, queues):
    return StandinBookings(db, stripe)


def test_payment_confirms_its_booking_and_is_posted_with_stripes_fee(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()

    deliver_and_handle(shop, "payment_intent.succeeded")

    assert shop.status(booking) == "confirmed"
    rows = inbox_rows(shop.db)
    assert rows["payment_intent.succeeded"]["status"] == "handled"
    assert rows["payment_intent.succeeded"]["result"]["did"] == ["confirmed"]
    fee = shop.db.execute("select stripe_fee_cents from payments.intents").fetchone()["stripe_fee_cents"]
    assert fee > 0
    assert shop.clearing() == PRICE - fee


def test_stripe_event_handled_twice_has_one_effect(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    (event,) = shop.stripe.events("payment_intent.succeeded")
    deliver(event)
    handle(event["id"], event["id"])
    before = shop.clearing()

    answer = gateway.post("webhooks", f"/webhooks/stripe/{event['id']}/replay", caller=service())
    handle(event["id"])

    assert answer.status == 202
    assert shop.clearing() == before
    assert shop.db.execute("select count(*)::int as n from payments.sales").fetchone()["n"] == 1
    assert shop.status(booking) == "confirmed"


def test_declined_attempt_keeps_the_booking_open(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id, payment_method="pm_card_chargeDeclined")
    deliver_and_handle(shop, "payment_intent.payment_failed")

    assert shop.status(booking) == "pending_payment"
    error = shop.db.execute("select last_error from payments.intents").fetchone()["last_error"]
    assert error["code"] == "card_declined"

    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    deliver_and_handle(shop, "payment_intent.succeeded")
    assert shop.status(booking) == "confirmed"


def test_payment_state_is_fetched_and_not_taken_from_the_stripe_event(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    event_id = an_event(shop.db, "payment_intent.succeeded", {"id": stripe_id, "status": "succeeded", "amount": 1})

    handle(event_id)

    assert shop.status(booking) == "pending_payment"
    assert inbox_rows(shop.db)["payment_intent.succeeded"]["status"] == "handled"


def test_interrupted_payment_creation_creates_one_payment(shop, monkeypatch):
    booking = shop.book()
    shop.due_now()
    with monkeypatch.context() as dying:
        dying.setattr(stripe_sync, "record_intent", die)
        with pytest.raises(Died):
            settle()
    assert shop.stripe_id(booking) is None

    stripe_id = shop.ask(booking)

    (made,) = shop.stripe.v1.payment_intents.list().data
    assert made.id == stripe_id
    assert (made.amount, made.currency, made.payment_method_types) == (PRICE, "chf", ["card"])
    assert made.metadata.intent_id == str(booking["id"])


def test_payment_creation_interrupted_during_booking_is_completed_by_the_sweep(shop, monkeypatch):
    customer = shop.stage.customer()
    wanted = {"event_id": str(shop.event_id), "payment_method": "card"}
    with monkeypatch.context() as dying:
        dying.setattr(stripe_sync, "record_intent", die)
        with pytest.raises(Died):
            gateway.post("book", "/bookings", wanted, caller=customer, key="tap")
    shop.due_now()

    settle()

    (made,) = shop.stripe.v1.payment_intents.list().data
    again = gateway.post("book", "/bookings", wanted, caller=customer, key="tap")
    assert again.body["payment"]["stripe_payment_intent_id"] == made.id
    assert again.body["payment"]["client_secret"] == made.client_secret


def test_unrecorded_payment_is_matched_by_its_metadata(shop, monkeypatch):
    booking = shop.book()
    shop.due_now()
    with monkeypatch.context() as dying:
        dying.setattr(stripe_sync, "record_intent", die)
        with pytest.raises(Died):
            settle()
    (made,) = shop.stripe.v1.payment_intents.list().data
    shop.stripe.pay(made.id)
    shop.stripe.run()

    deliver_and_handle(shop, "payment_intent.succeeded")

    assert shop.status(booking) == "confirmed"


def test_twint_payment_confirms_its_booking(shop):
    booking = shop.book("twint")
    stripe_id = shop.ask(booking)
    assert shop.stripe.v1.payment_intents.retrieve(stripe_id).payment_method_types == ["twint"]

    shop.stripe.pay(stripe_id, payment_method="twint")
    shop.stripe.run()
    deliver_and_handle(shop)

    assert shop.status(booking) == "confirmed"


def test_payment_of_an_expired_hold_is_cancelled_at_stripe(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.db.execute("update events.holds set expires_at = now() - interval '1 s', created_at = now() - interval '1 h'")
    routines.call(shop.db, None, "select events.expire_holds()")
    shop.due_now()

    settle()

    assert shop.stripe.v1.payment_intents.retrieve(stripe_id).status == "canceled"
    assert shop.db.execute("select status from payments.intents").fetchone()["status"] == "cancelled"


def test_payment_just_before_its_cancellation_confirms_the_booking(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    shop.db.execute("update events.holds set expires_at = now() - interval '1 s', created_at = now() - interval '1 h'")
    routines.call(shop.db, None, "select events.expire_holds()")
    shop.due_now()

    settle()

    assert shop.status(booking) == "confirmed"
    assert shop.db.execute("select status from payments.intents").fetchone()["status"] == "succeeded"


def test_intent_refused_by_stripe_is_counted_and_others_succeed(shop, capsys):
    first, second = shop.book(), shop.book()
    shop.db.execute("update payments.intents set amount_cents = 1 where booking_id = %s", [first["id"]])

    shop.ask(second)

    assert shop.stripe_id(first) is None
    assert shop.stripe_id(second) is not None
    assert '"IntentRefused"' in capsys.readouterr().out
    query = "select status::text, last_error ->> 'code' as code from payments.intents where booking_id = %s"
    assert shop.db.execute(query, [first["id"]]).fetchone() == {"status": "cancelled", "code": "amount_too_small"}
    assert shop.status(first) == "expired"


def test_stale_facts_are_fetched_again(shop, monkeypatch):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    later = datetime.now(UTC) + timedelta(seconds=1)
    shop.db.execute("update payments.intents set observed_at = %s", [later])
    moments = iter([later - timedelta(seconds=1), later + timedelta(seconds=1)])
    client = connect(SecretStr("sk_test_0123456789abcdef"), base=shop.stripe.url)

    done = intents.settle(client, stripe_id, lambda: next(moments))

    assert done["did"] == ["confirmed"]
    assert next(moments, None) is None


def test_sdk_uses_the_pinned_api_version():
    import stripe as sdk

    assert sdk.api_version == API_VERSION


def test_run_without_work_needs_no_key(shop, monkeypatch):
    monkeypatch.delenv("STRIPE_API_KEY")

    assert settle()["done"] == 0


def test_stripe_fee_known_after_the_payment_is_posted(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    deliver_and_handle(shop, "payment_intent.succeeded")
    assert (shop.status(booking), shop.clearing()) == ("confirmed", PRICE)

    shop.stripe.run()
    deliver_and_handle(shop, "charge.updated")

    assert 0 < PRICE - shop.clearing() < 200


def test_payment_refused_by_the_ledger_does_not_delay_others(shop, capsys):
    strange, paid = shop.book(), shop.book()
    for stripe_id in [shop.ask(booking) for booking in (strange, paid)]:
        shop.stripe.pay(stripe_id)
    shop.stripe.run()
    shop.db.execute("update payments.intents set amount_cents = 1 where booking_id = %s", [strange["id"]])
    shop.due_now()
    shop.db.execute(
        "update payments.intents set available_at = now() - interval '1 hour' where booking_id = %s", [strange["id"]]
    )

    done = settle()

    assert done["job"] == "settle_payments"
    assert (shop.status(strange), shop.status(paid)) == ("pending_payment", "confirmed")
    assert '"IntentRefused":[1.0]' in capsys.readouterr().out
