"""Credits end with the payment that bought them: refunds at Stripe, disputes, and promotions of refunded bookings."""

import threading
from uuid import uuid4

import psycopg
import pytest

from tests.kit import money_invariants, routines
from tests.kit.packages import apply_payment, refund
from tests.kit.payments import DISPUTE, CardBookings, dashboard_refund, paid
from tests.kit.wallets import PRICE, CreditBookings
from tests.kit.withdrawn_payments import (
    BONUS,
    PAID,
    bought,
    bought_pass,
    dispute,
    pay,
    pay_invoice,
    promoted,
    promotion,
    refunds,
    remaining,
    sale_refunds,
    settle,
    spend,
)


@pytest.fixture
def desk(db):
    desk = CreditBookings(db)
    yield desk
    assert desk.findings() == []
    assert money_invariants.findings(db) == []


def code(call, *arguments):
    with pytest.raises(psycopg.Error) as refused:
        call(*arguments)
    return routines.code_of(refused.value)


def test_refund_at_stripe_takes_back_a_package_and_leaves_nothing_to_refund(desk):
    customer, purchase = bought(desk)

    for _time in range(2):
        apply_payment(desk, purchase, refunds=[dashboard_refund(1, PAID)])

    assert remaining(desk, customer) == 0
    again = refund(desk, purchase)
    assert (again["status"], again["refunded_cents"]) == ("refunded", PAID)
    assert refunds(desk) == [(PAID, "original", "succeeded")]
    assert desk.balances() == {}


@pytest.mark.parametrize(("cents", "left"), [(5000, 6000), (2500, 9000), (1, 11998)])
def test_partial_refund_at_stripe_takes_back_credits_in_proportion(desk, cents, left):
    customer, purchase = bought(desk)

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, cents)])

    assert remaining(desk, customer) == left
    done = refund(desk, purchase)
    assert (done["status"], done["refunded_cents"]) == ("refunded", PAID)
    assert sum(cents for cents, *_rest in refunds(desk)) == PAID
    assert desk.balances()["user cash"] == cents - PAID


def test_partial_refund_of_a_pass_takes_back_whole_units_once_over_all_refunds(desk):
    customer, purchase = bought_pass(desk)

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, 3000)])
    assert remaining(desk, customer) == 8
    apply_payment(desk, purchase, refunds=[dashboard_refund(1, 3000), dashboard_refund(2, 3000)])
    assert remaining(desk, customer) == 7

    assert refund(desk, purchase)["refunded_cents"] == 20000
    assert desk.balances() == {"platform clearing": 14000, "user cash": -14000}


def test_spent_credits_of_a_refund_at_stripe_become_a_debt(desk):
    customer, purchase = bought(desk)
    spend(desk, customer, 3000)

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, PAID)])

    assert remaining(desk, customer) == 0
    assert refunds(desk) == [(7000, "original", "succeeded"), (3000, "original", "succeeded", "owed", 3000)]
    assert desk.balances() == {
        "organization receivable": -2850, "platform revenue": -150, "user cash": 3000,
    }  # fmt: skip
    settle(desk)
    assert "user cash" not in desk.balances()


def test_expired_credits_of_a_refund_at_stripe_are_the_organizers_expense(desk):
    _customer, purchase = bought(desk, valid_days=30)
    assert desk.expire("31 days")["lapsed_cents"] == PAID + BONUS

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, PAID)])

    assert refunds(desk) == [(PAID, "original", "succeeded")]
    assert desk.balances() == {}


def test_spent_bonus_is_deducted_from_the_refund_of_its_package(desk):
    customer, purchase = bought(desk)
    desk.db.execute("update payments.credit_lots set expires_at = now() + interval '9 days' where source = 'promotion'")
    spend(desk, customer, 1500)

    assert refund(desk, purchase)["refunded_cents"] == PAID - 1500
    assert remaining(desk, customer) == 0


