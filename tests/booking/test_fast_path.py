"""A plain booking is written in one statement, others step by step: both lead to the same rows and the same answer."""

import json
from uuid import uuid4

import psycopg
import pytest

from tests.kit import routines, stages

SHORT = "select events.book(event_id => %s, idempotency_key => %s)"
LONGER = "select events.book(event_id => %s, idempotency_key => %s, payment_method => 'none')"

ROWS = """
select
    b.event_id, b.organization_id, b.seats, b.guest, b.status, b.status_reason, b.payment_method, b.price_cents,
    b.currency, b.policy, b.hold_id, b.booked_by = b.customer_id as by_the_customer, b.late, b.fee_cents,
    b.created_at is null as timeless, b.cancelled_at, o.topic, o.key,
    o.available_at::text as available_at, o.correlation_id,
    o.payload - 'booking_id' - 'customer_id' as payload, o.payload ->> 'customer_id' = b.customer_id::text as tells_who,
    k.operation, k.response::jsonb - 'id' - 'customer_id' - 'created_at' as response,
    (k.response::jsonb ->> 'created_at')::timestamptz = b.created_at as tells_when
from events.bookings as b
inner join public.outbox as o on o.payload ->> 'booking_id' = b.id::text
inner join ops.idempotency_keys as k on k.caller_id = b.customer_id and k.response::jsonb ->> 'id' = b.id::text
order by b.customer_id
"""


@pytest.fixture
def stage(db):
    """A stage for bookings."""
    return stages.create(db)


def test_both_ways_lead_to_the_same_rows_and_the_same_answer(db, stage):
    event_id = stage.event(capacity=5)

    answers = [
        json.loads(routines.call(db, stage.customer(), way, [event_id, "tap"]))
        for way in (SHORT, LONGER, SHORT, LONGER)
    ]

    for answer in answers:
        for own in ("id", "customer_id", "created_at"):
            answer.pop(own)
    rows = db.execute(ROWS).fetchall()
    assert answers == [rows[0]["response"]] * 4
    assert rows == [rows[0]] * 4
    assert rows[0]["by_the_customer"] and rows[0]["tells_who"] and rows[0]["tells_when"]
    assert db.execute("select taken from events.inventory where event_id = %s", [event_id]).fetchone()["taken"] == 4


@pytest.mark.parametrize(("first", "then"), [(SHORT, LONGER), (LONGER, SHORT)])
def test_a_key_that_came_one_way_is_known_on_the_other(db, stage, first, then):
    event_id, customer = stage.event(capacity=5), stage.customer()
    answer = routines.call(db, customer, first, [event_id, "tap"])

    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, customer, then, [event_id, "tap"])

    assert routines.code_of(refused.value) == "idempotency_conflict"
    assert routines.call(db, customer, first, [event_id, "tap"]) == answer


@pytest.mark.parametrize("way", [SHORT, LONGER])
def test_a_second_booking_is_refused_and_leaves_nothing(db, stage, way):
    event_id, customer = stage.event(capacity=5), stage.customer()
    first = json.loads(routines.call(db, customer, way, [event_id, "tap"]))

    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, customer, way, [event_id, "again"])

    assert routines.code_of(refused.value) == "already_booked"
    assert json.loads(refused.value.diag.message_detail) == {"booking_id": first["id"]}
    for counted in ("events.bookings", "ops.idempotency_keys", "public.outbox"):
        assert db.execute(f"select count(*) as n from {counted}").fetchone()["n"] == 1


@pytest.mark.parametrize("way", [SHORT, LONGER])
def test_a_stranger_is_made_known_by_booking(db, stage, way):
    event_id, stranger = stage.event(capacity=5), uuid4()

    assert json.loads(routines.call(db, stranger, way, [event_id, "tap"]))["customer_id"] == str(stranger)
