"""Rare payment histories: competing refunds, incomplete facts, and facts after the end."""

import threading

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.payments import PRICE, SOLD, CardBookings, dashboard_refund, paid


@pytest.fixture
def till(db):
    till = CardBookings(db)
    yield till
    sums = db.execute("select sum(amount_cents) as cents from payments.trial_balance() where type is null").fetchone()
    assert not sums["cents"]
    assert db.execute(stages.DRIFT).fetchall() == []
    assert db.execute("select finding from payments.verify_credits()").fetchall() == []


def refunds(till):
    return till.db.execute(
        "select status::text, amount_cents::int as cents, stripe_refund_id from payments.refunds order by id"
    ).fetchall()


def record_refusal(results, till):
    return routines.call(till.db, None, "select payments.record_refunds(%s::text::jsonb)", [results])


def test_payment_of_a_cancelled_intent_is_posted_once(till):
    booking = till.book(till.stage.customer())
    till.db.execute("update payments.intents set status = 'cancelled'")

    first, again = till.apply_payment(booking), till.apply_payment(booking)

    assert (first["did"], again["did"]) == (["confirmed"], [])
    assert again["status"] == "succeeded"
    assert till.balances() == SOLD
    assert refunds(till) == []


@pytest.mark.parametrize("lack", ["amount_cents", "currency", "received_cents"])
def test_facts_without_amount_or_currency_are_refused(till, lack):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as error:
        till.apply_payment(booking, **{lack: None})

    assert routines.code_of(error.value) == "payment_mismatch"
    assert till.status(booking) == "pending_payment"
    assert till.balances() == {}


def test_payment_below_the_price_is_refused(till):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as error:
        till.apply_payment(booking, received_cents=PRICE - 1)

    assert routines.code_of(error.value) == "payment_mismatch"


def test_succeeded_refund_is_not_failed_by_a_later_refusal(till):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    ours = {"stripe_id": "re_1", "refund_id": str(claimed["refund_id"]), "amount_cents": PRICE, "status": "succeeded"}
    till.apply_payment(booking, refunds=[ours])

    record_refusal(
        f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "gone"}}, "retryable": false}}]', till
    )

    assert [row["status"] for row in refunds(till)] == ["succeeded"]
    assert "refund.failed" not in till.topics()


def test_refused_refund_succeeds_when_stripe_reports_it(till):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    record_refusal(
        f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "gone"}}, "retryable": false}}]', till
    )
    assert [row["status"] for row in refunds(till)] == ["failed"]

    ours = {"stripe_id": "re_1", "refund_id": str(claimed["refund_id"]), "amount_cents": PRICE, "status": "succeeded"}
    till.apply_payment(booking, refunds=[ours])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


@pytest.mark.parametrize("sent", [False, True])
def test_dashboard_refund_completes_a_claimed_refund(till, sent):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    refusal = f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "done"}}, "retryable": false}}]'
    if sent:
        record_refusal(refusal, till)

    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    record_refusal(refusal, till)

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}
    till.db.execute("update payments.refunds set available_at = now()")
    assert till.claim("refunds") == []


def test_dashboard_refund_of_a_late_payment_is_not_sent_again(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.cancel(booking, customer)
    till.apply_payment(booking)

    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.claim("refunds") == []
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


@pytest.mark.parametrize("sent", [False, True])
def test_partial_dashboard_refund_leaves_the_remaining_amount_to_send(till, sent):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    if sent:
        record_refusal(
            f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "much"}}, "retryable": false}}]', till
        )

    for _ in range(2):
        till.apply_payment(booking, refunds=[dashboard_refund(1, 3000)])

    assert [(row["status"], row["cents"]) for row in refunds(till)] == [
        ("failed" if sent else "created", 7000),
        ("succeeded", 3000),
    ]
    if sent:
        query = "select payments.reopen_refund(refund_id => %s)"
        routines.call(till.db, till.stage.owner, query, [claimed["refund_id"]])
    till.db.execute("update payments.refunds set available_at = now()")
    (again,) = till.send_refunds()
    assert (again["amount_cents"], again["idempotency_key"] == claimed["idempotency_key"]) == (7000, False)
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_failed_refund_is_completed_by_a_dashboard_refund(till):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (sent,) = till.send_refunds()
    failed = {
        "stripe_id": f"re_{sent['refund_id']}",
        "refund_id": str(sent["refund_id"]),
        "key": sent["idempotency_key"],
        "amount_cents": PRICE,
        "status": "failed",
    }
    till.apply_payment(booking, refunds=[failed])

    for _ in range(2):
        till.apply_payment(booking, refunds=[failed, dashboard_refund(1, PRICE)])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_partial_dashboard_refund_is_separate_from_our_partial_refund(till):
    booking = paid(till)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 3000, idempotency_key => 'a')"
    routines.call(till.db, till.stage.owner, query, [booking["id"]])

    till.apply_payment(booking, refunds=[dashboard_refund(1, 3000)])

    assert [(row["status"], row["cents"]) for row in refunds(till)] == [("created", 3000), ("succeeded", 3000)]


