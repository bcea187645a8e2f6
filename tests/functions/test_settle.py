"""functions/settle: what is the case at Stripe becomes the case here, once, whatever fails in between."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from marquee.core.identity import service
from marquee.payments import catching_up, handling, inbox, intents, ledger_calls, stripe_client
from tests import gateway, given
from tests.functions.aws import record
from tests.paying import PRICE, Shop, deliver, settle, stand_in, stripe  # noqa: F401  fixtures


@pytest.fixture
def queues(aws, monkeypatch):
    """StripeEventsQueue and RefundsQueue: what was sent to each since the last look."""
    urls = {}
    for name in ("STRIPE_EVENTS", "REFUNDS"):
        urls[name] = aws.sqs.create_queue(QueueName=name.lower())["QueueUrl"]
        monkeypatch.setenv(f"{name}_QUEUE_URL", urls[name])
    return lambda name="STRIPE_EVENTS": aws.received(urls[name])


@pytest.fixture
def shop(db, stripe, queues):  # noqa: F811
    return Shop(db, stripe)


def handle(*event_ids, **context):
    """The messages of these events arrive, one by one."""
    for event_id in event_ids:
        gateway.invoke("settle", {"Records": [record({"event_id": event_id})]}, **context)


def tell(shop, *types):
    """Deliver the events of these types (all, if none is named) and handle them."""
    for event in shop.stripe.events(*types):
        assert deliver(event).status == 200
        handle(event["id"])


def inbox_rows(db):
    return {row["type"]: row for row in db.execute("select * from payments.webhook_inbox").fetchall()}


def an_event(db, type, thing, number=1, account=None):
    """An event in the inbox, whatever Stripe knows of it."""
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "type": type,
        "created": 1_790_000_000,
        "livemode": False,
        "data": {"object": thing},
    }
    row = inbox.Event.model_validate(event).row(json.dumps(event)) | {"account": account}
    given.call(db, None, "select count(*) from payments.receive_webhooks(%s::text::jsonb)", [json.dumps([row])])
    return event["id"]


def test_a_payment_confirms_its_booking_and_reaches_the_ledger_with_stripes_fee(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()

    tell(shop, "payment_intent.succeeded")

    assert shop.status(booking) == "confirmed"
    rows = inbox_rows(shop.db)
    assert rows["payment_intent.succeeded"]["status"] == "handled"
    assert rows["payment_intent.succeeded"]["result"]["did"] == ["confirmed"]
    fee = shop.db.execute("select stripe_fee_cents from payments.intents").fetchone()["stripe_fee_cents"]
    assert fee > 0
    assert shop.clearing() == PRICE - fee


def test_an_event_handled_twice_has_one_effect(shop):
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


def test_a_failed_attempt_does_not_end_the_purchase(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id, payment_method="pm_card_chargeDeclined")
    tell(shop, "payment_intent.payment_failed")

    assert shop.status(booking) == "pending_payment"
    error = shop.db.execute("select last_error from payments.intents").fetchone()["last_error"]
    assert error["code"] == "card_declined"

    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    assert shop.status(booking) == "confirmed"


def test_what_an_event_says_is_not_believed_but_fetched(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    event_id = an_event(shop.db, "payment_intent.succeeded", {"id": stripe_id, "status": "succeeded", "amount": 1})

    handle(event_id)

    assert shop.status(booking) == "pending_payment"
    assert inbox_rows(shop.db)["payment_intent.succeeded"]["status"] == "handled"


def test_a_cancelled_booking_is_refunded_by_the_sweep_and_settled_by_its_webhook(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")

    shop.cancel(booking)
    settle()
    made = shop.stripe.v1.refunds.list().data
    shop.stripe.run()
    tell(shop, "charge.refunded", "refund.updated")

    assert [(each.amount, each.metadata.refund_id) for each in made] == [(PRICE, str(shop.refund()["id"]))]
    assert shop.refund()["status"] == "succeeded"


def test_cumulative_refunds_are_counted_once_each(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    tell(shop)
    fee = PRICE - shop.clearing()
    for cents in (700, 800):
        shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": cents})
        shop.stripe.run()
        tell(shop)

    rows = shop.db.execute("select amount_cents::int as cents, status from payments.refunds order by 1").fetchall()
    assert [(row["cents"], row["status"]) for row in rows] == [(700, "succeeded"), (800, "succeeded")]
    assert shop.clearing() == PRICE - fee - 1500


def test_a_refund_sent_by_a_worker_that_died_is_not_sent_twice(shop, monkeypatch):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    shop.cancel(booking)
    with monkeypatch.context() as dying:
        dying.setattr(ledger_calls, "record_refunds", die)
        with pytest.raises(Died):
            settle()
    shop.due_now()
    settle()

    assert len(shop.stripe.v1.refunds.list().data) == 1
    assert shop.refund()["stripe_refund_id"] is not None


def test_a_refund_whose_answer_was_lost_is_not_sent_twice(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    shop.cancel(booking)
    shop.stripe.fail("drop_after", "POST /v1/refunds")

    settle()

    assert len(shop.stripe.v1.refunds.list().data) == 1
    assert shop.refund()["stripe_refund_id"] is not None


def test_a_refund_that_stripe_refuses_is_shown_to_staff_and_spares_the_others(shop, capsys):
    for paid in (True, True):
        booking = shop.book()
        stripe_id = shop.ask(booking)
        shop.stripe.pay(stripe_id)
        shop.stripe.run()
        tell(shop, "payment_intent.succeeded")
        shop.cancel(booking)
    # Somebody has given back this one's money at Stripe already, and we have not heard of it yet.
    shop.stripe.v1.refunds.create({"payment_intent": stripe_id, "amount": PRICE})

    settle()

    rows = shop.db.execute("select status::text, last_error ->> 'code' as code from payments.refunds").fetchall()
    assert max((row["status"], row["code"]) for row in rows)[0] == "succeeded"
    assert [row["code"] for row in rows if row["status"] == "failed"] == ["charge_already_refunded"]
    assert '"RefundRefused":[1.0]' in capsys.readouterr().out


def test_a_refund_waits_while_stripe_is_not_to_be_had(shop, capsys):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    shop.cancel(booking)
    shop.stripe.fail("rate_limit", "POST /v1/refunds")

    settle()

    assert shop.refund()["status"] == "created"
    assert shop.refund()["last_error"]["code"] == "rate_limited"
    assert '"StripeUnavailable":[1.0]' in capsys.readouterr().out
    shop.due_now()
    settle()
    assert shop.refund()["stripe_refund_id"] is not None


def test_a_reopened_refund_is_not_failed_again_by_the_one_that_failed_before(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    shop.cancel(booking)
    settle()
    first = shop.refund()["stripe_refund_id"]
    shop.stripe.control(f"/refunds/{first}/fail", reason="lost_or_stolen_card")
    tell(shop, "refund.failed")
    assert shop.refund()["status"] == "failed"
    given.call(shop.db, shop.stage.owner, "select payments.reopen_refund(refund_id => %s)", [shop.refund()["id"]])

    tell(shop, "payment_intent.succeeded", "refund.failed")
    for event in shop.stripe.events("refund.failed"):
        gateway.post("webhooks", f"/webhooks/stripe/{event['id']}/replay", caller=service())
        handle(event["id"])
    assert shop.refund()["status"] == "created"

    settle()
    shop.stripe.run()
    tell(shop)
    assert shop.refund()["status"] == "succeeded"
    assert shop.refund()["stripe_refund_id"] != first


def test_many_refunds_are_sent_in_runs_that_continue_by_message(shop, queues, monkeypatch):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    tell(shop, "payment_intent.succeeded")
    shop.db.execute(
        "insert into payments.refunds (booking_id, intent_id, organization_id, customer_id, amount_cents, currency,"
        " destination, cause, sold) select i.booking_id, i.id, i.organization_id, i.customer_id, 10, 'CHF', 'original',"
        " 'part ' || n, true from payments.intents as i, generate_series(1, 12) as n"
    )
    monkeypatch.setattr(ledger_calls, "REFUNDS_MOST", 5)
    monkeypatch.setattr(ledger_calls.claim_refunds, "__defaults__", (5,))
    queues("REFUNDS")
    short = gateway.Context(milliseconds_left=5000)

    runs = 0
    messages = [{"refunds": "due"}]
    while messages:
        gateway.invoke("settle", {"Records": [record(messages.pop())]}, short)
        messages += queues("REFUNDS")
        runs += 1

    assert runs == 3
    assert len(shop.stripe.v1.refunds.list({"limit": 100}).data) == 12


class Died(BaseException):
    """The worker is gone."""


def die(*_):
    raise Died


def test_a_payment_whose_making_was_interrupted_is_made_once(shop, monkeypatch):
    booking = shop.book()
    shop.due_now()
    with monkeypatch.context() as dying:
        dying.setattr(ledger_calls, "record_intent", die)
        with pytest.raises(Died):
            settle()
    assert shop.stripe_id(booking) is None

    stripe_id = shop.ask(booking)

    (made,) = shop.stripe.v1.payment_intents.list().data
    assert made.id == stripe_id
    assert (made.amount, made.currency, made.payment_method_types) == (PRICE, "chf", ["card"])
    assert made.metadata.intent_id == str(booking["id"])


def test_a_payment_whose_making_was_interrupted_in_the_booking_itself_is_finished_by_the_sweep(shop, monkeypatch):
    customer = shop.stage.customer()
    wanted = {"event_id": str(shop.event_id), "payment_method": "card"}
    with monkeypatch.context() as dying:
        dying.setattr(ledger_calls, "record_intent", die)
        with pytest.raises(Died):
            gateway.post("book", "/bookings", wanted, caller=customer, key="tap")
    shop.due_now()

    settle()

    (made,) = shop.stripe.v1.payment_intents.list().data
    again = gateway.post("book", "/bookings", wanted, caller=customer, key="tap")
    assert again.body["payment"]["stripe_payment_intent_id"] == made.id
    assert again.body["payment"]["client_secret"] == made.client_secret


def test_a_payment_that_was_made_and_never_recorded_is_known_by_its_metadata(shop, monkeypatch):
    booking = shop.book()
    shop.due_now()
    with monkeypatch.context() as dying:
        dying.setattr(ledger_calls, "record_intent", die)
        with pytest.raises(Died):
            settle()
    (made,) = shop.stripe.v1.payment_intents.list().data
    shop.stripe.pay(made.id)
    shop.stripe.run()

    tell(shop, "payment_intent.succeeded")

    assert shop.status(booking) == "confirmed"


def test_twint_is_paid_like_a_card(shop):
    booking = shop.book("twint")
    stripe_id = shop.ask(booking)
    assert shop.stripe.v1.payment_intents.retrieve(stripe_id).payment_method_types == ["twint"]

    shop.stripe.pay(stripe_id, payment_method="twint")
    shop.stripe.run()
    tell(shop)

    assert shop.status(booking) == "confirmed"


def test_a_payment_whose_seats_were_let_go_is_cancelled_at_stripe(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.db.execute("update events.holds set expires_at = now() - interval '1 s', created_at = now() - interval '1 h'")
    given.call(shop.db, None, "select events.expire_holds()")
    shop.due_now()

    settle()

    assert shop.stripe.v1.payment_intents.retrieve(stripe_id).status == "canceled"
    assert shop.db.execute("select status from payments.intents").fetchone()["status"] == "cancelled"


def test_a_payment_that_came_just_before_its_cancellation_is_not_lost(shop):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    shop.db.execute("update events.holds set expires_at = now() - interval '1 s', created_at = now() - interval '1 h'")
    given.call(shop.db, None, "select events.expire_holds()")
    shop.due_now()

    settle()

    assert shop.status(booking) == "confirmed"
    assert shop.db.execute("select status from payments.intents").fetchone()["status"] == "succeeded"


def test_an_intent_that_stripe_refuses_is_told_and_spares_the_others(shop, capsys):
    first, second = shop.book(), shop.book()
    shop.db.execute("update payments.intents set amount_cents = 1 where booking_id = %s", [first["id"]])

    shop.ask(second)

    assert shop.stripe_id(first) is None
    assert shop.stripe_id(second) is not None
    assert '"IntentRefused"' in capsys.readouterr().out
    query = "select status::text, last_error ->> 'code' as code from payments.intents where booking_id = %s"
    assert shop.db.execute(query, [first["id"]]).fetchone() == {"status": "created", "code": "amount_too_small"}

    shop.db.execute("update events.holds set expires_at = now() - interval '1 s', created_at = now() - interval '1 h'")
    given.call(shop.db, None, "select events.expire_holds()")
    shop.due_now()
    settle()
    assert shop.db.execute(query, [first["id"]]).fetchone()["status"] == "cancelled"


def test_facts_that_others_overtook_are_fetched_again(shop, monkeypatch):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    later = datetime.now(UTC) + timedelta(seconds=1)
    shop.db.execute("update payments.intents set observed_at = %s", [later])
    moments = iter([later - timedelta(seconds=1), later + timedelta(seconds=1)])
    client = stripe_client.connect(SecretStr("sk_test_0123456789abcdef"), base=shop.stripe.url)

    done = intents.settle(client, stripe_id, lambda: next(moments))

    assert done["did"] == ["confirmed"]
    assert next(moments, None) is None


def test_an_unknown_type_is_stored_and_ignored(shop):
    handle(an_event(shop.db, "invoice.paid", {"id": "in_1"}))

    row = inbox_rows(shop.db)["invoice.paid"]
    assert (row["status"], row["result"]) == ("ignored", {"why": "nothing is done about this type"})


def test_a_payment_that_is_none_of_ours_is_ignored(shop):
    made = shop.stripe.v1.payment_intents.create({"amount": 500, "currency": "chf", "metadata": {"intent_id": "x"}})
    shop.stripe.pay(made.id)
    tell(shop, "payment_intent.succeeded")

    assert inbox_rows(shop.db)["payment_intent.succeeded"]["result"] == {"why": "the payment is none of ours"}


def test_a_charge_without_a_payment_intent_is_ignored(shop):
    handle(an_event(shop.db, "charge.refunded", {"id": "ch_1", "payment_intent": None}))

    assert inbox_rows(shop.db)["charge.refunded"]["status"] == "ignored"


def test_an_event_that_fails_comes_again_and_is_parked_after_five_attempts_and_replayed_by_its_id(shop, capsys):
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.db.execute("update payments.intents set amount_cents = 3999")
    (event,) = shop.stripe.events("payment_intent.succeeded")
    deliver(event)

    for attempt in range(1, 6):
        with pytest.raises(Exception, match="All records failed"):
            handle(event["id"])
        row = inbox_rows(shop.db)["payment_intent.succeeded"]
        assert (row["attempts"], row["status"]) == (attempt, "failed" if attempt < 5 else "parked")
    handle(event["id"])
    assert "payment_mismatch" in row["last_error"]
    assert capsys.readouterr().out.count('"WebhookParked":[1.0]') == 1

    shop.db.execute("update payments.intents set amount_cents = %s", [PRICE])
    gateway.post("webhooks", f"/webhooks/stripe/{event['id']}/replay", caller=service())
    handle(event["id"])
    assert shop.status(booking) == "confirmed"


@pytest.mark.parametrize("kind", ["rate_limit", "error", "unavailable", "drop_before", "lock_timeout"])
def test_while_stripe_is_not_to_be_had_an_event_is_postponed_and_never_parked(shop, kind, monkeypatch):
    monkeypatch.setattr(stripe_client, "RETRIES_MAX", 0)
    monkeypatch.setattr(
        stripe_client.connect, "__kwdefaults__", {**stripe_client.connect.__kwdefaults__, "retries_max": 0}
    )
    booking = shop.book()
    stripe_id = shop.ask(booking)
    shop.stripe.pay(stripe_id)
    shop.stripe.run()
    (event,) = shop.stripe.events("payment_intent.succeeded")
    deliver(event)
    shop.stripe.fail(kind, "GET /v1/payment_intents/", times=7)

    for _ in range(7):
        handle(event["id"])
    row = inbox_rows(shop.db)["payment_intent.succeeded"]
    assert (row["status"], row["attempts"], row["postponements"]) == ("failed", 0, 7)
    assert timedelta(minutes=14) < row["available_at"] - datetime.now(UTC) < timedelta(minutes=16)

    handle(event["id"])
    assert shop.status(booking) == "confirmed"


def test_an_event_whose_message_was_lost_is_brought_by_the_sweep_once(shop, queues):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    settle()
    assert queues() == []
    shop.db.execute("update payments.webhook_inbox set available_at = now()")

    settle()
    settle()

    assert queues() == [{"event_id": event_id}]


def test_an_event_whose_worker_died_is_had_by_another_when_its_lease_is_over(shop, monkeypatch):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    assert inbox.claim(event_id) is not None
    assert inbox.claim(event_id) is None
    shop.db.execute("update payments.webhook_inbox set lease_until = now()")

    handle(event_id)

    assert inbox_rows(shop.db)["invoice.paid"]["status"] == "ignored"


def test_an_event_over_which_every_worker_dies_is_parked(shop):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    for _ in range(5):
        assert inbox.claim(event_id) is not None
        shop.db.execute("update payments.webhook_inbox set lease_until = now()")

    assert inbox.claim(event_id) is None
    row = inbox_rows(shop.db)["invoice.paid"]
    assert (row["status"], row["last_error"]) == ("parked", "its workers died over it")


def looked_before(shop, hours_ago):
    shop.db.execute(
        "insert into ops.job_runs (job, started_at, succeeded, finished_at)"
        " select 'catch_up_stripe', m, true, m from (select now() - make_interval(hours => %s) as m) as t",
        [hours_ago],
    )


def test_missed_events_are_listed_and_handled(shop, queues):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    shop.stripe.v1.payment_intents.create({"amount": 500, "currency": "chf"})

    looked_before(shop, hours_ago=2)
    gateway.invoke("settle", {"job": "catch_up_stripe"})
    for hour in queues():
        gateway.invoke("settle", {"Records": [record(hour)]})
    found = [message["event_id"] for message in queues()]
    handle(*found)

    newest_first = reversed(shop.stripe.events("payment_intent.succeeded", "charge.updated"))
    assert found == [event["id"] for event in newest_first]
    row = inbox_rows(shop.db)["payment_intent.succeeded"]
    assert (row["caught_up"], row["status"]) == (True, "handled")
    assert shop.status(booking) == "confirmed"


def test_the_second_look_begins_an_hour_before_the_first(shop, queues):
    now = datetime.now(UTC)
    first = catching_up.hours(now)
    assert 24 * 30 <= len(first) <= 24 * 30 + 1
    assert first[0].begins_at <= now - timedelta(days=30)
    looked_before(shop, hours_ago=26)

    gateway.invoke("settle", {"job": "catch_up_stripe"})

    hours = queues()
    assert 27 <= len(hours) <= 29
    begun = datetime.fromisoformat(hours[0]["begins_at"])
    assert timedelta(hours=27) <= datetime.now(UTC) - begun < timedelta(hours=28)
    assert all(first["ends_at"] == second["begins_at"] for first, second in itertools.pairwise(hours))
    assert datetime.fromisoformat(hours[-1]["ends_at"]) > datetime.now(UTC)


def test_old_events_that_were_dealt_with_are_forgotten(shop, queues):
    for number, (age, status) in enumerate(
        (("91 days", "handled"), ("89 days", "handled"), ("91 days", "received")), 1
    ):
        an_event(shop.db, f"type.{number}", {"id": "x"}, number)
        shop.db.execute(
            "update payments.webhook_inbox set created_at = now() - %s::interval, status = %s,"
            " handled_at = case when %s = 'handled' then now() - %s::interval end where event_id = %s",
            [age, status, status, age, f"evt_{number}"],
        )

    looked_before(shop, hours_ago=1)
    gateway.invoke("settle", {"job": "catch_up_stripe"})

    assert sorted(inbox_rows(shop.db)) == ["type.2", "type.3"]


def test_stripe_can_be_asked_for_all_types_that_are_handled_at_once():
    assert len(handling.HANDLERS) <= 20


def test_the_sdk_speaks_the_version_that_is_pinned():
    import stripe as sdk

    assert sdk.api_version == stripe_client.API_VERSION


CAPABILITIES = {"card_payments": {"requested": True}, "transfers": {"requested": True}}


def test_the_account_of_an_organizer_is_kept_as_stripe_has_it(shop):
    account = shop.stripe.v1.accounts.create({"type": "express", "country": "CH", "capabilities": CAPABILITIES})
    shop.db.execute(
        "insert into organizations.payout_accounts (organization_id, stripe_account_id) values (%s, %s)",
        [shop.stage.organization_id, account.id],
    )
    shop.stripe.control(f"/accounts/{account.id}/activate")

    handle(an_event(shop.db, "account.updated", {"id": account.id}, account=account.id))

    row = shop.db.execute("select * from organizations.payout_accounts").fetchone()
    assert (row["charges_enabled"], row["payouts_enabled"], row["details_submitted"]) == (True, True, True)
    assert inbox_rows(shop.db)["account.updated"]["status"] == "handled"


def test_an_account_that_is_none_of_ours_is_ignored(shop):
    account = shop.stripe.v1.accounts.create({"type": "express", "country": "CH"})

    handle(an_event(shop.db, "account.updated", {"id": account.id}))

    assert inbox_rows(shop.db)["account.updated"]["result"] == {"why": "the account is none of ours"}


def test_a_run_without_work_needs_no_key(shop, monkeypatch):
    monkeypatch.delenv("STRIPE_API_KEY")

    assert settle()["done"] == 0


def test_stripes_fee_is_booked_when_it_is_known_after_the_payment(shop):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    tell(shop, "payment_intent.succeeded")
    assert (shop.status(booking), shop.clearing()) == ("confirmed", PRICE)

    shop.stripe.run()
    tell(shop, "charge.updated")

    assert 0 < PRICE - shop.clearing() < 200


def test_a_payment_that_the_books_will_not_take_does_not_keep_others_waiting(shop, capsys):
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
