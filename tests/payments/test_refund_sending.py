"""The Stripe worker sends each refund once, even after failures."""

import pytest

from marquee.core.identity import service
from marquee.payments import stripe_snapshot, stripe_sync
from tests.kit import gateway, routines
from tests.kit.aws import record
from tests.kit.stripe_standin import PRICE, StandinBookings, settle
from tests.kit.stripe_worker import Died, deliver_and_handle, die, handle


@pytest.fixture
def shop(db, stripe, queues):
    return StandinBookings(db, stripe)


def paid(shop):
    """Create a paid booking."""
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    deliver_and_handle(shop, "payment_intent.succeeded")
    return booking


def test_refund_of_a_cancelled_booking_is_sent_by_the_sweep_and_succeeds(shop):
    booking = paid(shop)

    shop.cancel(booking)
    settle()
    made = shop.stripe.v1.refunds.list().data
    shop.stripe.run()
    deliver_and_handle(shop, "charge.refunded", "refund.updated")

    assert [(each.amount, each.metadata.refund_id) for each in made] == [(PRICE, str(shop.refund()["id"]))]
    assert shop.refund()["status"] == "succeeded"


def test_cumulative_refunds_count_once_each(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    deliver_and_handle(shop)
    fee = PRICE - shop.clearing()
    for cents in (700, 800):
        shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": cents})
        shop.stripe.run()
        deliver_and_handle(shop)

    rows = shop.db.execute("select amount_cents::int as cents, status from payments.refunds order by 1").fetchall()
    assert [(row["cents"], row["status"]) for row in rows] == [(700, "succeeded"), (800, "succeeded")]
    assert shop.clearing() == PRICE - fee - 1500


def test_refunds_on_several_pages_are_all_imported(shop, monkeypatch):
    monkeypatch.setattr(stripe_snapshot, "LIST_MOST", 1)
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    for cents in (700, 800, 900):
        shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": cents})
    shop.stripe.run()

    deliver_and_handle(shop, "payment_intent.succeeded")

    rows = shop.db.execute("select amount_cents::int as cents from payments.refunds order by 1").fetchall()
    assert [row["cents"] for row in rows] == [700, 800, 900]


def test_refund_is_not_sent_twice_after_its_worker_crashed(shop, monkeypatch):
    booking = paid(shop)
    shop.cancel(booking)
    with monkeypatch.context() as dying:
        dying.setattr(stripe_sync, "record_refunds", die)
        with pytest.raises(Died):
            settle()
    shop.due_now()
    settle()

    assert len(shop.stripe.v1.refunds.list().data) == 1
    assert shop.refund()["stripe_refund_id"] is not None


def test_refund_is_not_sent_twice_after_a_lost_response(shop):
    booking = paid(shop)
    shop.cancel(booking)
    shop.stripe.fail("drop_after", "POST /v1/refunds")

    settle()

    assert len(shop.stripe.v1.refunds.list().data) == 1
    assert shop.refund()["stripe_refund_id"] is not None


def test_refund_is_not_sent_twice_after_a_crash_and_an_expired_key(shop, monkeypatch):
    booking = paid(shop)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 700, idempotency_key => 'tap')"
    routines.call(shop.db, shop.stage.owner, query, [booking["id"]])
    with monkeypatch.context() as dying:
        dying.setattr(stripe_sync, "record_refunds", die)
        with pytest.raises(Died):
            settle()
    shop.stripe.control("/clock", advance=25 * 3600)
    shop.db.execute("update payments.refunds set created_at = created_at - interval '25 hours'")
    shop.due_now()

    settle()

    (made,) = shop.stripe.v1.refunds.list().data
    assert shop.refund()["stripe_refund_id"] == made.id


def test_refund_that_never_reached_stripe_is_sent_even_after_a_day(shop):
    booking = paid(shop)
    shop.cancel(booking)
    shop.stripe.fail("rate_limit", "POST /v1/refunds")
    settle()
    shop.db.execute("update payments.refunds set created_at = created_at - interval '25 hours'")
    shop.due_now()

    settle()

    assert [each.amount for each in shop.stripe.v1.refunds.list().data] == [PRICE]


def test_refund_refused_by_stripe_fails_with_its_reason_and_others_succeed(shop, capsys):
    for paid in (True, True):
        booking = shop.book()
        stripe_id = shop.ask(booking)
        shop.stripe.pay(stripe_id)
        shop.stripe.run()
        deliver_and_handle(shop, "payment_intent.succeeded")
        shop.cancel(booking)
    # This payment was already refunded at Stripe's dashboard, and its webhook has not arrived yet.
    shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": PRICE})

    settle()

    rows = shop.db.execute("select status::text, last_error ->> 'code' as code from payments.refunds").fetchall()
    assert max((row["status"], row["code"]) for row in rows)[0] == "succeeded"
    assert [row["code"] for row in rows if row["status"] == "failed"] == ["charge_already_refunded"]
    assert '"RefundRefused":[1.0]' in capsys.readouterr().out


def test_refund_waits_while_stripe_is_unavailable(shop, capsys):
    booking = paid(shop)
    shop.cancel(booking)
    shop.stripe.fail("rate_limit", "POST /v1/refunds")

    settle()

    assert shop.refund()["status"] == "created"
    assert shop.refund()["last_error"]["code"] == "rate_limited"
    assert '"StripeUnavailable":[1.0]' in capsys.readouterr().out
    shop.due_now()
    settle()
    assert shop.refund()["stripe_refund_id"] is not None


def test_reopened_refund_is_not_failed_by_events_of_its_first_attempt(shop):
    booking = paid(shop)
    shop.cancel(booking)
    settle()
    first = shop.refund()["stripe_refund_id"]
    shop.stripe.control(f"/refunds/{first}/fail", reason="lost_or_stolen_card")
    deliver_and_handle(shop, "refund.failed")
    assert shop.refund()["status"] == "failed"
    routines.call(shop.db, shop.stage.owner, "select payments.reopen_refund(refund_id => %s)", [shop.refund()["id"]])

    deliver_and_handle(shop, "payment_intent.succeeded", "refund.failed")
    for event in shop.stripe.events("refund.failed"):
        gateway.post("webhooks", f"/webhooks/stripe/{event['id']}/replay", caller=service())
        handle(event["id"])
    assert shop.refund()["status"] == "created"

    settle()
    shop.stripe.run()
    deliver_and_handle(shop)
    assert shop.refund()["status"] == "succeeded"
    assert shop.refund()["stripe_refund_id"] != first


def test_many_refunds_are_sent_in_runs_that_continue_by_message(shop, queues, monkeypatch):
    paid(shop)
    shop.db.execute(
        "insert into payments.refunds (booking_id, intent_id, organization_id, customer_id, amount_cents, currency,"
        " destination, cause, sold) select i.booking_id, i.id, i.organization_id, i.customer_id, 10, 'CHF', 'original',"
        " 'part ' || n, true from payments.intents as i, generate_series(1, 12) as n"
    )
    monkeypatch.setattr(stripe_sync, "REFUNDS_MOST", 5)
    monkeypatch.setattr(stripe_sync.claim_refunds, "__defaults__", (5,))
    queues("REFUNDS")
    short = gateway.Context(milliseconds_left=5000)

    runs = 0
    messages = [{"refunds": "due"}]
    while messages:
        gateway.invoke("stripe-worker", {"Records": [record(messages.pop())]}, short)
        messages += queues("REFUNDS")
        runs += 1

    assert runs == 3
    assert len(shop.stripe.v1.refunds.list({"limit": 100}).data) == 12
