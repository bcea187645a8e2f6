"""Test the attendance routes: the roster, recording attendance and no-shows, and the no-show fee."""

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    return stages.create(db)


def booked(db, stage, starts_in="30 minutes", **columns):
    """Create an event and a booking of it."""
    event_id, customer = stage.event(starts_in=starts_in, **columns), stage.customer("ben")
    booking = routines.book(db, event_id, customer)
    return event_id, customer, booking["id"]


def test_roster_lists_bookings_in_the_order_they_were_made(db, stage):
    event_id = stage.event()
    names = ["ana", "ben", "chloe"]
    for name in names:
        routines.book(db, event_id, stage.customer(name), seats=2)

    first = gateway.get(
        "attendance", f"/events/{event_id}/roster", caller=stage.member("front_desk"), query={"limit": 2}
    )
    rest = gateway.get(
        "attendance",
        f"/events/{event_id}/roster",
        caller=stage.owner,
        query={"limit": 2, "cursor": first.body["next_cursor"]},
    )

    assert [line["name"] for line in first.body["items"] + rest.body["items"]] == names
    assert {line["seats"] for line in first.body["items"]} == {2}
    assert rest.body["next_cursor"] is None


@pytest.mark.parametrize("role", ["viewer", "accountant"])
def test_roster_is_forbidden_to_viewers_and_accountants(db, stage, role):
    answer = gateway.get("attendance", f"/events/{stage.event()}/roster", caller=stage.member(role))

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_instructor_reads_roster_and_waitlist_of_their_own_event_only(db, stage):
    led, other = stage.event(), stage.event()
    booking_id = routines.book(db, other, stage.customer())["id"]
    instructor = stage.instructor(led)

    answers = [
        gateway.get("attendance", f"/events/{led}/roster", caller=instructor),
        gateway.get("attendance", f"/events/{other}/roster", caller=instructor),
        gateway.get("waitlist", f"/events/{led}/waitlist/entries", caller=instructor),
        gateway.get("waitlist", f"/events/{other}/waitlist/entries", caller=instructor),
        gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=instructor),
    ]

    assert [(answer.status, answer.body.get("code")) for answer in answers] == [
        (200, None),
        (403, "forbidden"),
        (200, None),
        (403, "forbidden"),
        (404, "booking_not_found"),
    ]


def test_roster_of_a_private_event_is_not_found_for_a_customer(stage):
    event_id = stage.event(visibility="private")

    answer = gateway.get("attendance", f"/events/{event_id}/roster", caller=stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "event_not_found")


def test_attendance_is_recorded_once(db, stage):
    event_id, _, booking_id = booked(db, stage)
    staff = stage.instructor(event_id)

    answers = [gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=staff) for _ in range(2)]

    assert [(answer.status, answer.body["status"]) for answer in answers] == [(200, "attended")] * 2
    assert db.execute("select count(*) as n from ops.state_history where machine = 'booking'").fetchone()["n"] == 1
    assert db.execute(stages.DRIFT).fetchall() == []


@pytest.mark.parametrize(("waive", "fee_cents"), [(False, 900), (True, 0)])
def test_no_show_costs_the_policys_fee_unless_waived(db, stage, waive, fee_cents):
    _, _, booking_id = booked(db, stage)

    answer = gateway.post("attendance", f"/bookings/{booking_id}/no-show", {"waive": waive}, caller=stage.owner)

    assert (answer.status, answer.body["status"], answer.body["fee_cents"]) == (200, "no_show", fee_cents)


def test_attendance_recorded_days_before_the_event_is_refused(db, stage):
    _, _, booking_id = booked(db, stage, starts_in="2 days")

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "too_early")


def test_no_show_can_be_corrected_to_attended(db, stage):
    _, _, booking_id = booked(db, stage)
    gateway.post("attendance", f"/bookings/{booking_id}/no-show", caller=stage.owner)

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["status"], answer.body["fee_cents"]) == (200, "attended", 0)


def test_attendance_of_a_cancelled_booking_is_refused(db, stage):
    _, _, booking_id = booked(db, stage)
    routines.call(db, stage.owner, "select events.cancel_booking(booking_id => %s)", [booking_id])

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "invalid_transition")


def test_customer_cannot_record_their_own_attendance(db, stage):
    _, customer, booking_id = booked(db, stage)

    own = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=customer)
    others = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.customer())

    assert (own.status, others.status) == (403, 404)
