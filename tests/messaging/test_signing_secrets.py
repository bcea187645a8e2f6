"""Secrets that sign webhooks: sealed in the database, opened by the worker, resealed after a change of the key."""

import base64
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import boto3
import psycopg
import pytest

from local.postgres import binary
from marquee.core import database
from marquee.core.settings import MissingSetting
from marquee.edge import secrets
from marquee.messaging import endpoints, signing_secrets
from tests.kit import gateway, scheduling
from tests.kit.webhook_worker import admin, build_message, receive, rows, run, subscribe

RINGS = {
    "old": {"current": "k1", "k1": "1" * 40},
    "both": {"current": "k2", "k1": "1" * 40, "k2": "2" * 40},
    "new": {"current": "k2", "k2": "2" * 40},
    "wrong": {"current": "k1", "k1": "9" * 40},
}


@pytest.fixture
def world(db):
    return scheduling.world(db)


@pytest.fixture
def use(monkeypatch):
    """Set the functions' key ring, as the stack does after a change of its secret."""

    def use_ring(name):
        monkeypatch.setenv("WEBHOOK_KEYS", json.dumps(RINGS[name]))

    use_ring("old")
    return use_ring


def maintain(job="seal_webhook_secrets"):
    return gateway.invoke("maintain", {"job": job}, gateway.Context(milliseconds_left=300_000))


def make_due(world):
    world.db.execute("update messaging.webhook_deliveries set next_attempt_at = now() where status = 'pending'")


def key_ids(world):
    return [
        row["k"] for row in world.db.execute("select key_id as k from messaging.webhook_secrets order by created_at")
    ]


def store_plain(world, endpoint):
    """Store an endpoint's secret in plain text."""
    world.db.execute("alter table messaging.webhook_secrets disable trigger new_secrets_are_sealed")
    world.db.execute(
        "update messaging.webhook_secrets set secret = %s, sealed = null where endpoint_id = %s",
        [endpoint["secret"], endpoint["id"]],
    )
    world.db.execute("alter table messaging.webhook_secrets enable trigger new_secrets_are_sealed")


