"""Attendance through its doorway: the roster, who came, who did not, and what that costs."""

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    return stages.create(db)


def booked(db, stage, starts_in="30 minutes", **columns):
    """An event and a booking of it."""
    event_id, customer = stage.event(starts_in=starts_in, **columns), stage.customer("ben")
    booking = routines.book(db, event_id, customer)
    return event_id, customer, booking["id"]


def test_staff_see_who_has_a_place_in_the_order_they_booked(db, stage):
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
def test_the_roster_takes_a_role(db, stage, role):
    answer = gateway.get("attendance", f"/events/{stage.event()}/roster", caller=stage.member(role))

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_instructor_reads_the_roster_of_the_event_that_they_lead_and_of_no_other(db, stage):
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


def test_nobody_learns_of_a_private_event_by_its_roster(stage):
    event_id = stage.event(visibility="private")

    answer = gateway.get("attendance", f"/events/{event_id}/roster", caller=stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "event_not_found")


def test_coming_is_written_down_once(db, stage):
    event_id, _, booking_id = booked(db, stage)
    staff = stage.instructor(event_id)

    answers = [gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=staff) for _ in range(2)]

    assert [(answer.status, answer.body["status"]) for answer in answers] == [(200, "attended")] * 2
    assert db.execute("select count(*) as n from ops.state_history where machine = 'booking'").fetchone()["n"] == 1
    assert db.execute(stages.DRIFT).fetchall() == []


@pytest.mark.parametrize(("waive", "fee_cents"), [(False, 900), (True, 0)])
def test_not_coming_costs_what_the_policy_says_unless_it_is_waived(db, stage, waive, fee_cents):
    _, _, booking_id = booked(db, stage)

    answer = gateway.post("attendance", f"/bookings/{booking_id}/no-show", {"waive": waive}, caller=stage.owner)

    assert (answer.status, answer.body["status"], answer.body["fee_cents"]) == (200, "no_show", fee_cents)


def test_nobody_can_have_come_days_before(db, stage):
    _, _, booking_id = booked(db, stage, starts_in="2 days")

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "too_early")


def test_what_was_written_down_wrongly_can_be_corrected(db, stage):
    _, _, booking_id = booked(db, stage)
    gateway.post("attendance", f"/bookings/{booking_id}/no-show", caller=stage.owner)

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["status"], answer.body["fee_cents"]) == (200, "attended", 0)


def test_who_cancelled_neither_came_nor_failed_to_come(db, stage):
    _, _, booking_id = booked(db, stage)
    routines.call(db, stage.owner, "select events.cancel_booking(booking_id => %s)", [booking_id])

    answer = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "invalid_transition")


def test_customers_do_not_write_down_their_own_attendance(db, stage):
    _, customer, booking_id = booked(db, stage)

    own = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=customer)
    others = gateway.post("attendance", f"/bookings/{booking_id}/attended", caller=stage.customer())

    assert (own.status, others.status) == (403, 404)