def test_reopened_refund_does_not_pay_a_refund_at_stripe_twice(desk):
    customer, purchase = bought(desk)
    refund(desk, purchase)
    (sent,) = desk.db.execute("select refund_id::text from payments.claim_refunds()").fetchall()
    refused = f'[{{"refund_id": "{sent["refund_id"]}", "error": {{"message": "refunded"}}, "retryable": false}}]'
    routines.call(desk.db, None, "select payments.record_refunds(%s::text::jsonb)", [refused])
    query = "select payments.reopen_refund(refund_id => %s, destination => 'wallet')"
    routines.call(desk.db, desk.stage.owner, query, [sent["refund_id"]])
    assert remaining(desk, customer) == PAID
    spend(desk, customer, 4000)

    apply_payment(desk, purchase, refunds=[dashboard_refund(1, PAID)])

    assert remaining(desk, customer) == 0
    assert refunds(desk) == [(PAID, "wallet", "succeeded"), (PAID, "original", "succeeded", "owed", 4000)]


def test_disputed_credits_are_frozen_and_released_when_the_dispute_is_won(desk):
    customer, purchase = bought(desk, valid_days=30)
    _customer, tickets = bought_pass(desk, customer, valid_days=30)
    dispute(desk, purchase, "needs_response")
    dispute_of_pass = {**DISPUTE, "stripe_id": "dp_2", "amount_cents": 20000, "status": "needs_response"}
    apply_payment(desk, tickets, disputes=[dispute_of_pass])

    assert desk.refusal(customer, "wallet") == "insufficient_funds"
    assert desk.refusal(customer, "pass") == "insufficient_credits"
    assert desk.db.execute("select count(*) as n from payments.credits").fetchone()["n"] == 0
    # The time of the dispute is not taken from the credits.
    desk.db.execute("update payments.credit_lots set frozen_at = frozen_at - interval '40 days',"
                    " expires_at = expires_at - interval '40 days'")  # fmt: skip
    assert desk.expire()["lots"] == 0

    dispute(desk, purchase, "won")
    apply_payment(desk, tickets, disputes=[{**dispute_of_pass, "status": "won"}])

    assert remaining(desk, customer) == PAID + BONUS + 10
    desk.book(customer, "wallet")
    desk.book(customer, "pass", guest=True)


def test_credits_lapse_and_spent_credits_are_owed_when_the_dispute_is_lost(desk):
    customer, purchase = bought(desk)
    booking = spend(desk, customer, 3000)
    dispute(desk, purchase, "needs_response")

    for _time in range(2):
        dispute(desk, purchase, "lost")

    assert remaining(desk, customer) == 0
    assert refunds(desk) == [(7000, "dispute", "succeeded"), (3000, "dispute", "succeeded", "owed", 3000)]
    assert desk.balances() == {
        "organization receivable": -2850, "platform revenue": -150, "user cash": 3000,
    }  # fmt: skip
    assert refund(desk, purchase)["refunded_cents"] == 7000

    # The seat is given back: its credits pay the debt, and cannot be spent.
    desk.cancel(booking, customer)
    assert remaining(desk, customer) == 0
    assert refunds(desk)[1] == (3000, "dispute", "succeeded", "recovered", 0)
    assert desk.balances() == {}


def test_units_returned_to_a_lost_pass_reduce_the_debt(desk):
    customer, purchase = bought_pass(desk)
    booking = desk.book(customer, "pass", seats=3)
    desk.book(customer, "pass", event_id=desk.event())
    dispute(desk, purchase, "needs_response")
    desk.cancel(booking, customer)
    assert desk.refusal(customer, "pass", seats=1, event_id=desk.event()) == "insufficient_credits"

    dispute(desk, purchase, "lost")

    assert refunds(desk) == [(18000, "dispute", "succeeded"), (2000, "dispute", "succeeded", "owed", 2000)]
    assert remaining(desk, customer) == 0


def test_partial_lost_dispute_takes_back_its_share(desk):
    customer, purchase = bought(desk)

    dispute(desk, purchase, "lost", 4000)

    assert remaining(desk, customer) == 7200
    desk.book(customer, "wallet", event_id=desk.event(price_cents=7200))


def test_dispute_of_a_refunded_payment_is_a_debt_beyond_its_price(desk):
    _customer, purchase = bought(desk)
    made = dashboard_refund(1, PAID)
    apply_payment(desk, purchase, refunds=[made])

    for _time in range(2):
        apply_payment(desk, purchase, refunds=[made], disputes=[{**DISPUTE, "status": "lost"}])

    assert refunds(desk) == [(PAID, "original", "succeeded"), (PAID, "dispute", "succeeded", "owed", PAID)]


