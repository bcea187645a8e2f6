"""functions/deliver: subscribers hear what happened, signed, until they have taken it; nobody else is ever called."""

import datetime as dt
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import WebhookVerificationError

from marquee.core.identity import Caller
from marquee.edge import queues
from marquee.messaging import addresses, deliveries, posting
from tests import gateway, planning
from tests.functions import subscriber
from tests.functions.aws import record

LAYER = Path(__file__).resolve().parents[2] / "layers/domain"
SCHEDULE = {"job": "deliver_webhooks"}
LONG = gateway.Context(milliseconds_left=60_000)


@pytest.fixture
def world(db):
    return planning.world(db)


@pytest.fixture
def receiver(monkeypatch):
    """A subscriber's server on this machine, which deliver may call."""
    monkeypatch.setenv("WEBHOOKS_ALLOW_PRIVATE", "true")
    with subscriber.running() as running:
        yield running


def admin(world):
    return Caller(world.owner, "authenticated", world.organization_id)


def subscribe(world, url, **options):
    """An endpoint made over the API, with its secret."""
    answer = gateway.post("endpoints", "/webhook-endpoints", {"url": url, **options}, caller=admin(world))
    assert answer.status == 201, answer.text
    return answer.body


def happening(world, number=1, topic="booking.confirmed", key="event-1", **payload):
    return {
        "id": number,
        "topic": topic,
        "key": key,
        "payload": {"organization_id": str(world.organization_id), "number": number, **payload},
        "created_at": "2030-01-01T00:00:00+00:00",
        "correlation_id": None,
    }


def hear(*happenings, context=LONG):
    """Hand happenings to the function in one bundle."""
    return gateway.invoke("deliver", {"Records": [record({"happenings": list(happenings)})]}, context)


def run():
    return gateway.invoke("deliver", SCHEDULE, LONG)


def rows(world):
    return world.db.execute(
        """
        select d.*, d.next_attempt_at - now() as pause, (d.payload ->> 'number')::integer as number
        from messaging.webhook_deliveries as d
        order by d.outbox_id
        """
    ).fetchall()


def make_due(world):
    world.db.execute("update messaging.webhook_deliveries set next_attempt_at = now() where status = 'pending'")


def test_a_subscriber_hears_what_happened_signed_by_its_secret(world, aws, receiver):
    endpoint = subscribe(world, receiver.url("/in?from=marquee"))

    assert hear(happening(world, seats=2)) == {"batchItemFailures": []}

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


def test_a_message_that_comes_again_is_delivered_once(world, aws, receiver):
    subscribe(world, receiver.url())

    for _delivery in range(3):
        hear(happening(world))

    assert len(receiver.got) == 1


def test_alerts_and_other_peoples_happenings_go_to_nobody(world, aws, receiver):
    subscribe(world, receiver.url())
    foreign = happening(world, 2)
    foreign["payload"]["organization_id"] = str(world.other_organization_id)

    hear(happening(world, 1, topic="alert.fired"), foreign, {**happening(world, 3), "payload": {}})

    assert receiver.got == []
    assert rows(world) == []


@pytest.mark.parametrize("status", [300, 301, 302, 307, 308, 304, 400, 401, 404, 429, 500, 503])
def test_whatever_is_not_taken_is_tried_again_and_redirects_lead_nowhere(world, aws, receiver, status):
    receiver.answers["/in"] = [status, 204]
    receiver.headers["location"] = receiver.url("/elsewhere")
    subscribe(world, receiver.url())

    hear(happening(world))

    [row] = rows(world)
    assert (row["status"], row["last_status_code"], row["attempts"]) == ("pending", status, 1)
    assert dt.timedelta(seconds=3) < row["pause"] < dt.timedelta(seconds=6)
    make_due(world)
    run()
    assert rows(world)[0]["status"] == "delivered"
    assert [request.path for request in receiver.got] == ["/in", "/in"]
    assert len({request.id for request in receiver.got}) == 1


def test_a_retry_within_a_minute_is_asked_for_by_message(world, aws, receiver, monkeypatch):
    asked = []
    module = gateway.load("deliver").delivering
    monkeypatch.setattr(module, "wake", asked.append)
    receiver.answers["/in"] = [500]
    subscribe(world, receiver.url())

    hear(happening(world))
    assert len(asked) == 1
    assert 4 < asked[0] <= 6

    make_due(world)
    run()  # the next pause is five minutes: the schedule's affair
    assert len(asked) == 1


def test_retry_after_is_respected(world, aws, receiver):
    receiver.answers["/in"] = [503]
    receiver.headers["retry-after"] = "3600"
    subscribe(world, receiver.url())

    hear(happening(world))

    assert dt.timedelta(minutes=59) < rows(world)[0]["pause"] <= dt.timedelta(hours=1)


