"""Reconciliation of Stripe's balance with the clearing account, and the organizer's statement."""

from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from tests.kit import routines
from tests.kit.payments import PRICE, CardBookings


@pytest.fixture
def till(db):
    return CardBookings(db)


def store(db, *transactions):
    return routines.call(db, None, "select payments.store_balance_transactions(%s)", [Jsonb(list(transactions))])


def balance_transaction(id, type, source, amount, fee=0):
    return {
        "id": id,
        "type": type,
        "source_id": source,
        "amount_cents": amount,
        "fee_cents": fee,
        "net_cents": amount - fee,
        "currency": "chf",
        "created_at": datetime.now(UTC).isoformat(),
    }


def reconcile(db, hours=4):
    return routines.call(db, None, "select payments.reconcile(at => now() + make_interval(hours => %s))", [hours])


def differences(db):
    query = "select source_id, reason, stripe_cents, ledger_cents from payments.differences where resolved_at is null"
    return db.execute(query).fetchall()


def test_matching_balances_have_no_differences(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    till.cancel(booking, customer)
    (refund,) = till.send_refunds()

    store(
        till.db,
        balance_transaction("txn_1", "charge", "ch_1", PRICE, 320),
        balance_transaction("txn_2", "refund", f"re_{refund['refund_id']}", -PRICE),
        balance_transaction("txn_3", "payout", "po_1", -5000),
        balance_transaction("txn_4", "stripe_fee", None, -200),
    )

    assert reconcile(till.db) == {"opened": 0, "resolved": 0, "open": 0}
    assert till.balances()["platform cash"] == 5000
    assert till.balances()["platform fees"] == 520


def test_balance_transaction_listed_twice_is_posted_once(till):
    payout = balance_transaction("txn_1", "payout", "po_1", -5000)

    assert [store(till.db, payout) for _ in range(2)] == [1, 0]
    assert till.balances() == {"platform cash": 5000, "platform clearing": -5000}


@pytest.mark.parametrize(
    ("at_stripe", "reason", "stripe_cents", "ledger_cents"),
    [
        ([balance_transaction("txn_1", "charge", "ch_1", PRICE, 500)], "amount_differs", PRICE - 500, PRICE - 320),
        ([], "not_at_stripe", 0, PRICE - 320),
    ],
)
def test_difference_has_its_reason(till, at_stripe, reason, stripe_cents, ledger_cents):
    till.apply_payment(till.book(till.stage.customer()))
    store(till.db, *at_stripe)

    assert reconcile(till.db)["opened"] == 1

    assert differences(till.db) == [
        {"source_id": "ch_1", "reason": reason, "stripe_cents": stripe_cents, "ledger_cents": ledger_cents}
    ]
    assert till.topics()[-1] == "reconciliation.differs"


def test_payment_known_only_to_stripe_differs_until_it_is_posted(till):
    booking = till.book(till.stage.customer())
    store(till.db, balance_transaction("txn_1", "charge", "ch_1", PRICE, 320))

    assert reconcile(till.db) == {"opened": 1, "resolved": 0, "open": 1}
    assert [row["reason"] for row in differences(till.db)] == ["not_in_ledger"]
    assert reconcile(till.db) == {"opened": 0, "resolved": 0, "open": 1}

    till.apply_payment(booking)
    assert reconcile(till.db) == {"opened": 0, "resolved": 1, "open": 0}


def test_recent_payment_is_not_a_difference_yet(till):
    till.apply_payment(till.book(till.stage.customer()))

    assert reconcile(till.db, hours=1) == {"opened": 0, "resolved": 0, "open": 0}


def test_health_figures_warn_of_differences(till):
    till.apply_payment(till.book(till.stage.customer()))
    reconcile(till.db)

    figures = {
        row["name"]: (row["value"], row["status"])
        for row in till.db.execute("select * from payments.ledger_figures()").fetchall()
    }

    assert figures["ledger_unbalanced_currencies"] == (0, "healthy")
    assert figures["reconciliation_differences"] == (1, "warning")


def statement(till, caller, days=0):
    query = (
        "select payments.organizer_statement(organization_id => %s, first_day => current_date - 1 + %s,"
        " last_day => current_date + 1 + %s)"
    )
    return routines.call(till.db, caller, query, [till.stage.organization_id, days, days])


def test_statement_movements_lead_from_opening_to_closing_balance(till):
    customer = till.stage.customer()
    booking = till.book(customer)
    till.apply_payment(booking)
    till.apply_payment(till.book(till.stage.customer()))
    till.cancel(booking, customer)

    told = statement(till, till.stage.owner)

    assert (told["opening_cents"], told["closing_cents"]) == (0, 9500)
    assert told["movements"] == [
        {"kind": "refund", "count": 1, "amount_cents": -9500},
        {"kind": "sale", "count": 2, "amount_cents": 19000},
    ]
    assert told["opening_cents"] + sum(line["amount_cents"] for line in told["movements"]) == told["closing_cents"]


def test_statement_is_the_same_before_and_after_sealing(till):
    till.apply_payment(till.book(till.stage.customer()))
    before = statement(till, till.stage.owner)
    routines.call(till.db, None, "select payments.seal_entries(until => now() + interval '1 minute')")

    assert statement(till, till.stage.owner) == before
    later = statement(till, till.stage.owner, days=10)
    assert (later["opening_cents"], later["movements"], later["closing_cents"]) == (9500, [], 9500)


@pytest.mark.parametrize("who", ["customer", "viewer", "front_desk"])
def test_statement_is_hidden_from_customers_and_other_roles(till, who):
    caller = till.stage.customer() if who == "customer" else till.stage.member(who)

    with pytest.raises(Exception) as refused:
        statement(till, caller)

    assert routines.code_of(refused.value) == "organization_not_found"