def test_dispute_won_after_a_loss_reverses_the_debt(desk):
    customer, purchase = bought(desk)
    spend(desk, customer, 3000)
    dispute(desk, purchase, "lost")

    dispute(desk, purchase, "won")

    assert refunds(desk) == [(7000, "original", "failed"), (3000, "original", "failed")]
    assert desk.balances()["user cash"] == -7000


@pytest.mark.parametrize("spent", [0, 4000])
def test_wallet_refund_ends_with_the_lost_dispute_of_its_payment(db, spent):
    till = CardBookings(db, refund_to="wallet")
    booking = paid(till, customer := till.stage.customer())
    till.cancel(booking, customer)
    if spent:
        event_id = till.event(price_cents=spent)
        query = "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => 'x')"
        routines.call(db, customer, query, [event_id])

    till.apply_payment(booking, disputes=[{**DISPUTE, "status": "needs_response"}])
    assert db.execute("select count(*) as n from payments.credits").fetchone()["n"] == 0
    till.apply_payment(booking, disputes=[{**DISPUTE, "status": "lost"}])

    left = db.execute("select sum(remaining)::int as cents from payments.credit_lots").fetchone()["cents"]
    assert (left, till.balances().get("user cash", 0)) == (0, spent)
    assert money_invariants.findings(db) == []


# Promotions.


@pytest.mark.parametrize("method", ["card", "wallet", "invoice"])
@pytest.mark.parametrize("by", ["customer", "organizer", "staff"])
def test_spent_promotion_is_deducted_from_the_refund(desk, method, by):
    promotion(desk)
    customer, booking = promoted(desk, method)
    spend(desk, customer, 1500)

    match by:
        case "customer":
            desk.cancel(booking, customer)
        case "organizer":
            desk.cancel_event()
        case _:
            desk.cancel(booking, waive=True)

    assert sale_refunds(desk, booking) == [PRICE - 1500]
    assert remaining(desk, customer) == (0 if method == "card" else PRICE - 1500)


def test_credits_of_a_booking_by_invoice_are_granted_when_it_is_paid(desk):
    promotion(desk)
    customer = desk.customer()
    desk.allow_invoices()
    booking = desk.book(customer, "invoice", promo_code="BONUS")
    assert desk.lots(customer) == []

    for _ in range(2):
        pay_invoice(desk, booking)

    assert desk.lots(customer) == [(BONUS, BONUS)]


def test_invoice_of_a_late_cancellation_grants_no_credits(db):
    desk = CreditBookings(db, cancel_hours_before=2160, late_refund_percent=50)
    promotion(desk)
    customer = desk.customer()
    desk.allow_invoices()
    booking = desk.book(customer, "invoice", promo_code="BONUS")
    desk.cancel(booking, customer)

    pay_invoice(desk, booking)

    assert (desk.lots(customer), desk.findings(), money_invariants.findings(db)) == ([], [], [])


@pytest.mark.parametrize("method", ["card", "wallet", "invoice"])
def test_erasure_returns_the_price_and_the_spent_promotion_once(desk, method):
    promotion(desk)
    customer, _booking = promoted(desk, method)
    spend(desk, customer, 1500)

    routines.call(desk.db, customer, "select users.erase_profile(user_id => %s)", [customer])

    back = -desk.balances().get("user cash", 0) - desk.balances().get("organization unclaimed", 0)
    assert (back, remaining(desk, customer)) == (PRICE if method == "card" else back, 0)
    assert back <= PRICE


def test_deducted_promotion_belongs_to_the_customer_afterwards(desk):
    promotion(desk)
    customer, booking = promoted(desk)
    other = spend(desk, customer, 1500)
    desk.cancel(booking, customer)

    desk.cancel(other, customer)

    assert remaining(desk, customer) == 1500
    spend(desk, customer, 1500)
    query = "select payments.refund_booking(booking_id => %s, idempotency_key => 'rest')"
    assert code(routines.call, desk.db, desk.stage.owner, query, [booking["id"]]) == "nothing_to_refund"


def test_promotion_beyond_the_price_is_owed_and_paid_by_returned_credits(desk):
    promotion(desk)
    customer, booking = promoted(desk, event_id=desk.event(price_cents=500))
    other = spend(desk, customer, 1500)

    desk.cancel(booking, customer)

    assert sale_refunds(desk, booking) == []
    assert refunds(desk) == [(1000, "wallet", "succeeded", "owed", 1000)]
    desk.cancel(other, customer)
    assert refunds(desk)[0] == (1000, "wallet", "succeeded", "recovered", 0)
    assert remaining(desk, customer) == 500


