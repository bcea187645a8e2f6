"""Endpoints of outbound webhooks: permissions, secrets, and the reasons that disable an endpoint."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.webhook_routines import (
    NOW,
    as_admin,
    build_message,
    claim,
    endpoint,
    fan_out,
    finish,
    rotate,
    sealed,
    statuses,
)


@pytest.fixture
def stage(db):
    return stages.create(db)


def test_gone_response_disables_the_endpoint_and_fails_its_pending_deliveries(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1), build_message(stage, 2, key="other"))
    claimed = [each for each in claim(stage) if each["payload"]["number"] == 1]

    assert finish(stage, *claimed, outcome="gone", status_code=410)["disabled"] == 1

    row = stage.db.execute("select enabled, disabled_reason from messaging.webhook_endpoints").fetchone()
    assert row == {"enabled": False, "disabled_reason": "gone"}
    assert statuses(stage) == ["failed", "failed"]
    told = stage.db.execute("select topic, payload from public.outbox").fetchone()
    assert told["topic"] == "webhook_endpoint.disabled"
    assert told["payload"]["url"] == "https://hooks.example.com/in"
    assert fan_out(stage, build_message(stage, 3)) == 0


def test_five_days_of_failures_without_a_success_disable_an_endpoint(stage):
    endpoint(stage)
    fan_out(stage, *(build_message(stage, number, key=f"k{number}") for number in range(12)))

    def attempt(after, outcome, number):
        at = NOW + after
        claimed = claim(stage, at, most=number, per_endpoint=20)
        return finish(stage, *claimed, outcome=outcome, at=at, retry_seconds=None if outcome == "delivered" else 60)

    attempt(timedelta(), "failed", 12)
    attempt(timedelta(days=4), "delivered", 1)
    assert attempt(timedelta(days=6), "failed", 11)["disabled"] == 0  # the five days restart with this failure
    assert attempt(timedelta(days=10, hours=23), "failed", 11)["disabled"] == 0
    assert attempt(timedelta(days=11), "failed", 11)["disabled"] == 1

    reason = stage.db.execute("select disabled_reason from messaging.webhook_endpoints").fetchone()
    assert reason == {"disabled_reason": "failing"}


def test_few_failures_over_a_long_time_do_not_disable_an_endpoint(stage):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    finish(stage, *claim(stage), outcome="failed", retry_seconds=60)
    late = NOW + timedelta(days=30)

    assert finish(stage, *claim(stage, late), outcome="failed", retry_seconds=60, at=late)["disabled"] == 0


def test_replaced_secret_signs_for_a_day_and_at_most_four_are_valid(stage):
    made = endpoint(stage)
    rotated = rotate(stage, made["id"])
    fan_out(stage, build_message(stage, 1), build_message(stage, 2, key="other"))

    assert claim(stage, most=1)[0]["secrets"] == [rotated, made["secret"]]
    assert claim(stage, NOW + timedelta(hours=24), most=1)[0]["secrets"] == [rotated]

    for _rotation in range(2):
        rotate(stage, made["id"])
    with pytest.raises(psycopg.Error) as refusal:
        rotate(stage, made["id"])
    assert routines.code_of(refusal.value) == "rotated_too_often"


def test_secrets_are_readable_by_neither_callers_nor_the_service(stage):
    endpoint(stage)

    for caller in (stage.owner, None):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            routines.call(stage.db, caller, "select sealed from messaging.webhook_secrets")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        routines.call(stage.db, stage.owner, "select messaging.claim_webhook_deliveries()")


@pytest.mark.parametrize(
    ("role", "seen"), [("owner", 1), ("admin", 1), ("editor", 1), ("viewer", 1), ("front_desk", 0), ("accountant", 0)]
)
def test_endpoints_and_deliveries_are_visible_by_role(stage, role, seen):
    endpoint(stage)
    fan_out(stage, build_message(stage, 1))
    finish(stage, *claim(stage))
    member = stage.member(role)

    for table in ("endpoints", "deliveries", "attempts"):
        assert routines.call(stage.db, member, f"select count(*)::int from messaging.webhook_{table}") == seen, table
    stranger = stages.create(stage.db).owner
    assert routines.call(stage.db, stranger, "select count(*)::int from messaging.webhook_deliveries") == 0


@pytest.mark.parametrize("role", ["editor", "viewer", "front_desk"])
def test_only_admins_manage_endpoints(stage, role):
    made, member = endpoint(stage), stage.member(role)
    calls = {
        "messaging.create_webhook_endpoint(%s, 'https://x.example', null, '', %s)": [uuid4(), sealed()],
        "messaging.update_webhook_endpoint(endpoint_id => %s, changes => '{}')": [made["id"]],
        "messaging.delete_webhook_endpoint(endpoint_id => %s)": [made["id"]],
        "messaging.rotate_webhook_secret(endpoint_id => %s, sealed_secret => %s)": [made["id"], sealed()],
        "messaging.test_webhook_endpoint(endpoint_id => %s)": [made["id"]],
    }

    for call, params in calls.items():
        with pytest.raises(psycopg.Error) as refusal:
            as_admin(stage, f"select {call}", params, member)
        assert routines.code_of(refusal.value) == "forbidden", call


def test_concurrent_creations_cannot_exceed_the_endpoint_limit(stage, connect):
    for _number in range(18):
        endpoint(stage)
    claims = json.dumps({"sub": str(stage.owner), "org_id": str(stage.organization_id)})

    def make(_number):
        with connect() as connection, connection.transaction():
            connection.execute("select set_config('request.jwt.claims', %s, true)", [claims])
            try:
                with connection.transaction():
                    connection.execute(
                        "select messaging.create_webhook_endpoint(%s, 'https://x.example', null, '', %s)",
                        [uuid4(), sealed()],
                    )
            except psycopg.Error as refusal:
                return routines.code_of(refusal)
            return "made"

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(make, range(6)))

    assert outcomes == ["made", "made"] + ["too_many_webhook_endpoints"] * 4