def test_reopened_dashboard_refund_is_not_failed_by_stale_facts(till):
    booking = paid(till)
    failed = dashboard_refund(1, 3000, "failed")
    till.apply_payment(booking, refunds=[failed])
    refund_id = till.db.execute("select id from payments.refunds").fetchone()["id"]
    routines.call(till.db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [refund_id])

    till.apply_payment(booking, refunds=[failed])
    assert [row["status"] for row in refunds(till)] == ["created"]
    (sent,) = till.claim("refunds")
    ours = {
        "stripe_id": "re_2",
        "refund_id": str(refund_id),
        "key": sent["idempotency_key"],
        "amount_cents": 3000,
        "status": "succeeded",
    }
    till.apply_payment(booking, refunds=[failed, ours])

    assert refunds(till) == [{"status": "succeeded", "cents": 3000, "stripe_refund_id": "re_2"}]
    assert till.balances()["platform clearing"] == PRICE - 320 - 3000


def test_late_cancellation_keeps_its_fee_after_a_partial_refund(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = paid(till, customer)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 5000, idempotency_key => 'a')"
    routines.call(db, till.stage.owner, query, [booking["id"]])

    till.cancel(booking, customer)

    assert [row["cents"] for row in refunds(till)] == [5000, 2000]


def test_late_cancellation_after_a_large_partial_refund_refunds_nothing_more(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = paid(till, customer)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 8000, idempotency_key => 'a')"
    routines.call(db, till.stage.owner, query, [booking["id"]])

    assert till.cancel(booking, customer)["status"] == "cancelled"
    assert [row["cents"] for row in refunds(till)] == [8000]


def test_late_payment_of_an_erased_customer_is_refunded(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    routines.call(till.db, customer, "select users.erase_profile(user_id => %s)", [customer])

    assert till.apply_payment(booking)["did"] == ["returned"]
    assert till.seats() == {"taken": 0, "held": 0}


def test_dispute_in_another_currency_is_posted_in_that_currency(till):
    booking = paid(till)
    dispute = {"stripe_id": "dp_1", "amount_cents": 9000, "currency": "eur", "reason": None}

    till.apply_payment(booking, disputes=[{**dispute, "status": "needs_response"}])

    rows = till.db.execute(
        "select currency, amount_cents::int as cents from payments.trial_balance() where type = 'clearing'"
    ).fetchall()
    assert {row["currency"]: row["cents"] for row in rows} == {"CHF": PRICE - 320, "EUR": -9000}
    till.apply_payment(booking, disputes=[{**dispute, "status": "won"}])
    assert till.balances() == SOLD


def test_erasure_locks_all_events_before_the_wallet(till, connect):
    customer = till.stage.customer()
    till.db.execute("update events.inventory set capacity = 100")
    events = [till.stage.event(price_cents=10) for _ in range(14)]
    query = """
        select payments.grant_credits(
            organization_id => %s, customer_id => %s, kind => 'wallet', amount => 140, currency => 'CHF',
            idempotency_key => 'gift'
        )
    """
    routines.call(till.db, till.stage.owner, query, [till.stage.organization_id, customer])
    for event_id in events:
        routines.call(
            till.db,
            customer,
            "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => %s)",
            [event_id, str(event_id)],
        )
    other = connect(autocommit=False)
    other.execute("select from events.inventory where event_id = %s for update", [max(events)])
    eraser = connect()
    erasing = threading.Thread(
        target=routines.call, args=(eraser, customer, "select users.erase_profile(user_id => %s)", [customer])
    )
    erasing.start()
    waiting = "select count(*) as n from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    while not till.db.execute(waiting, [eraser.info.backend_pid]).fetchone()["n"]:
        assert erasing.is_alive()

    other.execute("set local lock_timeout = '1s'")
    other.execute("select payments.lock_wallets(array(select account_id from payments.balances))")
    other.commit()
    erasing.join(30)

    assert not erasing.is_alive()
    live = till.db.execute(
        "select count(*) as n from events.bookings where customer_id = %s and status <> 'cancelled'", [customer]
    ).fetchone()["n"]
    left = till.db.execute("select sum(remaining)::int as cents from payments.credit_lots").fetchone()["cents"]
    assert (live, left) == (0, 0)  # granted credits lapse with the erasure


def test_payment_facts_lock_refunds_in_the_order_of_the_senders(till, connect):
    booking = paid(till)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 1000, idempotency_key => %s)"
    for key in ("a", "b"):
        routines.call(till.db, till.stage.owner, query, [booking["id"], key])
    first, second = (row["refund_id"] for row in sorted(till.claim("refunds"), key=lambda row: row["refund_id"]))
    other = connect(autocommit=False)
    other.execute("select from payments.refunds where id = %s for update", [first])
    teller = connect()
    # In the order of Stripe's ids, the second refund comes first.
    told = [
        {"stripe_id": "re_1", "refund_id": str(second), "amount_cents": 1000, "status": "succeeded"},
        {"stripe_id": "re_2", "refund_id": str(first), "amount_cents": 1000, "status": "succeeded"},
    ]
    facts = psycopg.types.json.Jsonb(till.facts(booking, refunds=told))
    telling = threading.Thread(target=routines.call, args=(teller, None, "select payments.apply_payment(%s)", [facts]))
    telling.start()
    waiting = "select count(*) as n from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
    while not till.db.execute(waiting, [teller.info.backend_pid]).fetchone()["n"]:
        assert telling.is_alive()

    other.execute("set local lock_timeout = '500ms'")
    other.execute("select from payments.refunds where id = %s for update", [second])
    other.commit()
    telling.join(30)

    assert [row["status"] for row in refunds(till)] == ["succeeded", "succeeded"]
