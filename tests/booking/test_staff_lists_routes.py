"""Lists for staff: events with drafts and private ones, bookings with customers, history, the day, and files."""

import csv
import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.kit import gateway, routines, stages
from tests.kit.wallets import CreditBookings


@pytest.fixture
def stage(db):
    return stages.create(db)


def get(stage, name, caller=None, **query):
    path = f"/organizations/{stage.organization_id}/{name}"
    return gateway.get("desk", path, caller=caller or stage.owner, query=query or None)


def pages(stage, name, **query):
    """Return the items of all pages."""
    items, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = get(stage, name, **query, **more)
        assert page.status == 200, page.body
        items += page.body["items"]
        cursor = page.body["next_cursor"]
        if cursor is None:
            return items


def location(stage, name="Hall"):
    query = """
        insert into organizations.locations (organization_id, name, city, country, time_zone)
        values (%s, %s, 'Bern', 'CH', 'Europe/Zurich') returning id
    """
    return stage.db.execute(query, [stage.organization_id, name]).fetchone()["id"]


@pytest.mark.parametrize("order", ["earliest", "latest"])
def test_events_of_all_states_are_listed_in_order_on_pages(stage, order):
    expected = [
        stage.event(starts_in="-40 days", status="completed"),
        stage.event(starts_in="2 days", visibility="private"),
        stage.event(starts_in="2 days 1 hour", status="draft"),
        stage.event(starts_in="60 days", status="cancelled"),
    ]
    stages.create(stage.db).event()

    found = [UUID(item["id"]) for item in pages(stage, "events", order=order, limit=1)]

    assert found == (expected if order == "earliest" else expected[::-1])


def test_events_are_filtered_by_each_fact(stage):
    place = location(stage)
    one = stage.event(title="Yoga 100%", starts_in="2 days", visibility="private", status="draft")
    other = stage.event(title="Pilates", starts_in="20 days")
    stage.db.execute("update events.events set location_id = %s where id = %s", [place, other])
    soon = (datetime.now(UTC) + timedelta(days=10)).isoformat()

    def found(**query):
        return [UUID(item["id"]) for item in pages(stage, "events", **query)]

    assert found(to=soon) == found(status="draft") == found(visibility="private") == found(q="yoga 100%") == [one]
    assert found(**{"from": soon}) == found(location_id=place) == found(status="scheduled") == [other]
    (shown,) = get(stage, "events", location_id=place).body["items"]
    assert (shown["location_name"], shown["capacity"], shown["taken"]) == ("Hall", 10, 0)


@pytest.mark.parametrize("name", ["events", "bookings", "events.csv", "bookings.csv", "today"])
def test_lists_are_for_members_only(stage, name):
    strangers = [stage.customer(), stages.create(stage.db).owner]

    assert [get(stage, name, caller).status for caller in strangers] == [403, 403]
    assert get(stage, name).status == 200


def test_bookings_are_listed_with_their_customers_on_pages(stage):
    first, second = stage.event(starts_in="2 days"), stage.event(starts_in="9 days")
    people = [stage.customer(f"Person {n}") for n in range(3)]
    for person in people:
        routines.book(stage.db, first, person)
    routines.book(stage.db, second, people[0], 2)

    items = pages(stage, "bookings", limit=2)

    assert [(item["event_id"], item["name"]) for item in items] == [
        (str(second), "Person 0"),
        *((str(first), f"Person {n}") for n in (2, 1, 0)),
    ]
    assert items[0]["seats"] == 2
    assert [item["name"] for item in pages(stage, "bookings", q="PERSON 1")] == ["Person 1"]
    assert len(pages(stage, "bookings", person_id=people[0])) == 2
    assert len(pages(stage, "bookings", event_id=second)) == 1
    assert pages(stage, "bookings", status="cancelled") == []
    assert len(pages(stage, "bookings", payment_method="none")) == 4
    soon = (datetime.now(UTC) + timedelta(days=5)).isoformat()
    assert len(pages(stage, "bookings", **{"from": soon})) == 1


