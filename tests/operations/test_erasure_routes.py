"""Erasing a person: their seats are freed and offered, cancellations are sent, and permissions are checked."""

import psycopg
import pytest

from tests.kit import gateway, routines, stages


@pytest.fixture
def stage(db):
    return stages.create(db)


def erase(db, user, caller):
    routines.call(db, caller, "select users.erase_profile(user_id => %s)", [user])


def seats(db):
    return tuple(db.execute("select taken, held, waitlisted from events.inventory").fetchone().values())


def test_erasure_frees_the_seats_and_deletes_the_name(db, stage):
    event_id, customer = stage.event(), stage.customer()
    routines.book(db, event_id, customer, 3)

    erase(db, customer, customer)

    assert seats(db) == (0, 0, 0)
    row = db.execute("select name, email from users.profiles where id = %s", [customer]).fetchone()
    assert row == {"name": None, "email": None}
    assert gateway.post("book", "/bookings", {"event_id": str(event_id)}, caller=customer).status == 403


def test_seats_of_an_erased_customer_are_offered_at_once(db, stage):
    event_id = stage.event(capacity=1)
    customer, waiting = stage.customers(2)
    routines.book(db, event_id, customer)
    gateway.post("waitlist", f"/events/{event_id}/waitlist", {}, caller=waiting)

    erase(db, customer, customer)

    assert gateway.get("waitlist", f"/events/{event_id}/waitlist", caller=waiting).body["status"] == "offered"
    assert seats(db) == (0, 1, 0)


def test_erasure_writes_cancellation_messages_of_the_bookings(db, stage):
    event_id, customer = stage.event(), stage.customer()
    booked = routines.book(db, event_id, customer)

    erase(db, customer, customer)

    told = db.execute("select key, payload from public.outbox where topic = 'booking.cancelled'").fetchall()
    assert [(row["key"], row["payload"]["id"], row["payload"]["late"]) for row in told] == [
        (str(event_id), booked["id"], False)
    ]


def test_caller_cannot_erase_another_person(db, stage):
    customer = stage.customer()

    for other in (stage.customer(), stage.owner, stages.create(db).owner):
        with pytest.raises(psycopg.Error) as refused:
            erase(db, customer, other)
        assert routines.code_of(refused.value) == "customer_not_found"

    row = db.execute("select name, erased_at from users.profiles where id = %s", [customer]).fetchone()
    assert row == {"name": "customer", "erased_at": None}


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_webhook_endpoints_are_disabled_when_the_last_admin_is_erased(db, stage, role):
    erase(db, stage.owner, None)
    first, last = stage.member(role), stage.member("admin")
    stage.member("viewer")
    made = db.execute(
        "insert into messaging.webhook_endpoints (organization_id, url) values (%s, 'https://hook.example/')"
        " returning id",
        [stage.organization_id],
    ).fetchone()["id"]
    states = []

    for user in (first, last):
        erase(db, user, None)
        states.append(
            db.execute(
                "select e.enabled, e.disabled_reason from messaging.webhook_endpoints as e where e.id = %s", [made]
            ).fetchone()
        )

    assert [tuple(state.values()) for state in states] == [(True, None), (False, "no_admin")]


def test_webhook_endpoints_have_no_column_for_their_creator(db):
    columns = db.execute(
        """
        select a.attname
        from pg_attribute as a
        where a.attrelid in ('messaging.webhook_endpoints'::regclass, 'messaging.webhook_secrets'::regclass)
            and a.attname ~ '(_by|user_id|caller_id|customer_id)$'
        """
    ).fetchall()

    assert columns == []
