"""Calibration by schedule and by message: organizations due, isolation of failures, and reports."""

import os
from uuid import uuid4

import boto3
import psycopg
import pytest

from tests.kit import gateway, rating_tournament
from tests.kit.aws import REGION, record


@pytest.fixture
def queue(aws, monkeypatch):
    url = boto3.client("sqs", region_name=REGION).create_queue(QueueName="calibrate")["QueueUrl"]
    monkeypatch.setenv("CALIBRATE_QUEUE_URL", url)
    return lambda: [body["organization_id"] for body in aws.received(url)]


@pytest.fixture(autouse=True)
def worker(aws):
    return lambda: aws.received(os.environ["PROCESS_BATCH_QUEUE_URL"])


@pytest.fixture
def played(db):
    return rating_tournament.play(db, items=10, votes_per_item=30, raters=10)


def run():
    return gateway.invoke("calibrate", {"job": "calibrate_ratings"})


def deliver(*organization_ids):
    records = [record({"organization_id": each}, number) for number, each in enumerate(organization_ids, 1)]
    return gateway.invoke("calibrate", {"Records": records})


def test_schedule_queues_each_organization_with_items(played, queue):
    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)

    answer = run()

    assert (answer["done"], answer["more"]) == (2, False)
    assert sorted(queue()) == sorted([str(played.organization_id), str(other.organization_id)])
    assert played.db.execute("select job, succeeded from ops.job_runs").fetchall() == [
        {"job": "calibrate_ratings", "succeeded": True}
    ]


def test_schedule_queues_all_organizations_over_several_turns(played, queue, monkeypatch):
    from marquee.rating import calibration

    others = [rating_tournament.play(played.db, seed=seed, items=2, votes_per_item=2, raters=2) for seed in (2, 3)]
    monkeypatch.setattr(calibration, "due", lambda session, after, due=calibration.due: due(session, after, 1))
    monkeypatch.setattr(calibration, "ORGANIZATIONS_PER_TURN", 1)

    assert run()["turns"] == 4

    assert sorted(queue()) == sorted(str(each.organization_id) for each in (played, *others))


def test_message_calibrates_its_organization_alone(played, queue):
    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)

    assert deliver(str(played.organization_id)) == {"batchItemFailures": []}

    assert played.column("mean").std() > 50
    assert other.column("mean").std() == 0
    assert len(played.reports()) == 1


def test_worker_is_triggered_to_publish_changed_items(played, worker):
    deliver(str(played.organization_id))
    assert worker() == [{"reason": "items"}]

    deliver(str(played.organization_id))
    assert worker() == []  # nothing has changed


def test_calibrated_organization_is_due_again_after_new_events(played, queue):
    deliver(str(played.organization_id))
    run()
    assert queue() == []

    played.db.execute(
        "insert into rating.fires (event_id, organization_id, key, voter_id, item_id)"
        " values (99999, %s, 'f', 'v', 'item-0001')",
        [played.organization_id],
    )
    run()
    assert queue() == [str(played.organization_id)]


def test_organization_with_pending_items_is_due_again(played, queue):
    played.put_back(int(played.truth.events.a[0]), 0)
    deliver(str(played.organization_id))

    run()

    assert queue() == [str(played.organization_id)]


def test_deleted_organization_is_no_failure(played):
    assert deliver(str(uuid4())) == {"batchItemFailures": []}


def test_failed_message_is_reported_and_the_others_are_processed(played, monkeypatch):
    from marquee.rating import calibration

    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)
    calibrate = calibration.calibrate

    def fail_once(organization_id):
        if organization_id == other.organization_id:
            raise psycopg.errors.DeadlockDetected
        return calibrate(organization_id)

    monkeypatch.setattr(calibration, "calibrate", fail_once)

    assert deliver(str(other.organization_id), str(played.organization_id)) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert len(played.reports()) == 1