def test_unpaid_bookings_are_those_with_an_open_payment_invoice_or_fee(db):
    desk = CreditBookings(db)
    desk.db.execute(
        "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
        [desk.stage.organization_id],
    )
    by_card, by_invoice, missed, paid = (desk.customer() for _ in range(4))
    desk.book(by_card, "card")
    desk.book(by_invoice, "invoice")
    for person in (missed, paid):
        desk.give(person, 10000)
    absent = desk.book(missed, "wallet")
    desk.book(paid, "wallet")
    db.execute("update events.events set starts_at = now() - interval '9 minutes', ends_at = now() + interval '1 h'")
    query = "select events.record_attendance(booking_id => %s, attended => false)"
    routines.call(db, desk.stage.owner, query, [absent["id"]])

    unpaid = {item["customer_id"] for item in pages(desk.stage, "bookings", unpaid="true")}
    day = get(desk.stage, "today").body

    assert unpaid == {str(by_card), str(by_invoice), str(missed)}
    assert [item["customer_id"] for item in pages(desk.stage, "bookings", unpaid="false")] == [str(paid)]
    assert {item["customer_id"] for item in day["unpaid"]} == unpaid
    (event,) = day["events"]
    assert {name: event[name] for name in ("expected", "present", "absent", "unpaid")} == {
        "expected": 2,
        "present": 0,
        "absent": 1,
        "unpaid": 3,
    }


def test_customers_on_the_day_are_recorded_in_the_access_log(db):
    desk = CreditBookings(db)
    unpaid = desk.customer()
    event_id = desk.event(starts_in="1 second")
    db.execute("update events.events set starts_at = now() + interval '1 h', ends_at = now() + interval '2 h'")
    desk.book(unpaid, "card", event_id=event_id)
    (row,) = db.execute("select (starts_at at time zone 'Europe/Zurich')::date as day from events.terms limit 1")

    assert get(desk.stage, "today", day=row["day"]).body["unpaid"][0]["customer_id"] == str(unpaid)

    logged = db.execute("select people from ops.access_log where operation = 'organization_day'").fetchall()
    assert [one["people"] for one in logged] == [[str(unpaid)]]


def test_day_shows_its_events_and_instructors_see_no_names(stage):
    place = location(stage)
    stage.db.execute("update organizations.organizations set time_zone = 'UTC'")
    event_id = stage.event(capacity=1, starts_in="1 second", price_cents=500)
    stage.event(starts_in="3 days")
    stage.db.execute("update events.events set location_id = %s where id = %s", [place, event_id])

    day = get(stage, "today", location_id=place).body

    assert [(event["id"], event["location_name"]) for event in day["events"]] == [(str(event_id), "Hall")]
    assert get(stage, "today", location_id=place, day="2031-01-31").body["events"] == []
    assert get(stage, "today", caller=stage.member("instructor")).body["unpaid"] == []


def test_history_tells_who_changed_a_booking_and_moved_its_money(db):
    desk = CreditBookings(db)
    customer, clerk = desk.customer(), desk.stage.member("front_desk")
    desk.give(customer, 10000)
    booking = desk.book(customer, "wallet")
    desk.cancel(booking, caller=clerk)
    path = f"/bookings/{booking['id']}/history"

    staff = gateway.get("desk", path, caller=clerk).body
    own = gateway.get("desk", path, caller=customer).body

    assert [(e["kind"], e["from"], e["to"], e["amount_cents"], e["actor"]) for e in staff["entries"]] == [
        ("booked", None, "confirmed", 10000, "customer"),
        ("sold", None, None, 10000, "system"),
        ("refund", None, "succeeded", 10000, "system"),
        ("status", "confirmed", "cancelled", None, "staff"),
    ]
    assert [e["actor_id"] for e in staff["entries"] if e["actor"] == "staff"] == [str(clerk)]
    assert [e["actor_id"] for e in own["entries"] if e["actor"] == "staff"] == [None]
    assert gateway.get("desk", path, caller=desk.customer()).status == 404


def test_files_contain_no_formulas(stage):
    event_id = stage.event(title="=HYPERLINK(1)")
    routines.book(stage.db, event_id, stage.customer("@SUM(1)"))

    (event,) = csv.DictReader(io.StringIO(get(stage, "events.csv").text))
    (booking,) = csv.DictReader(io.StringIO(get(stage, "bookings.csv").text))

    assert (event["title"], event["taken"]) == ("'=HYPERLINK(1)", "1")
    assert (booking["name"], booking["event_title"]) == ("'@SUM(1)", "'=HYPERLINK(1)")


def test_week_of_500_events_is_one_page(stage):
    stage.db.execute(
        """
        with made as (
            insert into events.events (
                id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy
            )
            select
                gen_random_uuid(), now() + n * interval '20 min', now() + n * interval '20 min' + interval '1 h',
                %s, 'Class ' || n, 'en', 'Europe/Zurich', 'CHF', '{}'
            from generate_series(1, 500) as n
            returning id
        )
        insert into events.inventory (event_id, capacity) select m.id, 10 from made as m
        """,
        [stage.organization_id],
    )
    week = {"from": datetime.now(UTC).isoformat(), "to": (datetime.now(UTC) + timedelta(days=7)).isoformat()}

    page = get(stage, "events", limit=500, **week).body

    assert (len(page["items"]), page["next_cursor"]) == (500, None)
