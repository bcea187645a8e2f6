"""Test the limits of seats that one person holds, waits for or books: maxima, pauses and exempt staff."""

import json
import re

import psycopg
import pytest

from tests.kit import routines, stages

HOLD = "select events.hold_seats(event_id => %s, seats => %s, customer_id => %s)"
PRICED = {"price_cents": 4000}
POLICY = {**stages.POLICY, "seats_max_per_person": 20}


@pytest.fixture
def stage(db):
    return stages.create(db)


def hold(db, event_id, caller, seats=1, customer=None):
    return routines.call(db, caller, HOLD, [event_id, seats, customer])


def book(db, event_id, caller, **arguments):
    names = ", ".join(f"{name} => %s" for name in arguments)
    query = f"select events.book(event_id => %s{', ' + names if names else ''})"
    return json.loads(routines.call(db, caller, query, [event_id, *arguments.values()]))


def guests(db, event_id, caller, seats, customer=None):
    return book(db, event_id, caller, seats=seats, guest=True, customer_id=customer)


def pay_later(db, event_id, caller, key, **arguments):
    """Book by card without paying yet."""
    return book(db, event_id, caller, payment_method="card", idempotency_key=key, **arguments)


def refusal(act, *arguments, **named):
    """Return the code and the members of a refusal."""
    with pytest.raises(psycopg.Error) as refused:
        act(*arguments, **named)
    return routines.code_of(refused.value), json.loads(refused.value.diag.message_detail)


def expire_holds(db):
    """Expire all active holds, which lasted 15 minutes until now, and run the schedule."""
    db.execute(
        "update events.holds set created_at = now() - interval '15 minutes', expires_at = now() where status = 'active'"
    )
    routines.call(db, None, "select events.expire_holds()")


def age_ended_holds(db, minutes):
    """Move the times of ended holds into the past."""
    db.execute(
        "update events.holds set created_at = created_at - %(by)s, expires_at = expires_at - %(by)s, "
        "ended_at = ended_at - %(by)s where status <> 'active'".replace("%(by)s", f"interval '{minutes} minutes'")
    )


def join(db, event_id, caller, seats=1, customer=None):
    query = "select events.join_waitlist(event_id => %s, seats => %s, customer_id => %s)"
    return routines.call(db, caller, query, [event_id, seats, customer])


