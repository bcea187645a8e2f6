"""From a translated template to the parts that run here, and to a report of the others.

Queues and secrets come first, because the environment of functions needs their addresses:

    plan = Plan(template)
    … make plan.queues and plan.secrets, and give their addresses to plan.furnish …
    stack = plan.read()
"""

import contextlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.branches import Branch
from local.intrinsics import TemplateError
from local.report import Group
from local.resources import Api, Bucket, Function, Layer, Queue, Schedule, Secret, Source
from local.template import Template
from local.triggers import Targets

CARRIED = {
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
    "AWS::Lambda::Permission",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Account",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::Logs::LogGroup",
    "AWS::CloudFormation::Stack",
    "AWS::CloudFormation::WaitConditionHandle",
}
RUN = {
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SQS::Queue",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::Scheduler::Schedule",
    "AWS::Events::Rule",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything of a template that runs here, and in `report` the other parts, with their groups."""

    functions: Mapping[str, Function]
    sources: Sequence[Source]
    schedules: Sequence[Schedule]
    apis: Sequence[Api]
    report: Sequence[tuple[Group, str]]


class Plan:
    """A template and its nested templates before they become a stack."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.report = template.report
        self._branches = list(Branch(template).walk())

    @property
    def queues(self) -> list[Queue]:
        """The queues of all templates."""
        return [queue for branch in self._branches for queue in branch.queues]

    @property
    def secrets(self) -> list[Secret]:
        """The secrets of all templates."""
        return [secret for branch in self._branches for secret in branch.secrets]

    @property
    def buckets(self) -> list[Bucket]:
        """The buckets of all templates."""
        return [bucket for branch in self._branches for bucket in branch.buckets]

    @property
    def files(self) -> list[Path]:
        """The files that the templates consist of."""
        return list(dict.fromkeys(file for branch in self._branches for file in branch.template.files))

    def furnish(self, urls: Mapping[str, str], arns: Mapping[str, str]) -> None:
        """Let values refer to queues by their URLs and to secrets by their ARNs; both are given by planned ARN."""
        for branch in self._branches:
            branch.furnish(urls, arns)

    def read(self) -> Stack:
        """Return the stack, once queues and secrets have their addresses."""
        layers: dict[str, Layer] = {}
        functions: dict[str, Function] = {}
        absent: dict[str, str] = {}
        for branch in self._branches:
            layers |= branch.layers()
        for branch in self._branches:
            runnable, others = branch.functions(layers)
            functions |= runnable
            absent |= others
        by_arn = {arn: f.logical_id for f in functions.values() for arn in (f.arn, f.invoked_arn, f.name)}
        here = Targets(by_arn, frozenset(queue.arn for queue in self.queues), absent)
        self._report_destinations(functions, here)
        sources, schedules, apis = [], [], []
        for branch in self._branches:
            sources += branch.sources(here)
            schedules += branch.schedules(here)
            apis += branch.apis(here)
            branch.report_rest(here)
        self._report_kinds()
        return Stack(functions, sources, schedules, apis, self.report.entries())

    def mail_identities(self) -> list[str]:
        """Return the SES identities that policies name; here they count as verified."""
        found: set[str] = set()
        for branch in self._branches:
            for resource in branch.template.resources.values():
                if not resource["Type"].startswith("AWS::IAM::"):
                    continue
                for value in resource.get("Properties", {}).values():
                    with contextlib.suppress(TemplateError):  # only the identities of a policy count here
                        text = json.dumps(branch.resolver.resolve(value), default=str)
                        found.update(re.findall(r":ses:[^:\"]*:[^:\"]*:identity/([^\"*/]+)", text))
        return sorted(found)

    def _report_destinations(self, functions: Mapping[str, Function], here: Targets) -> None:
        """Report destinations of asynchronous invocations that do not run here."""
        for name, function in functions.items():
            for when, arn in (("failed", function.policy.on_failure), ("successful", function.policy.on_success)):
                if arn is not None and here.function(arn) is None and arn not in here.queues:
                    line = f"{name}: {when} events do not reach {here.named(arn)}"
                    self.report.root().add(Group.SETTINGS, line)

    def _report_kinds(self) -> None:
        """Report the kinds of resources that do not run here, by service."""
        services: dict[str, Counter[str]] = {}
        for branch in self._branches:
            for resource in branch.template.resources.values():
                if resource["Type"] not in CARRIED and resource["Type"] not in RUN:
                    service, _, kind = resource["Type"].rpartition("::")
                    services.setdefault(service, Counter())[kind] += 1
        for service, kinds in sorted(services.items()):
            row = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
            self.report.add(Group.RESOURCES, f"{service}::{row}")
