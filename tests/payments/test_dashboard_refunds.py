"""Refunds made at Stripe's dashboard are posted to the cent, even beyond the remaining amount of the sale."""

import psycopg
import pytest

from tests.kit import money_invariants, routines
from tests.kit.packages import apply_payment, buy, offer, refund
from tests.kit.payments import DISPUTE, PRICE, CardBookings, dashboard_refund, paid
from tests.kit.wallets import CreditBookings

FEE = 320


@pytest.fixture
def till(db):
    till = CardBookings(db)
    yield till
    assert money_invariants.findings(db) == []


def refund_part(till, booking, cents, destination="original"):
    query = (
        "select payments.refund_booking(booking_id => %s, amount_cents => %s, destination => %s, idempotency_key => %s)"
    )
    return routines.call(till.db, till.stage.owner, query, [booking["id"], cents, destination, f"{cents}"])


def spend(till, booking, cents):
    """Book another event with the customer's wallet."""
    query = "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => 'spend')"
    routines.call(till.db, booking["customer_id"], query, [till.event(price_cents=cents)])


def refund_rows(till):
    """Return the refunds in the order of their creation."""
    rows = till.db.execute(
        "select status::text, amount_cents::int as cents, sold, beyond, destination from payments.refunds order by id"
    ).fetchall()
    return [tuple(row.values()) for row in rows]


def test_excess_dashboard_refund_is_recorded_separately_and_staff_are_notified(till):
    booking = paid(till)
    refund_part(till, booking, 7000, "wallet")
    spend(till, booking, 7000)

    for _time in range(2):
        till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])

    assert refund_rows(till) == [
        ("succeeded", 7000, True, False, "wallet"),
        ("succeeded", 3000, True, False, "original"),
        ("succeeded", 7000, False, True, "original"),
    ]
    row = till.db.execute("select status_reason, stripe_refund_id from payments.refunds where beyond").fetchone()
    assert row == {
        "status_reason": "More was refunded at Stripe than was due: the customer owes the excess.",
        "stripe_refund_id": "re_1",
    }
    assert till.balances() == {
        "platform clearing": -FEE,
        "platform fees": FEE,
        "organization receivable": -6650,
        "platform revenue": -350,
        "user cash": 7000,
    }
    assert till.topics().count("refund.exceeded") == 1
    assert till.status(booking) == "refunded"


def test_dashboard_refund_after_a_full_refund_is_all_excess(till):
    booking = paid(till)
    refund_part(till, booking, PRICE, "wallet")
    spend(till, booking, PRICE)

    till.apply_payment(booking, refunds=[dashboard_refund(1, 4000)])

    assert refund_rows(till)[1:] == [("succeeded", 4000, False, True, "original")]
    assert till.balances()["user cash"] == 4000


def test_wallet_refund_of_the_same_payment_pays_for_an_excess_refund(till):
    booking = paid(till)
    refund_part(till, booking, 7000, "wallet")
    spend(till, booking, 2000)

    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE, "failed")])

    lots = till.db.execute("select amount::int, remaining::int from payments.credit_lots order by id").fetchall()
    assert [tuple(row.values()) for row in lots] == [(7000, 0), (5000, 5000)]
    assert till.balances()["user cash"] == -3000


def test_failed_excess_refund_is_neither_owed_nor_resent(till):
    booking = paid(till)
    refund_part(till, booking, 7000, "wallet")
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])

    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE, "failed")])
    (beyond,) = till.db.execute("select id from payments.refunds where beyond").fetchall()
    with pytest.raises(psycopg.Error) as refused:
        routines.call(till.db, till.stage.owner, "select payments.reopen_refund(refund_id => %s)", [beyond["id"]])

    assert routines.code_of(refused.value) == "nothing_to_refund"
    assert till.balances()["user cash"] == -3000
    assert till.topics().count("refund.failed") == 1
    figures = till.db.execute("select value from payments.ledger_figures() where name = 'refunds_failed'").fetchone()
    assert figures["value"] == 1


