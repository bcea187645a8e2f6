"""The Stripe worker ignores, handles, postpones, parks, replays or backfills Stripe events, and loses none."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from marquee.core.identity import service
from marquee.edge.stripe import connect
from marquee.payments import backfill, inbox, stripe_events
from tests.kit import gateway
from tests.kit.aws import record
from tests.kit.stripe_standin import PRICE, StandinBookings, deliver, settle
from tests.kit.stripe_worker import an_event, deliver_and_handle, handle, inbox_rows


@pytest.fixture
def shop(db, stripe, queues):
    return StandinBookings(db, stripe)


def test_stripe_event_of_an_unknown_type_is_stored_and_ignored(shop):
    handle(an_event(shop.db, "invoice.paid", {"id": "in_1"}))

    row = inbox_rows(shop.db)["invoice.paid"]
    assert (row["status"], row["result"]) == ("ignored", {"why": "events of this type are not handled"})


def test_payment_of_another_system_is_ignored(shop):
    made = shop.stripe.v1.payment_intents.create({"amount": 500, "currency": "chf", "metadata": {"intent_id": "x"}})
    shop.stripe.pay(made.id)
    deliver_and_handle(shop, "payment_intent.succeeded")

    assert inbox_rows(shop.db)["payment_intent.succeeded"]["result"] == {
        "why": "no payment here has this PaymentIntent"
    }


def test_charge_without_a_payment_intent_is_ignored(shop):
    handle(an_event(shop.db, "charge.refunded", {"id": "ch_1", "payment_intent": None}))

    assert inbox_rows(shop.db)["charge.refunded"]["status"] == "ignored"


def test_failing_stripe_event_is_parked_after_five_attempts_and_can_be_replayed(shop, capsys):
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
def test_stripe_event_is_postponed_and_not_parked_while_stripe_is_unavailable(shop, kind, monkeypatch):
    monkeypatch.setattr(connect, "__kwdefaults__", {**connect.__kwdefaults__, "retries_max": 0})
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


def test_stripe_event_with_a_lost_message_is_queued_once_by_the_sweep(shop, queues):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    settle()
    assert queues() == []
    shop.db.execute("update payments.webhook_inbox set available_at = now()")

    settle()
    settle()

    assert queues() == [{"event_id": event_id}]


def test_stripe_event_is_claimed_again_after_the_lease_of_a_crashed_worker(shop, monkeypatch):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    assert inbox.claim(event_id) is not None
    assert inbox.claim(event_id) is None
    shop.db.execute("update payments.webhook_inbox set lease_until = now()")

    handle(event_id)

    assert inbox_rows(shop.db)["invoice.paid"]["status"] == "ignored"


def test_stripe_event_that_crashes_each_worker_is_parked(shop):
    event_id = an_event(shop.db, "invoice.paid", {"id": "in_1"})
    for _ in range(5):
        assert inbox.claim(event_id) is not None
        shop.db.execute("update payments.webhook_inbox set lease_until = now()")

    assert inbox.claim(event_id) is None
    row = inbox_rows(shop.db)["invoice.paid"]
    assert (row["status"], row["last_error"]) == ("parked", "its workers died while processing it")


def record_backfill(shop, hours_ago):
    shop.db.execute(
        "insert into ops.job_runs (job, started_at, succeeded, finished_at)"
        " select 'catch_up_stripe', m, true, m from (select now() - make_interval(hours => %s) as m) as t",
        [hours_ago],
    )


def test_missed_stripe_events_are_backfilled_and_handled(shop, queues):
    booking = shop.book()
    shop.stripe.pay(shop.ask(booking))
    shop.stripe.run()
    shop.stripe.v1.payment_intents.create({"amount": 500, "currency": "chf"})

    record_backfill(shop, hours_ago=2)
    gateway.invoke("stripe-worker", {"job": "catch_up_stripe"})
    for hour in queues():
        gateway.invoke("stripe-worker", {"Records": [record(hour)]})
    found = [message["event_id"] for message in queues()]
    handle(*found)

    newest_first = reversed(shop.stripe.events("payment_intent.succeeded", "charge.updated"))
    assert found == [event["id"] for event in newest_first]
    row = inbox_rows(shop.db)["payment_intent.succeeded"]
    assert (row["caught_up"], row["status"]) == (True, "handled")
    assert shop.status(booking) == "confirmed"


def test_backfill_starts_an_hour_before_the_previous_one(shop, queues):
    now = datetime.now(UTC)
    first = backfill.hours(now)
    assert 24 * 30 <= len(first) <= 24 * 30 + 1
    assert first[0].begins_at <= now - timedelta(days=30)
    record_backfill(shop, hours_ago=26)

    gateway.invoke("stripe-worker", {"job": "catch_up_stripe"})

    hours = queues()
    assert 27 <= len(hours) <= 29
    begun = datetime.fromisoformat(hours[0]["begins_at"])
    assert timedelta(hours=27) <= datetime.now(UTC) - begun < timedelta(hours=28)
    assert all(first["ends_at"] == second["begins_at"] for first, second in itertools.pairwise(hours))
    assert datetime.fromisoformat(hours[-1]["ends_at"]) > datetime.now(UTC)


def test_old_handled_stripe_events_are_deleted(shop, queues):
    for number, (age, status) in enumerate(
        (("91 days", "handled"), ("89 days", "handled"), ("91 days", "received")), 1
    ):
        an_event(shop.db, f"type.{number}", {"id": "x"}, number)
        shop.db.execute(
            "update payments.webhook_inbox set created_at = now() - %s::interval, status = %s,"
            " handled_at = case when %s = 'handled' then now() - %s::interval end where event_id = %s",
            [age, status, status, age, f"evt_{number}"],
        )

    record_backfill(shop, hours_ago=1)
    gateway.invoke("stripe-worker", {"job": "catch_up_stripe"})

    assert sorted(inbox_rows(shop.db)) == ["type.2", "type.3"]


def test_handled_event_types_fit_into_one_request_to_stripe():
    assert len(stripe_events.HANDLERS) <= 20


CAPABILITIES = {"card_payments": {"requested": True}, "transfers": {"requested": True}}


def test_payout_account_follows_the_account_at_stripe(shop):
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


def test_missed_events_of_an_organizers_account_are_backfilled_and_handled(shop, queues):
    account = shop.stripe.v1.accounts.create({"type": "express", "country": "CH", "capabilities": CAPABILITIES})
    shop.db.execute(
        "insert into organizations.payout_accounts (organization_id, stripe_account_id, updated_at)"
        " values (%s, %s, '-infinity')",
        [shop.stage.organization_id, account.id],
    )
    shop.stripe.control(f"/accounts/{account.id}/activate")

    record_backfill(shop, hours_ago=2)
    gateway.invoke("stripe-worker", {"job": "catch_up_stripe"})
    for hour in queues():
        gateway.invoke("stripe-worker", {"Records": [record(hour)]})
    handle(*(message["event_id"] for message in queues()))

    row = shop.db.execute("select type, account, status, caught_up from payments.webhook_inbox").fetchall()[0]
    assert row == {"type": "account.updated", "account": account.id, "status": "handled", "caught_up": True}
    assert shop.db.execute("select charges_enabled from organizations.payout_accounts").fetchone()["charges_enabled"]


def test_inaccessible_account_is_skipped_by_the_backfill(shop, queues, caplog):
    shop.db.execute(
        "insert into organizations.payout_accounts (organization_id, stripe_account_id) values (%s, 'acct_1gone')",
        [shop.stage.organization_id],
    )
    record_backfill(shop, hours_ago=2)
    gateway.invoke("stripe-worker", {"job": "catch_up_stripe"})
    of_account = next(message for message in queues() if "account" in message)

    answer = gateway.invoke("stripe-worker", {"Records": [record(of_account)]})

    assert not answer["batchItemFailures"]
    assert "account_not_seen" in caplog.messages


def test_account_of_no_organization_is_ignored(shop):
    account = shop.stripe.v1.accounts.create({"type": "express", "country": "CH"})

    handle(an_event(shop.db, "account.updated", {"id": account.id}))

    assert inbox_rows(shop.db)["account.updated"]["result"] == {"why": "no organization has this account"}
