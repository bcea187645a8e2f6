"""Tax rates of an organization: set by its bookkeepers from today on, recorded, kept by earlier bookings."""

import datetime

import pytest

from tests.kit import gateway, routines, stages

TODAY = "(now() at time zone 'Europe/Zurich')::date"


@pytest.fixture
def stage(db):
    return stages.create(db)


def day(db, after=0):
    return db.execute(f"select {TODAY} + %s as day", [after]).fetchone()["day"]


def put(stage, caller=None, **rate):
    return gateway.post(
        "organizations", f"/organizations/{stage.organization_id}/tax-rates", rate, caller=caller or stage.owner
    )


def listed(stage, caller):
    return gateway.get("organizations", f"/organizations/{stage.organization_id}/tax-rates", caller=caller)


def test_tax_rate_is_set_replaced_listed_and_recorded(db, stage):
    first = put(stage, valid_from=f"{day(db, 1)}", rate_bps=0)
    assert first.status == 200, first.text
    assert first.body["category"] == "standard"
    second = put(stage, valid_from=f"{day(db, 1)}", rate_bps=260)
    later = put(stage, valid_from=f"{day(db, 9)}", rate_bps=None, category="concert")

    assert second.body == {**first.body, "rate_bps": 260}
    assert listed(stage, stage.member("viewer")).body == {"items": [later.body, second.body]}
    changes = "select kind, actor_id, before, after from organizations.changes where subject_id = %s order by id"
    created, changed = db.execute(changes, [first.body["id"]]).fetchall()
    assert (created["kind"], created["before"], created["after"]["rate_bps"]) == ("tax_rate.created", None, 0)
    assert (changed["kind"], changed["before"], changed["after"]) == (
        "tax_rate.changed",
        {"rate_bps": 0},
        {"rate_bps": 260},
    )
    assert {created["actor_id"], changed["actor_id"]} == {stage.owner}


def test_booking_keeps_the_tax_rate_of_its_time(db, stage):
    event_id = stage.event(price_cents=10_000)
    book = "select events.book(event_id => %s, payment_method => 'card', idempotency_key => 'k')::jsonb"
    quoted = "select tax_cents from payments.quotes where booking_id = %s"

    def tax():
        made = routines.call(db, stage.customer(), book, [event_id])
        return db.execute(quoted, [made["id"]]).fetchone()["tax_cents"]

    assert tax() == 749
    assert put(stage, valid_from=f"{day(db)}", rate_bps=0).status == 200
    assert tax() == 0
    assert db.execute("select sum(tax_cents) as cents from payments.quotes").fetchone()["cents"] == 749


@pytest.mark.parametrize(
    "rate",
    [
        {"valid_from": "2020-01-01", "rate_bps": 0},
        {"valid_from": "2199-01-01", "rate_bps": 0},
        {"valid_from": "2030-01-01", "rate_bps": 10_001},
        {"valid_from": "2030-01-01", "rate_bps": -1},
        {"valid_from": "2030-01-01", "rate_bps": 0, "category": "juggling-on-mars"},
        {"rate_bps": 0},
    ],
)
def test_impossible_tax_rate_is_refused(db, stage, rate):
    refused = put(stage, **rate)

    assert (refused.status, refused.body["code"]) == (422, "invalid_request")
    assert db.execute("select from organizations.tax_rates").fetchall() == []


def test_yesterday_cannot_get_another_tax_rate(db, stage):
    assert put(stage, valid_from=f"{day(db) - datetime.timedelta(days=1)}", rate_bps=0).status == 422


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("front_desk", 403), ("editor", 403), ("accountant", 200), ("admin", 200)]
)
def test_bookkeepers_set_tax_rates(db, stage, role, status):
    assert put(stage, stage.member(role), valid_from=f"{day(db)}", rate_bps=0).status == status


def test_strangers_neither_see_nor_set_tax_rates(db, stage):
    stranger = stages.create(db).owner

    assert listed(stage, stranger).status == 403
    assert put(stage, stranger, valid_from=f"{day(db)}", rate_bps=0).status == 403