@pytest.mark.parametrize("price", [PRICE, 1000], ids=["the refund covers it", "a part is owed"])
@pytest.mark.parametrize("batches", [[0, 1], [1, 0], None], ids=["grant first", "spending first", "in one batch"])
def test_spent_promotion_is_settled_alike_however_the_organizer_cancels(desk, price, batches):
    promotion(desk)
    event_ids = [desk.event(price_cents=price), desk.event(price_cents=BONUS)]
    customer, booking = promoted(desk, event_id=event_ids[0])
    desk.book(customer, "wallet", event_id=event_ids[1])

    for batch in [event_ids] if batches is None else [[event_ids[number]] for number in batches]:
        desk.db.execute("select events.cancel_events(%s, 'Closed.')", [batch])

    assert sum(sale_refunds(desk, booking)) + remaining(desk, customer) == price
    assert [row for row in refunds(desk) if "owed" in row] == []


def test_grants_that_paid_for_each_other_are_settled_in_one_batch(desk):
    promotion(desk)
    promotion(desk, code="SECOND", cents=1000)
    event_ids = [desk.event(price_cents=cents) for cents in (PRICE, BONUS, 1000)]
    customer, booking = promoted(desk, event_id=event_ids[0])
    desk.book(customer, "wallet", promo_code="SECOND", event_id=event_ids[1])
    desk.book(customer, "wallet", event_id=event_ids[2])

    desk.db.execute("select events.cancel_events(%s, 'Closed.')", [event_ids])

    assert sum(sale_refunds(desk, booking)) + remaining(desk, customer) == PRICE


def test_full_refund_at_stripe_ends_the_promotion_of_its_booking(desk):
    promotion(desk)
    customer, booking = promoted(desk)
    spend(desk, customer, 1500)

    pay(desk, booking, refunds=[dashboard_refund(1, PRICE)])

    assert desk.status(booking) == "refunded"
    assert remaining(desk, customer) == 0
    assert refunds(desk) == [(8500, "original", "succeeded"), (1500, "original", "succeeded", "owed", 1500)]


def test_disputed_promotion_is_frozen_and_owed_when_lost(desk):
    promotion(desk)
    customer, booking = promoted(desk)
    spend(desk, customer, 1500)
    pay(desk, booking, disputes=[{**DISPUTE, "status": "needs_response"}])
    assert desk.refusal(customer, "wallet", event_id=desk.event(price_cents=100)) == "insufficient_funds"

    pay(desk, booking, disputes=[{**DISPUTE, "status": "lost"}])

    assert remaining(desk, customer) == 0
    assert refunds(desk) == [(1500, "dispute", "succeeded", "owed", 1500)]


@pytest.mark.parametrize("spent", [0, 1500])
@pytest.mark.parametrize("course", ["lost won", "needs_response lost won won", "lost won lost won"])
def test_unspent_promotion_returns_when_the_lost_dispute_is_won(desk, course, spent):
    promotion(desk)
    customer, booking = promoted(desk)
    if spent:
        spend(desk, customer, spent)

    for status in course.split():
        pay(desk, booking, disputes=[{**DISPUTE, "status": status}])

    assert remaining(desk, customer) == BONUS - spent
    spend(desk, customer, BONUS - spent)
    desk.cancel(booking, customer)
    assert sale_refunds(desk, booking) == [PRICE - BONUS]
    assert remaining(desk, customer) == 0


@pytest.mark.parametrize("end", ["cancelled", "refunded"])
def test_promotion_of_a_booking_that_is_over_stays_lapsed_when_the_dispute_is_won(desk, end):
    promotion(desk)
    customer, booking = promoted(desk)
    pay(desk, booking, disputes=[{**DISPUTE, "status": "lost"}])
    if end == "cancelled":
        desk.cancel(booking, customer)

    pay(desk, booking, disputes=[{**DISPUTE, "status": "won"}])
    if end == "refunded":
        pay(desk, booking, refunds=[dashboard_refund(1, PRICE)], disputes=[{**DISPUTE, "status": "won"}])

    assert remaining(desk, customer) == 0


