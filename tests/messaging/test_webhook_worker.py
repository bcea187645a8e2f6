"""functions/deliver-webhooks: subscribers receive each message once, signed, and failed deliveries are retried."""

import datetime as dt
import socket

import pytest
from standardwebhooks import WebhookVerificationError

from marquee.booking.bookings import BookingDetails
from marquee.messaging import http_client
from tests.kit import gateway, scheduling
from tests.kit.aws import record
from tests.kit.webhook_worker import LONG, admin, build_message, receive, rows, run, subscribe


@pytest.fixture
def world(db):
    return scheduling.world(db)


def make_due(world):
    world.db.execute("update messaging.webhook_deliveries set next_attempt_at = now() where status = 'pending'")


def test_subscriber_receives_the_message_signed_by_its_secret(world, aws, receiver):
    endpoint = subscribe(world, receiver.url("/in?from=marquee"))

    assert receive(build_message(world, seats=2)) == {"batchItemFailures": []}

    [request] = receiver.got
    message = request.verified(endpoint["secret"])
    assert message == {
        "type": "booking.confirmed",
        "timestamp": "2030-01-01T00:00:00.000Z",
        "data": {"organization_id": str(world.organization_id), "number": 1, "seats": 2},
    }
    assert request.path == "/in?from=marquee"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    with pytest.raises(WebhookVerificationError):
        request.verified("whsec_" + "A" * 44)
    [row] = rows(world)
    assert (row["status"], row["attempts"], row["last_status_code"]) == ("delivered", 1, 200)
    assert request.id == str(row["id"])


def test_redelivered_message_is_delivered_once(world, aws, receiver):
    subscribe(world, receiver.url())

    for _delivery in range(3):
        receive(build_message(world))

    assert len(receiver.got) == 1


def test_alerts_and_messages_of_other_organizations_are_not_delivered(world, aws, receiver):
    subscribe(world, receiver.url())
    foreign = build_message(world, 2)
    foreign["payload"]["organization_id"] = str(world.other_organization_id)

    receive(build_message(world, 1, topic="alert.fired"), foreign, {**build_message(world, 3), "payload": {}})

    assert receiver.got == []
    assert rows(world) == []


def clock(world):
    """Return the time of the database, which sets the next attempts."""
    return world.db.execute("select clock_timestamp() as now").fetchone()["now"]


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 304, 400, 401, 404, 429, 500, 503])
def test_unsuccessful_response_is_retried_and_redirects_are_not_followed(world, aws, receiver, status):
    receiver.answers["/in"] = [status, 204]
    receiver.headers["location"] = receiver.url("/elsewhere")
    subscribe(world, receiver.url())

    before = clock(world)
    receive(build_message(world))
    after = clock(world)

    [row] = rows(world)
    assert (row["status"], row["last_status_code"], row["attempts"]) == ("pending", status, 1)
    assert before + dt.timedelta(seconds=4.5) <= row["next_attempt_at"] <= after + dt.timedelta(seconds=5.5)
    make_due(world)
    run()
    assert rows(world)[0]["status"] == "delivered"
    assert [request.path for request in receiver.got] == ["/in", "/in"]
    assert len({request.id for request in receiver.got}) == 1


def test_retry_within_a_minute_is_queued(world, aws, receiver, monkeypatch):
    asked = []
    module = gateway.load("deliver-webhooks")
    monkeypatch.setattr(module, "request_run", asked.append)
    receiver.answers["/in"] = [500]
    subscribe(world, receiver.url())

    receive(build_message(world))
    assert len(asked) == 1
    assert 4 < asked[0] <= 6

    make_due(world)
    run()  # the schedule handles the next pause, which is five minutes
    assert len(asked) == 1


def test_retry_after_header_is_respected(world, aws, receiver):
    receiver.answers["/in"] = [503]
    receiver.headers["retry-after"] = "3600"
    subscribe(world, receiver.url())

    before = clock(world)
    receive(build_message(world))
    after = clock(world)

    hour = dt.timedelta(hours=1)
    assert before + hour <= rows(world)[0]["next_attempt_at"] <= after + hour


