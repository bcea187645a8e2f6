"""Bookings that move to another event: the difference of the prices, and the seats of both, all or nothing."""

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import changed_bookings, gateway, money_invariants, routines, stages
from tests.kit.concurrency import delay_statements, run_together
from tests.kit.payments import CardBookings

MOVE = "select events.move_booking(booking_id => %s, event_id => %s, idempotency_key => %s)"


desk = pytest.fixture(changed_bookings.open_desk)


def booked(desk, seats=1, method="wallet", money=50_000, **more):
    return changed_bookings.booked(desk, seats, method, money, **more)


def move(booking, event_id, caller=None, key=None, **more):
    path = f"/bookings/{booking['id']}/move"
    caller = caller or UUID(booking["customer_id"])
    return gateway.post("cancel", path, {"event_id": str(event_id), **more}, caller=caller, key=key or uuid4().hex)


def make_late(desk):
    query = "update events.events set starts_at = now() + '2 h', ends_at = now() + '3 h' where id = %s"
    desk.db.execute(query, [desk.event_id])


def money(desk, booking):
    """Return the money that is left in the wallet."""
    return sum(remaining for _, remaining in desk.lots(UUID(booking["customer_id"])))


def live(desk, booking):
    """Return the events, seats and prices of the customer's live bookings."""
    rows = desk.db.execute(
        "select event_id, seats, price_cents from events.bookings where customer_id = %s and status = 'confirmed'",
        [booking["customer_id"]],
    ).fetchall()
    return [(row["event_id"], row["seats"], row["price_cents"]) for row in rows]


@pytest.mark.parametrize("price", [10000, 15000, 4000, 0])
def test_only_the_difference_of_the_prices_moves(desk, price):
    booking, other = booked(desk, 2), desk.event(price_cents=price)

    answer = move(booking, other)

    assert answer.status == 200, answer.body
    assert (answer.body["moved_from"], answer.body["event_id"]) == (booking["id"], str(other))
    assert (answer.body["price_cents"], answer.body["refund_cents"]) == (2 * price, max(20000 - 2 * price, 0))
    assert desk.status(booking) == "cancelled"
    assert live(desk, booking) == [(other, 2, 2 * price)]
    assert money(desk, booking) == 50_000 - 2 * price


def test_late_move_costs_what_the_policy_of_the_former_event_says(desk):
    booking, other = booked(desk), desk.event(price_cents=10000)
    make_late(desk)

    late = move(booking, other).body

    assert (late["late"], late["fee_cents"]) == (True, 4000)
    assert money(desk, booking) == 50_000 - 10_000 - 4000
    second, third = booked(desk), desk.event(price_cents=10000)
    assert move(second, third, caller=desk.stage.owner, waive=True).body["fee_cents"] == 0
    assert money(desk, second) == 40_000


def test_missing_difference_is_refused_and_keeps_the_original(desk):
    booking, other = booked(desk, money=12_000), desk.event(price_cents=15000)

    refused = [move(booking, other), move(booking, other, payment_method="card")]

    assert [(answer.status, answer.body["code"]) for answer in refused] == [(402, "payment_required")] * 2
    assert [answer.body["missing_cents"] for answer in refused] == [3000, None]
    assert "Add the missing amount" in refused[0].body["detail"]
    assert not {"card", "twint"} & set(refused[0].body["methods"])
    assert live(desk, booking) == [(desk.event_id, 1, 10000)]
    assert money(desk, booking) == 2000
    assert desk.db.execute("select count(*) as n from payments.refunds").fetchone()["n"] == 0


def test_card_payment_moves_without_a_new_charge_and_the_rest_is_refunded(db):
    till = CardBookings(db)
    booking = till.book(till.stage.customer())
    till.apply_payment(booking)
    price = booking["price_cents"]
    cheaper = till.stage.event(price_cents=price - 1000, starts_in="20 days")

    answer = move(booking, cheaper)

    assert answer.status == 200, answer.body
    assert (answer.body["payment_method"], answer.body["refund_cents"]) == ("wallet", 1000)
    refunds = db.execute("select destination, amount_cents from payments.refunds order by amount_cents").fetchall()
    assert refunds == [
        {"destination": "original", "amount_cents": 1000},
        {"destination": "wallet", "amount_cents": price - 1000},
    ]
    assert db.execute("select sum(remaining)::integer as left from payments.credit_lots").fetchone()["left"] == 0
    assert money_invariants.findings(db) == []


