"""functions/webhook-endpoints: admins manage the endpoints of their organization. A secret is shown once."""

import base64
from uuid import uuid4

import pytest

from marquee.core.identity import Caller
from marquee.edge import queues
from marquee.messaging.topics import SUBSCRIBABLE
from tests.kit import gateway, scheduling
from tests.kit.aws import record

URL = "https://hooks.example.com/marquee"


@pytest.fixture
def world(db):
    return scheduling.world(db)


def acting(world, who="owner"):
    """Return a member with a token for the organization."""
    return Caller(getattr(world, who), "authenticated", world.organization_id)


def create(world, who="owner", **body):
    return gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": URL, **body}, caller=acting(world, who))


def new_endpoint(world, **body):
    answer = create(world, **body)
    assert answer.status == 201, answer.text
    return answer.body


def path(endpoint, rest=""):
    return f"/webhook-endpoints/{endpoint['id']}{rest}"


def fan_out(world, *numbers, topic="booking.confirmed"):
    """Create deliveries of messages, without enough time to send any."""
    happenings = [
        {
            "id": number, "topic": topic, "key": "k", "created_at": "2030-01-01T00:00:00Z",
            "payload": {"organization_id": str(world.organization_id), "number": number},
        }
        for number in numbers
    ]  # fmt: skip
    context = gateway.Context(milliseconds_left=1000)
    gateway.invoke("deliver-webhooks", {"Records": [record({"happenings": happenings})]}, context)


def test_new_endpoint_shows_its_secret_once(world):
    endpoint = new_endpoint(world, topics=["booking.confirmed"], description="Front desk")

    assert endpoint["url"] == URL
    assert (endpoint["topics"], endpoint["enabled"], endpoint["description"]) == (
        ["booking.confirmed"],
        True,
        "Front desk",
    )
    prefix, _, key = endpoint["secret"].partition("_")
    assert prefix == "whsec"
    assert 24 <= len(base64.b64decode(key, validate=True)) <= 64
    shown = [
        gateway.get("webhook-endpoints", path(endpoint), caller=acting(world)),
        gateway.get("webhook-endpoints", "/webhook-endpoints", caller=acting(world)),
        gateway.patch("webhook-endpoints", path(endpoint), {"description": "x"}, caller=acting(world)),
        gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)),
    ]
    assert [answer.status for answer in shown] == [200] * 4
    assert not any("whsec_" in answer.text or '"secret"' in answer.text for answer in shown)


def test_secrets_of_endpoints_differ(world):
    assert len({new_endpoint(world)["secret"] for _number in range(10)}) == 10


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://hooks.example.com/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://2130706433/"},
        {"url": "https://user:password@hooks.example.com/"},
        {"url": "https://metadata.google.internal/"},
        {"url": "nonsense"},
        {"url": ""},
        {"url": None},
        {"topics": []},
        {"topics": ["booking.teleported"]},
        {"topics": ["alert.fired"]},
        {"topics": ["*"]},
        {"description": "x" * 501},
        {"enabled": True},
        {"secret": "whsec_" + "A" * 44},
        {"organization_id": str(uuid4())},
    ],
)
def test_invalid_endpoint_is_refused(world, body):
    answer = create(world, **body)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][:2] == ["body", next(iter(body))]


def test_private_url_is_accepted_with_the_development_setting(world, monkeypatch):
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")

    assert create(world, url="http://127.0.0.1:9999/in").status == 201


def test_every_public_topic_can_be_chosen(world):
    assert new_endpoint(world, topics=sorted(SUBSCRIBABLE))["topics"] == sorted(SUBSCRIBABLE)


def test_edit_changes_only_the_given_fields(world):
    endpoint = new_endpoint(world, topics=["booking.confirmed"], description="a")

    answer = gateway.patch(
        "webhook-endpoints", path(endpoint), {"topics": None, "url": URL + "/2"}, caller=acting(world)
    )

    assert answer.status == 200
    assert (answer.body["topics"], answer.body["url"], answer.body["description"]) == (None, URL + "/2", "a")
    for body in ({"url": "https://10.0.0.1/"}, {"url": None}, {"enabled": None}, {"description": None}, {"id": "x"}):
        refused = gateway.patch("webhook-endpoints", path(endpoint), body, caller=acting(world))
        assert (refused.status, refused.body["code"]) == (422, "invalid_request"), body


