"""Seats of a group that are given back: their share of the price, their seats, and who may do it."""

import random
from uuid import UUID, uuid4

import pytest

from tests.kit import changed_bookings, gateway, money_invariants, routines, stages
from tests.kit.concurrency import run_together
from tests.kit.payments import CardBookings
from tests.kit.wallets import CreditBookings

RETURN = "select events.return_seats(booking_id => %s, seats => %s, idempotency_key => %s)"


desk = pytest.fixture(changed_bookings.open_desk)


def booked(desk, seats=4, method="wallet", money=100_000, **more):
    return changed_bookings.booked(desk, seats, method, money, **more)


def give_back(booking, seats, caller=None, key=None, **more):
    path = f"/bookings/{booking['id']}/seats"
    caller = caller or UUID(booking["customer_id"])
    return gateway.post("cancel", path, {"seats": seats, **more}, caller=caller, key=key or uuid4().hex)


def make_late(desk):
    desk.db.execute("update events.events set starts_at = now() + '2 h', ends_at = now() + '3 h'")


def money(desk, booking):
    """Return the wallet's money: granted, and left in all lots."""
    return sum(remaining for _, remaining in desk.lots(UUID(booking["customer_id"])))


def test_share_of_returned_seats_is_refunded_and_their_seats_are_free(desk):
    booking = booked(desk, 4)

    answer = give_back(booking, 1)

    assert answer.status == 200, answer.body
    shown = {name: answer.body[name] for name in ("seats", "price_cents", "refund_cents", "units", "status")}
    assert shown == {"seats": 1, "price_cents": 10000, "refund_cents": 30000, "units": 0, "status": "confirmed"}
    assert money(desk, booking) == 90_000
    taken = desk.db.execute("select taken from events.inventory where event_id = %s", [desk.event_id]).fetchone()
    assert taken["taken"] == 1
    told = desk.db.execute("select payload from public.outbox where topic = 'booking.changed'").fetchall()
    assert [(row["payload"]["id"], row["payload"]["seats"]) for row in told] == [(booking["id"], 1)]


def test_seats_given_back_late_return_what_the_policy_says(desk):
    booking = booked(desk, 4)
    make_late(desk)

    late = give_back(booking, 2).body
    waived = give_back(booking, 1, caller=desk.stage.owner, waive=True).body

    # 40 % of two seats are kept; the owner waives the cost of the third.
    assert (late["refund_cents"], waived["refund_cents"]) == (12000, 10000)
    assert money(desk, booking) == 60_000 + 22_000
    desk.cancel(booking, waive=True)
    assert money(desk, booking) == 100_000 - 8000


def test_cancellation_afterwards_returns_the_price_of_the_other_seats(desk):
    booking = booked(desk, 4)
    give_back(booking, 3)

    desk.cancel(booking)

    assert money(desk, booking) == 100_000


def test_late_cancellation_afterwards_costs_only_the_other_seats(desk):
    booking = booked(desk, 4)
    give_back(booking, 1)
    make_late(desk)

    assert desk.cancel(booking, UUID(booking["customer_id"]))["fee_cents"] == 4000
    assert money(desk, booking) == 96_000


def test_cancelled_event_returns_everything(desk):
    booking = booked(desk, 4)
    make_late(desk)
    give_back(booking, 2)

    desk.cancel_event()

    assert money(desk, booking) == 100_000


@pytest.mark.parametrize(("late_credit_lost", "units"), [(True, 0), (False, 3)])
def test_units_of_a_pass_return_unless_late_units_are_lost(db, late_credit_lost, units):
    desk = CreditBookings(db, late_credit_lost=late_credit_lost)
    booking = booked(desk, 5, "pass")
    assert give_back(booking, 4).body["units"] == 1
    make_late(desk)

    assert give_back(booking, 1).body["units"] == units

    left = desk.db.execute("select remaining from payments.credit_lots where kind = 'pass'").fetchone()
    assert left["remaining"] == 6 + units
    changed_bookings.check(desk)


def test_discount_of_a_promo_code_is_shared_by_the_seats(desk):
    query = "select payments.create_promo_code(%s, 'TEN', 'percent', percent_bps => 1000)"
    routines.call(desk.db, desk.stage.owner, query, [desk.stage.organization_id])
    booking = booked(desk, 3, promo_code="TEN")
    assert booking["price_cents"] == 27000

    assert give_back(booking, 1).body["refund_cents"] == 18000
    desk.cancel(booking)

    assert money(desk, booking) == 100_000


def test_unpaid_invoice_gets_a_credit_note(desk):
    query = "update organizations.payout_settings set invoices_allowed = true where organization_id = %s"
    desk.db.execute(
        "insert into organizations.payout_settings (organization_id) values (%s) on conflict do nothing",
        [desk.stage.organization_id],
    )
    desk.db.execute(query, [desk.stage.organization_id])
    booking = booked(desk, 3, "invoice")

    give_back(booking, 2)

    notes = desk.db.execute("select gross_cents from payments.invoices where kind = 'credit_note'").fetchall()
    assert notes == [{"gross_cents": 10000}]


