"""Triggers that the sample lacks."""

import pytest

from local import triggers
from local.intrinsics import TemplateError
from local.report import Group, Report
from local.resources import Account

ACCOUNT = Account("shop", "eu-central-1")
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:f"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:q"
HERE = triggers.Targets({"arn:a": "A", "arn:b": "B", ARN: "F"}, frozenset({QUEUE}), {"arn:n": "N (runtime nodejs20.x)"})


def test_scheduled_rule_is_a_schedule_for_each_target() -> None:
    properties = {
        "ScheduleExpression": "rate(5 minutes)",
        "Targets": [{"Arn": "arn:a", "Input": '{"a": 1}'}, {"Arn": "arn:b"}],
    }

    first, second = triggers.rule("Rule", properties, ACCOUNT, HERE, Report())

    assert (first.target_arn, first.input, first.name) == ("arn:a", '{"a": 1}', "shop-Rule")
    assert (second.target_arn, '"Scheduled Event"' in second.input) == ("arn:b", True)
    assert first.logical_id != second.logical_id


def test_event_pattern_and_stream_are_reported_and_left_out() -> None:
    report = Report()

    assert triggers.rule("Rule", {"EventPattern": {}, "Targets": [{"Arn": "arn:a"}]}, ACCOUNT, HERE, report) == []
    assert (
        triggers.source("Stream", {"EventSourceArn": "arn:aws:kinesis:x", "FunctionName": "arn:b"}, HERE, report)
        is None
    )
    assert report.entries() == (
        (Group.TRIGGERS, "A: EventBridge rule Rule (an event pattern)"),
        (Group.TRIGGERS, "B: event source Stream (kinesis)"),
    )


def test_schedule_has_its_window_retries_and_dead_letters() -> None:
    [schedule] = triggers.schedules(
        "S",
        {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            "Target": {
                "Arn": "arn:a",
                "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
                "DeadLetterConfig": {"Arn": "arn:q"},
            },
            "State": "DISABLED",
        },
        ACCOUNT,
        HERE,
        Report(),
    )

    assert (schedule.flexible_minutes, schedule.retries_max, schedule.age_seconds_max) == (15, 3, 60)
    assert (schedule.dead_letter_arn, schedule.input, schedule.enabled) == ("arn:q", "{}", False)


@pytest.mark.parametrize(
    ("target", "expected"), [(f"{ARN}:3", ARN), (ARN, ARN), (QUEUE, QUEUE), ("arn:n", None), ("arn:x:y", None)]
)
def test_schedule_runs_only_with_a_local_target(target: str, expected: str | None) -> None:
    report = Report()
    properties = {"ScheduleExpression": "rate(1 day)", "Target": {"Arn": target}}

    found = triggers.schedules("S", properties, ACCOUNT, HERE, report)

    assert [schedule.target_arn for schedule in found] == ([] if expected is None else [expected])
    assert len(report.entries()) == (expected is None)


@pytest.mark.parametrize(
    ("logical_id", "name", "title"),
    [
        ("FNightlySchedule", "FNightlySchedule", "NightlySchedule"),
        ("Part.FNightlySchedule", "FNightlySchedule", "NightlySchedule"),
        ("FNightlySchedule", "nightly", "nightly"),
        ("Other", "Other", "Other"),
        ("FNightlySchedule", None, "shop-FNightlySchedule"),
    ],
)
def test_title_of_a_schedule_is_its_event_if_sam_named_it(logical_id: str, name: str | None, title: str) -> None:
    properties = {"ScheduleExpression": "rate(1 day)", "Target": {"Arn": ARN}} | ({"Name": name} if name else {})

    [schedule] = triggers.schedules(logical_id, properties, ACCOUNT, HERE, Report())

    assert (schedule.title, schedule.name) == (title, name or title)


def test_schedule_with_an_unreadable_date_is_refused() -> None:
    properties = {"ScheduleExpression": "rate(1 day)", "Target": {"Arn": ARN}, "EndDate": "never"}

    with pytest.raises(TemplateError, match="'never' is not a date and time"):
        triggers.schedules("S", properties, ACCOUNT, HERE, Report())
