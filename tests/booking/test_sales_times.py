"""Each moment of an event's sale is defined once: the end of sales and the end of the waitlist.

Booking, holds, offers, the waitlist, lists and refusals use the same definitions (events.sales_end_at and
events.offers_end_at).
"""

import itertools
import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.kit import gateway, routines, stages

SQL = Path(__file__).parents[2] / "sql"
BOOK = "select events.book(event_id => %s, customer_id => %s)"
HOLD = "select events.hold_seats(event_id => %s, customer_id => %s)"
JOIN = "select events.join_waitlist(event_id => %s, customer_id => %s)"


@pytest.fixture
def stage(db):
    db.execute("update ops.rate_limit_rules set per_minute = 6000, burst = 6000")
    return stages.create(db)


def tried(stage: stages.Stage, caller: UUID, query: str, params: list[Any]) -> str | None:
    """Try a routine without keeping its effect. Return the code of a refusal."""
    try:
        with stage.db.transaction(force_rollback=True):
            routines.call(stage.db, caller, query, params)
    except psycopg.Error as error:
        return routines.code_of(error)
    return None


def closing(minutes: int, **more: Any) -> dict[str, Any]:
    return {**stages.POLICY, "closes_minutes_before": minutes, **more}


def move(stage: stages.Stage, event_id: UUID, starts_in: str) -> None:
    """Move an event, as its editors do."""
    times = stage.db.execute(
        "select now() + %(by)s::interval as starts_at, now() + %(by)s::interval + interval '1 hour' as ends_at",
        {"by": starts_in},
    ).fetchone()
    changes = json.dumps({name: time.isoformat() for name, time in times.items()})
    routines.call(stage.db, stage.owner, "select events.update_event(%s, %s::jsonb, 'true')", [event_id, changes])


def test_seat_freed_between_online_sales_and_last_offer_is_sold_at_the_desk(stage):
    event_id, desk = stage.event(capacity=1, policy=closing(180)), stage.member("front_desk")
    who = stage.customer()
    booking_id = routines.book(stage.db, event_id, who)["id"]
    waiting = stage.customer()
    routines.call(stage.db, waiting, JOIN, [event_id, None])
    move(stage, event_id, "2 hours")

    routines.call(stage.db, who, "select events.cancel_booking(%s)", [booking_id])

    assert tried(stage, stage.customer(), BOOK, [event_id, None]) == "booking_window_closed"
    assert tried(stage, desk, HOLD, [event_id, stage.customer()]) is None
    assert tried(stage, desk, BOOK, [event_id, stage.customer()]) is None
    details = gateway.get("catalog", f"/events/{event_id}").body
    assert (details["seats_left"], details["booking_open"], details["waitlist_open"]) == (1, False, False)


@pytest.mark.parametrize("closes", [-30, 0, 45, 90])
@pytest.mark.parametrize("starts_in", [-20, 20, 50, 80, 300])
def test_waitlist_is_open_exactly_where_joining_works(stage, closes, starts_in):
    for opens_days_before, capacity, booked in itertools.product((None, 0), (0, 1, 2, None), (0, 1)):
        if capacity == 0 and booked:
            continue
        policy = closing(closes, opens_days_before=opens_days_before)
        event_id = stage.event(capacity=capacity, starts_in=f"{starts_in} minutes", policy=policy)
        if booked:
            stage.db.execute(
                "insert into events.bookings (event_id, organization_id, customer_id, seats, status, payment_method,"
                " price_cents, currency, policy) values (%s, %s, %s, 1, 'confirmed', 'none', 0, 'CHF', '{}')",
                [event_id, stage.organization_id, stage.customer()],
            )

        details = gateway.get("catalog", f"/events/{event_id}").body
        listed = gateway.get("catalog", "/events", query={"limit": "100"}).body["items"]

        refused = tried(stage, stage.customer(), JOIN, [event_id, None])
        assert details["waitlist_open"] == (refused is None), (details, refused)
        booked_now = tried(stage, stage.customer(), BOOK, [event_id, None])
        assert details["booking_open"] == (booked_now != "booking_window_closed")
        for shown in (each for each in listed if each["id"] == str(event_id)):
            names = ("seats_left", "availability", "booking_open", "waitlist_open")
            assert [shown[name] for name in names] == [details[name] for name in names]


