"""Several desks at one till at the same time: closings, takings and payouts wait for each other and lose nothing."""

from uuid import uuid4

import pytest

from tests.kit import money_invariants, routines
from tests.kit.concurrency import InBackground, run_together, wait_for_a_lock
from tests.kit.money_figures import Till
from tests.kit.wallets import PRICE

BOOK = """
select events.book(
    event_id => %s, customer_id => %s, payment_method => 'cash', guest => true, idempotency_key => %s
)
"""
CLOSE = "select payments.close_till(organization_id => %s, counted_cents => %s)"
PAY_OUT = "select payments.pay_out_refund(refund_id => %s, idempotency_key => %s)"
REMOVE = "delete from organizations.memberships where user_id = %s"


@pytest.fixture
def till(db):
    till = Till(db, capacity=None, cancel_hours_before=0)
    yield till
    assert money_invariants.findings(db) == []


def sell(till, connection, caller=None):
    given = [till.event_id, till.booker, uuid4().hex]
    return routines.call(connection, caller or till.owner, BOOK, given)


def close(till, connection, cents, caller=None):
    return routines.call(connection, caller or till.owner, CLOSE, [till.stage.organization_id, cents])


def test_two_closings_of_a_day_store_one_count(till, connect):
    sell(till, till.db)
    counts = [PRICE, PRICE - 100, PRICE + 300]

    results = run_together(connect, counts, lambda connection, cents: close(till, connection, cents))

    stored = [result for result in results if isinstance(result, dict)]
    assert [result for result in results if not isinstance(result, dict)] == ["till_closed"] * 2
    rows = till.db.execute("select counted_cents from payments.till_closings").fetchall()
    assert [row["counted_cents"] for row in rows] == [stored[0]["counted_cents"]]


def test_closing_waits_for_a_sale_and_counts_it(till, connect):
    selling, closing = connect(autocommit=False), connect()
    sell(till, till.db)
    sell(till, selling)
    waiting = InBackground(lambda: close(till, closing, 2 * PRICE))
    wait_for_a_lock(till.db, "%close_till%")

    selling.commit()

    assert waiting.got()["taken"]["cash_cents"] == 2 * PRICE


def test_sale_that_waits_for_a_closing_counts_for_the_next_day(till, connect):
    closing, selling = connect(autocommit=False), connect()
    sell(till, till.db)
    close(till, closing, PRICE)
    waiting = InBackground(lambda: sell(till, selling))
    wait_for_a_lock(till.db, "%events.book%")

    closing.commit()

    assert waiting.got()
    report = till.report()
    assert (report["opening_cents"], report["taken"]["cash_cents"]) == (PRICE, PRICE)


def test_desks_take_money_at_the_same_time_without_waiting(till, connect):
    first, second = connect(autocommit=False), connect()
    other_event = till.event(capacity=None)
    sell(till, till.db)
    sell(till, first)

    given = [other_event, till.stage.customer(), uuid4().hex]
    second.execute("set lock_timeout = '5s'")
    assert routines.call(second, till.owner, BOOK, given)
    first.commit()
    assert till.report()["taken"]["cash_cents"] == 3 * PRICE


def test_last_cash_is_paid_out_once(till, connect):
    for _ in range(2):
        till.cancel(till.take("cash"))
    query = "select payments.transfer_cash(%s, %s, 'change', 'To the bank.')"
    till.call(query, till.stage.organization_id, -PRICE)
    ids = [row["id"] for row in till.db.execute("select id from payments.refunds").fetchall()]

    results = run_together(
        connect, ids, lambda connection, refund: routines.call(connection, till.owner, PAY_OUT, [refund, uuid4().hex])
    )

    assert sorted(result if isinstance(result, str) else "paid" for result in results) == ["paid", "till_short"]
    assert till.report()["expected_cents"] == 0


def test_two_desks_pay_a_refund_out_once(till, connect):
    till.take("cash")
    till.cancel(till.take("cash"))
    refund_id = till.db.execute("select id from payments.refunds").fetchone()["id"]

    results = run_together(
        connect, "ab", lambda connection, key: routines.call(connection, till.owner, PAY_OUT, [refund_id, key])
    )

    assert sorted(result if isinstance(result, str) else "paid" for result in results) == ["nothing_to_refund", "paid"]
    assert till.report()["expected_cents"] == PRICE


def test_removed_clerk_who_waits_for_the_till_takes_no_money(till, connect):
    closing, selling = connect(autocommit=False), connect()
    clerk = till.stage.member("front_desk")
    sell(till, till.db)
    close(till, closing, PRICE)
    waiting = InBackground(lambda: sell(till, selling, clerk))
    wait_for_a_lock(till.db, "%events.book%")

    till.db.execute(REMOVE, [clerk])
    closing.commit()

    assert waiting.got() == "forbidden"


def test_removed_clerk_who_waits_for_the_till_closes_nothing(till, connect):
    selling, closing = connect(autocommit=False), connect()
    clerk = till.stage.member("front_desk")
    sell(till, till.db)
    sell(till, selling)
    waiting = InBackground(lambda: close(till, closing, PRICE, clerk))
    wait_for_a_lock(till.db, "%close_till%")

    till.db.execute(REMOVE, [clerk])
    selling.commit()

    assert waiting.got() == "forbidden"
    assert till.db.execute("select from payments.till_closings").fetchall() == []
