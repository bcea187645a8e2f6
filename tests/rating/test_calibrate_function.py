"""Calibrating by schedule and by message: who is asked for, that each is done by itself, and what is told of it."""

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


def tell(*organization_ids):
    records = [record({"organization_id": each}, number) for number, each in enumerate(organization_ids, 1)]
    return gateway.invoke("calibrate", {"Records": records})


def test_the_night_asks_for_each_organization_that_has_items(played, queue):
    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)

    answer = run()

    assert (answer["done"], answer["more"]) == (2, False)
    assert sorted(queue()) == sorted([str(played.organization_id), str(other.organization_id)])
    assert played.db.execute("select job, succeeded from ops.job_runs").fetchall() == [
        {"job": "calibrate_ratings", "succeeded": True}
    ]


def test_more_organizations_than_a_turn_takes_are_all_asked_for(played, queue, monkeypatch):
    from marquee.rating import calibration

    others = [rating_tournament.play(played.db, seed=seed, items=2, votes_per_item=2, raters=2) for seed in (2, 3)]
    monkeypatch.setattr(calibration, "due", lambda session, after, due=calibration.due: due(session, after, 1))
    monkeypatch.setattr(calibration, "ORGANIZATIONS_PER_TURN", 1)

    assert run()["turns"] == 4

    assert sorted(queue()) == sorted(str(each.organization_id) for each in (played, *others))


def test_a_message_calibrates_its_organization_and_no_other(played, queue):
    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)

    assert tell(str(played.organization_id)) == {"batchItemFailures": []}

    assert played.column("mean").std() > 50
    assert other.column("mean").std() == 0
    assert len(played.reports()) == 1


def test_the_worker_is_woken_to_publish_what_changed(played, worker):
    tell(str(played.organization_id))
    assert worker() == [{"reason": "items"}]

    tell(str(played.organization_id))
    assert worker() == []  # nothing has


def test_who_has_been_calibrated_comes_again_once_there_are_new_events(played, queue):
    tell(str(played.organization_id))
    run()
    assert queue() == []

    played.db.execute(
        "insert into rating.fires (event_id, organization_id, key, voter_id, item_id)"
        " values (99999, %s, 'f', 'v', 'item-0001')",
        [played.organization_id],
    )
    run()
    assert queue() == [str(played.organization_id)]


def test_who_had_items_that_waited_comes_again(played, queue):
    played.put_back(int(played.truth.events.a[0]), 0)
    tell(str(played.organization_id))

    run()

    assert queue() == [str(played.organization_id)]


def test_an_organization_that_is_gone_is_no_failure(played):
    assert tell(str(uuid4())) == {"batchItemFailures": []}


def test_a_failure_is_told_to_the_queue_and_the_others_are_done(played, monkeypatch):
    from marquee.rating import calibration

    other = rating_tournament.play(played.db, seed=2, items=4, votes_per_item=10, raters=3)
    calibrate = calibration.calibrate

    def fail_once(organization_id):
        if organization_id == other.organization_id:
            raise psycopg.errors.DeadlockDetected
        return calibrate(organization_id)

    monkeypatch.setattr(calibration, "calibrate", fail_once)

    assert tell(str(other.organization_id), str(played.organization_id)) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}]
    }
    assert len(played.reports()) == 1