def test_second_excess_refund_is_owed_after_the_first_was_written_off_and_failed(till):
    booking = paid(till)
    refund_part(till, booking, 7000, "wallet")
    spend(till, booking, 7000)
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    (beyond,) = till.db.execute("select id from payments.refunds where beyond").fetchall()
    query = "select payments.settle_debt(refund_id => %s, outcome => 'forgiven')"
    routines.call(till.db, till.stage.owner, query, [beyond["id"]])
    failed = dashboard_refund(1, PRICE, "failed")
    till.apply_payment(booking, refunds=[failed])

    till.apply_payment(booking, refunds=[failed, dashboard_refund(2, PRICE)])

    debts = """
        select r.status::text, payments.refund_debt_status(r) as debt
        from payments.refunds as r where r.beyond order by r.id
    """
    assert [tuple(row.values()) for row in till.db.execute(debts).fetchall()] == [
        ("failed", None),
        ("succeeded", "owed"),
    ]
    assert till.balances()["user cash"] == 7000


def test_failed_excess_refund_does_not_count_as_refunded_in_a_dispute(till):
    booking = paid(till)
    refund_part(till, booking, 7000, "wallet")
    failed = dashboard_refund(1, PRICE, "failed")
    till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE)])
    till.apply_payment(booking, refunds=[failed])

    till.apply_payment(booking, refunds=[failed], disputes=[{**DISPUTE, "status": "lost"}])

    assert refund_rows(till) == [
        ("succeeded", 7000, True, False, "wallet"),
        ("succeeded", 3000, True, False, "dispute"),
        ("failed", 7000, False, True, "original"),
        ("succeeded", 7000, False, True, "dispute"),
    ]
    assert till.db.execute("select sum(remaining)::int as cents from payments.credit_lots").fetchone() == {"cents": 0}
    assert "user cash" not in till.balances()


@pytest.mark.parametrize("order", [["succeeded"], ["pending", "succeeded"], ["pending", "pending", "succeeded"]])
def test_one_dashboard_refund_completes_several_requested_refunds(till, order):
    booking = paid(till)
    refund_part(till, booking, 2000)
    refund_part(till, booking, 5000)

    for status in order:
        till.apply_payment(booking, refunds=[dashboard_refund(1, PRICE, status)])

    assert sorted(refund_rows(till)) == [
        ("succeeded", 2000, True, False, "original"),
        ("succeeded", 3000, True, False, "original"),
        ("succeeded", 5000, True, False, "original"),
    ]
    assert till.balances() == {"platform clearing": -FEE, "platform fees": FEE}
    till.db.execute("update payments.refunds set available_at = now()")
    assert till.claim("refunds") == []


def test_failed_dashboard_refund_is_not_imported_again_after_a_reopening(till):
    booking = paid(till)
    refund_part(till, booking, 3000, "wallet")
    refund_part(till, booking, 5000)
    till.apply_payment(booking, refunds=[dashboard_refund(1, 5000)])
    failed = dashboard_refund(1, 5000, "failed")
    till.apply_payment(booking, refunds=[failed])
    query = "select payments.reopen_refund(refund_id => %s)"
    row = till.db.execute("select id from payments.refunds where status = 'failed'").fetchone()
    routines.call(till.db, till.stage.owner, query, [row["id"]])
    before = refund_rows(till)

    till.apply_payment(booking, refunds=[failed])

    assert (
        refund_rows(till)
        == before
        == [
            ("succeeded", 3000, True, False, "wallet"),
            ("created", 5000, True, False, "original"),
        ]
    )


def test_unknown_refund_with_our_metadata_is_imported(till):
    booking = paid(till)
    made = refund_part(till, booking, 3000)
    till.send_refunds()
    sent_twice = {**dashboard_refund(9, 3000), "refund_id": made["id"], "key": "refund-of-another-time"}

    till.apply_payment(booking, refunds=[{**dashboard_refund(0, 3000), "stripe_id": f"re_{made['id']}"}, sent_twice])

    assert till.balances()["platform clearing"] == PRICE - FEE - 6000


def test_dashboard_refund_completes_a_pending_package_refund(db):
    desk = CreditBookings(db)
    purchase = buy(desk, desk.customer(), offer(desk))
    apply_payment(desk, purchase)
    refund(desk, purchase)

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, 20000)])

    assert desk.balances() == {}
    assert db.execute("select status::text from payments.refunds").fetchall() == [{"status": "succeeded"}]