def test_disabled_endpoint_receives_nothing_and_its_pending_deliveries_fail(world, aws):
    endpoint = new_endpoint(world)
    fan_out(world, 1)

    off = gateway.patch("webhook-endpoints", path(endpoint), {"enabled": False}, caller=acting(world)).body
    fan_out(world, 2)
    on = gateway.patch("webhook-endpoints", path(endpoint), {"enabled": True}, caller=acting(world)).body
    fan_out(world, 3)

    assert (off["enabled"], off["disabled_reason"]) == (False, "by_hand")
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)
    items = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]
    assert [(each["payload"]["number"], each["status"]) for each in items] == [(3, "pending"), (1, "failed")]
    assert items[1]["last_error"] == "endpoint_disabled"
    topics = world.db.execute("select topic from public.outbox where topic like 'webhook%'").fetchall()
    assert topics == []  # no message, because an admin disabled the endpoint


def test_rotation_shows_the_new_secret_and_the_expiry_of_the_old_one(world):
    endpoint = new_endpoint(world)

    answer = gateway.post("webhook-endpoints", path(endpoint, "/rotate-secret"), caller=acting(world))

    assert answer.status == 200
    assert answer.body["secret"] != endpoint["secret"]
    assert endpoint["previous_secret_expires_at"] is None
    assert answer.body["previous_secret_expires_at"] is not None


def test_deletion_removes_the_endpoint_and_its_deliveries(world, aws):
    endpoint = new_endpoint(world)
    fan_out(world, 1)

    assert gateway.delete("webhook-endpoints", path(endpoint), caller=acting(world)).status == 204

    assert (
        gateway.get("webhook-endpoints", path(endpoint), caller=acting(world)).body["code"]
        == "webhook_endpoint_not_found"
    )
    for table in ("endpoints", "secrets", "deliveries"):
        rows = world.db.execute(f"select count(*) as n from messaging.webhook_{table}").fetchone()
        assert rows == {"n": 0}, table


def test_test_message_and_resend_queue_a_run_of_the_worker(world, aws):
    endpoint = new_endpoint(world)

    tested = gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world))
    again = gateway.post("webhook-endpoints", f"/webhook-deliveries/{tested.body['id']}/resend", caller=acting(world))

    assert (tested.status, tested.body["topic"], tested.body["status"]) == (202, "webhook.test", "pending")
    assert (again.status, again.body["id"]) == (202, tested.body["id"])
    assert aws.received(aws.deliver_queue) == [{"happenings": []}] * 2


def test_test_message_is_accepted_although_the_queue_refuses(world, aws, monkeypatch):
    endpoint = new_endpoint(world)

    def refuse(url, message, **_):
        raise queues.NotSent([message], "InternalError")

    monkeypatch.setattr(queues, "send", refuse)

    assert gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world)).status == 202


def test_disabled_endpoint_refuses_test_messages_and_resends(world, aws):
    endpoint = new_endpoint(world)
    fan_out(world, 1)
    [delivery] = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]
    gateway.patch("webhook-endpoints", path(endpoint), {"enabled": False}, caller=acting(world))

    for where in (path(endpoint, "/test"), f"/webhook-deliveries/{delivery['id']}/resend"):
        answer = gateway.post("webhook-endpoints", where, caller=acting(world))
        assert (answer.status, answer.body["code"]) == (409, "webhook_endpoint_disabled"), where


def test_eleventh_pending_test_message_is_refused(world, aws):
    endpoint = new_endpoint(world)

    answers = [
        gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world)) for _number in range(11)
    ]

    assert [answer.status for answer in answers] == [202] * 10 + [409]
    assert answers[-1].body["code"] == "tests_pending"


