"""Triggers of functions besides requests: queues and schedules run, the others are reported."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from local.cron import Expression, ExpressionError
from local.intrinsics import TemplateError
from local.report import Group, Report, listed
from local.resources import Account, Schedule, Source

SCHEDULED_EVENT = {"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
QUALIFIED_PARTS = 8


@dataclass(frozen=True, slots=True)
class Targets:
    """Functions by ARN and name, and ARNs of queues that run here. `absent` gives the reason for other functions."""

    functions: Mapping[str, str] = field(default_factory=dict)
    queues: frozenset[str] = frozenset()
    absent: Mapping[str, str] = field(default_factory=dict)

    def function(self, arn: str) -> str | None:
        """Return the logical id of a function that runs here, by name or ARN, with or without version or alias."""
        return self.functions.get(arn) or self.functions.get(_unqualified(arn))

    def named(self, arn: str) -> str:
        """Return a target's name for people, with the reason if it is a function that does not run."""
        known = self.function(arn) or self.absent.get(arn) or self.absent.get(_unqualified(arn))
        return known or arn.rpartition(":")[2] or "nothing"


def source(name: str, properties: Mapping[str, Any], here: Targets, report: Report) -> Source | None:
    """Return a queue that feeds a function; None, with a line in the report, for any other source."""
    arn, target = str(properties.get("EventSourceArn", "")), str(properties.get("FunctionName", ""))
    function = here.function(target)
    if function is None or arn not in here.queues:
        service = arn.split(":")[2] if arn.startswith("arn:") else "a source that is not in the template"
        kind = "a queue that is not in the template" if service == "sqs" and arn not in here.queues else service
        report.add(Group.TRIGGERS, f"{here.named(target)}: event source {name} ({kind})")
        return None
    if "FilterCriteria" in properties:
        report.add(Group.SETTINGS, f"{name}.FilterCriteria: every message is passed on")
    if properties.get("Enabled", True) in (False, "false"):
        return None
    scaling = properties.get("ScalingConfig") or {}
    concurrency = scaling.get("MaximumConcurrency")
    return Source(
        logical_id=name,
        function=function,
        queue_arn=arn,
        batch_size=int(properties.get("BatchSize", 10)),
        window_seconds=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        concurrency_max=None if concurrency is None else int(concurrency),
    )


def schedules(
    name: str, properties: Mapping[str, Any], account: Account, here: Targets, report: Report
) -> list[Schedule]:
    """Return a schedule of EventBridge Scheduler; nothing, with a line in the report, if its target is not here."""
    target, window = properties["Target"], properties.get("FlexibleTimeWindow", {})
    retry = target.get("RetryPolicy", {})
    made = Schedule(
        logical_id=name,
        name=str(properties.get("Name", f"{account.stack}-{name}")),
        expression=str(properties["ScheduleExpression"]),
        timezone=str(properties.get("ScheduleExpressionTimezone", "UTC")),
        target_arn=str(target["Arn"]),
        input=_input(target, "{}"),
        flexible_minutes=int(window.get("MaximumWindowInMinutes", 0)) if window.get("Mode") == "FLEXIBLE" else 0,
        retries_max=int(retry.get("MaximumRetryAttempts", 185)),
        age_seconds_max=int(retry.get("MaximumEventAgeInSeconds", 86_400)),
        dead_letter_arn=target.get("DeadLetterConfig", {}).get("Arn"),
        starts_at=_moment(properties.get("StartDate")),
        ends_at=_moment(properties.get("EndDate")),
        enabled=properties.get("State", "ENABLED") == "ENABLED",
        event=_event(name, properties.get("Name"), here.function(str(target["Arn"]))),
    )
    return _kept([made], here, report)


def rule(name: str, properties: Mapping[str, Any], account: Account, here: Targets, report: Report) -> list[Schedule]:
    """Return the schedules of an EventBridge rule, one for each target; an event pattern is reported."""
    targets = properties.get("Targets", [])
    if "ScheduleExpression" not in properties:
        names = [here.named(str(target.get("Arn", ""))) for target in targets]
        report.add(Group.TRIGGERS, f"{listed(names) or 'No target'}: EventBridge rule {name} (an event pattern)")
        return []
    made = [
        Schedule(
            logical_id=name if number == 0 else f"{name}-{number}",
            name=str(properties.get("Name", f"{account.stack}-{name}")),
            expression=str(properties["ScheduleExpression"]),
            timezone="UTC",
            target_arn=str(target["Arn"]),
            input=_input(target, json.dumps(SCHEDULED_EVENT)),
            enabled=properties.get("State", "ENABLED") == "ENABLED",
        )
        for number, target in enumerate(targets)
    ]
    return _kept(made, here, report)


