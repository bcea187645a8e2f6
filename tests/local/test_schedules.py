"""Schedules: listed with their next time, fired by hand, run when due, retried, and sent to the dead-letter queue."""

import asyncio
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest

from local.console import Console
from local.invocations import Undelivered
from local.resources import Account, Schedule
from local.schedules import Scheduler
from tests.kit.local_stack import REGION, LocalStack


def test_schedules_are_listed_with_their_next_time(stack: LocalStack) -> None:
    lines = stack.run("schedules").stdout.splitlines()
    tick = next(line for line in lines if line.startswith("sample-tick"))

    assert "cron(0 9 ? * 2 *) Europe/Zurich" in tick
    assert any(line.startswith("SoonSchedule ") and "does not run again" in line for line in lines)


@pytest.mark.parametrize(
    "name", ["SoonSchedule", "Soon", "soon", "TickFunctionSoonSchedule", "TickFunctionSoon", "oon"]
)
def test_schedule_is_found_by_its_event_or_logical_id_or_their_end(stack: LocalStack, name: str) -> None:
    fired = stack.run("fire", name)

    assert (fired.returncode, json.loads(fired.stdout or "null")) == (0, {"ticked": "soon"}), fired.stderr


@pytest.mark.parametrize("arguments", [[""], []])
def test_firing_without_a_name_lists_the_names(stack: LocalStack, arguments: list[str]) -> None:
    fired = stack.run("fire", *arguments)

    assert fired.returncode == 1
    assert fired.stderr == "Name a schedule. Schedules here: SoonSchedule, sample-failing, sample-tick.\n"


def test_schedule_fired_by_hand_shows_its_result(stack: LocalStack) -> None:
    fired = stack.run("fire", "tickschedule")

    assert (fired.returncode, json.loads(fired.stdout)) == (0, {"ticked": "tick"})
    assert "request id" in fired.stderr
    assert {"job": "tick"} in stack.noted("ticked.jsonl")


def test_fired_schedule_that_fails_shows_its_error(stack: LocalStack) -> None:
    fired = stack.run("fire", "sample-failing")

    assert fired.returncode == 1
    assert json.loads(fired.stdout)["errorMessage"] == "as the schedule said"


def test_unknown_schedule_is_refused_with_the_known_names(stack: LocalStack) -> None:
    fired = stack.run("fire", "nonsense")

    assert fired.returncode == 1
    assert "There is no schedule 'nonsense'. Schedules here: SoonSchedule, sample-failing, sample-tick." in fired.stderr


def test_due_schedule_runs_is_retried_and_becomes_a_dead_letter(tmp_path: Path) -> None:
    due = datetime.now(UTC) + timedelta(seconds=15)  # after the start, which is slow on a busy machine
    at = f"FailAt={due:%Y-%m-%dT%H:%M:%S}"
    running = LocalStack(tmp_path, "--retry-pause", "0.2", "--parameter", at).start()
    try:
        ticks = running.wait(lambda: len(found := running.noted("ticked.jsonl")) == 2 and found, seconds=40)
        report = running.wait(lambda: _reported(running))
    finally:
        running.stop()

    assert ticks == [{"job": "fail", "at": f"{due:%Y-%m-%dT%H:%M:%SZ}"}] * 2, "MaximumRetryAttempts is 1"
    assert report["requestContext"]["condition"] == "RetriesExhausted"
    assert report["requestContext"]["approximateInvokeCount"] == 2
    assert report["requestPayload"]["job"] == "fail"
    assert report["responsePayload"]["errorMessage"] == "as the schedule said"


def test_schedule_without_a_target_becomes_a_dead_letter() -> None:
    due = datetime.now(UTC) + timedelta(seconds=2)  # whole seconds are at least one second ahead
    at = f"at({due:%Y-%m-%dT%H:%M:%S})"
    schedule = Schedule(
        "S", "nightly", at, "UTC", "arn:nobody", '{"job": 1}', retries_max=0, dead_letter_arn="arn:aws:sqs:x:1:letters"
    )
    services, dispatcher = mock.AsyncMock(), mock.AsyncMock()
    services.account = Account("shop", "x")
    dispatcher.deliver.side_effect = Undelivered("arn:nobody is nothing that runs here.")

    asyncio.run(Scheduler([schedule], dispatcher, services, Console(io.StringIO())).run())

    (arn, body, attributes), _ = services.send.call_args
    assert (arn, body) == ("arn:aws:sqs:x:1:letters", '{"job": 1}')
    assert attributes["ERROR_MESSAGE"] == "arn:nobody is nothing that runs here."
    assert attributes["TARGET_ARN"] == "arn:nobody"


def _reported(running: LocalStack) -> dict[str, dict[str, object]] | None:
    import boto3

    sqs = boto3.client(
        "sqs",
        endpoint_url=running.status()["aws"],
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    url = sqs.get_queue_url(QueueName="sample-FailedTicks")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=url).get("Messages", [])
    sqs.close()
    return json.loads(messages[0]["Body"]) if messages else None
