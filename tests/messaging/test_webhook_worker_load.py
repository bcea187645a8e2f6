"""functions/deliver-webhooks under load: slow subscribers, short time limits and killed workers lose nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from marquee.edge import queues
from marquee.edge.secrets import webhook_keys
from marquee.messaging import deliveries
from tests.kit import gateway, scheduling, subscriber
from tests.kit.aws import record
from tests.kit.webhook_worker import LONG, build_message, receive, rows, run, subscribe

SLOW_SECONDS_MAX = 5

LAYER = Path(__file__).resolve().parents[2] / "layers/domain"


@pytest.fixture
def world(db):
    return scheduling.world(db)


def test_messages_of_an_event_arrive_in_order_despite_a_failed_one(world, aws, receiver):
    receiver.answers["/in"] = [200, 500, 200]
    subscribe(world, receiver.url())

    receive(*(build_message(world, number) for number in range(1, 21)))

    assert [request.json["data"]["number"] for request in receiver.got] == list(range(1, 21))
    assert [row["number"] for row in rows(world) if row["status"] == "pending"] == [2]


def test_slow_subscriber_does_not_delay_others(world, aws, receiver):
    served = threading.Event()
    in_time: list[bool] = []

    def wait(handler: BaseHTTPRequestHandler) -> None:
        in_time.append(served.wait(SLOW_SECONDS_MAX))
        subscriber.hang_up(handler)

    def serve(handler: BaseHTTPRequestHandler) -> None:
        if sum(request.path == "/in" for request in receiver.got) == 8:
            served.set()
        handler.send_response(200)
        handler.send_header("content-length", "0")
        handler.end_headers()

    receiver.answers = {"/slow": [wait], "/in": [serve]}
    subscribe(world, receiver.url("/slow"))
    subscribe(world, receiver.url("/in"))

    receive(*(build_message(world, number, key=f"k{number}") for number in range(8)))

    assert sum(request.path == "/in" for request in receiver.got) == 8
    assert in_time
    assert all(in_time)


def test_worker_out_of_time_queues_another_run(world, aws, receiver):
    subscribe(world, receiver.url())

    receive(build_message(world), context=gateway.Context(milliseconds_left=10_000))

    assert receiver.got == []
    assert aws.received(aws.deliver_queue) == [{"happenings": []}]
    assert rows(world)[0]["attempts"] == 0


def test_attempts_without_time_in_the_batch_are_not_counted(world, aws, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "BATCH_SECONDS_MAX", -1.0)
    left = iter([60.0, 0.0])
    subscribe(world, receiver.url())
    receive(build_message(world), context=gateway.Context(milliseconds_left=10_000))

    done = deliveries.deliver(lambda: next(left), webhook_keys, allow_private=True)

    assert (done.delivered, done.failed, done.more) == (0, 0, True)
    [row] = rows(world)
    assert (row["attempts"], row["tries"], row["lease_until"]) == (0, 0, None)


def test_killed_worker_loses_no_delivery(world, aws, receiver):
    subscribe(world, receiver.url())
    receive(build_message(world), context=gateway.Context(milliseconds_left=10_000))
    world.db.execute("select messaging.claim_webhook_deliveries(sealed => true)")  # the worker is killed here

    run()
    assert receiver.got == []
    world.db.execute("update messaging.webhook_deliveries set lease_until = now()")
    run()

    assert len(receiver.got) == 1
    assert rows(world)[0]["status"] == "delivered"


WORKER = """
from marquee.edge.secrets import webhook_keys
from marquee.messaging import deliveries
deliveries.deliver(lambda: 60.0, webhook_keys, allow_private=True)
"""


def test_worker_killed_while_sending_repeats_its_batch_and_loses_nothing(world, aws, receiver):
    receiver.answers["/in"] = [200, 200, 200, subscriber.hang, 200]
    endpoint = subscribe(world, receiver.url())
    receive(*(build_message(world, number) for number in range(1, 13)), context=gateway.Context(milliseconds_left=1000))
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
    assert sorted(numbers[4:]) == list(range(1, 13))  # the killed worker had recorded no result
    assert len({request.id for request in receiver.got}) == 12


def test_delivery_that_kills_its_worker_ten_times_fails(world, aws, receiver):
    subscribe(world, receiver.url())
    receive(build_message(world), context=gateway.Context(milliseconds_left=10_000))
    world.db.execute("update messaging.webhook_deliveries set attempts = 10, tries = 10")

    run()

    assert receiver.got == []
    [row] = rows(world)
    assert (row["status"], row["last_error"]) == ("failed", "worker_lost")


def test_message_refused_by_one_queue_is_resent_to_both_and_handled_once(world, aws, receiver, monkeypatch):
    subscribe(world, receiver.url())
    event_id = scheduling.make_event(world)["id"]
    scheduling.book(world, event_id, world.customer)
    send = queues._client().send_message_batch

    def refuse(QueueUrl, Entries):
        if QueueUrl == aws.deliver_queue:
            return {"Failed": [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in Entries]}
        return send(QueueUrl=QueueUrl, Entries=Entries)

    monkeypatch.setattr(queues, "PAUSE_SECONDS", 0)
    with monkeypatch.context() as patched:
        patched.setattr(queues._client(), "send_message_batch", refuse)
        gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]})
    assert world.db.execute("select attempts, relayed_at from public.outbox").fetchall() == [
        {"attempts": 1, "relayed_at": None}
    ]
    world.db.execute("update public.outbox set available_at = now()")
    gateway.invoke("relay-outbox", {"Records": [record({"after_seconds": 10})]})

    messages, heard = aws.received(aws.messages_queue), aws.received(aws.deliver_queue)
    assert (len(messages), len(heard)) == (2, 1)
    for body in messages:
        gateway.invoke("send-messages", {"Records": [record(body)]})
    gateway.invoke("deliver-webhooks", {"Records": [record(heard[0])]}, LONG)
    assert len(aws.mailed()) == len(receiver.got) == 1
