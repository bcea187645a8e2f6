"""Queued events: a request becomes messages, a batch of messages is one transaction, and each has one effect."""

import json
from uuid import UUID, uuid4

import pytest

from marquee.core import clock
from marquee.core.errors import Unavailable
from marquee.core.identity import service
from marquee.rating import ingestion
from tests.kit import gateway, stages
from tests.kit.aws import record
from tests.kit.rating_requests import EVENTS, counted, fire, known, outcomes, post, slider, vote

ASYNC = {"Prefer": "respond-async"}


@pytest.fixture
def stage(db, aws):
    return stages.create(db)


@pytest.fixture
def queue(aws, monkeypatch):
    """Return the messages in RatingEventsQueue."""
    url = aws.sqs.create_queue(QueueName="rating-events-of-this-test")["QueueUrl"]
    monkeypatch.setenv("RATING_EVENTS_QUEUE_URL", url)
    return lambda: aws.received(url)


def deliver(*bodies):
    """Deliver messages to the function as its queue does, and return the ids of those that failed."""
    records = [record(body, number) for number, body in enumerate(bodies, start=1)]
    for each in records:
        if isinstance(each["body"], str) and each["body"].startswith('"'):
            each["body"] = json.loads(each["body"])
    answer = gateway.invoke("ingest", {"Records": records})
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def status_of(answer_or_id, caller):
    request_id = getattr(answer_or_id, "body", {"request_id": answer_or_id})["request_id"]
    return gateway.get("ingest", f"/ratings/requests/{request_id}", caller=caller)


def test_queued_request_is_written_later_and_its_result_returned(db, stage, queue):
    events = [vote("dawn", "dusk"), slider("dawn", -5000), fire("dawn"), fire("dusk", voter_id="\0")]

    answer = post(stage, *events, headers=ASYNC)

    assert answer.status == 202
    request_id = answer.body["request_id"]
    assert UUID(request_id).version == 7
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == answer.body["status_url"] == f"/ratings/requests/{request_id}"
    assert counted(db)["inbox"] == 0
    assert status_of(answer, stage.owner).body == {"request_id": request_id, "status": "queued", "taken": None}

    assert deliver(*queue()) == []

    done = status_of(answer, stage.owner)
    assert (done.status, done.body["status"]) == (200, "done")
    taken = done.body["taken"]
    assert (taken["accepted"], taken["duplicates"], taken["refused"]) == (2, 0, 2)
    assert [(each["index"], each["code"] or each["status"]) for each in taken["results"]] == [
        (0, "accepted"),
        (1, "invalid_event"),
        (2, "accepted"),
        (3, "invalid_event"),
    ]
    assert counted(db) == {"votes": 1, "sliders": 0, "fires": 1, "inbox": 3}


@pytest.mark.parametrize(
    "prefer", ["respond-async, wait=10", "wait=5,Respond-Async", "return=minimal; x, respond-async;p"]
)
def test_respond_async_is_found_among_other_preferences(db, stage, queue, prefer):
    assert post(stage, fire("dawn"), headers={"Prefer": prefer}).status == 202


@pytest.mark.parametrize("prefer", ["wait=10", "respond-asynchronously", "return=representation"])
def test_other_preferences_do_not_queue_the_request(db, stage, queue, prefer):
    answer = post(stage, fire("dawn"), headers={"Prefer": prefer})

    assert (answer.status, "preference-applied" in answer.headers) == (200, False)


def test_message_delivered_twice_has_one_effect(db, stage, queue):
    answer = post(stage, vote("dawn", "dusk"), headers=ASYNC)
    (message,) = queue()

    assert deliver(message, message) == []
    first = status_of(answer, stage.owner).body
    assert deliver(message) == []

    assert status_of(answer, stage.owner).body == first
    assert first["taken"]["accepted"] == 1
    assert counted(db) == {"votes": 1, "sliders": 0, "fires": 0, "inbox": 2}


def test_poisoned_message_fails_alone(db, stage, queue):
    answers = [post(stage, fire(f"item-{number}"), headers=ASYNC) for number in range(7)]
    good = queue()
    gone = {**good[0], "request_id": str(uuid4()), "organization_id": "no uuid"}
    nulls = {**good[0], "request_id": str(uuid4()), "events": [{"type": "fire", "key": "\0", "item_id": "\0"}]}

    failed = deliver(*good[:3], gone, "{no json", *good[3:], nulls)

    assert {"m4", "m5"} <= set(failed) <= {"m4", "m5", "m10"}
    assert all(status_of(answer, stage.owner).body["status"] == "done" for answer in answers)
    assert counted(db)["fires"] == 7


def test_message_that_the_database_refuses_is_isolated_in_a_large_batch(db, stage, queue, monkeypatch):
    for number in range(40):
        post(stage, fire(f"item-{number}"), headers=ASYNC)
    good = queue()
    poisoned = good[23]["request_id"]
    db.execute(f"alter table rating.requests add constraint poisoned check (request_id <> '{poisoned}')")

    assert deliver(*good) == ["m24"]

    assert counted(db)["fires"] == 39


