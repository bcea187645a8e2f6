"""Triggers that the sample does not have."""

from local import triggers
from local.resources import Account

ACCOUNT = Account("shop", "eu-central-1")


def test_a_scheduled_rule_is_a_schedule_for_each_target() -> None:
    properties = {
        "ScheduleExpression": "rate(5 minutes)",
        "Targets": [{"Arn": "arn:a", "Input": '{"a": 1}'}, {"Arn": "arn:b"}],
    }

    first, second = triggers.rule("Rule", properties, ACCOUNT, [])

    assert (first.target_arn, first.input, first.name) == ("arn:a", '{"a": 1}', "shop-Rule")
    assert (second.target_arn, '"Scheduled Event"' in second.input) == ("arn:b", True)
    assert first.logical_id != second.logical_id


def test_an_event_pattern_and_a_stream_are_named_and_left_out() -> None:
    notes: list[str] = []

    assert triggers.rule("Rule", {"EventPattern": {}, "Targets": []}, ACCOUNT, notes) == []
    assert triggers.source("Stream", {"EventSourceArn": "arn:aws:kinesis:x"}, {}, notes) is None
    assert notes == ["AWS::Events::Rule Rule (an event pattern)", "event source Stream"]


def test_a_schedule_has_its_window_its_retries_and_its_dead_letters() -> None:
    schedule = triggers.schedule(
        "S",
        {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
            "Target": {
                "Arn": "arn:f",
                "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60},
                "DeadLetterConfig": {"Arn": "arn:q"},
            },
            "State": "DISABLED",
        },
        ACCOUNT,
    )

    assert (schedule.flexible_minutes, schedule.retries_max, schedule.age_seconds_max) == (15, 3, 60)
    assert (schedule.dead_letter_arn, schedule.input, schedule.enabled) == ("arn:q", "{}", False)