def test_card_payment_is_refunded_in_part(db):
    till = CardBookings(db)
    booking = till.book(till.stage.customer(), seats=3)
    till.apply_payment(booking)

    assert give_back(booking, 1).body["refund_cents"] == 2 * booking["price_cents"] // 3

    refunds = db.execute("select destination, amount_cents from payments.refunds").fetchall()
    assert refunds == [{"destination": "original", "amount_cents": 2 * booking["price_cents"] // 3}]
    till.cancel(booking, till.stage.owner)
    refunded = db.execute("select sum(amount_cents)::integer as cents from payments.refunds").fetchone()
    assert refunded["cents"] == booking["price_cents"]
    assert money_invariants.findings(db) == []


def test_free_seats_cost_nothing_even_late(desk):
    event_id = desk.event(price_cents=0, starts_in="2 hours")
    booking = routines.book(desk.db, event_id, desk.customer(), seats=3)

    answers = [
        gateway.post(
            "cancel", f"/bookings/{booking['id']}/seats", {"seats": 2}, caller=UUID(booking["customer_id"])
        ).body
        for _ in range(2)
    ]

    assert [(answer["seats"], answer["refund_cents"]) for answer in answers] == [(2, 0), (2, 0)]
    assert desk.db.execute("select count(*) as n from payments.fees").fetchone()["n"] == 0
    assert desk.db.execute("select count(*) as n from public.outbox where topic = 'booking.changed'").fetchone() == {
        "n": 1
    }


def test_freed_seats_are_offered_to_the_waitlist(desk):
    event_id = desk.event(capacity=3, price_cents=0)
    booking = routines.book(desk.db, event_id, desk.customer(), seats=3)
    waiting = desk.customer()
    routines.call(desk.db, waiting, "select events.join_waitlist(event_id => %s, seats => 2)", [event_id])

    give_back(booking, 1)

    holds = desk.db.execute("select customer_id, seats, purpose::text from events.holds").fetchall()
    assert holds == [{"customer_id": waiting, "seats": 2, "purpose": "offer"}]


def test_repeated_key_returns_the_first_response(desk):
    booking = booked(desk, 4)
    first = give_back(booking, 3, key="k")
    give_back(booking, 2)

    again = give_back(booking, 3, key="k")
    other = give_back(booking, 1, key="k")

    assert (again.status, again.text) == (200, first.text)
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    assert money(desk, booking) == 80_000


def test_refusals(desk):
    booking, cancelled = booked(desk, 2), booked(desk, 2)
    desk.cancel(cancelled)
    path = f"/bookings/{booking['id']}/seats"
    without_key = gateway.post("cancel", path, {"seats": 1}, caller=UUID(booking["customer_id"]))
    found = [
        without_key,
        give_back(booking, 3),
        give_back(booking, 0),
        give_back(cancelled, 1),
        give_back(booking, 1, caller=desk.customer()),
        give_back(booking, 1, caller=stages.create(desk.db).owner),
        give_back(booking, 1, caller=desk.stage.member("viewer")),
        give_back(booking, 1, waive=True),
    ]
    desk.db.execute("update events.events set starts_at = now() - interval '1 minute', ends_at = now() + '1 h'")

    assert [(answer.status, answer.body["code"]) for answer in found] == [
        (400, "idempotency_key_required"),
        (409, "seats_not_fewer"),
        (422, "invalid_request"),
        (409, "booking_not_confirmed"),
        (404, "booking_not_found"),
        (404, "booking_not_found"),
        (404, "booking_not_found"),
        (403, "forbidden"),
    ]
    assert give_back(booking, 1).body["code"] == "event_begun"
    assert give_back(booking, 1, caller=desk.stage.member("front_desk")).status == 200


@pytest.mark.parametrize("seed", range(4))
def test_money_and_seats_add_up_whatever_is_given_back(desk, seed):
    """Give seats back in time, late or waived, refund by hand, then cancel: nothing is lost, and nothing too much."""
    choose = random.Random(seed)
    price = choose.choice([9999, 10000, 3333, 1])
    event_id = desk.event(price_cents=price, capacity=20)
    booking = booked(desk, 9, event_id=event_id)
    paid, kept = booking["price_cents"], 0
    seats = 9
    while seats > 1 and choose.random() < 0.8:
        late, waive = choose.random() < 0.5, choose.random() < 0.3
        hours = "2 hours" if late else "40 days"
        desk.db.execute(
            "update events.events set starts_at = now() + %s::interval, ends_at = now() + %s::interval + interval '1 h'"
            " where id = %s",
            [hours, hours, event_id],
        )
        before = desk.db.execute("select price_cents from events.bookings where id = %s", [booking["id"]]).fetchone()
        seats = choose.randint(1, seats - 1)
        answer = give_back(booking, seats, caller=desk.stage.owner, waive=waive).body
        kept += before["price_cents"] - answer["price_cents"] - answer["refund_cents"]
        assert money(desk, booking) == 100_000 - answer["price_cents"] - kept
    desk.cancel(booking, waive=True)

    assert money(desk, booking) == 100_000 - kept
    assert 0 <= kept <= paid


def test_seats_given_back_at_once_are_refunded_once(desk, connect):
    booking = booked(desk, 6)
    customer = UUID(booking["customer_id"])

    def act(connection, number):
        if number == 5:
            return routines.call(
                connection, customer, "select events.cancel_booking(booking_id => %s)", [booking["id"]]
            )
        return routines.call(connection, customer, RETURN, [booking["id"], number % 3 + 1, f"k{number % 3}"])

    results = run_together(connect, range(6), act)

    codes = {result for result in results if isinstance(result, str)}
    assert codes <= {"seats_not_fewer", "booking_not_confirmed"}
    assert desk.status(booking) == "cancelled"
    assert money(desk, booking) == 100_000