def offer(db, stage, customer, seats, by=None):
    """Create an event whose seats are all offered to the customer. The customer joined, or `by` joined for them."""
    event_id = stage.event(capacity=seats)
    booked = routines.book(db, event_id, stage.owner, seats)
    join(db, event_id, by or customer, seats, customer if by else None)
    routines.call(db, stage.owner, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    assert statuses(db, event_id, customer) == ["offered"]
    return event_id


def statuses(db, event_id, customer):
    rows = db.execute(
        "select status from events.waitlist_entries where event_id = %s and customer_id = %s order by joined_at, id",
        [event_id, customer],
    )
    return [row["status"] for row in rows.fetchall()]


def set_limit(db, name, value):
    db.execute("update ops.limits set value = %s where name = %s", [value, name])


# Held seats across events


def test_new_account_holds_at_most_forty_seats_of_180_events_and_renews_none(db, stage):
    """Repeat an attack: one account held 3,123 seats of 180 events and kept renewing them."""
    event_ids = [stage.event(capacity=20) for _ in range(180)]
    somebody = stage.customer()
    codes = []

    for event_id in event_ids:
        try:
            hold(db, event_id, somebody, seats=20)
            codes.append("held")
        except psycopg.Error as error:
            codes.append(routines.code_of(error))
    expire_holds(db)
    renewed = [refusal(hold, db, event_id, somebody, 20)[0] for event_id in event_ids[:2]]

    assert codes == ["held"] * 2 + ["too_many_held"] * 178
    assert renewed == ["hold_again_later"] * 2
    assert db.execute("select sum(held) as n from events.inventory").fetchone()["n"] == 0


def test_hold_limit_refusal_names_the_remaining_seats(db, stage):
    somebody = stage.customer()
    hold(db, stage.event(capacity=50), somebody, seats=18)
    hold(db, stage.event(capacity=50), somebody, seats=20)

    code, members = refusal(hold, db, stage.event(), somebody, 3)

    assert (code, members) == ("too_many_held", {"seats_held": 38, "seats_max": 40, "seats_left": 2})
    assert hold(db, stage.event(), somebody, seats=2)["seats"] == 2


def test_unpaid_bookings_count_as_held_and_paid_bookings_do_not(db, stage):
    set_limit(db, "held_seats_per_person", 5)
    somebody, priced = stage.customer(), stage.event(**PRICED)
    unpaid = pay_later(db, priced, somebody, "one", seats=4)

    assert refusal(hold, db, stage.event(), somebody, 2)[0] == "too_many_held"
    assert refusal(pay_later, db, stage.event(**PRICED), somebody, "two", seats=2)[0] == "too_many_held"

    db.execute("select events.confirm_paid_booking(booking_id => %s)", [unpaid["id"]])
    assert hold(db, stage.event(), somebody, seats=5)["status"] == "active"


def test_booked_released_and_expired_holds_do_not_count(db, stage):
    set_limit(db, "held_seats_per_person", 3)
    somebody = stage.customer()
    for end in ("book", "release", "lapse"):
        event_id = stage.event()
        held = hold(db, event_id, somebody, seats=3)
        if end == "book":
            book(db, event_id, somebody, seats=3, hold_id=held["id"])
        elif end == "release":
            routines.call(db, somebody, "select events.release_hold(hold_id => %s)", [held["id"]])
        else:
            db.execute("update events.holds set expires_at = now() where id = %s", [held["id"]])

    assert hold(db, stage.event(), somebody, seats=3)["status"] == "active"


def test_offer_counts_against_new_holds_but_not_against_card_bookings(db, stage):
    set_limit(db, "held_seats_per_person", 3)
    somebody = stage.customer()
    offer(db, stage, somebody, 3)

    code, members = refusal(hold, db, stage.event(), somebody, 1)

    assert (code, members) == ("too_many_held", {"seats_held": 3, "seats_max": 3, "seats_left": 0})
    assert pay_later(db, stage.event(**PRICED), somebody, "card", seats=3)["status"] == "pending_payment"


def test_offer_requested_by_staff_counts_at_their_organization_only(db, stage):
    set_limit(db, "held_seats_per_person", 3)
    other, somebody = stages.create(db), stage.customer()
    offer(db, stage, somebody, 3, by=stage.owner)

    assert refusal(hold, db, stage.event(), somebody, 1)[0] == "too_many_held"
    assert hold(db, other.event(), somebody, seats=3)["status"] == "active"


def test_desk_hold_counts_for_the_customer_at_its_organization_only(db, stage):
    set_limit(db, "held_seats_per_person", 4)
    other, customer = stages.create(db), stage.customer()
    desk = stage.member("front_desk")
    hold(db, stage.event(), desk, seats=3, customer=customer)

    assert refusal(hold, db, stage.event(), desk, 2, customer)[0] == "too_many_held"
    assert refusal(hold, db, stage.event(), customer, 2)[0] == "too_many_held"
    assert hold(db, other.event(), customer, seats=4)["status"] == "active"


def test_staff_hold_ignores_the_customers_holds_at_other_organizations(db, stage):
    set_limit(db, "held_seats_per_person", 4)
    other, customer = stages.create(db), stage.customer()
    hold(db, other.event(), customer, seats=4)

    assert hold(db, stage.event(), stage.owner, seats=4, customer=customer)["status"] == "active"


def test_desk_holds_of_one_staff_member_are_limited(db, stage):
    set_limit(db, "held_seats_per_staff_member", 5)
    desk = stage.member("front_desk")
    hold(db, stage.event(), desk, seats=3, customer=stage.customer())

    code, members = refusal(hold, db, stage.event(), desk, 3, stage.customer())

    assert (code, members["seats_max"], members["seats_left"]) == ("too_many_held", 5, 2)
    assert hold(db, stage.event(), stage.owner, seats=3, customer=stage.customer())["status"] == "active"


# Renewing a hold


def test_expired_hold_can_be_renewed_only_after_a_pause_as_long_as_it_lasted(db, stage):
    event_id, somebody = stage.event(), stage.customer()
    hold(db, event_id, somebody)
    expire_holds(db)

    code, members = refusal(hold, db, event_id, somebody)

    assert code == "hold_again_later"
    assert 14 * 60 < members["retry_after_seconds"] <= 15 * 60
    age_ended_holds(db, 15)
    assert hold(db, event_id, somebody)["status"] == "active"


def test_expired_hold_blocks_no_booking_and_no_hold_of_another_event_or_person(db, stage):
    event_id, somebody = stage.event(), stage.customer()
    hold(db, event_id, somebody)
    expire_holds(db)

    assert hold(db, stage.event(), somebody)["status"] == "active"
    assert hold(db, event_id, stage.customer())["status"] == "active"
    assert book(db, event_id, somebody)["status"] == "confirmed"


def test_expired_hold_does_not_block_a_card_booking(db, stage):
    event_id, somebody = stage.event(**PRICED), stage.customer()
    hold(db, event_id, somebody)
    expire_holds(db)

    assert pay_later(db, event_id, somebody, "tap")["status"] == "pending_payment"


def test_second_release_within_an_hour_delays_the_next_hold(db, stage):
    event_id, somebody = stage.event(), stage.customer()
    for _ in range(2):
        held = hold(db, event_id, somebody)
        db.execute("update events.holds set created_at = now() - interval '14 minutes' where id = %s", [held["id"]])
        routines.call(db, somebody, "select events.release_hold(hold_id => %s)", [held["id"]])

    assert refusal(hold, db, event_id, somebody)[0] == "hold_again_later"
    age_ended_holds(db, 14)
    assert hold(db, event_id, somebody)["status"] == "active"


def test_expired_unpaid_booking_delays_a_new_card_booking_and_hold(db, stage):
    event_id, somebody = stage.event(**PRICED), stage.customer()
    pay_later(db, event_id, somebody, "one")
    expire_holds(db)

    assert refusal(pay_later, db, event_id, somebody, "two")[0] == "hold_again_later"
    assert refusal(hold, db, event_id, somebody)[0] == "hold_again_later"
    age_ended_holds(db, 15)
    assert pay_later(db, event_id, somebody, "three")["status"] == "pending_payment"


def test_unpaid_booking_cancelled_by_its_customer_counts_as_released(db, stage):
    event_id, somebody = stage.event(**PRICED), stage.customer()
    for key in ("one", "two"):
        unpaid = pay_later(db, event_id, somebody, key)
        db.execute("update events.holds set created_at = now() - interval '14 minutes' where status = 'active'")
        routines.call(db, somebody, "select events.cancel_booking(booking_id => %s)", [unpaid["id"]])

    assert refusal(pay_later, db, event_id, somebody, "three")[0] == "hold_again_later"


def test_expired_desk_hold_can_be_renewed_at_once(db, stage):
    event_id, customer = stage.event(), stage.customer()
    hold(db, event_id, stage.owner, customer=customer)
    expire_holds(db)

    assert hold(db, event_id, stage.owner, customer=customer)["status"] == "active"
    assert hold(db, event_id, customer)["status"] == "active"


# Waitlist entries


def test_account_is_not_offered_the_seats_that_it_released(db, stage):
    """Repeat an attack: an account held one seat, joined the waitlist, released, and was offered 228 seats."""
    somebody = stage.customer()
    codes = []
    for _ in range(12):
        event_id = stage.event(capacity=19)
        held = hold(db, event_id, somebody)
        codes.append(refusal(join, db, event_id, somebody, 19)[0])
        routines.call(db, somebody, "select events.release_hold(hold_id => %s)", [held["id"]])
        codes.append(refusal(join, db, event_id, somebody, 19)[0])

    assert codes == ["already_held", "seats_available"] * 12
    assert db.execute("select count(*) as n from events.holds where purpose = 'offer'").fetchone()["n"] == 0


def test_account_with_an_unpaid_booking_cannot_join_the_waitlist(db, stage):
    event_id, somebody = stage.event(capacity=19, policy=POLICY, **PRICED), stage.customer()
    pay_later(db, event_id, somebody, "guests", seats=1, guest=True)

    assert refusal(join, db, event_id, somebody, 19)[0] == "already_held"


def test_waiting_and_offered_seats_of_a_person_are_limited_across_events(db, stage):
    somebody = stage.customer()
    offer(db, stage, somebody, 18)
    waited = stage.event(capacity=20)
    routines.book(db, waited, stage.owner, 20)
    join(db, waited, somebody, 20)
    third = stages.create(db)
    event_id = third.event(capacity=3)
    routines.book(db, event_id, third.owner, 3)

    code, members = refusal(join, db, event_id, somebody, 3)

    assert (code, members) == ("too_many_waiting_seats", {"seats_waiting": 38, "seats_max": 40, "seats_left": 2})
    assert join(db, event_id, somebody, 2)["status"] == "waiting"


def test_waitlist_entry_made_by_staff_counts_at_their_organization_only(db, stage):
    set_limit(db, "waiting_seats_per_person", 3)
    other, somebody = stages.create(db), stage.customer()
    full = [where.event(capacity=3) for where in (stage, stage, other)]
    for event_id, where in zip(full, (stage, stage, other), strict=True):
        routines.book(db, event_id, where.owner, 3)
    join(db, full[0], stage.owner, 3, somebody)

    assert refusal(join, db, full[1], stage.owner, 1, somebody)[0] == "too_many_waiting_seats"
    assert refusal(join, db, full[1], somebody, 1)[0] == "too_many_waiting_seats"
    assert join(db, full[2], somebody, 3)["status"] == "waiting"


def test_expired_offer_is_not_repeated_to_the_same_person(db, stage):
    """Instead, anyone can book the seats. The same person can book them too, but cannot hold them again."""
    somebody = stage.customer()
    event_id = offer(db, stage, somebody, 19)
    expire_holds(db)

    assert statuses(db, event_id, somebody) == ["expired"]
    assert refusal(hold, db, event_id, somebody)[0] == "hold_again_later"
    assert book(db, event_id, stage.customer())["status"] == "confirmed"
    assert book(db, event_id, somebody)["status"] == "confirmed"


def test_person_whose_offer_expired_can_rejoin_only_after_a_pause(db, stage):
    somebody = stage.customer()
    event_id = offer(db, stage, somebody, 5)
    expire_holds(db)
    book(db, event_id, stage.customer(), seats=5)

    assert refusal(join, db, event_id, somebody)[0] == "hold_again_later"
    age_ended_holds(db, 15)
    assert join(db, event_id, somebody)["status"] == "waiting"


def test_person_whose_hold_expired_can_join_only_after_a_pause(db, stage):
    event_id, somebody = stage.event(capacity=5), stage.customer()
    hold(db, event_id, somebody, seats=5)
    expire_holds(db)
    book(db, event_id, stage.customer(), seats=5)

    assert refusal(join, db, event_id, somebody)[0] == "hold_again_later"
    assert join(db, event_id, stage.customer())["position"] == 1


def test_expired_offer_passes_to_later_entries_in_order_and_not_back(db, stage):
    first, somebody, second, third = stage.customer(), *stage.customers(3)
    event_id = stage.event(capacity=6)
    booked = routines.book(db, event_id, first, 6)
    join(db, event_id, somebody, 4)
    join(db, event_id, second, 3)
    join(db, event_id, third, 1)
    routines.call(db, first, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    assert [statuses(db, event_id, who) for who in (somebody, second, third)] == [["offered"], ["waiting"], ["waiting"]]
    expire_holds(db)

    assert [statuses(db, event_id, who) for who in (second, third)] == [["offered"], ["offered"]]
    # Two seats are free but the entry needs four, so it gets no offer yet.
    assert statuses(db, event_id, somebody) == ["waiting"]
    routines.call(db, third, "select events.leave_waitlist(event_id => %s)", [event_id])
    routines.call(db, second, "select events.leave_waitlist(event_id => %s)", [event_id])
    assert statuses(db, event_id, somebody) == ["expired"]


def test_person_whose_offer_expired_stays_queued_and_gets_an_offer_after_a_pause(db, stage):
    first, somebody, second = stage.customers(3)
    event_id = stage.event(capacity=1)
    booked = routines.book(db, event_id, first)
    join(db, event_id, somebody)
    join(db, event_id, second)
    routines.call(db, first, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    expire_holds(db)
    assert (statuses(db, event_id, somebody), statuses(db, event_id, second)) == (["waiting"], ["offered"])

    age_ended_holds(db, 15)
    routines.call(db, second, "select events.leave_waitlist(event_id => %s)", [event_id])

    assert statuses(db, event_id, somebody) == ["offered"]


def test_offer_requested_by_staff_is_repeated(db, stage):
    somebody = stage.customer()
    event_id = offer(db, stage, somebody, 2, by=stage.owner)
    expire_holds(db)

    assert statuses(db, event_id, somebody) == ["offered"]


# Seats booked by invoice


@pytest.fixture
def invoices(db, stage):
    db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [stage.organization_id],
    )
    return stage


def by_invoice(db, event_id, caller, seats, key, **arguments):
    return book(db, event_id, caller, seats=seats, payment_method="invoice", idempotency_key=key, **arguments)


def pay_invoice(db, stage, booked):
    row = db.execute("select id from payments.invoices where booking_id = %s", [booked["id"]]).fetchone()
    return routines.call(db, stage.owner, "select payments.record_invoice_payment(invoice_id => %s)", [row["id"]])


def test_unpaid_invoice_seats_are_limited_across_events(db, invoices):
    """Repeat an attack: one account confirmed 120 seats by invoice and paid none."""
    somebody = invoices.customer()
    event_ids = [invoices.event(capacity=100, **PRICED) for _ in range(3)]
    booked = [by_invoice(db, event_id, somebody, 19, f"n{event_id}") for event_id in event_ids[:2]]

    code, members = refusal(by_invoice, db, event_ids[2], somebody, 3, "third")

    assert (code, members["seats_held"], members["seats_max"], members["seats_left"]) == ("too_many_held", 38, 40, 2)
    assert "pay an invoice" in members["detail"]
    assert by_invoice(db, event_ids[2], somebody, 2, "fits")["status"] == "confirmed"
    assert hold(db, invoices.event(), somebody, seats=9)["status"] == "active"
    pay_invoice(db, invoices, booked[0])
    assert by_invoice(db, invoices.event(capacity=100, **PRICED), somebody, 19, "paid")["status"] == "confirmed"


def test_cancelled_invoice_booking_does_not_count(db, invoices):
    set_limit(db, "invoiced_seats_per_person", 4)
    somebody = invoices.customer()
    event_ids = [invoices.event(**PRICED) for _ in range(3)]
    first = by_invoice(db, event_ids[0], somebody, 4, "first")
    assert refusal(by_invoice, db, event_ids[1], somebody, 1, "second")[0] == "too_many_held"

    routines.call(db, somebody, "select events.cancel_booking(booking_id => %s)", [first["id"]])

    assert by_invoice(db, event_ids[1], somebody, 4, "third")["status"] == "confirmed"


def test_staff_can_book_by_invoice_beyond_the_limit(db, invoices):
    set_limit(db, "invoiced_seats_per_person", 4)
    customer, event_ids = invoices.customer(), [invoices.event(capacity=20, **PRICED) for _ in range(3)]
    by_invoice(db, event_ids[0], invoices.owner, 9, "one", customer_id=customer)

    assert by_invoice(db, event_ids[1], invoices.owner, 9, "two", customer_id=customer)["status"] == "confirmed"
    assert by_invoice(db, event_ids[2], customer, 4, "own")["status"] == "confirmed"
    assert by_invoice(db, event_ids[2], invoices.owner, 9, "staff")["status"] == "confirmed"


def test_offer_accepted_by_invoice_counts_against_the_limit(db, invoices):
    set_limit(db, "invoiced_seats_per_person", 4)
    first, somebody = invoices.customers(2)
    by_invoice(db, invoices.event(**PRICED), somebody, 4, "first")
    event_id = invoices.event(capacity=1, **PRICED)
    booked = by_invoice(db, event_id, first, 1, "other")
    entry = join(db, event_id, somebody)
    routines.call(db, first, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    accept = "select events.accept_offer(entry_id => %s, payment_method => 'invoice', idempotency_key => 'accept')"

    assert refusal(routines.call, db, somebody, accept, [entry["id"]])[0] == "too_many_held"


# Seats at one event


def test_guest_seats_own_seats_and_holds_count_together_against_the_policy(db, stage):
    event_id, somebody = stage.event(capacity=100, policy=POLICY), stage.customer()
    guests(db, event_id, somebody, 12)
    routines.book(db, event_id, somebody, 5)

    for way in (guests, hold):
        code, members = refusal(way, db, event_id, somebody, 4)
        assert (code, members["seats_left"]) == ("too_many_seats", 3)
        assert "3 more seats" in members["detail"]

    hold(db, event_id, somebody, seats=2)
    assert refusal(hold, db, event_id, somebody, 4)[1]["seats_left"] == 1
    assert guests(db, event_id, somebody, 3)["status"] == "confirmed"
    narrow = stage.event(policy={**POLICY, "seats_max_per_person": 4})
    assert refusal(hold, db, narrow, somebody, 5)[0] == "too_many_seats"


@pytest.mark.parametrize("key", ["tap", None], ids=["fast path", "general path"])
def test_own_seats_count_together_with_guest_seats(db, stage, key):
    event_id, somebody = stage.event(capacity=100, policy=POLICY), stage.customer()
    guests(db, event_id, somebody, 15)

    assert refusal(routines.book, db, event_id, somebody, 6, key)[0] == "too_many_seats"
    assert routines.book(db, event_id, somebody, 5, key)["seats"] == 5
    assert refusal(guests, db, event_id, somebody, 1)[0] == "too_many_seats"


def test_guest_bookings_leave_one_seat_for_the_customer(db, stage):
    """Reserve this seat, so that a booking of one seat needs no check."""
    event_id, somebody = stage.event(capacity=100, policy=POLICY), stage.customer()

    assert refusal(guests, db, event_id, somebody, 20)[0] == "too_many_seats"
    guests(db, event_id, somebody, 19)
    assert routines.book(db, event_id, somebody, 1, "tap")["status"] == "confirmed"


def test_retry_of_a_booking_at_the_limit_returns_the_first_response(db, stage):
    event_id, somebody = stage.event(capacity=100, policy={**POLICY, "seats_max_per_person": 5}), stage.customer()
    first = routines.book(db, event_id, somebody, 5, "tap")

    assert routines.book(db, event_id, somebody, 5, "tap") == first


def test_cancelled_seats_can_be_booked_again(db, stage):
    event_id, somebody = stage.event(capacity=100, policy=POLICY), stage.customer()
    booked = guests(db, event_id, somebody, 19)
    routines.call(db, somebody, "select events.cancel_booking(booking_id => %s)", [booked["id"]])

    assert guests(db, event_id, somebody, 19)["status"] == "confirmed"


def test_staff_can_book_beyond_the_seat_limit_and_customers_cannot(db, stage):
    event_id, customer = stage.event(capacity=100, policy=POLICY), stage.customer()
    for _ in range(3):
        guests(db, event_id, stage.owner, 20, customer)

    assert refusal(guests, db, event_id, customer, 1)[0] == "too_many_seats"


@pytest.mark.parametrize(
    ("policy", "most"), [({"seats_max_per_person": None}, 30), ({"seats_max_per_person": 500}, 30), ({}, 20)]
)
def test_platforms_seat_limit_applies_unless_the_policys_is_lower(db, stage, policy, most):
    set_limit(db, "seats_per_person_and_event", 30)
    event_id, somebody = stage.event(capacity=100, policy={**stages.POLICY, **policy}), stage.customer()
    routines.book(db, event_id, somebody, 15)

    assert refusal(guests, db, event_id, somebody, most - 14)[1]["seats_left"] == most - 15
    assert guests(db, event_id, somebody, most - 15)["status"] == "confirmed"


def test_new_policy_limits_seats_and_events_copy_its_limit(db, stage):
    query = "insert into organizations.policies (organization_id, name) values (%s, 'House') returning id"
    policy_id = db.execute(query, [stage.organization_id]).fetchone()["id"]
    snapshot = "select events.policy_snapshot(%s) ->> 'seats_max_per_person' as most"

    assert db.execute(snapshot, [policy_id]).fetchone()["most"] == "20"
    assert db.execute(snapshot, [None]).fetchone()["most"] == "20"
    db.execute("update organizations.policies set seats_max_per_person = null")
    assert db.execute(snapshot, [policy_id]).fetchone()["most"] is None


def test_waitlist_entry_counts_and_its_offer_can_be_accepted_at_the_limit(db, stage):
    first, somebody = stage.customers(2)
    event_id = stage.event(capacity=30, policy=POLICY)
    guests(db, event_id, somebody, 17)
    booked = routines.book(db, event_id, first, 13)
    join = "select events.join_waitlist(event_id => %s, seats => %s)"

    assert refusal(routines.call, db, somebody, join, [event_id, 4])[1]["seats_left"] == 3
    entry = routines.call(db, somebody, join, [event_id, 3])
    routines.call(db, first, "select events.cancel_booking(booking_id => %s)", [booked["id"]])
    assert refusal(hold, db, event_id, somebody, 4)[0] == "too_many_seats"
    taken = routines.call(db, somebody, "select events.accept_offer(entry_id => %s)", [entry["id"]])
    assert taken["status"] == "accepted"


def test_late_payment_does_not_reinstate_a_booking_beyond_the_limit(db, stage):
    event_id = stage.event(capacity=100, policy={**POLICY, "seats_max_per_person": 6}, **PRICED)
    somebody = stage.customer()
    unpaid = pay_later(db, event_id, somebody, "one", seats=4)
    expire_holds(db)
    back = "select events.can_reinstate_booking(b) as may from events.bookings as b where b.id = %s"

    assert db.execute(back, [unpaid["id"]]).fetchone()["may"]
    # Staff can exceed the maximum. Their bookings count against it too.
    book(db, event_id, stage.owner, seats=5, guest=True, customer_id=somebody, payment_method="comp")
    assert not db.execute(back, [unpaid["id"]]).fetchone()["may"]


# Number of waitlist entries, series and events


def test_waitlist_entries_of_a_person_are_limited_per_organization_and_in_total(db, stage):
    set_limit(db, "waits_per_person_and_organization", 2)
    set_limit(db, "waits_per_person", 3)
    somebody, join = stage.customer(), "select events.join_waitlist(event_id => %s)"
    other, third = stages.create(db), stages.create(db)

    def full(where):
        event_id = where.event(capacity=1)
        routines.book(db, event_id, where.owner)
        return [event_id]

    for where in (stage, stage, other):
        routines.call(db, somebody, join, full(where))

    here = refusal(routines.call, db, somebody, join, full(stage))
    elsewhere = refusal(routines.call, db, somebody, join, full(third))

    assert here == ("too_many_waits", {"waits": 2, "waits_max": 2})
    assert elsewhere == ("too_many_waits", {"waits": 3, "waits_max": 3})


def test_series_and_events_of_an_organization_are_limited(db, stage):
    set_limit(db, "series_per_organization", 0)
    set_limit(db, "events_per_organization", 0)
    details = json.dumps({"organization_id": str(stage.organization_id), "title": "Class"})

    series = refusal(routines.call, db, stage.owner, "select events.create_series(details => %s::jsonb)", [details])
    event = refusal(routines.call, db, stage.owner, "select events.create_event(details => %s::jsonb)", [details])

    assert (series, event) == (("too_many_series", {"most": 0}), ("too_many_events", {"most": 0}))


# Every routine that takes seats

CHECKS = {
    "events.holds": {"events.limit_held_seats("},
    "events.waitlist_entries": {"events.require_waitlist("},
    "events.bookings": {"events.limit_seats("},
}
"""By table: the checks that a routine must call before it inserts rows."""

UNCHECKED = {
    ("events.offer_seats", "events.holds"): "Joining the waitlist was limited, and a new hold counts these seats.",
    ("events.place_booking", "events.bookings"): "Its callers check the limits: events.book and events.accept_offer.",
    ("staging.convert_registrations", "events.bookings"): "The service imports seats that were sold before.",
    ("staging.convert_waitlists", "events.waitlist_entries"): "The service imports entries that existed before.",
}
"""By routine and table: why the routine inserts rows without these checks."""


def test_every_routine_that_takes_seats_checks_the_limits(db):
    routines = db.execute(
        "select n.nspname || '.' || p.proname as name, coalesce(p.prosrc, '') as body "
        "from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace "
        "where n.nspname not in ('pg_catalog', 'information_schema') order by 1"
    ).fetchall()
    found, unlimited = set(), set()
    for routine in routines:
        for table, checks in CHECKS.items():
            if re.search(rf"insert\s+into\s+{re.escape(table)}\b", routine["body"]):
                found.add((routine["name"], table))
                if not all(check in routine["body"] for check in checks):
                    unlimited.add((routine["name"], table))

    bodies = {routine["name"]: routine["body"] for routine in routines}
    limits = ("events.limit_waits(", "events.limit_waiting_seats(", "events.limit_seats(")
    assert all(check in bodies["events.require_waitlist"] for check in limits)
    assert unlimited == UNCHECKED.keys()
    assert {"events.hold_seats", "events.hold_until_paid", "events.join_waitlist"} <= {name for name, _ in found}