def test_units_of_a_pass_pay_again(desk):
    booking, other = booked(desk, 3, "pass"), desk.event(price_cents=70_000)

    assert move(booking, other).body["payment_method"] == "pass"

    left = desk.db.execute("select remaining from payments.credit_lots where kind = 'pass'").fetchone()
    assert left["remaining"] == 7
    desk.cancel({"id": str(desk.db.execute("select id from events.bookings order by id desc").fetchone()["id"])})


def test_unpaid_invoice_is_corrected_and_issued_again(desk):
    desk.db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)"
        " on conflict (organization_id) do update set invoices_allowed = true",
        [desk.stage.organization_id],
    )
    booking, other = booked(desk, 1, "invoice"), desk.event(price_cents=12000)

    assert move(booking, other).body["payment_method"] == "invoice"

    rows = desk.db.execute("select kind::text, gross_cents from payments.invoices order by number").fetchall()
    assert [(row["kind"], row["gross_cents"]) for row in rows] == [
        ("invoice", 10000),
        ("credit_note", 10000),
        ("invoice", 12000),
    ]


def test_seats_are_taken_by_the_rules_of_the_other_event(desk):
    full, own = desk.event(capacity=1, price_cents=0), desk.event(price_cents=0)
    routines.book(desk.db, full, desk.customer())
    booking = booked(desk)
    routines.book(desk.db, own, UUID(booking["customer_id"]))
    over = desk.event(price_cents=0, starts_in="-2 hours")
    private = desk.event(price_cents=0, visibility="private")
    elsewhere = stages.create(desk.db).event()

    found = [move(booking, one).body["code"] for one in (full, own, desk.event_id, over, private, elsewhere, uuid4())]

    assert found == [
        "sold_out",
        "already_booked",
        "already_booked",
        "booking_window_closed",
        "event_not_found",
        "other_organization",
        "event_not_found",
    ]
    assert (desk.event_id, 1, 10000) in live(desk, booking)
    assert money(desk, booking) == 40_000


def test_move_does_not_overtake_the_waitlist_and_frees_seats_for_the_other(desk):
    other = desk.event(capacity=1, price_cents=0)
    holder, first = desk.customer(), desk.customer()
    taken = routines.book(desk.db, other, holder)
    routines.call(desk.db, first, "select events.join_waitlist(event_id => %s)", [other])
    desk.db.execute("update events.inventory set capacity = 1 where event_id = %s", [desk.event_id])
    booking, waiting = booked(desk), desk.customer()
    routines.call(desk.db, waiting, "select events.join_waitlist(event_id => %s)", [desk.event_id])

    # The seat that becomes free belongs to the first of the waitlist.
    desk.cancel(taken, holder)
    assert move(booking, other).body["code"] == "sold_out"
    assert move(booking, desk.event(price_cents=0)).status == 200

    holds = desk.db.execute("select event_id, customer_id from events.holds where status = 'active'").fetchall()
    assert {(row["event_id"], row["customer_id"]) for row in holds} == {(other, first), (desk.event_id, waiting)}


def test_repeated_key_returns_the_first_response(desk):
    booking, other = booked(desk), desk.event(price_cents=12000)
    first = move(booking, other, key="k")

    again, conflict = move(booking, other, key="k"), move(booking, desk.event(price_cents=0), key="k")
    without_key = gateway.post(
        "cancel", f"/bookings/{booking['id']}/move", {"event_id": str(other)}, caller=UUID(booking["customer_id"])
    )

    assert (again.status, again.text) == (200, first.text)
    assert conflict.body["code"] == "idempotency_conflict"
    assert (without_key.status, without_key.body["code"]) == (400, "idempotency_key_required")
    assert move(booking, other).body["code"] == "booking_not_confirmed"
    assert money(desk, booking) == 38_000


