"""What starts functions besides requests: queues and schedules, from the template's resources."""

import json
from collections.abc import Mapping
from typing import Any

from local.resources import Account, Schedule, Source

SCHEDULED_EVENT = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def source(name: str, properties: Mapping[str, Any], functions: Mapping[str, str], notes: list[str]) -> Source | None:
    """A queue that feeds a function; `functions` are logical ids by ARN. None, with a note, for any other source."""
    arn = str(properties.get("EventSourceArn", ""))
    function = functions.get(str(properties.get("FunctionName")))
    if function is None or ":sqs:" not in arn:
        notes.append(f"event source {name}")
        return None
    if "FilterCriteria" in properties:
        notes.append(f"{name}.FilterCriteria")
    if properties.get("Enabled", True) in (False, "false"):
        return None
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    return Source(
        logical_id=name,
        function=function,
        queue_arn=arn,
        batch_size=int(properties.get("BatchSize", 10)),
        window_seconds=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        concurrency_max=None if concurrency is None else int(concurrency),
    )


def schedule(name: str, properties: Mapping[str, Any], account: Account) -> Schedule:
    """A schedule of EventBridge Scheduler."""
    target, window = properties["Target"], properties.get("FlexibleTimeWindow", {})
    retry = target.get("RetryPolicy", {})
    return Schedule(
        logical_id=name,
        name=str(properties.get("Name", f"{account.stack}-{name}")),
        expression=str(properties["ScheduleExpression"]),
        timezone=str(properties.get("ScheduleExpressionTimezone", "UTC")),
        target_arn=str(target["Arn"]),
        input=str(target.get("Input", "{}")),
        flexible_minutes=int(window.get("MaximumWindowInMinutes", 0)) if window.get("Mode") == "FLEXIBLE" else 0,
        retries_max=int(retry.get("MaximumRetryAttempts", 185)),
        age_seconds_max=int(retry.get("MaximumEventAgeInSeconds", 86_400)),
        dead_letter_arn=target.get("DeadLetterConfig", {}).get("Arn"),
        starts_at=properties.get("StartDate"),
        ends_at=properties.get("EndDate"),
        enabled=properties.get("State", "ENABLED") == "ENABLED",
    )


def rule(name: str, properties: Mapping[str, Any], account: Account, notes: list[str]) -> list[Schedule]:
    """The schedules of an EventBridge rule, one for each target; none, with a note, for an event pattern."""
    if "ScheduleExpression" not in properties:
        notes.append(f"AWS::Events::Rule {name} (an event pattern)")
        return []
    return [
        Schedule(
            logical_id=name if number == 0 else f"{name}-{number}",
            name=str(properties.get("Name", f"{account.stack}-{name}")),
            expression=str(properties["ScheduleExpression"]),
            timezone="UTC",
            target_arn=str(target["Arn"]),
            input=str(target.get("Input", json.dumps(SCHEDULED_EVENT))),
            enabled=properties.get("State", "ENABLED") == "ENABLED",
        )
        for number, target in enumerate(properties.get("Targets", []))
    ]
