"""No-shows by policy: unmarked bookings after a set time, no online booking after several, and excuses."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from psycopg.types.json import Jsonb

from tests.kit import gateway, money_invariants, routines, stages
from tests.kit.concurrency import run_together
from tests.kit.wallets import CreditBookings

MARK = "select events.mark_no_shows()"
POLICY = {"no_show_after_minutes": 30, "blocked_after_no_shows": 2, "no_shows_within_days": 60}


@pytest.fixture
def desk(db):
    desk = CreditBookings(db, **POLICY)
    yield desk
    assert desk.findings() == []
    assert money_invariants.findings(db) == []
    assert db.execute(stages.DRIFT).fetchall() == []


def end(desk, ago="31 minutes", event_id=None):
    """Move an event into the past, so that it ended some time ago, and complete it as the job does."""
    query = "update events.events set starts_at = now() - %s::interval - interval '1 h', ends_at = now() - %s::interval"
    desk.db.execute(query + " where id = %s", [ago, ago, event_id or desk.event_id])
    routines.call(desk.db, None, "select ops.complete_events()")


def booked(desk, money=0, **more):
    customer = desk.customer()
    desk.give(customer, 10000 + money)
    return desk.book(customer, "wallet", **more)


def missed(desk, customer, days=1):
    """Let a customer miss an event of some days ago."""
    event_id = desk.event(capacity=5, price_cents=0)
    booking = routines.book(desk.db, event_id, customer)
    end(desk, f"{days} days", event_id)
    answer = gateway.post("attendance", f"/bookings/{booking['id']}/no-show", {"waive": True}, caller=desk.stage.owner)
    assert answer.status == 200, answer.body
    return booking


def excuse(booking, caller):
    return gateway.post("attendance", f"/bookings/{booking['id']}/excuse", caller=caller)


def try_to_book(event_id, caller, **more):
    return gateway.post("book", "/bookings", {"event_id": str(event_id), **more}, caller=caller, key=uuid4().hex)


def test_unmarked_bookings_become_no_shows_with_their_fee(desk):
    unmarked, came, cancelled = booked(desk, money=5000), booked(desk), booked(desk)
    desk.cancel(cancelled)
    end(desk)
    gateway.post("attendance", f"/bookings/{came['id']}/attended", caller=desk.stage.owner)

    answer = gateway.invoke("maintain", {"job": "mark_no_shows"})

    assert (answer["done"], answer["more"]) == (1, False)
    assert [desk.status(one) for one in (unmarked, came, cancelled)] == ["no_show", "attended", "cancelled"]
    fees = desk.db.execute("select booking_id, amount_cents, paid_from, kind from payments.fees").fetchall()
    assert fees == [{"booking_id": UUID(unmarked["id"]), "amount_cents": 900, "paid_from": "wallet", "kind": "no_show"}]
    told = desk.db.execute("select payload from public.outbox where topic = 'booking.no_show'").fetchall()
    assert [row["payload"]["id"] for row in told] == [unmarked["id"]]


def test_repeated_job_changes_nothing(desk):
    booked(desk)
    end(desk)
    assert routines.call(desk.db, None, MARK) == {"marked": 1, "more": False}

    assert routines.call(desk.db, None, MARK) == {"marked": 0, "more": False}
    assert desk.db.execute("select count(*) as n from payments.fees").fetchone()["n"] == 1


def test_booking_stays_confirmed_until_its_time_and_without_the_policy(desk):
    early = booked(desk)
    end(desk, "29 minutes")
    other = desk.event(policy=stages.POLICY)
    unlimited = booked(desk, event_id=other)
    end(desk, "9 days", other)

    assert routines.call(desk.db, None, MARK)["marked"] == 0
    assert (desk.status(early), desk.status(unlimited)) == ("confirmed", "confirmed")
    routines.call(desk.db, None, "select events.mark_no_shows(at => now() + interval '2 minutes')")
    assert (desk.status(early), desk.status(unlimited)) == ("no_show", "confirmed")


def test_booking_follows_the_policy_under_which_it_was_made(desk):
    bookings = {minutes: booked(desk) for minutes in (10, 90, None)}
    for minutes, booking in bookings.items():
        policy = Jsonb({**desk.policy, "no_show_after_minutes": minutes})
        desk.db.execute("update events.bookings set policy = %s where id = %s", [policy, booking["id"]])
    desk.db.execute("update events.events set policy = %s where id = %s", [Jsonb(stages.POLICY), desk.event_id])
    end(desk, "31 minutes")

    found = []
    for later in ("0 minutes", "58 minutes", "60 minutes", "9 days"):
        routines.call(desk.db, None, "select events.mark_no_shows(at => now() + %s::interval)", [later])
        found.append([desk.status(booking) == "no_show" for booking in bookings.values()])

    assert found == [[True, False, False], [True, False, False], [True, True, False], [True, True, False]]


def test_job_takes_a_batch_at_a_time(desk):
    bookings = [booked(desk) for _ in range(5)]
    end(desk)

    steps = []
    while not steps or steps[-1]["more"]:
        steps.append(routines.call(desk.db, None, "select events.mark_no_shows(most => 2)"))

    assert [step["marked"] for step in steps] == [2, 2, 1]
    assert {desk.status(one) for one in bookings} == {"no_show"}


def test_later_mark_of_a_device_counts_and_returns_the_fee(desk):
    booking = booked(desk, money=5000)
    end(desk)
    routines.call(desk.db, None, MARK)

    at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    marks = [{"key": "door-1", "booking_id": booking["id"], "attended": True, "at": at}]
    path = f"/events/{desk.event_id}/attendance"
    answer = gateway.post("desk", path, {"marks": marks}, caller=desk.stage.owner)

    assert answer.body["results"][0]["result"] == "recorded"
    assert desk.status(booking) == "attended"
    assert desk.lots(UUID(booking["customer_id"])) == [(15000, 5000)]


def test_erased_customer_pays_no_fee(desk):
    booking = booked(desk)
    end(desk)
    query = "update users.profiles set email = null, name = null, erased_at = now() where id = %s"
    desk.db.execute(query, [booking["customer_id"]])

    routines.call(desk.db, None, MARK)

    assert desk.status(booking) == "no_show"
    assert desk.db.execute("select count(*) as n from payments.fees").fetchone()["n"] == 0


def test_two_jobs_and_a_mark_at_once_charge_one_fee_each(desk, connect):
    bookings = [booked(desk, money=5000) for _ in range(6)]
    end(desk)

    def act(connection, number):
        if number < 3:
            return routines.call(connection, None, "select events.mark_no_shows(most => 4)")["marked"]
        query = "select events.record_attendance(booking_id => %s, attended => true)"
        return routines.call(connection, desk.stage.owner, query, [bookings[number]["id"]])["status"]

    run_together(connect, range(6), act)
    routines.call(desk.db, None, MARK)

    assert [desk.status(one) for one in bookings] == ["no_show"] * 3 + ["attended"] * 3
    charged = desk.db.execute("select booking_id from payments.fees where taken_back_at is null").fetchall()
    assert {str(row["booking_id"]) for row in charged} == {one["id"] for one in bookings[:3]}


def test_locked_event_is_left_for_the_next_run(desk, connect):
    booking = booked(desk)
    end(desk)
    other = connect()
    with other.transaction():
        other.execute("select from events.inventory where event_id = %s for no key update", [desk.event_id])
        assert routines.call(desk.db, None, MARK)["marked"] == 0

    assert routines.call(desk.db, None, MARK)["marked"] == 1
    assert desk.status(booking) == "no_show"


def test_customer_with_too_many_no_shows_cannot_book_online(desk):
    customer = desk.customer()
    missed(desk, customer, days=3)
    allowed = try_to_book(desk.event(capacity=1, price_cents=0), customer)
    second = missed(desk, customer, days=1)
    free, full = desk.event(capacity=5, price_cents=0), desk.event(capacity=1, price_cents=0)
    routines.book(desk.db, full, desk.customer())

    answer = try_to_book(free, customer)

    assert allowed.status == 201
    assert (answer.status, answer.body["code"]) == (409, "too_many_no_shows")
    assert (answer.body["no_shows"], answer.body["days"]) == (2, 60)
    again_at = datetime.fromisoformat(answer.body["again_at"])
    assert abs(again_at - datetime.now(UTC) - timedelta(days=57)) < timedelta(hours=3)
    held = gateway.post("book", "/holds", {"event_id": str(free)}, caller=customer)
    waited = gateway.post("waitlist", f"/events/{full}/waitlist", {}, caller=customer)
    assert [held.body["code"], waited.body["code"]] == ["too_many_no_shows"] * 2
    # Staff can still book for the customer, and an excuse ends the block.
    assert try_to_book(free, desk.stage.owner, customer_id=str(customer)).status == 201
    assert excuse(second, desk.stage.member("front_desk")).status == 200
    assert try_to_book(desk.event(capacity=5, price_cents=0), customer).status == 201


def test_old_no_shows_and_those_elsewhere_do_not_count(desk):
    customer = desk.customer()
    missed(desk, customer, days=61)
    missed(desk, customer, days=1)
    elsewhere = CreditBookings(desk.db, **POLICY)
    missed(elsewhere, customer, days=1)

    assert try_to_book(desk.event(capacity=5, price_cents=0), customer).status == 201
    assert try_to_book(elsewhere.event(capacity=5, price_cents=0), customer).status == 201


def test_excuse_returns_the_fee_once_and_is_for_staff(desk):
    booking = booked(desk, money=5000)
    customer = UUID(booking["customer_id"])
    assert excuse(booking, desk.stage.owner).body["code"] == "not_a_no_show"
    end(desk)
    routines.call(desk.db, None, MARK)
    stranger, instructor = stages.create(desk.db).owner, desk.stage.instructor(desk.event_id)

    refused = [excuse(booking, caller).body["code"] for caller in (customer, stranger, instructor)]
    answers = [excuse(booking, desk.stage.owner) for _ in range(2)]

    assert refused == ["forbidden", "booking_not_found", "booking_not_found"]
    assert [answer.body["fee_cents"] for answer in answers] == [0, 0]
    assert answers[0].body["status"] == "no_show"
    assert desk.lots(customer) == [(15000, 5000)]


def test_customers_see_their_own_no_shows_and_late_cancellations(desk):
    customer = desk.customer()
    missed_one, excused = missed(desk, customer), missed(desk, customer, days=2)
    excuse(excused, desk.stage.owner)
    late = routines.book(desk.db, desk.event(price_cents=0, starts_in="2 hours"), customer)
    desk.cancel(late, customer)
    missed(desk, desk.customer())

    def listed(**query):
        answer = gateway.get("book", "/bookings", caller=customer, query=query)
        assert answer.status == 200, answer.body
        return {item["id"]: item["excused"] for item in answer.body["items"]}

    assert listed(status="no_show") == {missed_one["id"]: False, excused["id"]: True}
    assert listed(late="true") == {late["id"]: False}
    assert listed(status=["no_show", "cancelled"], late="false") == listed(status="no_show")
    counts = gateway.get("profile", "/dashboard", caller=customer).body["bookings"]
    assert (counts["no_show"], counts["late"]) == (2, 1)


def test_policies_hold_the_rules_of_no_shows(desk):
    path = f"/organizations/{desk.stage.organization_id}/policies"
    made = gateway.post("organizations", path, {"name": "Strict", **POLICY}, caller=desk.stage.owner)
    assert made.status == 201, made.body
    changed = gateway.patch(
        "organizations", f"{path}/{made.body['id']}", {"blocked_after_no_shows": None}, caller=desk.stage.owner
    )
    refused = gateway.post("organizations", path, {"name": "B", "no_show_after_minutes": -1}, caller=desk.stage.owner)

    assert {name: made.body[name] for name in POLICY} == POLICY
    assert (changed.body["blocked_after_no_shows"], changed.body["no_show_after_minutes"]) == (None, 30)
    assert refused.status == 422
    snapshot = desk.db.execute("select events.policy_snapshot(%s) as policy", [made.body["id"]]).fetchone()["policy"]
    assert {name: snapshot[name] for name in POLICY} == {**POLICY, "blocked_after_no_shows": None}