def test_who_may_move_a_booking_and_when(desk):
    booking, other = booked(desk), desk.event(price_cents=10000)
    callers = [desk.customer(), stages.create(desk.db).owner, desk.stage.member("viewer")]

    assert [move(booking, other, caller=one).body["code"] for one in callers] == ["booking_not_found"] * 3
    assert move(booking, other, waive=True).body["code"] == "forbidden"
    desk.db.execute(
        "update events.events set starts_at = now() - interval '1 minute', ends_at = now() + '1 h' where id = %s",
        [desk.event_id],
    )
    assert move(booking, other).body["code"] == "event_begun"
    assert move(booking, other, caller=desk.stage.member("front_desk")).status == 200


def test_complimentary_seats_are_moved_by_staff_only(desk):
    customer = desk.customer()
    query = "select events.book(event_id => %s, payment_method => 'comp', customer_id => %s, idempotency_key => 'c')"
    given = routines.call(desk.db, desk.stage.owner, query + "::jsonb", [desk.event_id, customer])
    other = desk.event(price_cents=90_000)

    assert move(given, other).body["code"] == "forbidden"
    assert move(given, other, caller=desk.stage.owner).body["payment_method"] == "comp"


def test_opposite_moves_at_once_do_not_deadlock(desk, connect):
    other = desk.event(capacity=50, price_cents=10000)
    bookings = [booked(desk, event_id=event_id) for _ in range(4) for event_id in (desk.event_id, other)]
    delay_statements(desk.db)

    def act(connection, number):
        booking = bookings[number]
        target = other if booking["event_id"] == str(desk.event_id) else desk.event_id
        return routines.call(connection, UUID(booking["customer_id"]), MOVE, [booking["id"], target, "k"])["status"]

    assert run_together(connect, range(8), act) == ["confirmed"] * 8
    assert [live(desk, one)[0][0] == UUID(one["event_id"]) for one in bookings] == [False] * 8
    assert [money(desk, one) for one in bookings] == [40_000] * 8


def test_many_who_move_to_the_last_seat_get_it_once(desk, connect):
    other = desk.event(capacity=1, price_cents=9000)
    bookings = [booked(desk) for _ in range(6)]
    delay_statements(desk.db)

    def act(connection, booking):
        return routines.call(connection, UUID(booking["customer_id"]), MOVE, [booking["id"], other, "k"])["status"]

    results = run_together(connect, bookings, act)

    assert sorted(results) == ["confirmed"] + ["sold_out"] * 5
    assert sorted(money(desk, one) for one in bookings) == [40_000] * 5 + [41_000]


def test_one_booking_moved_twice_at_once_arrives_once(desk, connect):
    booking = booked(desk)
    targets = [desk.event(price_cents=10000) for _ in range(4)]

    def act(connection, number):
        query = MOVE if number else "select events.cancel_booking(booking_id => %s)"
        params = [booking["id"], targets[number - 1], f"k{number}"] if number else [booking["id"]]
        return routines.call(connection, UUID(booking["customer_id"]), query, params)["status"]

    run_together(connect, range(5), act)

    assert len(live(desk, booking)) <= 1
    assert money(desk, booking) == 50_000 - sum(price for *_, price in live(desk, booking))


def test_failed_step_leaves_everything_as_it_was(desk, monkeypatch):
    """The last step of a move fails: the former booking, its money and its seats are as before."""
    booking, other = booked(desk), desk.event(price_cents=10000)
    desk.db.execute(
        "create function pg_temp.fail() returns trigger language plpgsql as $$ begin raise 'broken'; end $$"
    )
    desk.db.execute(
        "create trigger broken before insert on payments.sales for each row"
        f" when (new.amount_cents = 10000 and new.booking_id <> '{booking['id']}') execute function pg_temp.fail()"
    )

    with pytest.raises(psycopg.errors.RaiseException, match="broken"):
        routines.call(desk.db, UUID(booking["customer_id"]), MOVE, [booking["id"], other, "k"])

    desk.db.execute("drop trigger broken on payments.sales")
    assert live(desk, booking) == [(desk.event_id, 1, 10000)]
    assert money(desk, booking) == 40_000
    assert move(booking, other, key="k").status == 200
