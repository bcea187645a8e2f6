"""Rare histories of payments: two hands on the same refund, news that lacks something, news after the end."""

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


def refused(results, till):
    return routines.call(till.db, None, "select payments.record_refunds(%s::text::jsonb)", [results])


def test_a_payment_that_was_held_for_over_and_paid_after_all_is_taken_once(till):
    booking = till.book(till.stage.customer())
    till.db.execute("update payments.intents set status = 'cancelled'")

    first, again = till.hear(booking), till.hear(booking)

    assert (first["did"], again["did"]) == (["confirmed"], [])
    assert again["status"] == "succeeded"
    assert till.balances() == SOLD
    assert refunds(till) == []


@pytest.mark.parametrize("lack", ["amount_cents", "currency", "received_cents"])
def test_news_without_an_amount_or_a_currency_is_not_taken_for_a_payment(till, lack):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as error:
        till.hear(booking, **{lack: None})

    assert routines.code_of(error.value) == "payment_mismatch"
    assert till.status(booking) == "pending_payment"
    assert till.balances() == {}


def test_less_than_the_price_is_not_the_price(till):
    booking = till.book(till.stage.customer())

    with pytest.raises(psycopg.Error) as error:
        till.hear(booking, received_cents=PRICE - 1)

    assert routines.code_of(error.value) == "payment_mismatch"


def test_a_refund_that_stripe_has_is_not_ended_by_a_refusal_to_make_it_again(till):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    ours = {"stripe_id": "re_1", "refund_id": str(claimed["refund_id"]), "amount_cents": PRICE, "status": "succeeded"}
    till.hear(booking, refunds=[ours])

    refused(f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "gone"}}, "retryable": false}}]', till)

    assert [row["status"] for row in refunds(till)] == ["succeeded"]
    assert "refund.failed" not in till.topics()


def test_a_refund_that_stripe_was_thought_to_refuse_and_made_is_settled(till):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    refused(f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "gone"}}, "retryable": false}}]', till)
    assert [row["status"] for row in refunds(till)] == ["failed"]

    ours = {"stripe_id": "re_1", "refund_id": str(claimed["refund_id"]), "amount_cents": PRICE, "status": "succeeded"}
    till.hear(booking, refunds=[ours])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


@pytest.mark.parametrize("sent", [False, True])
def test_what_somebody_gave_back_at_stripe_while_we_were_about_to_is_ours(till, sent):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    refusal = f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "done"}}, "retryable": false}}]'
    if sent:
        refused(refusal, till)

    till.hear(booking, refunds=[dashboard_refund(1, PRICE)])
    till.hear(booking, refunds=[dashboard_refund(1, PRICE)])
    refused(refusal, till)

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}
    till.db.execute("update payments.refunds set available_at = now()")
    assert till.claim("refunds") == []


def test_what_somebody_gave_back_of_a_payment_that_came_too_late_is_not_given_back_twice(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.cancel(booking, customer)
    till.hear(booking)

    till.hear(booking, refunds=[dashboard_refund(1, PRICE)])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.claim("refunds") == []
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


@pytest.mark.parametrize("sent", [False, True])
def test_a_part_that_somebody_gave_back_of_what_we_were_about_to_leaves_us_the_rest(till, sent):
    customer = till.stage.customer()
    booking = paid(till, customer)
    till.cancel(booking, customer)
    (claimed,) = till.claim("refunds")
    if sent:
        refused(f'[{{"refund_id": "{claimed["refund_id"]}", "error": {{"code": "much"}}, "retryable": false}}]', till)

    for _ in range(2):
        till.hear(booking, refunds=[dashboard_refund(1, 3000)])

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


def test_a_refund_that_failed_and_that_somebody_sent_again_at_stripe_is_settled(till):
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
    till.hear(booking, refunds=[failed])

    for _ in range(2):
        till.hear(booking, refunds=[failed, dashboard_refund(1, PRICE)])

    assert refunds(till) == [{"status": "succeeded", "cents": PRICE, "stripe_refund_id": "re_1"}]
    assert till.balances() == {"platform clearing": -320, "platform fees": 320}


def test_a_part_given_back_at_stripe_beside_a_part_of_ours_is_another_one(till):
    booking = paid(till)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 3000, idempotency_key => 'a')"
    routines.call(till.db, till.stage.owner, query, [booking["id"]])

    till.hear(booking, refunds=[dashboard_refund(1, 3000)])

    assert [(row["status"], row["cents"]) for row in refunds(till)] == [("created", 3000), ("succeeded", 3000)]