def test_gone_switches_the_endpoint_off_and_its_admins_are_told(world, aws, receiver):
    receiver.answers["/in"] = [410]
    endpoint = subscribe(world, receiver.url())

    hear(happening(world, 1))
    hear(happening(world, 2))

    assert len(receiver.got) == 1
    shown = gateway.get("endpoints", f"/webhook-endpoints/{endpoint['id']}", caller=admin(world)).body
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    aws.received(aws.messages_queue)
    gateway.invoke("relay", {"job": "relay_outbox"})
    for body in aws.received(aws.messages_queue):
        gateway.invoke("messages", {"Records": [record(body)]})
    [mail] = aws.mailed()
    assert mail["Subject"] == f"Webhooks to {receiver.url()} are switched off"
    assert "410" in mail.get_content()
    assert aws.received(aws.deliver_queue) == []


def test_after_ten_attempts_it_is_given_up_and_can_be_sent_again_by_hand(world, aws, receiver):
    receiver.answers["/in"] = [500] * 10 + [200]
    endpoint = subscribe(world, receiver.url())

    hear(happening(world))
    for _attempt in range(9):
        make_due(world)
        run()
    [row] = rows(world)
    assert (row["status"], row["attempts"]) == ("failed", 10)

    answer = gateway.post("endpoints", f"/webhook-deliveries/{row['id']}/resend", caller=admin(world))
    assert (answer.status, answer.body["status"]) == (202, "pending")
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver", {"Records": [record(body)]}, LONG)

    assert len({request.id for request in receiver.got}) == 1
    assert len(receiver.got) == 11
    assert all(request.verified(endpoint["secret"]) for request in receiver.got)
    path = f"/webhook-endpoints/{endpoint['id']}/deliveries"
    [shown] = gateway.get("endpoints", path, caller=admin(world)).body["items"]
    assert (shown["status"], shown["attempts"]) == ("delivered", 11)
    assert [each["status_code"] for each in shown["history"]] == [500] * 10 + [200]
    assert shown["history"][-1]["response"] == "taken"