def test_queued_events_emit_metrics_and_trigger_the_worker(db, stage, queue, aws, capsys):
    gateway.load("ingest")._worker._fired_at = float("-inf")
    worker = aws.sqs.get_queue_url(QueueName="process-batch")["QueueUrl"]
    for events in ([fire("dawn", key="tap"), slider("dawn", 101)], [fire("dusk"), fire("dawn", key="tap")]):
        post(stage, *events, headers=ASYNC)
    capsys.readouterr()

    deliver(*queue(), "{no json")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RatingEventAccepted" in line]
    names = ("RatingEventAccepted", "RatingEventRepeated", "RatingEventRefused", "MessageProcessed", "MessageFailed")
    assert [lines[0][name] for name in names] == [[2], [1], [1], [2], [1]]
    waiting = aws.sqs.get_queue_attributes(QueueUrl=worker, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert waiting["Attributes"]["ApproximateNumberOfMessagesDelayed"] == "1"


def test_batch_of_messages_is_one_transaction(db, stage, queue):
    for number in range(5):
        post(stage, fire(f"item-{number}"), headers=ASYNC)

    deliver(*queue())

    rows = db.execute("select count(distinct xmin::text) as n, count(*) as all from rating.fires").fetchone()
    assert (rows["n"], rows["all"]) == (1, 5)


def test_unavailable_database_fails_the_whole_batch(db, stage, queue, monkeypatch):
    post(stage, fire("dawn"), headers=ASYNC)
    message = queue()[0]

    def fail(session, messages):
        raise Unavailable("away")

    monkeypatch.setattr(ingestion, "_write_parts", fail)

    with pytest.raises(Unavailable):
        deliver(message)


def test_queued_events_have_the_rights_of_their_caller(db, stage, queue):
    known(db, stage, "dawn")
    ana = stage.customer()

    answer = post(stage, fire("dawn"), fire("dawn", voter_id="eva"), fire("unheard of"), caller=ana, headers=ASYNC)
    deliver(*queue())

    taken = status_of(answer, ana).body["taken"]
    assert [each["code"] for each in taken["results"]] == [None, "forbidden", "item_not_found"]


def test_request_result_is_hidden_from_other_callers(db, stage, queue):
    answer = post(stage, fire("dawn"), headers=ASYNC)
    deliver(*queue())

    stranger = status_of(answer, stage.customer())

    assert (stranger.status, stranger.body["status"], stranger.body["taken"]) == (200, "queued", None)
    assert status_of(answer, service()).body["status"] == "done"


def test_request_id_is_known_for_a_day(db, stage, monkeypatch):
    now = clock.now().timestamp()
    for age_seconds, status in ((0, 200), (86_300, 200), (86_500, 404), (-30, 200), (-120, 404)):
        assert status_of(ingestion.new_request_id(now - age_seconds), stage.owner).status == status
    answer = status_of(uuid4(), stage.owner)

    assert (answer.status, answer.body["code"]) == (404, "rating_request_not_found")


def test_large_request_is_split_into_messages(db, stage, queue, monkeypatch):
    monkeypatch.setattr(ingestion, "PART_BYTES_MAX", 10_000)
    events = [vote(f"item-{number}-☃", "x" * 100) for number in range(200)]

    answer = post(stage, *events, headers=ASYNC)
    messages = queue()

    assert len(messages) > 2
    assert {(each["part"], each["parts"]) for each in messages} == {
        (number, len(messages)) for number in range(1, len(messages) + 1)
    }
    assert deliver(*messages[1:]) == []
    assert status_of(answer, stage.owner).body["status"] == "queued"
    assert deliver(messages[0]) == []
    taken = status_of(answer, stage.owner).body["taken"]
    assert (taken["accepted"], [each["index"] for each in taken["results"]]) == (200, list(range(200)))
    assert [each["key"] for each in taken["results"]] == [event["key"] for event in events]


def test_largest_body_fits_into_messages(db, stage, queue):
    events = [vote("ü" * 110, f"{number}", voter_id="☃" * 40) for number in range(100)]
    events += [{"type": "fire", "key": "huge", "item_id": "x" * 150_000}]
    body = json.dumps({"organization_id": str(stage.organization_id), "events": events}, ensure_ascii=False)

    answer = gateway.post("ingest", EVENTS, body, caller=stage.owner, headers=ASYNC)
    messages = queue()

    assert len(body.encode()) > 190_000
    assert (answer.status, deliver(*messages)) == (202, [])
    assert all(len(json.dumps(message).encode()) < 256 * 1024 for message in messages)
    results = status_of(answer, stage.owner).body["taken"]["results"]
    assert (results[-1]["key"], results[-1]["status"]) == ("huge", "refused")


def test_request_without_a_valid_event_is_not_queued(db, stage, queue):
    answer = post(stage, slider("dawn", 101), {}, headers=ASYNC)

    assert (answer.status, answer.body["code"]) == (422, "no_event_accepted")
    assert outcomes(answer) == ["invalid_event", "unknown_type"]
    assert queue() == []


def test_request_that_cannot_be_queued_is_503(db, stage, monkeypatch):
    from marquee.edge import queues

    def fail(url, messages, **_options):
        raise queues.NotSent(messages, "ServiceUnavailable")

    monkeypatch.setattr(queues, "send_batch", fail)

    answer = post(stage, fire("dawn"), headers=ASYNC)

    assert (answer.status, answer.body["code"]) == (503, "unavailable")


def test_anonymous_request_is_not_queued(db, stage, queue):
    assert post(stage, fire("dawn"), caller=None, headers=ASYNC).status == 401
    assert queue() == []
