"""functions/process-batch runs by schedule, by message while items remain, and on request."""

import json
import os
from uuid import uuid4

import pytest

from marquee.core import identity
from tests.kit import gateway, rating_inbox, stages
from tests.kit.aws import record

SCHEDULE = {"job": "process_ratings"}


@pytest.fixture
def stage(db):
    return stages.create(db)


@pytest.fixture
def box(db, stage):
    return rating_inbox.Inbox(db, stage.organization_id)


@pytest.fixture
def asked(aws, monkeypatch):
    """Return the messages in ProcessBatchQueue."""
    return lambda: aws.received(os.environ["PROCESS_BATCH_QUEUE_URL"])


def runs(db):
    return db.execute("select succeeded, result, error from ops.job_runs where job = 'process_ratings'").fetchall()


def test_schedule_processes_and_publishes_all_pending_items(box, asked):
    box.tournament(450, 10)
    box.put()

    answer = gateway.invoke("process-batch", SCHEDULE)

    assert (answer["job"], answer["done"], answer["more"]) == ("process_ratings", 450, False)
    assert answer["details"]["statements"] <= 9
    assert box.left() == (0, 0)
    assert all(row["score"] is not None for row in box.state().values())
    assert asked() == []


def test_run_continues_while_batches_are_full(box, asked, db):
    box.tournament(1100, 4)
    box.put()

    answer = gateway.invoke("process-batch", SCHEDULE)

    assert answer["done"] == 1100
    assert [run["result"]["items"] for run in runs(db)] == [500, 500, 100]
    assert box.left() == (0, 0)


def test_run_that_is_out_of_time_continues_by_message(box, asked):
    box.tournament(700, 4)
    box.put()
    hurried = gateway.Context(milliseconds_left=2_000)

    gateway.invoke("process-batch", SCHEDULE, hurried)
    messages = asked()
    assert messages == [{"reason": "more"}]
    assert box.left()[1] == 200

    gateway.invoke("process-batch", {"Records": [record(message) for message in messages]}, hurried)
    assert box.left() == (0, 0)
    assert asked() == []


def test_message_that_is_out_of_time_sends_another(box, asked):
    box.tournament(700, 4)
    box.put()

    hurried = gateway.Context(milliseconds_left=2_000)
    gateway.invoke("process-batch", {"Records": [record({"reason": "events"})]}, hurried)

    assert asked() == [{"reason": "more"}]
    assert box.left()[1] == 200


def test_message_without_pending_items_records_no_run(db, aws):
    answer = gateway.invoke("process-batch", {"Records": [record({"reason": "events"})]})

    assert answer == {"batchItemFailures": []}
    assert runs(db) == []


def test_schedule_records_its_run_even_without_pending_items(db, aws):
    gateway.invoke("process-batch", SCHEDULE)

    (run,) = runs(db)
    assert (run["succeeded"], run["result"]["items"], run["result"]["statements"]) == (True, 0, 2)


def test_batch_is_recorded_with_its_counts_and_durations(box, aws, db):
    box.tournament(20, 10)
    box.put()

    gateway.invoke("process-batch", SCHEDULE)

    (run,) = runs(db)
    result = run["result"]
    assert run["succeeded"]
    assert {name: result[name] for name in ("items", "events", "published", "held", "failed", "full")} == {
        "items": 20,
        "events": 240,
        "published": 20,
        "held": 0,
        "failed": 0,
        "full": False,
    }
    assert result["statements"] <= 9
    assert {"claim", "take", "read", "compute", "write"} <= result["seconds"].keys()


def test_batch_emits_metrics(box, aws, db, capsys):
    box.tournament(20, 10)
    box.put()
    box.choose(pause_seconds=60)
    gateway.invoke("process-batch", SCHEDULE)
    box.tournament(20, 10, seed=2)
    box.put()
    db.execute("update rating.item_stats set votes = 9223372036854775807 where item_id = 'item-00012'")
    capsys.readouterr()

    gateway.invoke("process-batch", SCHEDULE)

    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"RatingBatchDuration"' in line]
    told = {name: value for name, value in line.items() if name.startswith(("Rating", "Score"))}
    (duration,) = told.pop("RatingBatchDuration")
    result = runs(db)[-1]["result"]
    assert told == {
        "RatingBatchCounted": [1],
        "RatingItemCounted": [19],
        "RatingItemSetAside": [1],
        "RatingEventCounted": [result["events"]],
        "ScorePublished": [0],
        "ScoreHeldBack": [result["held"]],
    }
    assert result["held"] > 0
    assert duration == pytest.approx(1000 * sum(result["seconds"].values()), abs=100)


def test_batch_size_is_a_setting(box, aws, db, monkeypatch):
    monkeypatch.setenv("RATING_BATCH_ITEMS", "200")
    box.tournament(250, 4)
    box.put()

    gateway.invoke("process-batch", SCHEDULE)

    assert [run["result"]["items"] for run in runs(db)] == [200, 50]


def test_batch_requested_by_the_service_runs_at_once_and_is_reported(box, asked):
    box.tournament(600, 4)
    box.put()

    answer = gateway.post("process-batch", "/ratings/process", caller=identity.service())

    assert answer.status == 200
    assert (answer.body["items"], answer.body["failed"], answer.body["full"]) == (500, 0, True)
    assert answer.body["statements"] <= 9
    assert asked() == [{"reason": "more"}]


@pytest.mark.parametrize("role", ["front_desk", "editor", "admin", "owner"])
def test_batch_may_be_requested_by_each_staff_role(stage, asked, role):
    here = {"organization_id": stage.organization_id}
    answer = gateway.post("process-batch", "/ratings/process", query=here, caller=stage.member(role))
    assert answer.status == 200


def test_batch_request_is_refused_to_all_but_staff(box, db, stage, asked):
    box.tournament(20, 4)
    box.put()
    here = {"organization_id": stage.organization_id}

    strangers = [
        gateway.post("process-batch", "/ratings/process", query=here, caller=uuid4()),
        gateway.post("process-batch", "/ratings/process", caller=stage.member("admin")),
        gateway.post("process-batch", "/ratings/process", query=here, caller=stage.member("viewer")),
        gateway.post("process-batch", "/ratings/process", query=here, caller=stages.create(db).owner),
    ]
    assert [(answer.status, answer.body["code"]) for answer in strangers] == [(403, "forbidden")] * 4
    assert box.left()[1] == 20

    answer = gateway.post("process-batch", "/ratings/process", query=here, caller=stage.member("front_desk"))
    assert (answer.status, answer.body["items"]) == (200, 20)


def test_batch_requests_are_rate_limited_for_staff_but_not_for_the_service(stage, asked):
    here, admin = {"organization_id": stage.organization_id}, stage.member("admin")

    answers = [gateway.post("process-batch", "/ratings/process", query=here, caller=admin) for _ in range(11)]
    assert [answer.status for answer in answers] == [200] * 10 + [429]
    assert (answers[-1].body["code"], 1 <= int(answers[-1].headers["retry-after"]) <= 6) == ("rate_limited", True)

    service = [gateway.post("process-batch", "/ratings/process", caller=identity.service()) for _ in range(11)]
    assert [answer.status for answer in service] == [200] * 11