def test_during_a_rotation_both_secrets_verify_and_afterwards_the_new_one(world, aws, receiver):
    endpoint = subscribe(world, receiver.url())
    rotated = gateway.post("endpoints", f"/webhook-endpoints/{endpoint['id']}/rotate-secret", caller=admin(world)).body

    hear(happening(world, 1))
    world.db.execute("update messaging.webhook_secrets set expires_at = now() where expires_at is not null")
    hear(happening(world, 2))

    during, after = receiver.got
    assert during.verified(endpoint["secret"])
    assert during.verified(rotated["secret"])
    assert after.verified(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        after.verified(endpoint["secret"])


def test_a_test_is_sent_at_once(world, aws, receiver):
    endpoint = subscribe(world, receiver.url(), topics=["event.cancelled"])

    answer = gateway.post("endpoints", f"/webhook-endpoints/{endpoint['id']}/test", caller=admin(world))
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver", {"Records": [record(body)]}, LONG)

    [request] = receiver.got
    assert request.verified(endpoint["secret"])["type"] == "webhook.test"
    assert request.id == answer.body["id"]


def test_happenings_of_one_event_arrive_in_order_and_a_failed_one_holds_up_no_other(world, aws, receiver):
    receiver.answers["/in"] = [200, 500, 200]
    subscribe(world, receiver.url())

    hear(*(happening(world, number) for number in range(1, 21)))

    assert [request.json["data"]["number"] for request in receiver.got] == list(range(1, 21))
    assert [row["number"] for row in rows(world) if row["status"] == "pending"] == [2]


def test_a_slow_subscriber_holds_up_no_other(world, aws, receiver):
    receiver.answers["/slow"] = [subscriber.hang]
    subscribe(world, receiver.url("/slow"))
    subscribe(world, receiver.url("/in"))
    began = time.monotonic()

    hear(*(happening(world, number, key=f"k{number}") for number in range(8)))

    quick = [request.at - began for request in receiver.got if request.path == "/in"]
    assert len(quick) == 8
    assert max(quick) < 1.5


def test_what_there_was_no_time_for_is_asked_for_by_message(world, aws, receiver):
    subscribe(world, receiver.url())

    hear(happening(world), context=gateway.Context(milliseconds_left=10_000))

    assert receiver.got == []
    assert aws.received(aws.deliver_queue) == [{"happenings": []}]
    assert rows(world)[0]["attempts"] == 0


def test_attempts_that_the_batch_has_no_time_for_are_given_back(world, aws, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "BATCH_SECONDS_MAX", -1.0)
    left = iter([60.0, 0.0])
    subscribe(world, receiver.url())
    hear(happening(world), context=gateway.Context(milliseconds_left=10_000))

    done = deliveries.deliver(lambda: next(left), allow_private=True)

    assert (done.delivered, done.failed, done.more) == (0, 0, True)
    [row] = rows(world)
    assert (row["attempts"], row["tries"], row["lease_until"]) == (0, 0, None)


def test_a_worker_that_was_killed_loses_nothing(world, aws, receiver):
    subscribe(world, receiver.url())
    hear(happening(world), context=gateway.Context(milliseconds_left=10_000))
    world.db.execute("select messaging.claim_webhook_deliveries()")  # and then nothing is heard of it

    run()
    assert receiver.got == []
    world.db.execute("update messaging.webhook_deliveries set lease_until = now()")
    run()

    assert len(receiver.got) == 1
    assert rows(world)[0]["status"] == "delivered"


WORKER = """
from marquee.messaging import deliveries
deliveries.deliver(lambda: 60.0, allow_private=True)
"""


def test_a_worker_that_is_killed_while_it_sends_loses_nothing_and_repeats_only_what_it_was_at(world, aws, receiver):
    receiver.answers["/in"] = [200, 200, 200, subscriber.hang, 200]
    endpoint = subscribe(world, receiver.url())
    hear(*(happening(world, number) for number in range(1, 13)), context=gateway.Context(milliseconds_left=1000))
    environment = {**os.environ, "PYTHONPATH": str(LAYER)}
    with subprocess.Popen([sys.executable, "-c", WORKER], env=environment) as worker:
        until = time.monotonic() + 20
        while len(receiver.got) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
    heard_before = len(receiver.got)

    world.db.execute("update messaging.webhook_deliveries set lease_until = now() where lease_until is not null")
    run()

    assert heard_before == 4
    assert {row["status"] for row in rows(world)} == {"delivered"}
    numbers = [request.verified(endpoint["secret"])["data"]["number"] for request in receiver.got]
    assert numbers[:4] == [1, 2, 3, 4]
    assert sorted(numbers[4:]) == list(range(1, 13))  # it had written nothing down
    assert len({request.id for request in receiver.got}) == 12


def test_what_kills_its_worker_every_time_is_given_up(world, aws, receiver):
    subscribe(world, receiver.url())
    hear(happening(world), context=gateway.Context(milliseconds_left=10_000))
    world.db.execute("update messaging.webhook_deliveries set attempts = 10, tries = 10")

    run()

    assert receiver.got == []
    [row] = rows(world)
    assert (row["status"], row["last_error"]) == ("failed", "worker_lost")


def test_a_private_address_is_never_called(world, aws, receiver, monkeypatch):
    subscribe(world, receiver.url())
    subscribe(world, f"https://localhost:{receiver.port}/in")
    subscribe(world, "https://hooks.example.com/in")
    monkeypatch.setattr(
        posting.socket, "getaddrinfo", lambda host, port, **_: [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    )
    monkeypatch.delenv("WEBHOOKS_ALLOW_PRIVATE")

    hear(happening(world))

    assert receiver.got == []
    assert [(row["status"], row["last_error"]) for row in rows(world)] == [("pending", "address_not_allowed")] * 3


def test_the_real_way_from_a_booking_to_the_subscriber(world, aws, receiver):
    endpoint = subscribe(world, receiver.url(), topics=["booking.confirmed"])
    event_id = planning.make_event(world)["id"]
    booking_id = planning.book(world, event_id, world.customer)

    gateway.invoke("relay", {"job": "relay_outbox"})
    for body in aws.received(aws.deliver_queue):
        gateway.invoke("deliver", {"Records": [record(body)]}, LONG)

    [request] = receiver.got
    assert request.verified(endpoint["secret"])["data"]["booking_id"] == str(booking_id)


def test_what_one_queue_does_not_take_comes_again_to_both_and_is_told_once(world, aws, receiver, monkeypatch):
    subscribe(world, receiver.url())
    event_id = planning.make_event(world)["id"]
    planning.book(world, event_id, world.customer)
    send = queues._client().send_message_batch

    def refuse(QueueUrl, Entries):
        if QueueUrl == aws.deliver_queue:
            return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in Entries]}
        return send(QueueUrl=QueueUrl, Entries=Entries)

    monkeypatch.setattr(queues, "PAUSE_SECONDS", 0)
    with monkeypatch.context() as patched:
        patched.setattr(queues._client(), "send_message_batch", refuse)
        gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]})
    assert world.db.execute("select attempts, relayed_at from public.outbox").fetchall() == [
        {"attempts": 1, "relayed_at": None}
    ]
    world.db.execute("update public.outbox set available_at = now()")
    gateway.invoke("relay", {"Records": [record({"after_seconds": 10})]})

    messages, heard = aws.received(aws.messages_queue), aws.received(aws.deliver_queue)
    assert (len(messages), len(heard)) == (2, 1)
    for body in messages:
        gateway.invoke("messages", {"Records": [record(body)]})
    gateway.invoke("deliver", {"Records": [record(heard[0])]}, LONG)
    assert len(aws.mailed()) == len(receiver.got) == 1


