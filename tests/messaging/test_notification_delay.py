"""A recipient gets a message within 30 seconds of its cause.

The tests calculate the delay from the schedule instead of measuring it. They add the time until the relay runs, the
delay of the queues, and the work of one worker before the message.
"""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from marquee.edge import queues
from marquee.messaging import relay
from tests.kit import gateway, scheduling
from tests.kit.aws import record
from tests.kit.message_worker import an_event
from tests.kit.template import system

PROMISE_SECONDS = 30
MINUTE = 60
SCHEDULER_LATE_SECONDS = 59
"""EventBridge Scheduler starts a target at any second of the scheduled minute."""
CARRIED_SECONDS = 1
"""From the start of a run until its first batch is in the queue, including a cold start."""
EMAIL_SECONDS = 0.2
"""One e-mail with its notification: three short calls to the database and one to SES."""


@pytest.fixture
def ticks(db, aws, monkeypatch):
    """Return the delays in seconds of the ticks that a scheduled run queues."""
    asked = []
    with monkeypatch.context() as patched:
        patched.setattr(queues, "send", lambda _url, _message, *, delay_seconds=0: asked.append(delay_seconds))
        gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    return asked


def template():
    return system.load().source["Resources"]


def source(name):
    return template()[name]["Properties"]


def runs(minutes, ticks, late):
    """Return the seconds at which the relay runs, given the scheduler's delay in each minute."""
    begun = [MINUTE * minute + late[minute % len(late)] for minute in range(minutes)]
    return sorted({start + tick for start in begun for tick in (0, *ticks)})


def queued_seconds():
    """Return the seconds that queues may delay a message, plus one worker's time until its last e-mail."""
    messages = source("MessagesSource")
    emails = messages["BatchSize"] * relay.BUNDLE_ROWS_MOST
    return messages["MaximumBatchingWindowInSeconds"] + emails * EMAIL_SECONDS


def test_relay_is_scheduled_every_minute_without_batching_delay():
    schedule = template()["RelayOutboxFunction"]["Properties"]["Events"]["RelayOutboxSchedule"]["Properties"]
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert source("RelaySource")["MaximumBatchingWindowInSeconds"] == 0
    assert source("RelaySource")["BatchSize"] == 1


def test_relay_runs_every_ten_seconds_however_late_the_scheduler_is(ticks):
    @settings(max_examples=200, deadline=None)
    @given(some.lists(some.integers(0, SCHEDULER_LATE_SECONDS), min_size=1, max_size=10))
    def always(late):
        begun = [start for start in runs(12, ticks, late) if start <= 11 * MINUTE]
        assert max(after - before for before, after in itertools.pairwise(begun)) <= 10

    always()


def test_longest_delay_is_within_30_seconds_even_if_a_tick_is_lost(ticks):
    begun = runs(4, ticks, [0, SCHEDULER_LATE_SECONDS])
    longest = max(after - before for before, after in zip(begun, begun[2:], strict=False))

    assert longest + CARRIED_SECONDS + queued_seconds() <= PROMISE_SECONDS


def test_confirmation_reaches_ses_in_time_for_each_moment_of_a_minute(db, aws, ticks):
    """Each booking commits right after a run of the relay, so it waits as long as possible."""
    world = scheduling.world(db)
    starts = runs(3, ticks, [0, SCHEDULER_LATE_SECONDS])
    waited = []
    for before, start in itertools.pairwise(starts[:13]):
        scheduling.book(world, an_event(world), world.customer)
        event = {"job": "relay_outbox"} if start % MINUTE == 0 else {"Records": [record({"after_seconds": 10})]}
        gateway.invoke("relay-outbox", event)
        for number, body in enumerate(aws.received(aws.messages_queue)):
            gateway.invoke("send-messages", {"Records": [record(body, number)]})
        assert [message["Subject"] for message in aws.mailed()] == ["Booking confirmed: Evening yoga"]
        waited.append(start + CARRIED_SECONDS + queued_seconds() - before)

    assert len(waited) == 12
    assert max(waited) <= PROMISE_SECONDS - 10


def test_malformed_message_is_dead_lettered_without_delaying_others(db, aws):
    """The queue redelivers the bundle of a malformed payload. The other recipients in the bundle are notified once."""
    world = scheduling.world(db)
    event_id = an_event(world)
    bad = [
        ("booking.confirmed", {"event_id": "no uuid", "customer_id": str(world.customer), "seats": 1}),
        ("waitlist.offered", {"event_id": str(event_id), "customer_id": str(world.customer), "seats": 1}),
    ]
    good = ("booking.confirmed", {"event_id": str(event_id), "customer_id": str(world.second_customer), "seats": 1})
    for topic, payload in (bad[0], good, bad[1], good):
        db.execute(
            "insert into public.outbox (topic, key, payload) values (%s, %s, %s)",
            [topic, str(event_id), json.dumps(payload)],
        )
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    scheduling.book(world, event_id, world.customer)
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})
    first, second = aws.received(aws.messages_queue)

    most = template()["MessagesQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"]
    for _delivery in range(most):
        answer = gateway.invoke("send-messages", {"Records": [record(first, 1), record(second, 2)]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}

    assert template()["MessagesQueue"]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
    told = db.execute("select user_id, count(*) as times from messaging.notifications group by 1").fetchall()
    assert {row["user_id"]: row["times"] for row in told} == {world.second_customer: 2, world.customer: 1}
    assert len(aws.mailed()) == 3