def test_hold_ends_with_online_sales(stage):
    event_id = stage.event(starts_in="1 hour", policy=closing(55))

    hold = routines.call(stage.db, stage.customer(), HOLD, [event_id, None])
    by_desk = routines.call(stage.db, stage.owner, HOLD, [event_id, stage.customer()])

    times = stage.db.execute("select closes_at, ends_at from events.terms where event_id = %s", [event_id]).fetchone()
    held = {row["id"]: row["expires_at"] for row in stage.db.execute("select id, expires_at from events.holds")}
    assert held[UUID(hold["id"])] == times["closes_at"]
    assert times["closes_at"] < held[UUID(by_desk["id"])] < times["ends_at"]


@pytest.mark.parametrize("change", ["an earlier start", "an earlier start in another month", "an earlier end of sales"])
def test_changed_times_cut_holds_and_offers(stage, change):
    event_id = stage.event(capacity=2, starts_in="40 days")
    holder, waiting, leaving, payer = stage.customers(4)
    priced = stage.event(capacity=2, starts_in="40 days", price_cents=500)
    booking_id = routines.book(stage.db, event_id, leaving)["id"]
    routines.call(stage.db, holder, HOLD, [event_id, None])
    routines.call(stage.db, waiting, JOIN, [event_id, None])
    routines.call(stage.db, leaving, "select events.cancel_booking(%s)", [booking_id])
    card = "select events.book(event_id => %s, payment_method => 'card', idempotency_key => 'tap')"
    routines.call(stage.db, payer, card, [priced])
    for each in (event_id, priced):
        match change:
            case "an earlier start":
                stage.db.execute("update events.events set policy = %s where id = %s", [json.dumps(closing(5)), each])
                move(stage, each, "10 minutes")
            case "an earlier start in another month":
                move(stage, each, "5 minutes")
            case _:
                policy = json.dumps(closing(40 * 1440 - 5))
                stage.db.execute("update events.events set policy = %s where id = %s", [policy, each])

    query = """
        select h.purpose::text as purpose, h.expires_at, t.closes_at, t.ends_at, w.offer_expires_at
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        left join events.waitlist_entries as w on w.hold_id = h.id
    """
    found = {row["purpose"]: row for row in stage.db.execute(query)}
    assert found["online"]["expires_at"] == found["online"]["closes_at"]
    assert found["offer"]["expires_at"] == found["offer"]["offer_expires_at"] == found["offer"]["closes_at"]
    assert found["payment"]["closes_at"] < found["payment"]["expires_at"] < found["payment"]["ends_at"]


MOMENTS = {
    "routines/events/events/copy_terms.sql": "stores the times of the policy",
    "routines/events/times/offers_end_at.sql": "defines the end of the waitlist",
    "routines/events/times/sales_end_at.sql": "defines the end of sales",
}
"""Files that name the stored times, and why. Others call the routines that define the moments."""

SEATS = {
    "routines/events/availability/seats_left.sql": "skips the routine while no seat is held or set aside",
    "routines/events/availability/seats_on_sale.sql": "defines the seats on sale",
    "routines/events/booking/book.sql": "the fast path: nobody waits and no seat is held",
    "routines/events/events/set_capacities.sql": "changes the capacity",
    "routines/events/holds/require_seats.sql": "sells the seats set aside to the first in the waitlist",
    "routines/events/inventory/adjust_inventory.sql": "changes the counters",
    "routines/events/inventory/refuse_sold_out.sql": "counts the seats set aside for the first in the waitlist",
    "routines/events/search/scarcity.sql": "selects the events whose free seats the search computes",
    "routines/events/waitlist/offer_seats.sql": "offers all free seats",
    "routines/events/waitlist/promote_waitlists.sql": "finds waitlists that could get an offer",
    "routines/ops/health/collect_health_figures.sql": "finds waitlists that should have an offer",
    "routines/staging/convert_registrations.sql": "imports older bookings, which precede the waitlist",
}
"""Files that compute free seats from the counters, and why. Others call events.seats_on_sale or events.seats_left."""


def test_moments_and_free_seats_are_computed_in_one_place():
    moments, seats = set(), set()
    for path in [*SQL.glob("routines/**/*.sql"), *SQL.glob("views/**/*.sql")]:
        name, text = path.relative_to(SQL).as_posix(), re.sub("--.*", "", path.read_text())
        if re.search(r"\.(last_offer_at|closes_at)\b", text):
            moments.add(name)
        if re.search(r"\bcapacity\b\s*-\s*[^;,]*\btaken\b|\btaken\b\s*\+\s*[^;,]*\bheld\b", text):
            seats.add(name)

    assert moments == MOMENTS.keys()
    assert seats == SEATS.keys()