def dump(server, name):
    command = [str(binary("pg_dump")), "--no-owner", f"--dbname={server.url(name)}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def forms(secret):
    """Return the forms of a secret in a dump: as shown, its key, and its bytes in hexadecimal."""
    key = secret.removeprefix("whsec_")
    return [secret, key, base64.b64decode(key).hex()]


def test_database_dump_contains_no_signing_secret(world, aws, receiver, server, database_name):
    endpoint = subscribe(world, receiver.url())
    path = f"/webhook-endpoints/{endpoint['id']}"
    headers = {"idempotency-key": "rotate-once"}
    rotated = gateway.post("webhook-endpoints", f"{path}/rotate-secret", caller=admin(world), headers=headers).body
    gateway.post("webhook-endpoints", f"{path}/test", caller=admin(world))
    receive(build_message(world))
    assert receiver.got[-1].verified(rotated["secret"])

    text = dump(server, database_name)

    assert str(endpoint["id"]) in text
    assert [form for secret in (endpoint, rotated) for form in forms(secret["secret"]) if form in text] == []
    assert "whsec_" not in text.split("COPY messaging.webhook_secrets")[1]


def test_plain_secret_is_found_in_a_database_dump(world, aws, receiver, server, database_name):
    """The search of the test above detects a plain secret."""
    endpoint = subscribe(world, receiver.url())
    store_plain(world, endpoint)

    assert endpoint["secret"] in dump(server, database_name)


def test_plain_secret_signs_before_and_after_the_job_seals_it(world, aws, receiver, server, database_name, use):
    endpoint = subscribe(world, receiver.url())
    store_plain(world, endpoint)
    receive(build_message(world, 1))

    answer = maintain()

    assert (answer["done"], answer["more"]) == (1, False)
    assert key_ids(world) == ["k1"]
    assert endpoint["secret"] not in dump(server, database_name)
    receive(build_message(world, 2))
    assert [request.verified(endpoint["secret"])["data"]["number"] for request in receiver.got] == [1, 2]


def test_database_refuses_a_new_plain_secret(world, aws, receiver):
    endpoint = subscribe(world, receiver.url())

    with pytest.raises(psycopg.errors.CheckViolation, match="stored sealed only"):
        world.db.execute(
            "insert into messaging.webhook_secrets (endpoint_id, secret) values (%s, %s)",
            [endpoint["id"], endpoint["secret"]],
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="stored sealed only"):
        world.db.execute("update messaging.webhook_secrets set secret = %s, sealed = null", [endpoint["secret"]])


def test_key_is_replaced_during_deliveries(world, aws, receiver, monkeypatch, use):
    """The new key becomes current, old secrets are resealed in steps, and the old key is removed."""
    monkeypatch.setattr(signing_secrets, "RESEAL_MOST", 2)
    subscribed = [subscribe(world, receiver.url(f"/in{number}")) for number in range(7)]
    assert key_ids(world) == ["k1"] * 7

    use("both")
    numbers = iter(range(1, 1000))
    made_meanwhile = []
    for step in signing_secrets.reseal(secrets.webhook_keys):
        assert step.unreadable == 0
        receive(build_message(world, next(numbers)))
        made_meanwhile.append(subscribe(world, receiver.url("/later")))
    use("new")
    receive(build_message(world, next(numbers)))

    assert set(key_ids(world)) == {"k2"}
    assert {row["status"] for row in rows(world)} == {"delivered"}
    for number, endpoint in enumerate(subscribed):
        mine = [request for request in receiver.got if request.path == f"/in{number}"]
        assert [request.verified(endpoint["secret"])["data"]["number"] for request in mine] == [1, 2, 3, 4, 5]
    assert len(made_meanwhile) == 4


def test_key_is_replaced_during_concurrent_rotations_and_deliveries(world, aws, receiver, monkeypatch, use):
    """Five rotations, a delivery run and two jobs run at once. No secret is lost or keeps the old key."""
    monkeypatch.setattr(signing_secrets, "RESEAL_MOST", 3)
    subscribed = [subscribe(world, receiver.url(f"/in{number}")) for number in range(10)]
    use("both")

    def rotate(endpoint):
        with database.single(admin(world)) as session:
            made = endpoints.rotate_secret(session, UUID(endpoint["id"]), secrets.webhook_keys())
        database.disconnect()
        return made.secret

    def seal(_number):
        done = sum(step.sealed for step in signing_secrets.reseal(secrets.webhook_keys))
        database.disconnect()
        return done

    with ThreadPoolExecutor(6) as pool:
        rotated = [pool.submit(rotate, endpoint) for endpoint in subscribed[:5]]
        sealed = [pool.submit(seal, number) for number in range(2)]
        receive(build_message(world, 1))
        current = [each.result() for each in rotated] + [endpoint["secret"] for endpoint in subscribed[5:]]
        assert sum(each.result() for each in sealed) <= 10
    maintain()  # reseal the rows that a rotation had locked
    use("new")
    make_due(world)
    receive(build_message(world, 2))

    assert set(key_ids(world)) == {"k2"}
    assert len(key_ids(world)) == 15
    for number, secret in enumerate(current):
        last = [r for r in receiver.got if r.path == f"/in{number}" and r.json["data"]["number"] == 2]
        assert [request.verified(secret)["data"]["number"] for request in last] == [2]


def test_job_skips_a_locked_secret_and_seals_it_later(world, aws, receiver, connect, use):
    subscribe(world, receiver.url("/1"))
    subscribe(world, receiver.url("/2"))
    use("both")

    with connect() as other, other.transaction():
        other.execute("select from messaging.webhook_secrets as s order by s.id limit 1 for update")
        assert maintain()["done"] == 1

    assert maintain()["done"] == 1
    assert key_ids(world) == ["k2", "k2"]


def test_nightly_clean_up_seals_secrets_and_deletes_expired_ones(world, aws, receiver, use):
    endpoint = subscribe(world, receiver.url())
    gateway.post("webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}/rotate-secret", caller=admin(world))
    world.db.execute("update messaging.webhook_secrets set expires_at = now() where expires_at is not null")
    use("both")

    maintain("clean_up")

    assert key_ids(world) == ["k2"]


@pytest.mark.parametrize("ring", ["wrong", "new"])
def test_delivery_without_its_key_waits_and_counts_no_attempt(world, aws, receiver, use, ring):
    """The key is wrong or was removed too early. Nothing is sent unsigned, and the endpoint counts no failure."""
    endpoint = subscribe(world, receiver.url("/in"))
    use(ring)
    other = subscribe(world, receiver.url("/other"))

    receive(build_message(world, 1), build_message(world, 2, key="another"))

    assert [request.path for request in receiver.got] == ["/other"] * 2
    assert receiver.got[0].verified(other["secret"])
    waiting = [row for row in rows(world) if str(row["endpoint_id"]) == endpoint["id"]]
    assert [(row["status"], row["attempts"], row["tries"], row["lease_until"]) for row in waiting] == [
        ("pending", 0, 0, None)
    ] * 2
    assert {row["last_error"] for row in waiting} == {"secret_unreadable"}
    assert all(240 < row["pause"].total_seconds() <= 300 for row in waiting)
    shown = gateway.get("webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}", caller=admin(world)).body
    assert (shown["enabled"], shown["failing_since"]) == (True, None)

    use("old")
    make_due(world)
    run()

    mine = [request for request in receiver.got if request.path == "/in"]
    assert sorted(request.verified(endpoint["secret"])["data"]["number"] for request in mine) == [1, 2]
    assert {row["status"] for row in rows(world)} == {"delivered"}


def test_job_reports_a_secret_that_no_key_opens_and_leaves_it_unchanged(world, aws, receiver, use):
    subscribe(world, receiver.url("/1"))
    use("new")
    subscribe(world, receiver.url("/2"))
    before = world.db.execute("select id, sealed from messaging.webhook_secrets order by id").fetchall()

    steps = list(signing_secrets.reseal(secrets.webhook_keys))

    assert [(step.sealed, step.unreadable) for step in steps] == [(0, 1)]
    assert world.db.execute("select id, sealed from messaging.webhook_secrets order by id").fetchall() == before


def test_sealed_secret_copied_to_another_endpoint_signs_nothing(world, aws, receiver, use):
    stolen = subscribe(world, receiver.url("/victim"))
    thief = subscribe(world, receiver.url("/thief"))
    world.db.execute(
        """
        update messaging.webhook_secrets
        set sealed = (select s.sealed from messaging.webhook_secrets as s where s.endpoint_id = %s)
        where endpoint_id = %s
        """,
        [stolen["id"], thief["id"]],
    )

    receive(build_message(world))

    assert [request.path for request in receiver.got] == ["/victim"]
    assert [row["last_error"] for row in rows(world) if str(row["endpoint_id"]) == thief["id"]] == ["secret_unreadable"]


def test_missing_keys_stop_claims_rotations_and_new_endpoints(world, aws, receiver, monkeypatch, use):
    endpoint = subscribe(world, receiver.url())
    monkeypatch.delenv("WEBHOOK_KEYS")

    for call in (
        lambda: receive(build_message(world)),
        lambda: gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": receiver.url()}, caller=admin(world)),
        lambda: gateway.post(
            "webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}/rotate-secret", caller=admin(world)
        ),
        maintain,
    ):
        with pytest.raises(MissingSetting, match="WEBHOOK_KEYS_SECRET_ARN is not set"):
            call()

    assert receiver.got == []
    [row] = rows(world)
    assert (row["status"], row["attempts"], row["lease_until"]) == ("pending", 0, None)
    assert len(key_ids(world)) == 1
    use("old")
    run()
    assert receiver.got[0].verified(endpoint["secret"])


def test_key_newer_than_the_cached_key_ring_is_fetched(world, aws, receiver, monkeypatch, use):
    """A function caches the key ring for minutes, and must still open secrets sealed with a newer key."""
    use("both")
    endpoint = subscribe(world, receiver.url())
    asked = []

    def keys(*, renewed=False):
        asked.append(renewed)
        use("both" if renewed else "old")
        return secrets.webhook_keys()

    receive(build_message(world), context=gateway.Context(milliseconds_left=1000))
    gateway.load("deliver-webhooks").deliveries.deliver(iter([60.0, 0.0]).__next__, keys, allow_private=True)

    assert asked == [False, False, True]
    assert receiver.got[0].verified(endpoint["secret"])


def test_earlier_code_claims_only_deliveries_with_plain_secrets(world, aws, receiver):
    """During a deployment, earlier code claims without `sealed`, so deliveries with a sealed secret wait."""
    plain = subscribe(world, receiver.url("/plain"))
    subscribe(world, receiver.url("/sealed"))
    store_plain(world, plain)
    receive(build_message(world), context=gateway.Context(milliseconds_left=1000))

    claimed = world.db.execute(
        "select c.* from messaging.claim_webhook_deliveries(most => 10, per_endpoint => 8, lease_seconds => 90) as c"
    ).fetchall()

    assert [row["secrets"] for row in claimed] == [[plain["secret"]]]
    assert sorted(row["attempts"] for row in rows(world)) == [0, 1]


def test_keys_are_read_from_secrets_manager(world, aws, monkeypatch):
    monkeypatch.delenv("WEBHOOK_KEYS")
    manager = boto3.client("secretsmanager")
    arn = manager.create_secret(Name="webhook-keys", SecretString=json.dumps(RINGS["old"]))["ARN"]
    monkeypatch.setenv("WEBHOOK_KEYS_SECRET_ARN", arn)

    assert secrets.webhook_keys(renewed=True).current == "k1"
    manager.put_secret_value(SecretId=arn, SecretString=json.dumps(RINGS["both"]))
    assert secrets.webhook_keys().current == "k1"
    assert secrets.webhook_keys(renewed=True).current == "k2"