def report_others(
    resources: Mapping[str, Mapping[str, Any]],
    resolved: Callable[[str], Mapping[str, Any]],
    here: Targets,
    prefix: str,
    report: Report,
) -> None:
    """Report the triggers of services that do not run here."""
    for name, resource in resources.items():
        found = OTHERS.get(resource["Type"])
        if found is None:
            continue
        try:
            for arn, what in found(resolved(name)):
                report.add(Group.TRIGGERS, f"{here.named(arn)}: {what.format(name=prefix + name)}")
        except (LookupError, TypeError, ValueError, AttributeError):
            report.add(Group.TRIGGERS, f"{prefix}{name}: its description has an unexpected form.")


def _notifications(bucket: Mapping[str, Any]) -> list[tuple[str, str]]:
    configuration: Mapping[str, Any] = bucket.get("NotificationConfiguration", {})
    return [
        (str(entry[target]), f"notifications of the S3 bucket {{name}} ({entry.get('Event')})")
        for kind, target in (("Lambda", "Function"), ("Queue", "Queue"), ("Topic", "Topic"))
        for entry in configuration.get(f"{kind}Configurations", [])
    ]


def _subscription(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    if properties.get("Protocol") not in ("lambda", "sqs"):
        return []
    topic = str(properties.get("TopicArn", "")).rpartition(":")[2]
    return [(str(properties.get("Endpoint", "")), f"the SNS topic {topic}")]


def _topic(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    entries: Sequence[Any] = properties.get("Subscription", [])
    return [
        (str(entry["Endpoint"]), "the SNS topic {name}")
        for entry in entries
        if entry.get("Protocol") in ("lambda", "sqs")
    ]


def _log_filter(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(properties.get("DestinationArn", "")), "the log subscription {name}")]


def _user_pool(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    triggers: Mapping[str, Any] = properties.get("LambdaConfig", {})
    return [(arn, f"{kind} of the user pool {{name}}") for kind, arn in triggers.items() if isinstance(arn, str)]


def _topic_rule(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    actions = properties.get("TopicRulePayload", {}).get("Actions", [])
    return [(str(action["Lambda"]["FunctionArn"]), "the IoT rule {name}") for action in actions if "Lambda" in action]


def _url(properties: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(properties.get("TargetFunctionArn", "")), "the function URL {name}")]


OTHERS: dict[str, Callable[[Mapping[str, Any]], list[tuple[str, str]]]] = {
    "AWS::S3::Bucket": _notifications,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::Logs::SubscriptionFilter": _log_filter,
    "AWS::Cognito::UserPool": _user_pool,
    "AWS::IoT::TopicRule": _topic_rule,
    "AWS::Lambda::Url": _url,
}


def _kept(found: Sequence[Schedule], here: Targets, report: Report) -> list[Schedule]:
    """Return the schedules that can run here; the others are reported."""
    kept = []
    for schedule in found:
        target = schedule.target_arn
        try:
            Expression.parse(schedule.expression, schedule.timezone)
        except ExpressionError as error:
            report.add(Group.FAULTS, f"Schedule {schedule.logical_id}: {error}")
            continue
        if here.function(target) is None and target not in here.queues:
            report.add(Group.TRIGGERS, f"{here.named(target)}: schedule {schedule.logical_id}")
            continue
        known = target in here.functions or target in here.queues
        kept.append(schedule if known else replace(schedule, target_arn=_unqualified(target)))
    return kept


def _event(name: str, given: Any, function: str | None) -> str | None:
    """Return the id of an event to which SAM gave a name: the ids of its function and itself, without a space."""
    bare, owner = name.rpartition(".")[2], (function or "").rpartition(".")[2]
    return bare.removeprefix(owner) if owner and given == bare and bare.startswith(owner) else None


def _input(target: Mapping[str, Any], default: str) -> str:
    given = target.get("Input", default)
    return given if isinstance(given, str) else json.dumps(given)


def _moment(value: Any) -> str | None:
    """Check a date and time. Raises TemplateError."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise TemplateError(f"{value!r} is not a date and time.") from error


def _unqualified(arn: str) -> str:
    """Return a function's ARN without its version or alias."""
    parts = arn.split(":")
    return ":".join(parts[: QUALIFIED_PARTS - 1]) if len(parts) == QUALIFIED_PARTS and parts[5] == "function" else arn
