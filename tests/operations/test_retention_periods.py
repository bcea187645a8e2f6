"""Operators set retention periods within bounds, and the nightly job applies them."""

from datetime import timedelta

import psycopg
import pytest

from tests.kit import gateway, routines, stages
from tests.kit.concurrency import InBackground, wait_for_a_lock

SET = "select ops.set_retention_period(%s, %s)"


def set_period(db, rule, period, caller=None):
    return routines.call(db, caller, SET, [rule, period])


def refusal(db, rule, period, caller=None):
    with pytest.raises(psycopg.Error) as refused:
        set_period(db, rule, period, caller)
    return refused.value


def rules(db):
    return db.execute("select * from ops.retention where period is not null order by place").fetchall()


def notify(db, person, age):
    db.execute(
        "insert into messaging.notifications (user_id, outbox_id, topic, subject, body, created_at)"
        " values (%s, %s, 'booking.reminder', 'Yoga', 'Yoga', now() - %s::interval)",
        [person, 900_000 + int(age.split()[0]), age],
    )


def ages(db):
    rows = db.execute("select now() - created_at as age from messaging.notifications order by created_at").fetchall()
    return [round(row["age"] / timedelta(days=1)) for row in rows]


def test_shortened_period_is_applied_by_the_nightly_job(db):
    customer = stages.create(db).customer()
    for age in ("70 days", "50 days", "10 days"):
        notify(db, customer, age)

    gateway.invoke("maintain", {"job": "clean_up"}, gateway.Context(milliseconds_left=300_000))
    before = ages(db)
    answer = set_period(db, "notifications", "60 days")
    gateway.invoke("maintain", {"job": "clean_up"}, gateway.Context(milliseconds_left=300_000))

    assert before == [70, 50, 10]
    assert answer == {"rule": "notifications", "period": "60 days", "least": "30 days", "most": "3 years"}
    assert ages(db) == [50, 10]


@pytest.mark.parametrize(
    ("rule", "period", "least", "most"),
    [
        ("notifications", "29 days", "30 days", "3 years"),
        ("notifications", "4 years", "30 days", "3 years"),
        ("invoice_buyers", "10 years", "11 years", "15 years"),
        ("exports", "0", "2 days", "30 days"),
    ],
)
def test_period_outside_the_bounds_is_refused_with_them(db, rule, period, least, most):
    before = rules(db)

    error = refusal(db, rule, period)

    assert (error.sqlstate, routines.code_of(error)) == ("PT422", "retention_period_out_of_bounds")
    assert f'"least": "{least}"' in error.diag.message_detail
    assert f'"most": "{most}"' in error.diag.message_detail
    assert rules(db) == before


def test_fixed_period_is_refused_unless_it_stays_the_same(db):
    assert set_period(db, "idempotency_keys", "7 days")["period"] == "7 days"
    assert routines.code_of(refusal(db, "idempotency_keys", "8 days")) == "retention_period_out_of_bounds"


@pytest.mark.parametrize(
    ("rule", "code"), [("nothing", "retention_rule_not_found"), (None, "retention_rule_not_found")]
)
def test_unknown_rule_is_refused(db, rule, code):
    assert routines.code_of(refusal(db, rule, "60 days")) == code


def test_null_period_is_refused(db):
    assert routines.code_of(refusal(db, "notifications", None)) == "retention_period_out_of_bounds"


def test_people_cannot_set_periods(db):
    stage = stages.create(db)

    for person in (stage.owner, stage.customer()):
        assert refusal(db, "notifications", "60 days", person).sqlstate == "42501"


def test_every_period_lies_within_its_bounds_and_no_statement_breaks_them(db):
    assert [row["rule"] for row in rules(db) if row["period_least"] and not (
        row["period_least"] <= row["period"] <= row["period_most"]
    )] == []  # fmt: skip
    with pytest.raises(psycopg.errors.CheckViolation, match="period_is_within_bounds"):
        db.execute("update ops.retention set period = '1 day' where rule = 'invoice_buyers'")


def test_rules_that_the_law_or_a_person_can_claim_have_bounds(db):
    bounded = {row["rule"] for row in rules(db) if row["period_least"] is not None}

    assert {"invoice_buyers", "notifications", "deliveries", "changes", "state_history", "exports"} <= bounded


def test_concurrent_changes_leave_the_later_period(db, connect):
    first = connect(autocommit=False)
    set_period(first, "notifications", "60 days")

    late = InBackground(lambda: set_period(connect(), "notifications", "90 days"))
    wait_for_a_lock(db, "%set_retention_period%")
    first.commit()

    assert late.got()["period"] == "90 days"
    assert {row["period"] for row in rules(db) if row["rule"] == "notifications"} == {timedelta(days=90)}