# The request itself.


def target(running, path="/in", host="127.0.0.1"):
    return addresses.target(running.url(path, host), allow_private=True)


def post(running, path="/in", **options):
    options = {"allow_private": True, "seconds_max": 0.7, **options}
    return posting.post(target(running, path), b"{}", {"content-type": "application/json"}, **options)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (subscriber.hang, "timed_out"),
        (subscriber.drip, "timed_out"),
        (subscriber.hang_up, "connection_failed"),
        (subscriber.babble, "answer_malformed"),
    ],
)
def test_whatever_a_server_does_it_is_over_in_time(receiver, answer, code):
    receiver.answers["/in"] = [answer]
    began = time.monotonic()

    with pytest.raises(posting.NotSent) as failure:
        post(receiver)

    assert failure.value.code == code
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("answer", [subscriber.drip_body, subscriber.flood])
def test_of_an_endless_body_the_beginning_is_kept(receiver, answer):
    receiver.answers["/in"] = [answer]
    began = time.monotonic()

    found = post(receiver)

    assert found.status_code == 200
    assert 0 < len(found.body) <= 1024
    assert time.monotonic() - began < 1.5


def test_the_kept_body_is_text_that_a_database_takes(receiver):
    receiver.body = b"\xff\x00ok" + "é".encode() * 2000

    assert post(receiver).body.startswith("�ok")


def test_nobody_listening_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(posting.NotSent, match="connection_failed"):
        posting.post(addresses.target(f"http://127.0.0.1:{port}/", allow_private=True), b"", {}, allow_private=True)


def test_the_environments_proxies_are_not_used(receiver, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert post(receiver).status_code == 200


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_that_is_called(receiver, monkeypatch):
    """A name that leads to somewhere public at the first look and to this machine at the second reaches nobody."""
    looks = []

    def rebinding(host, port):
        looks.append(host)
        text = "93.184.216.34" if len(looks) == 1 else "127.0.0.1"
        return [addresses.Address(socket.AF_INET, (text, port))]

    called = []

    class Socket(socket.socket):
        def connect(self, place):
            called.append(place)
            raise OSError("no network here")

    monkeypatch.setattr(posting.socket, "socket", Socket)
    with pytest.raises(posting.NotSent, match="connection_failed"):
        posting.post(addresses.target("https://hooks.example.com/in"), b"", {}, resolve=rebinding)

    assert looks == ["hooks.example.com"]
    assert called == [("93.184.216.34", 443)]
    assert receiver.got == []


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_to_us_is_not_called(receiver, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    def resolve(host, port):
        return [addresses.Address(socket.AF_INET, ("8.8.8.8", port)), addresses.Address(family, (address, port))]

    with pytest.raises(posting.NotSent, match="address_not_allowed"):
        posting.post(addresses.target("https://hooks.example.com/in"), b"", {}, resolve=resolve)

    assert receiver.got == []


def test_a_name_without_an_address_is_tried_later():
    def resolve(host, port):
        raise addresses.NotResolved

    with pytest.raises(posting.NotSent, match="name_not_resolved"):
        posting.post(addresses.target("https://hooks.example.com/in"), b"", {}, resolve=resolve)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate for hooks.example.com, and a context that trusts its maker."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("hooks.example.com"), x509.IPAddress(ip_address("192.0.2.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "certificate").write_bytes(pem)
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate", folder / "key")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("host", "is_trusted", "code"),
    [
        ("hooks.example.com", True, None),
        ("other.example.com", True, "tls_failed"),
        ("hooks.example.com", False, "tls_failed"),
    ],
)
def test_tls_is_verified_against_the_name_and_not_the_address(authority, host, is_trusted, code):
    server, trusting = authority

    def resolve(_host, port):
        return [addresses.Address(socket.AF_INET, ("127.0.0.1", port))]

    with subscriber.running(server) as running:
        options = {"allow_private": True, "resolve": resolve, "trusted": trusting if is_trusted else None}
        if code is None:
            assert posting.post(target(running, host=host), b"{}", {}, **options).status_code == 200
            assert running.got[0].headers["host"] == f"{host}:{running.port}"
        else:
            with pytest.raises(posting.NotSent, match=code):
                posting.post(target(running, host=host), b"{}", {}, **options)
            assert running.got == []


def test_a_handshake_that_never_ends_is_over_in_time(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(posting.NotSent, match="timed_out"):
            posting.post(addresses.target(url, allow_private=True), b"", {}, allow_private=True, seconds_max=0.5)

    assert time.monotonic() - began < 1.5
