"""functions/webhook-endpoints: an organization's admins say where its webhooks go; nobody reads a secret twice."""

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
    """A member with a token for the organization."""
    return Caller(getattr(world, who), "authenticated", world.organization_id)


def create(world, who="owner", **body):
    return gateway.post("webhook-endpoints", "/webhook-endpoints", {"url": URL, **body}, caller=acting(world, who))


def made(world, **body):
    answer = create(world, **body)
    assert answer.status == 201, answer.text
    return answer.body


def path(endpoint, rest=""):
    return f"/webhook-endpoints/{endpoint['id']}{rest}"


def hear(world, *numbers, topic="booking.confirmed"):
    """Fan out happenings without the time to send any."""
    happenings = [
        {
            "id": number, "topic": topic, "key": "k", "created_at": "2030-01-01T00:00:00Z",
            "payload": {"organization_id": str(world.organization_id), "number": number},
        }
        for number in numbers
    ]  # fmt: skip
    context = gateway.Context(milliseconds_left=1000)
    gateway.invoke("deliver-webhooks", {"Records": [record({"happenings": happenings})]}, context)


def test_makes_an_endpoint_and_shows_its_secret_once(world):
    endpoint = made(world, topics=["booking.confirmed"], description="Front desk")

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


def test_secrets_differ(world):
    assert len({made(world)["secret"] for _number in range(10)}) == 10


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
def test_refuses_what_no_endpoint_can_be(world, body):
    answer = create(world, **body)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert answer.body["errors"][0]["path"][:2] == ["body", next(iter(body))]


def test_a_setting_lets_development_use_this_machine(world, monkeypatch):
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")

    assert create(world, url="http://127.0.0.1:9999/in").status == 201


def test_every_topic_for_subscribers_can_be_chosen(world):
    assert made(world, topics=sorted(SUBSCRIBABLE))["topics"] == sorted(SUBSCRIBABLE)


def test_changes_what_is_sent_and_nothing_else(world):
    endpoint = made(world, topics=["booking.confirmed"], description="a")

    answer = gateway.patch(
        "webhook-endpoints", path(endpoint), {"topics": None, "url": URL + "/2"}, caller=acting(world)
    )

    assert answer.status == 200
    assert (answer.body["topics"], answer.body["url"], answer.body["description"]) == (None, URL + "/2", "a")
    for body in ({"url": "https://10.0.0.1/"}, {"url": None}, {"enabled": None}, {"description": None}, {"id": "x"}):
        refused = gateway.patch("webhook-endpoints", path(endpoint), body, caller=acting(world))
        assert (refused.status, refused.body["code"]) == (422, "invalid_request"), body


def test_switched_off_it_hears_nothing_and_what_waits_fails(world, aws):
    endpoint = made(world)
    hear(world, 1)

    off = gateway.patch("webhook-endpoints", path(endpoint), {"enabled": False}, caller=acting(world)).body
    hear(world, 2)
    on = gateway.patch("webhook-endpoints", path(endpoint), {"enabled": True}, caller=acting(world)).body
    hear(world, 3)

    assert (off["enabled"], off["disabled_reason"]) == (False, "by_hand")
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)
    items = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]
    assert [(each["payload"]["number"], each["status"]) for each in items] == [(3, "pending"), (1, "failed")]
    assert items[1]["last_error"] == "endpoint_disabled"
    topics = world.db.execute("select topic from public.outbox where topic like 'webhook%'").fetchall()
    assert topics == []  # whoever did it knows


def test_rotation_shows_a_new_secret_and_until_when_the_old_one_is_valid(world):
    endpoint = made(world)

    answer = gateway.post("webhook-endpoints", path(endpoint, "/rotate-secret"), caller=acting(world))

    assert answer.status == 200
    assert answer.body["secret"] != endpoint["secret"]
    assert endpoint["previous_secret_expires_at"] is None
    assert answer.body["previous_secret_expires_at"] is not None


def test_deleted_it_is_gone_with_what_was_sent(world, aws):
    endpoint = made(world)
    hear(world, 1)

    assert gateway.delete("webhook-endpoints", path(endpoint), caller=acting(world)).status == 204

    assert (
        gateway.get("webhook-endpoints", path(endpoint), caller=acting(world)).body["code"]
        == "webhook_endpoint_not_found"
    )
    for table in ("endpoints", "secrets", "deliveries"):
        rows = world.db.execute(f"select count(*) as n from messaging.webhook_{table}").fetchone()
        assert rows == {"n": 0}, table


def test_a_test_and_a_delivery_sent_again_wake_the_worker(world, aws):
    endpoint = made(world)

    tested = gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world))
    again = gateway.post("webhook-endpoints", f"/webhook-deliveries/{tested.body['id']}/resend", caller=acting(world))

    assert (tested.status, tested.body["topic"], tested.body["status"]) == (202, "webhook.test", "pending")
    assert (again.status, again.body["id"]) == (202, tested.body["id"])
    assert aws.received(aws.deliver_queue) == [{"happenings": []}] * 2


def test_if_the_queue_takes_nothing_the_schedule_sends_it(world, aws, monkeypatch):
    endpoint = made(world)

    def refuse(url, message, **_):
        raise queues.NotSent([message], "InternalError")

    monkeypatch.setattr(queues, "send", refuse)

    assert gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world)).status == 202


def test_an_endpoint_that_is_off_is_sent_nothing_by_hand_either(world, aws):
    endpoint = made(world)
    hear(world, 1)
    [delivery] = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]
    gateway.patch("webhook-endpoints", path(endpoint), {"enabled": False}, caller=acting(world))

    for where in (path(endpoint, "/test"), f"/webhook-deliveries/{delivery['id']}/resend"):
        answer = gateway.post("webhook-endpoints", where, caller=acting(world))
        assert (answer.status, answer.body["code"]) == (409, "webhook_endpoint_disabled"), where


def test_ten_tests_may_wait_and_no_more(world, aws):
    endpoint = made(world)

    answers = [
        gateway.post("webhook-endpoints", path(endpoint, "/test"), caller=acting(world)) for _number in range(11)
    ]

    assert [answer.status for answer in answers] == [202] * 10 + [409]
    assert answers[-1].body["code"] == "tests_pending"


def test_there_is_a_limit_to_how_often(world, aws):
    world.db.execute("update ops.rate_limit_rules set per_minute = 1, burst = 2 where operation = 'webhooks'")

    assert [create(world).status for _number in range(4)] == [201, 201, 429, 429]


def test_lists_come_in_pages(world, aws):
    endpoints = [made(world) for _number in range(3)]
    hear(world, 1, 2, 3, 4, 5)

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
def test_viewers_and_editors_look_and_change_nothing(world, aws, who):
    endpoint = made(world)
    hear(world, 1)

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
def test_others_do_not_even_learn_that_there_is_one(world, aws, who):
    endpoint = made(world)
    hear(world, 1)
    [delivery] = gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world)).body["items"]

    assert gateway.get("webhook-endpoints", path(endpoint), caller=acting(world, who)).status == 404
    assert gateway.get("webhook-endpoints", "/webhook-endpoints", caller=acting(world, who)).body["items"] == []
    assert (
        gateway.get("webhook-endpoints", path(endpoint, "/deliveries"), caller=acting(world, who)).body["items"] == []
    )
    for where in (path(endpoint, "/test"), f"/webhook-deliveries/{delivery['id']}/resend"):
        assert gateway.post("webhook-endpoints", where, caller=acting(world, who)).status in (403, 404)


def test_a_token_of_another_organization_reaches_nothing(world, aws):
    endpoint = made(world)
    hear(world, 1)
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
