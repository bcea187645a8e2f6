"""The names of the people who attend by a booking: who sees and changes them, and when they end."""

from uuid import UUID, uuid4

import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    return stages.create(db)


@pytest.fixture
def booking(stage):
    return routines.book(stage.db, stage.event(), stage.customer(), 3)


def name(booking, names, caller=None):
    path = f"/bookings/{booking['id']}/names"
    return gateway.request("book", "PUT", path, {"names": names}, caller=caller or UUID(booking["customer_id"]))


def names_of(booking, caller=None):
    path = f"/bookings/{booking['id']}/names"
    answer = gateway.get("book", path, caller=caller or UUID(booking["customer_id"]))
    return answer.body.get("names", answer.body.get("code"))


def test_names_are_replaced_and_shown_in_the_roster_and_at_check_in(stage, booking):
    assert names_of(booking) == []
    assert name(booking, ["Ana", "Ben"]).body["names"] == ["Ana", "Ben"]
    assert [name(booking, ["Ana", "Carl", "Dora"], caller=stage.owner).status for _ in range(2)] == [200, 200]
    routines.book(stage.db, UUID(booking["event_id"]), stage.customer())
    stage.db.execute("update events.events set starts_at = now(), ends_at = now() + interval '1 h'")

    roster = gateway.get("attendance", f"/events/{booking['event_id']}/roster", caller=stage.owner)
    checked_in = gateway.post("attendance", f"/bookings/{booking['id']}/attended", caller=stage.owner)
    marks = [{"key": "a", "booking_id": booking["id"], "attended": True, "at": "2026-01-01T00:00:00Z"}]
    marked = gateway.post("desk", f"/events/{booking['event_id']}/attendance", {"marks": marks}, caller=stage.owner)

    assert [item["names"] for item in roster.body["items"]] == [["Ana", "Carl", "Dora"], []]
    assert checked_in.body["names"] == ["Ana", "Carl", "Dora"]
    assert marked.body["results"][0]["booking"]["names"] == ["Ana", "Carl", "Dora"]
    assert name(booking, []).body["names"] == []


def test_there_are_at_most_as_many_names_as_seats(stage, booking):
    assert name(booking, list("ABCD")).body["code"] == "too_many_names"
    assert name(booking, ["Ana\n"]).status == 422
    name(booking, list("ABC"))

    gateway.post("cancel", f"/bookings/{booking['id']}/seats", {"seats": 2}, caller=stage.owner)

    assert names_of(booking) == ["A", "B"]


def test_names_move_with_the_booking(stage, booking):
    name(booking, ["Ana"])
    path = f"/bookings/{booking['id']}/move"

    moved = gateway.post("cancel", path, {"event_id": str(stage.event())}, caller=stage.owner, key=uuid4().hex)

    assert names_of(moved.body, stage.owner) == ["Ana"]
    assert names_of(booking) == []
    assert name(booking, ["Ana"]).body["code"] == "booking_not_confirmed"


def test_only_the_customer_and_staff_see_and_change_names(stage, booking):
    name(booking, ["Ana"])
    strangers = [stage.customer(), stages.create(stage.db).owner, stage.member("viewer")]

    assert [names_of(booking, one) for one in strangers] == ["booking_not_found"] * 3
    assert [name(booking, ["Eve"], one).body["code"] for one in strangers] == ["booking_not_found"] * 3
    assert names_of(booking, stage.member("front_desk")) == ["Ana"]


def test_names_end_with_the_person_and_after_their_period(stage, booking):
    other = routines.book(stage.db, stage.event(), stage.customer())
    for one in (booking, other):
        name(one, ["Ana"])

    routines.call(stage.db, UUID(booking["customer_id"]), "select users.erase_profile(%s)", [booking["customer_id"]])
    left = stage.db.execute("select booking_id::text from events.booking_names").fetchall()
    stage.db.execute("update events.booking_names set written_at = now() - interval '14 months'")
    routines.call(stage.db, None, "select ops.clean_up()")

    assert left == [{"booking_id": other["id"]}]
    assert names_of(other) == []
