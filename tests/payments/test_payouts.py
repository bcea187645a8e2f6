"""Transfers, payouts and Checkout pages: each Stripe event is handled once."""

import pytest

from tests.kit import money_invariants
from tests.kit.stripe_standin import PRICE, StandinBookings
from tests.kit.stripe_worker import an_event, handle, inbox_rows

CAPABILITIES = {"card_payments": {"requested": True}, "transfers": {"requested": True}}


@pytest.fixture
def shop(db, stripe, aws, monkeypatch):
    queue = aws.sqs.create_queue(QueueName="stripe_events")
    monkeypatch.setenv("STRIPE_EVENTS_QUEUE_URL", queue["QueueUrl"])
    return StandinBookings(db, stripe)


@pytest.fixture
def organizer(shop):
    """Create the organization's account at Stripe and return its id."""
    account = shop.stripe.v1.accounts.create({"type": "express", "country": "CH", "capabilities": CAPABILITIES})
    shop.stripe.control(f"/accounts/{account.id}/activate")
    shop.db.execute(
        "insert into organizations.payout_accounts (organization_id, stripe_account_id) values (%s, %s)",
        [shop.stage.organization_id, account.id],
    )
    return account.id


def funds(shop, cents=100_000):
    """Add money to the balance, available at once."""
    made = shop.stripe.v1.payment_intents.create({"amount": cents, "currency": "chf"})
    shop.stripe.pay(made.id, payment_method="pm_card_bypassPending")
    shop.stripe.run()


def deliver_twice(shop, *types, account=None):
    """Deliver every event of these types twice."""
    options = {"stripe_account": account} if account else {}
    listed = [each for each in shop.stripe.v1.events.list({"limit": 100}, options).data if each.type in types]
    assert listed
    for event in reversed(listed):
        for _time in range(2):
            handle(an_event(shop.db, event.type, {"id": event.data.object["id"]}, event.id[4:], account=account))


def topics(shop):
    return [row["topic"] for row in shop.db.execute("select topic from public.outbox order by id").fetchall()]


def transfer(shop, organizer, cents=5000):
    return shop.stripe.v1.transfers.create({"amount": cents, "currency": "chf", "destination": organizer})


def test_transfer_to_an_organizer_reduces_the_amount_owed(shop, organizer):
    funds(shop)
    made = transfer(shop, organizer)

    deliver_twice(shop, "transfer.created")

    assert money_invariants.balances(shop.db) == {"organization receivable": 5000, "platform clearing": -5000}
    assert inbox_rows(shop.db)["transfer.created"]["status"] == "handled"
    row = shop.db.execute("select * from payments.transfers").fetchone()
    assert (row["stripe_transfer_id"], row["amount_cents"], row["organization_id"]) == (
        made.id, 5000, shop.stage.organization_id,
    )  # fmt: skip


@pytest.mark.parametrize("types", [["transfer.created", "transfer.reversed"], ["transfer.reversed"]])
def test_each_transfer_reversal_is_posted_once(shop, organizer, types):
    funds(shop)
    made = transfer(shop, organizer)
    for cents in (1000, 1500):
        shop.stripe.v1.transfers.reversals.create(made.id, {"amount": cents})

    deliver_twice(shop, *types)

    assert money_invariants.balances(shop.db) == {"organization receivable": 2500, "platform clearing": -2500}
    assert shop.db.execute("select reversed_cents from payments.transfers").fetchone()["reversed_cents"] == 2500