def test_gone_response_disables_the_endpoint_and_notifies_its_admins(world, aws, receiver):
    receiver.answers["/in"] = [410]
    endpoint = subscribe(world, receiver.url())

    receive(build_message(world, 1))
    receive(build_message(world, 2))

    assert len(receiver.got) == 1
    shown = gateway.get("webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}", caller=admin(world)).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    aws.received(aws.messages_queue)
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    for body in aws.received(aws.messages_queue):
        gateway.invoke("send-messages", {"Records": [record(body)]})
    [mail] = aws.mailed()
    assert mail["Subject"] == f"Webhooks to {receiver.url()} are disabled"
    assert "410" in mail.get_body(("plain",)).get_content()
    assert aws.received(aws.deliver_queue) == []


def test_delivery_fails_after_ten_attempts_and_can_be_resent(world, aws, receiver):
    receiver.answers["/in"] = [500] * 10 + [200]
    endpoint = subscribe(world, receiver.url())

    receive(build_message(world))
    for _attempt in range(9):
        make_due(world)
        run()
    [row] = rows(world)
    assert (row["status"], row["attempts"]) == ("failed", 10)

    answer = gateway.post("webhook-endpoints", f"/webhook-deliveries/{row['id']}/resend", caller=admin(world))
    assert (answer.status, answer.body["status"]) == (202, "pending")
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver-webhooks", {"Records": [record(body)]}, LONG)

    assert len({request.id for request in receiver.got}) == 1
    assert len(receiver.got) == 11
    assert all(request.verified(endpoint["secret"]) for request in receiver.got)
    path = f"/webhook-endpoints/{endpoint['id']}/deliveries"
    [shown] = gateway.get("webhook-endpoints", path, caller=admin(world)).body["items"]
    assert (shown["status"], shown["attempts"]) == ("delivered", 11)
    assert [each["status_code"] for each in shown["history"]] == [500] * 10 + [200]
    assert shown["history"][-1]["response"] == "taken"


def test_both_secrets_verify_during_a_rotation_and_the_new_one_afterwards(world, aws, receiver):
    endpoint = subscribe(world, receiver.url())
    rotated = gateway.post(
        "webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}/rotate-secret", caller=admin(world)
    ).body

    receive(build_message(world, 1))
    world.db.execute("update messaging.webhook_secrets set expires_at = now() where expires_at is not null")
    receive(build_message(world, 2))

    during, after = receiver.got
    assert during.verified(endpoint["secret"])
    assert during.verified(rotated["secret"])
    assert after.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        after.verified(endpoint["secret"])


def test_test_message_is_sent_at_once(world, aws, receiver):
    endpoint = subscribe(world, receiver.url(), topics=["event.cancelled"])

    answer = gateway.post("webhook-endpoints", f"/webhook-endpoints/{endpoint['id']}/test", caller=admin(world))
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver-webhooks", {"Records": [record(body)]}, LONG)

    [request] = receiver.got
    assert request.verified(endpoint["secret"])["type"] == "webhook.test"
    assert request.id == answer.body["id"]


def test_private_address_is_never_called(world, aws, receiver, monkeypatch):
    subscribe(world, receiver.url())
    subscribe(world, f"https://localhost:{receiver.port}/in")
    subscribe(world, "https://hooks.example.com/in")
    monkeypatch.setattr(
        http_client.socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    monkeypatch.delenv("WEBHOOKS_ALLOW_PRIVATE")

    receive(build_message(world))

    assert receiver.got == []
    assert [(row["status"], row["last_error"]) for row in rows(world)] == [("pending", "address_not_allowed")] * 3


def test_booking_passes_outbox_and_queue_to_the_subscriber(world, aws, receiver):
    endpoint = subscribe(world, receiver.url(), topics=["booking.confirmed"])
    event_id = scheduling.make_event(world)["id"]
    booking_id = scheduling.book(world, event_id, world.customer)

    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver-webhooks", {"Records": [record(body)]}, LONG)

    [request] = receiver.got
    data = request.verified(endpoint["secret"])["data"]
    shown = gateway.get("book", f"/bookings/{booking_id}", caller=world.customer).body
    assert BookingDetails.model_validate(data) == BookingDetails.model_validate(shown)
    assert data.keys() - {"organization_id"} == shown.keys() - {"payment"}