def test_full_refund_by_staff_ends_the_promotion(desk):
    promotion(desk)
    customer, booking = promoted(desk)

    query = "select payments.refund_booking(booking_id => %s, idempotency_key => 'all')"
    routines.call(desk.db, desk.stage.owner, query, [booking["id"]])

    assert remaining(desk, customer) == 0


def test_code_that_grants_credits_is_used_once_per_customer_unless_it_says_more(desk):
    assert promotion(desk)["uses_most_per_customer"] == 1
    assert promotion(desk, code="TWICE", uses_most_per_customer=2)["uses_most_per_customer"] == 2
    customer = desk.customer()
    desk.give(customer, 3 * PRICE)
    desk.book(customer, "wallet", promo_code="BONUS")

    assert desk.refusal(customer, "wallet", promo_code="BONUS", guest=True) == "promo_code_used_up"


# The constraint.


def test_refunds_of_a_payment_never_exceed_it(desk):
    _customer, purchase = bought(desk)
    refund(desk, purchase)

    with pytest.raises(psycopg.errors.CheckViolation, match="refunds_never_exceed_the_payment"):
        desk.db.execute(
            """
            insert into payments.refunds (
                purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
            )
            select purchase_id, intent_id, organization_id, customer_id, 1, currency, 'wallet', 'more', false
            from payments.refunds
            """
        )


def at_once(connect, desk, *calls):
    """Run calls on connections of their own that start together. A refusal ends only its call."""
    barrier = threading.Barrier(len(calls))

    def work(call):
        with connect() as other:
            barrier.wait()
            try:
                call(Desk(other, desk))
            except psycopg.Error as refused:
                assert routines.code_of(refused) in ("insufficient_funds", "nothing_to_refund"), refused

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Desk:
    """The desk on another connection."""

    def __init__(self, db, desk):
        self.db, self.stage = db, desk.stage


def pay_by_wallet(at, customer, event_id):
    query = "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => %s)"
    routines.call(at.db, customer, query, [event_id, uuid4().hex])


def test_refund_at_stripe_and_refund_by_staff_at_once_return_the_price_once(desk, connect):
    for _round in range(6):
        customer, purchase = bought(desk)
        made = dashboard_refund(purchase["id"], PAID)

        at_once(
            connect,
            desk,
            lambda at, purchase=purchase: refund(at, purchase),
            lambda at, purchase=purchase, made=made: apply_payment(at, purchase, refunds=[made]),
        )

        query = "select sum(amount_cents)::int as cents from payments.refunds where purchase_id = %s"
        total = desk.db.execute(query, [purchase["id"]]).fetchone()
        assert (total, remaining(desk, customer)) == ({"cents": PAID}, 0)


def test_credits_spent_during_the_lost_dispute_are_owed(desk, connect):
    for number in range(6):
        customer, purchase = bought(desk)
        event_id = desk.event(price_cents=4000)
        lost = {**DISPUTE, "stripe_id": f"dp_{number}", "status": "lost"}

        at_once(
            connect,
            desk,
            lambda at, purchase=purchase, lost=lost: apply_payment(at, purchase, disputes=[lost]),
            lambda at, customer=customer, event_id=event_id: pay_by_wallet(at, customer, event_id),
        )

        spent = desk.db.execute(
            "select coalesce(sum(price_cents), 0)::int as cents from events.bookings where customer_id = %s", [customer]
        ).fetchone()
        owed = desk.db.execute("select payments.owed_cents(%s)::int as cents", [purchase["id"]]).fetchone()
        assert (owed, remaining(desk, customer)) == (spent, 0)


def test_promotion_spent_during_the_cancellation_is_deducted(desk, connect):
    promotion(desk)
    for _round in range(6):
        customer, booking = promoted(desk)
        event_id = desk.event(price_cents=1500)
        query = "select events.cancel_booking(booking_id => %s)"

        at_once(
            connect,
            desk,
            lambda at, booking=booking, customer=customer: routines.call(at.db, customer, query, [booking["id"]]),
            lambda at, customer=customer, event_id=event_id: pay_by_wallet(at, customer, event_id),
        )

        spent = desk.db.execute(
            "select coalesce(sum(price_cents), 0)::int as cents from events.bookings where payment_method = 'wallet'"
            " and customer_id = %s",
            [customer],
        ).fetchone()
        assert sale_refunds(desk, booking) == [PRICE - spent["cents"]]
        assert remaining(desk, customer) == 0