def test_a_part_given_back_at_stripe_that_failed_and_was_reopened_is_not_failed_by_old_news(till):
    booking = paid(till)
    failed = dashboard_refund(1, 3000, "failed")
    till.hear(booking, refunds=[failed])
    refund_id = till.db.execute("select id from payments.refunds").fetchone()["id"]
    routines.call(till.db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [refund_id])

    till.hear(booking, refunds=[failed])
    assert [row["status"] for row in refunds(till)] == ["created"]
    (sent,) = till.claim("refunds")
    ours = {
        "stripe_id": "re_2",
        "refund_id": str(refund_id),
        "key": sent["idempotency_key"],
        "amount_cents": 3000,
        "status": "succeeded",
    }
    till.hear(booking, refunds=[failed, ours])

    assert refunds(till) == [{"status": "succeeded", "cents": 3000, "stripe_refund_id": "re_2"}]
    assert till.balances()["platform clearing"] == PRICE - 320 - 3000


def test_a_late_cancellation_costs_its_fee_also_after_a_part_went_back(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = paid(till, customer)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 5000, idempotency_key => 'a')"
    routines.call(db, till.stage.owner, query, [booking["id"]])

    till.cancel(booking, customer)

    assert [row["cents"] for row in refunds(till)] == [5000, 2000]


def test_a_late_cancellation_after_more_than_all_but_the_fee_went_back_gives_nothing_more(db):
    till = CardBookings(db, cancel_hours_before=2160, late_fee_cents=3000)
    customer = till.stage.customer()
    booking = paid(till, customer)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 8000, idempotency_key => 'a')"
    routines.call(db, till.stage.owner, query, [booking["id"]])

    assert till.cancel(booking, customer)["status"] == "cancelled"
    assert [row["cents"] for row in refunds(till)] == [8000]


def test_a_late_payment_of_somebody_who_was_erased_goes_back(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    routines.call(till.db, None, "select events.expire_holds(at => now() + interval '16 minutes')")
    routines.call(till.db, customer, "select users.erase_profile(user_id => %s)", [customer])

    assert till.hear(booking)["did"] == ["returned"]
    assert till.seats() == {"taken": 0, "held": 0}


def test_a_dispute_in_another_currency_is_booked_in_its_own(till):
    booking = paid(till)
    dispute = {"stripe_id": "dp_1", "amount_cents": 9000, "currency": "eur", "reason": None}

    till.hear(booking, disputes=[{**dispute, "status": "needs_response"}])

    rows = till.db.execute(
        "select currency, amount_cents::int as cents from payments.trial_balance() where type = 'clearing'"
    ).fetchall()
    assert {row["currency"]: row["cents"] for row in rows} == {"CHF": PRICE - 320, "EUR": -9000}
    till.hear(booking, disputes=[{**dispute, "status": "won"}])
    assert till.balances() == SOLD


def test_whoever_is_erased_waits_for_all_events_before_touching_the_wallet(till, connect):
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
    assert (live, left) == (0, 0)  # what was given lapses with the person


def test_news_of_a_payment_locks_its_refunds_in_the_order_of_those_who_send_them(till, connect):
    booking = paid(till)
    query = "select payments.refund_booking(booking_id => %s, amount_cents => 1000, idempotency_key => %s)"
    for key in ("a", "b"):
        routines.call(till.db, till.stage.owner, query, [booking["id"], key])
    first, second = (row["refund_id"] for row in sorted(till.claim("refunds"), key=lambda row: row["refund_id"]))
    other = connect(autocommit=False)
    other.execute("select from payments.refunds where id = %s for update", [first])
    teller = connect()
    # By Stripe's ids the second comes first.
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