def test_handled_transfers_and_payouts_reconcile_with_stripe(shop, organizer):
    funds(shop)
    made = transfer(shop, organizer)
    shop.stripe.v1.transfers.reversals.create(made.id, {"amount": 1000})
    shop.stripe.v1.payouts.create({"amount": 700, "currency": "chf"})
    shop.stripe.run()
    deliver_twice(shop, "transfer.created", "transfer.reversed", "payout.paid")

    for each in shop.stripe.v1.balance_transactions.list({"limit": 100}).data:
        if each.type in ("transfer", "transfer_refund", "payout"):
            shop.db.execute(
                "select payments.store_balance_transactions(jsonb_build_array(jsonb_build_object('id', %s::text,"
                " 'type', %s::text, 'source_id', %s::text, 'amount_cents', %s::int, 'fee_cents', %s::int,"
                " 'net_cents', %s::int, 'currency', 'chf', 'created_at', now())))",
                [each.id, each.type, each.source, each.amount, each.fee, each.net],
            )
    found = shop.db.execute("select payments.reconcile(at => now() + interval '4 hours') as done").fetchone()["done"]

    assert found == {"opened": 0, "resolved": 0, "open": 0}


def test_transfer_to_an_unknown_account_is_ignored_with_a_reason(shop, organizer):
    funds(shop)
    transfer(shop, organizer)
    shop.db.execute("delete from organizations.payout_accounts")

    deliver_twice(shop, "transfer.created")

    row = inbox_rows(shop.db)["transfer.created"]
    assert (row["status"], row["result"]) == ("ignored", {"why": "no organization has this account"})
    assert money_invariants.balances(shop.db) == {}


def test_platform_payout_is_posted_and_reversed_when_it_fails(shop):
    funds(shop)
    made = shop.stripe.v1.payouts.create({"amount": 700, "currency": "chf"})
    shop.stripe.run()
    deliver_twice(shop, "payout.paid")
    assert money_invariants.balances(shop.db) == {"platform cash": 700, "platform clearing": -700}

    shop.stripe.control(f"/payouts/{made.id}/fail")
    deliver_twice(shop, "payout.failed")

    assert money_invariants.balances(shop.db) == {}
    row = shop.db.execute("select * from payments.payouts").fetchone()
    assert (row["status"], row["failure_code"], row["organization_id"]) == ("failed", "account_closed", None)
    assert topics(shop) == ["payout.failed"]


def test_failed_organizer_payout_is_recorded_and_notified_but_not_posted(shop, organizer):
    funds(shop)
    transfer(shop, organizer)
    made = shop.stripe.v1.payouts.create({"amount": 700, "currency": "chf"}, {"stripe_account": organizer})
    shop.stripe.control(f"/payouts/{made.id}/fail", failure_code="no_account")

    deliver_twice(shop, "payout.failed", account=organizer)

    assert money_invariants.balances(shop.db) == {}
    row = shop.db.execute("select status, organization_id from payments.payouts").fetchone()
    assert row == {"status": "failed", "organization_id": shop.stage.organization_id}
    payload = shop.db.execute("select payload from public.outbox").fetchone()["payload"]
    assert (payload["organization_id"], payload["amount_cents"]) == (str(shop.stage.organization_id), 700)
    assert "bank account" in payload["why"]


def page(shop, booking):
    """Create a Checkout page on which a booking is paid."""
    return shop.stripe.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.org/",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "chf",
                        "unit_amount": PRICE,
                        "product_data": {"name": "Class"},
                    },
                }
            ],
            "payment_intent_data": {"metadata": {"intent_id": booking["id"]}},
        }
    )


def test_payment_on_a_checkout_page_confirms_the_booking(shop):
    booking = shop.book()
    made = page(shop, booking)
    shop.stripe.control(f"/sessions/{made.id}/pay")

    deliver_twice(shop, "checkout.session.completed")

    assert shop.status(booking) == "confirmed"
    assert inbox_rows(shop.db)["checkout.session.completed"]["status"] == "handled"


def test_expired_checkout_page_changes_nothing(shop):
    booking = shop.book()
    made = page(shop, booking)
    shop.stripe.v1.checkout.sessions.expire(made.id)

    deliver_twice(shop, "checkout.session.expired")

    assert shop.status(booking) == "pending_payment"
    assert inbox_rows(shop.db)["checkout.session.expired"]["result"] == {"why": "no payment was started"}
