"""functions/insights: each caller sees their own figures, by days of the organization, without double counting."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from marquee.core.identity import Caller
from marquee.core.settings import LOGINS
from tests.kit import gateway, scheduling


@pytest.fixture
def world(db):
    made = scheduling.world(db)
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'accountant')",
        [made.organization_id, made.second_customer],
    )
    return made


SALE = """
with posted as (
    insert into payments.transactions (kind, idempotency_key, recorded_at)
    values (%(kind)s, gen_random_uuid()::text, coalesce(%(recorded_at)s, clock_timestamp()))
    returning id
)
insert into payments.entries (transaction_id, line, account_id, amount_cents)
select p.id, l.line, l.account_id, l.cents
from posted as p
cross join events.bookings as b
cross join lateral (
    values
    (1, payments.account('user', b.customer_id, 'cash', %(currency)s), %(cents)s),
    (2, payments.account('organization', b.organization_id, 'receivable', %(currency)s), -%(cents)s)
) as l (line, account_id, cents)
where b.id = %(booking_id)s
"""


def sell(world, booking_id, cents, currency="CHF", recorded_at=None):
    """Post the sale of a booking, or with negative cents a refund, at a moment."""
    kind = "sale" if cents > 0 else "refund"
    values = {"kind": kind, "cents": cents, "currency": currency, "recorded_at": recorded_at, "booking_id": booking_id}
    world.db.execute(SALE, values)


def analytics(world, caller=None, organization_id=None):
    path = f"/organizations/{organization_id or world.organization_id}/analytics"
    return gateway.get("insights", path, caller=caller or world.owner)


def dashboard(caller):
    return gateway.get("profile", "/dashboard", caller=caller)


def schedule(world, caller, instructor_id=None, **days):
    path = f"/instructors/{instructor_id or world.instructor_id}/schedule"
    return gateway.get("insights", path, caller=caller, query=days)


def test_dashboard_of_a_new_customer_is_empty(world):
    answer = dashboard(uuid4())

    assert answer.status == 200
    assert answer.body["bookings"] == dict.fromkeys(answer.body["bookings"], 0)
    assert (answer.body["upcoming"], answer.body["waitlist"], answer.body["spent"]) == ([], [], [])
    assert answer.body["last_booked_at"] is None


def test_dashboard_counts_bookings_by_status(world):
    events = [scheduling.make_event(world)["id"] for _ in range(4)]
    bookings = [scheduling.book(world, event_id, world.customer, 2) for event_id in events]
    world.db.execute(
        "update events.bookings set status = 'cancelled', cancelled_at = now() where id = %s", [bookings[0]]
    )
    world.db.execute("update events.bookings set status = 'attended' where id = %s", [bookings[1]])

    body = dashboard(world.customer).body

    assert body["bookings"] == {
        "total": 4, "pending": 0, "confirmed": 2, "cancelled": 1, "refunded": 0, "attended": 1, "no_show": 0,
        "expired": 0, "upcoming": 2, "late": 0,
    }  # fmt: skip
    assert {each["booking_id"] for each in body["upcoming"]} == {str(booking) for booking in bookings[2:]}
    assert body["upcoming"][0]["seats"] == 2
    assert datetime.now(UTC) - datetime.fromisoformat(body["last_booked_at"]) < timedelta(minutes=1)


def test_bookings_and_waitlist_entries_are_counted_once_each(world):
    """A join must not multiply the sums: the earlier system counted six bookings and doubled the spending."""
    for price_cents in (1000, 2000, 4000):
        sell(world, scheduling.book(world, scheduling.make_event(world)["id"], world.customer), price_cents)
    for _wait in range(2):
        full = scheduling.make_event(world, capacity=1)["id"]
        scheduling.book(world, full, world.second_customer)
        scheduling.wait(world, full, world.customer)

    body = dashboard(world.customer).body
    assert (body["bookings"]["total"], body["spent"]) == (3, [{"currency": "CHF", "amount_cents": 7000}])
    assert [place["position"] for place in body["waitlist"]] == [1, 1]

    row = world.db.execute(
        "select * from public.customer_dashboard_mv where customer_id = %s", [world.customer]
    ).fetchone()
    assert (row["total_bookings"], row["total_spent_cents"], row["waitlist_places"]) == (3, 7000, 2)

    figures = analytics(world).body
    assert (figures["total_bookings"], figures["revenue_total_cents"], figures["waitlist_waiting"]) == (5, 7000, 2)
    assert (figures["unique_customers"], figures["seats_taken"]) == (2, 5)


def test_spending_is_summed_by_currency_without_refunds(world):
    bookings = [scheduling.book(world, scheduling.make_event(world)["id"], world.customer) for _ in range(4)]
    sell(world, bookings[0], 1000)
    sell(world, bookings[1], 500, currency="EUR")
    for cents in (3000, -2700):
        sell(world, bookings[2], cents)
    for cents in (900, -900):
        sell(world, bookings[3], cents, currency="USD")

    assert dashboard(world.customer).body["spent"] == [
        {"currency": "CHF", "amount_cents": 1300},
        {"currency": "EUR", "amount_cents": 500},
    ]


def test_upcoming_booking_shows_the_local_time_of_its_event(world):
    starts_at = datetime.now(UTC).replace(hour=20, minute=30, second=0, microsecond=0) + timedelta(days=5)
    event = scheduling.make_event(
        world,
        starts_at=starts_at.isoformat(),
        ends_at=(starts_at + timedelta(hours=1)).isoformat(),
        time_zone="Pacific/Auckland",
        location_id=str(world.location_id),
    )
    scheduling.book(world, event["id"], world.customer)

    (upcoming,) = dashboard(world.customer).body["upcoming"]

    local = starts_at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert upcoming["local_start"] == local.strftime("%Y-%m-%dT%H:%M:%S")
    assert (upcoming["time_zone"], upcoming["organization"]) == ("Pacific/Auckland", "Studio")
    assert upcoming["location"] == "Lake room"


def test_waitlist_offer_is_shown_with_its_expiry(world):
    full = scheduling.make_event(world, capacity=1)["id"]
    booking_id = scheduling.book(world, full, world.second_customer)
    scheduling.wait(world, full, world.customer)
    gateway.post("cancel", f"/bookings/{booking_id}/cancel", caller=world.second_customer)

    (place,) = dashboard(world.customer).body["waitlist"]

    assert (place["wait"], place["position"]) == ("offered", None)
    assert datetime.fromisoformat(place["offer_expires_at"]) > datetime.now(UTC)


def test_dashboard_requires_a_token(world):
    answer = dashboard(None)
    assert (answer.status, answer.body["code"]) == (401, "unauthenticated")


def test_dashboard_shows_only_the_callers_bookings(world):
    scheduling.book(world, scheduling.make_event(world)["id"], world.customer)

    for other in (world.owner, world.stranger, world.second_customer):
        assert dashboard(other).body["bookings"]["total"] == 0


def make_instructor_event(world, starts_at, **changes):
    """Create an event of the instructor."""
    return scheduling.make_event(
        world,
        starts_at=starts_at.isoformat(),
        ends_at=(starts_at + timedelta(minutes=90)).isoformat(),
        instructor_id=str(world.instructor_id),
        **changes,
    )


def noon(days):
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


def test_schedule_shows_the_instructors_events_and_their_utilization(world):
    event = make_instructor_event(world, noon(2), capacity=8, location_id=str(world.location_id))
    scheduling.make_event(world)  # without an instructor
    booking_id = scheduling.book(world, event["id"], world.customer, 3)
    scheduling.book(world, event["id"], world.second_customer, 1)
    world.db.execute("update events.bookings set status = 'attended' where id = %s", [booking_id])

    body = schedule(world, world.editor).body

    (shown,) = body["events"]
    assert (shown["event_id"], shown["location_name"]) == (event["id"], "Lake room")
    assert (shown["capacity"], shown["seats_taken"], shown["utilization_percent"], shown["attended"]) == (8, 4, 50.0, 3)
    assert body["totals"] == {"events": 1, "minutes": 90, "seats_taken": 4, "attended": 3}
    assert (body["name"], body["time_zone"]) == ("Felix", "Europe/Zurich")


def test_schedule_days_are_in_the_organizations_time_zone(world):
    """The events start at 00:30 and 23:30 in Zurich, because 00:30 there is the previous day in UTC."""
    zone = ZoneInfo("Europe/Zurich")
    day = (datetime.now(UTC) + timedelta(days=40)).date()
    first = datetime(day.year, day.month, day.day, 0, 30, tzinfo=zone)
    last = datetime(day.year, day.month, day.day, 23, 30, tzinfo=zone)
    inside = [make_instructor_event(world, at)["id"] for at in (first, last)]
    for at in (first - timedelta(hours=1), last + timedelta(hours=1)):
        make_instructor_event(world, at)

    body = schedule(world, world.owner, **{"from": str(day), "to": str(day)}).body

    assert [event["event_id"] for event in body["events"]] == inside
    assert (body["from"], body["to"]) == (str(day), str(day))


def test_schedule_is_visible_to_its_instructor_and_staff(world):
    world.db.execute("update organizations.instructors set user_id = %s", [world.customer])
    world.db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'instructor')",
        [world.organization_id, world.customer],
    )

    statuses = {
        name: schedule(world, getattr(world, name)).status
        for name in ("customer", "owner", "editor", "viewer", "front_desk", "stranger", "second_customer")
    }

    assert statuses == {
        "customer": 200, "owner": 200, "editor": 200, "viewer": 200, "front_desk": 200, "stranger": 403,
        "second_customer": 403,
    }  # fmt: skip


def test_schedule_is_forbidden_to_an_instructor_without_membership(world):
    world.db.execute("update organizations.instructors set user_id = %s", [world.customer])

    assert schedule(world, world.customer).status == 403


def test_schedule_shows_cancelled_events_without_counting_them(world):
    event = make_instructor_event(world, noon(2))
    gateway.post("manage-events", f"/events/{event['id']}/cancel", caller=world.owner)
    booked = make_instructor_event(world, noon(3))
    scheduling.book(world, booked["id"], world.customer)
    gateway.post("manage-events", f"/events/{booked['id']}/cancel", {"reason": "ill"}, caller=world.owner)

    body = schedule(world, world.owner).body

    assert {event["status"] for event in body["events"]} == {"cancelled"}
    assert body["totals"] == {"events": 0, "minutes": 0, "seats_taken": 0, "attended": 0}


MANY_EVENTS = """
with led as (
    insert into events.events (
        id, starts_at, ends_at, organization_id, title, category, language, time_zone, price_cents, currency, policy,
        instructor_id
    )
    select
        ops.uuid_v7(), now() + interval '1 day' + n / 2 * interval '1 minute',
        now() + interval '1 day 1 hour' + n / 2 * interval '1 minute', %s, 'Drill', 'yoga', 'en', 'Europe/Zurich', 0,
        'CHF', '{}', %s
    from generate_series(1, 520) as n
    returning id
)
insert into events.inventory (event_id, capacity) select l.id, 5 from led as l
"""


def test_schedule_totals_cover_all_pages(world):
    """Two events start at each minute, so the pages continue within a start."""
    world.db.execute(MANY_EVENTS, [world.organization_id, world.instructor_id])
    last = make_instructor_event(world, noon(5))
    scheduling.book(world, last["id"], world.customer, 3)

    pages = [schedule(world, world.editor).body]
    while pages[-1]["next_cursor"]:
        pages.append(schedule(world, world.editor, cursor=pages[-1]["next_cursor"]).body)
    small = [schedule(world, world.editor, limit="199").body]
    while small[-1]["next_cursor"]:
        small.append(schedule(world, world.editor, limit="199", cursor=small[-1]["next_cursor"]).body)

    totals = {"events": 521, "minutes": 520 * 60 + 90, "seats_taken": 3, "attended": 0}
    assert [len(page["events"]) for page in pages] == [500, 21]
    assert [len(page["events"]) for page in small] == [199, 199, 123]
    assert all(page["totals"] == totals for page in (*pages, *small))
    shown = [event["event_id"] for page in pages for event in page["events"]]
    assert shown == [event["event_id"] for page in small for event in page["events"]]
    assert (len(set(shown)), shown[-1]) == (521, last["id"])


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "501"}, {"cursor": "nonsense"}])
def test_invalid_pages_of_a_schedule_are_refused(world, query):
    assert schedule(world, world.owner, **query).body["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ({"from": "2031-01-31", "to": "2031-01-01"}, "invalid_request"),
        ({"from": "2031-01-01", "to": "2031-12-31"}, "invalid_request"),
        ({"from": "yesterday"}, "invalid_request"),
        ({"from": "0"}, "invalid_request"),
        ({"from": "2031-01-01T00:00:00Z"}, "invalid_request"),
        ({"from": "99999-01-01"}, "invalid_request"),
    ],
)
def test_invalid_days_are_refused(world, days, code):
    answer = schedule(world, world.owner, **days)
    assert (answer.status, answer.body["code"]) == (422, code)


@pytest.mark.parametrize(
    "days", [{"from": "0001-01-01"}, {"to": "9999-12-31"}, {"to": "0001-01-02"}, {"from": "9999-12-31"}]
)
def test_extreme_days_cause_no_server_error(world, days):
    assert schedule(world, world.owner, **days).status in (200, 422)


def test_unknown_instructor_is_not_found(world):
    answer = schedule(world, world.owner, instructor_id=uuid4())
    assert (answer.status, answer.body["code"]) == (404, "instructor_not_found")


def test_analytics_are_visible_by_role(world):
    callers = {
        "owner": world.owner, "editor": world.editor, "viewer": world.viewer, "accountant": world.second_customer,
        "front_desk": world.front_desk, "stranger": world.stranger, "customer": world.customer,
    }  # fmt: skip

    statuses = {name: analytics(world, caller).status for name, caller in callers.items()}

    assert statuses == {
        "owner": 200, "editor": 200, "viewer": 200, "accountant": 200, "front_desk": 403, "stranger": 403,
        "customer": 403,
    }  # fmt: skip
    assert analytics(world, organization_id=uuid4()).body["code"] == "organization_not_found"


def test_organization_claim_without_membership_is_forbidden(world):
    caller = Caller(world.stranger, "authenticated", world.organization_id)

    assert analytics(world, caller).status == 403


def test_analytics_sum_events_bookings_and_revenue(world):
    full = scheduling.make_event(world, capacity=2)["id"]
    half = scheduling.make_event(world, capacity=4)["id"]
    scheduling.make_event(world, capacity=None)
    bookings = [scheduling.book(world, full, world.customer, 2), scheduling.book(world, half, world.second_customer, 2)]
    sell(world, bookings[0], 5000)
    scheduling.wait(world, full, world.second_customer)
    cancelled = scheduling.make_event(world, capacity=100)
    scheduling.book(world, cancelled["id"], world.customer)
    gateway.post("manage-events", f"/events/{cancelled['id']}/cancel", {}, caller=world.owner)

    body = analytics(world).body

    wanted = {
        "total_events": 4, "upcoming_events": 3, "scheduled_events": 3, "cancelled_events": 1, "total_bookings": 3,
        "confirmed_bookings": 2, "cancelled_bookings": 1, "seats_offered": 6, "seats_taken": 4,
        "utilization_percent": 66.7, "revenue_total_cents": 5000, "revenue_7_days_cents": 5000,
        "unique_customers": 2, "active_customers": 2, "waitlist_waiting": 1, "waitlist_total": 1, "currency": "CHF",
    }  # fmt: skip
    assert {name: body[name] for name in wanted} == wanted


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_revenue_days_start_at_midnight_in_the_organizations_zone(world, zone):
    world.db.execute("update organizations.organizations set time_zone = %s", [zone])
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    booking_id = scheduling.book(world, scheduling.make_event(world)["id"], world.customer)
    for days, minutes, cents in ((6, 1, 1), (6, -1, 10), (29, 1, 100), (29, -1, 1000)):
        # Subtract days from the local time, so that midnight stays midnight across daylight saving time.
        sell(world, booking_id, cents, recorded_at=today - timedelta(days=days) + timedelta(minutes=minutes))

    body = analytics(world).body

    assert body["revenue_7_days_cents"] == 1
    assert body["revenue_30_days_cents"] == 111
    assert body["revenue_total_cents"] == 1111


def test_analytics_exclude_other_organizations(world):
    scheduling.book(world, scheduling.make_event(world)["id"], world.customer)

    body = analytics(world, world.stranger, world.other_organization_id).body

    assert (body["total_bookings"], body["total_events"], body["unique_customers"]) == (0, 0, 0)


def test_views_of_the_earlier_system_show_only_the_callers_rows(world, connect):
    event_id = UUID(scheduling.make_event(world, instructor_id=str(world.instructor_id))["id"])
    scheduling.book(world, event_id, world.customer)

    def seen(view, caller_id, role="authenticated"):
        api = connect(LOGINS[role])
        with api.transaction():
            claims = f'{{"role": "{role}"' + (f', "sub": "{caller_id}"' if caller_id else "") + "}"
            api.execute("select ops.act_as(%s::jsonb)", [claims])
            return api.execute(f"select * from public.{view}").fetchall()

    assert [row["customer_id"] for row in seen("customer_dashboard_mv", world.customer)] == [world.customer]
    # The second customer is an accountant of the organization.
    assert seen("customer_dashboard_mv", world.second_customer)[0]["customer_id"] == world.customer
    assert seen("customer_dashboard_mv", world.stranger) == []
    assert seen("customer_dashboard_mv", None, "anon") == []
    staff = {row["organization_id"]: row["total_bookings"] for row in seen("org_analytics_mv", world.owner)}
    others = {row["organization_id"]: row["total_bookings"] for row in seen("org_analytics_mv", world.stranger)}
    assert (staff[world.organization_id], others[world.organization_id]) == (1, 0)
    assert [row["event_id"] for row in seen("instructor_schedule_mv", None, "anon")] == [event_id]