def test_webhook_calls_are_rate_limited(world, aws):
    world.db.execute("update ops.rate_limit_rules set per_minute = 1, burst = 2 where operation = 'webhooks'")

    assert [create(world).status for _number in range(4)] == [201, 201, 429, 429]


def test_lists_are_paged(world, aws):
    endpoints = [new_endpoint(world) for _number in range(3)]
    fan_out(world, 1, 2, 3, 4, 5)

    first = gateway.get("webhook-endpoints", "/webhook-endpoints", query={"limit": 2}, caller=acting(world)).body
    rest = gateway.get(
        "webhook-endpoints",
        "/webhook-endpoints",
        query={"limit": 2, "cursor": first["next_cursor"]},
        caller=acting(world),
    ).body
    assert [each["id"] for each in first["items"] + rest["items"]] == [each["id"] for each in endpoints]

    seen, cursor = [], None
    while True:
        query = {"limit": 2, "cursor": cursor, "status": "pending"}
        page = gateway.get(
            "webhook-endpoints", path(endpoints[0], "/deliveries"), query=query, caller=acting(world)
        ).body
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(set(seen)) == len(seen) == 5
    query = {"status": "delivered"}
    none = gateway.get("webhook-endpoints", path(endpoints[0], "/deliveries"), query=query, caller=acting(world)).body
    assert none == {"items": [], "next_cursor": None}


READS = [("get", ""), ("get", "/deliveries")]
WRITES = [("patch", ""), ("delete", ""), ("post", "/rotate-secret"), ("post", "/test")]


@pytest.mark.parametrize("who", ["viewer", "editor"])
def test_viewers_and_editors_may_read_but_not_change(world, aws, who):
    endpoint = new_endpoint(world)
    fan_out(world, 1)

    for method, rest in READS:
        answer = getattr(gateway, method)("webhook-endpoints", path(endpoint, rest), caller=acting(world, who))
        assert answer.status == 200, rest
    for method, rest in WRITES:
        body = {"description": "x"} if method == "patch" else None
        answer = gateway.request(
            "webhook-endpoints", method.upper(), path(endpoint, rest), body, caller=acting(world, who)
        )
        assert (answer.status, answer.body["code"]) == (403, "forbidden"), (method, rest)
    assert create(world, who).body["code"] == "forbidden"


@pytest.mark.parametrize("who", ["front_desk", "customer", "stranger"])
def test_outsiders_cannot_learn_that_an_endpoint_exists(world, aws, who):
    endpoint = new_endpoint(world)
    fan_out(world, 1)
    [delivery] = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]

    assert gateway.get("webhook-endpoints", path(endpoint), caller=acting(world, who)).status == 404
    assert gateway.get("webhook-endpoints", "/webhook-endpoints", caller=acting(world, who)).body["items"] == []
    assert (
        gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world, who)).body["items"] == []
    )
    for where in (path(endpoint, "/test"), f"/webhook-deliveries/{delivery['id']}/resend"):
        assert gateway.post("webhook-endpoints", where, caller=acting(world, who)).status in (403, 404)


def test_token_of_another_organization_reaches_no_endpoint(world, aws):
    endpoint = new_endpoint(world)
    fan_out(world, 1)
    [delivery] = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]
    for caller in (
        Caller(world.stranger, "authenticated", world.other_organization_id),
        Caller(world.owner, "authenticated", world.other_organization_id),
        Caller(world.owner, "authenticated"),
    ):
        assert gateway.get("webhook-endpoints", path(endpoint), caller=caller).status == 404
        assert gateway.delete("webhook-endpoints", path(endpoint), caller=caller).status == 404
        answer = gateway.post("webhook-endpoints", f"/webhook-deliveries/{delivery['id']}/resend", caller=caller)
        assert answer.body["code"] == "webhook_delivery_not_found"
    assert gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": URL}, caller=world.owner).status == 403
    assert gateway.get("webhook-endpoints", path(endpoint)).status in (401, 404)
