"""Create webhook endpoints and outbox messages, and claim and finish deliveries."""

import json
import secrets
from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from tests.kit import routines

NOW = datetime(2030, 5, 1, 12, tzinfo=UTC)


def as_admin(stage, query, params=None, caller=None):
    """Return the value of one statement as the owner, who acts for the organization."""
    claims = {"sub": str(caller or stage.owner), "org_id": str(stage.organization_id)}
    with psycopg.ClientCursor(stage.db) as cursor:
        cursor.execute(
            cursor.mogrify("select ops.act_as(%s::jsonb); ", [json.dumps(claims)]) + cursor.mogrify(query, params)
        )
        while cursor.nextset():
            pass
        row = cursor.fetchone()
    return None if row is None else next(iter(row.values()))


def sealed():
    """Return a new fake sealed secret, which the database does not open."""
    return "v1.k1." + secrets.token_hex(50)


def endpoint(stage, topics=None, url="https://hooks.example.com/in"):
    """Create an endpoint as the owner and return it with its sealed secret."""
    secret = sealed()
    query = """
        select messaging.create_webhook_endpoint(
            id => %s, url => %s, topics => %s::text[], description => '', sealed_secret => %s
        )
    """
    return {**as_admin(stage, query, [uuid4(), url, topics, secret]), "secret": secret}


def rotate(stage, endpoint_id, at=NOW):
    """Rotate an endpoint's secret and return the new sealed secret."""
    secret = sealed()
    query = "select messaging.rotate_webhook_secret(endpoint_id => %s, sealed_secret => %s, at => %s)"
    as_admin(stage, query, [endpoint_id, secret, at])
    return secret


def build_message(stage, number, topic="booking.confirmed", key="event-1", **payload):
    return {
        "id": number,
        "topic": topic,
        "key": key,
        "payload": {"organization_id": str(stage.organization_id), "number": number, **payload},
        "created_at": "2030-05-01T11:59:00Z",
    }


def fan_out(stage, *happenings, at=NOW):
    query = "select messaging.fan_out_webhooks(happenings => %s::jsonb, at => %s)"
    return routines.call(stage.db, None, query, [json.dumps(happenings), at])


def claim(stage, at=NOW, **options):
    names = "".join(f", {name} => {value}" for name, value in options.items())
    return stage.db.execute(
        f"select c.* from messaging.claim_webhook_deliveries(at => %s, sealed => true{names}) as c", [at]
    ).fetchall()


def finish(stage, *claimed, outcome="delivered", at=NOW, **result):
    results = [
        {
            "id": str(each["id"]), "attempt": each["attempt"], "outcome": outcome, "started_at": at.isoformat(),
            "duration_ms": 12, **result,
        }
        for each in claimed
    ]  # fmt: skip
    query = "select messaging.finish_webhook_deliveries(results => %s::jsonb, at => %s) as v"
    return stage.db.execute(query, [json.dumps(results), at]).fetchone()["v"]


def deliveries(stage):
    return stage.db.execute(
        "select d.*, d.payload ->> 'number' as number from messaging.webhook_deliveries as d order by d.outbox_id"
    ).fetchall()


def statuses(stage):
    return [row["status"] for row in deliveries(stage)]
