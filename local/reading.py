"""From a translated template to what runs here, and to the list of what does not.

Queues and secrets come first, for the environment of functions needs their addresses:

    plan = Plan(template)
    … make plan.queues and plan.secrets, and tell plan.template.resolver their references …
    stack = plan.read()
"""

import json
import re
import secrets as randomness
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import apis, triggers
from local.intrinsics import Reference, TemplateError
from local.resources import Api, AsyncPolicy, Function, Layer, Queue, Schedule, Secret, Source
from local.template import Template

CARRIED = {
    "AWS::Lambda::Alias",
    "AWS::Lambda::Version",
    "AWS::Lambda::Permission",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Account",
    "AWS::Scheduler::ScheduleGroup",
    "AWS::Logs::LogGroup",
}
RUN = {
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Scheduler::Schedule",
    "AWS::Events::Rule",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
}
QUEUE_ATTRIBUTES = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "MaximumMessageSize",
    "FifoQueue",
    "ContentBasedDeduplication",
    "RedrivePolicy",
    "RedriveAllowPolicy",
)
FUNCTION_UNSUPPORTED = ("FileSystemConfigs", "ImageConfig", "DurableConfig")
NAME_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything of a template that runs here, and in `not_run` what does not, ready to be told."""

    functions: Mapping[str, Function]
    sources: Sequence[Source]
    schedules: Sequence[Schedule]
    apis: Sequence[Api]
    not_run: Sequence[str]


@dataclass
class Plan:
    """A template on its way to a stack."""

    template: Template
    queues: list[Queue] = field(init=False)
    secrets: list[Secret] = field(init=False)
    _notes: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Name everything, so that references resolve in any order."""
        self.account = self.template.resolver.account
        self._name_resources()
        self.queues = [self._queue(name) for name in self._named("AWS::SQS::Queue")]
        self.secrets = [self._secret(name) for name in self._named("AWS::SecretsManager::Secret")]

    def read(self) -> Stack:
        """The stack, once queues and secrets have their references. Raises TemplateError."""
        functions = {name: self._function(name) for name in self._named("AWS::Lambda::Function")}
        runnable = {name: function for name, function in functions.items() if function is not None}
        by_arn = {arn: f.logical_id for f in runnable.values() for arn in (f.arn, f.invoked_arn, f.name)}
        sources = [
            triggers.source(name, self._properties(name), by_arn, self._notes)
            for name in self._named("AWS::Lambda::EventSourceMapping")
        ]
        schedules = [
            triggers.schedule(name, self._properties(name), self.account)
            for name in self._named("AWS::Scheduler::Schedule")
        ]
        rules = [
            triggers.rule(name, self._properties(name), self.account, self._notes)
            for name in self._named("AWS::Events::Rule")
        ]
        served = [
            apis.read(
                name, self.template.resources, self._properties(name), self.template.resolver, by_arn, self._notes
            )
            for name in self._named("AWS::ApiGateway::RestApi")
        ]
        return Stack(
            functions=runnable,
            sources=[source for source in sources if source],
            schedules=[*schedules, *(schedule for rule in rules for schedule in rule)],
            apis=served,
            not_run=self._not_run(),
        )

    def _named(self, kind: str) -> list[str]:
        return [name for name, resource in self.template.resources.items() if resource["Type"] == kind]

    def _properties(self, name: str) -> dict[str, Any]:
        resolved = self.template.resolver.resolve(self.template.resources[name].get("Properties", {}))
        return dict(resolved)

    def _raw(self, name: str, member: str) -> Any:
        return self.template.resolver.resolve(self.template.resources[name].get("Properties", {}).get(member))

    def _name_resources(self) -> None:
        resolver, stack = self.template.resolver, self.account.stack
        aliases = []
        for name, resource in self.template.resources.items():
            match resource["Type"]:
                case "AWS::Lambda::Function":
                    given = str(self._raw(name, "FunctionName") or f"{stack}-{name}")[:NAME_LENGTH_MAX]
                    resolver.references[name] = Reference(
                        given, {"Arn": self.account.arn("lambda", f"function:{given}")}
                    )
                case "AWS::SQS::Queue":
                    fifo = ".fifo" if self._raw(name, "FifoQueue") in (True, "true") else ""
                    given = str(self._raw(name, "QueueName") or f"{stack}-{name}{fifo}")
                    arn = self.account.arn("sqs", given)
                    resolver.references[name] = Reference(given, {"Arn": arn, "QueueName": given})
                case "AWS::SecretsManager::Secret":
                    given = str(self._raw(name, "Name") or f"{stack}-{name}")
                    arn = self.account.arn("secretsmanager", f"secret:{given}")
                    resolver.references[name] = Reference(arn, {"Id": arn})
                case "AWS::ApiGateway::RestApi":
                    resolver.references[name] = Reference(apis.api_id(name))
                case "AWS::ApiGateway::Stage":
                    resolver.references[name] = Reference(str(self._raw(name, "StageName")))
                case "AWS::Lambda::Alias":
                    aliases.append(name)
        for name in aliases:
            function = str(self._raw(name, "FunctionName"))
            arn = self.account.arn("lambda", f"function:{function}:{self._raw(name, 'Name')}")
            resolver.references[name] = Reference(arn, {"AliasArn": arn})

    def _queue(self, name: str) -> Queue:
        properties = self._properties(name)
        attributes = {
            attribute: json.dumps(value) if isinstance(value, dict) else _plain(value)
            for attribute, value in properties.items()
            if attribute in QUEUE_ATTRIBUTES and not (attribute == "FifoQueue" and value in (False, "false"))
        }
        reference = self.template.resolver.reference(name)
        return Queue(name, reference.attributes["QueueName"], reference.attributes["Arn"], attributes)

    def _secret(self, name: str) -> Secret:
        properties = self._properties(name)
        made = properties.get("GenerateSecretString")
        value = str(properties.get("SecretString", ""))
        if not value and made is not None:
            word = _random(made)
            key = made.get("GenerateStringKey")
            value = json.dumps({**json.loads(made.get("SecretStringTemplate", "{}")), key: word}) if key else word
        reference = self.template.resolver.reference(name)
        return Secret(name, reference.ref.partition(":secret:")[2], reference.ref, value or "{}")

    def _function(self, name: str) -> Function | None:
        properties = self._properties(name)
        runtime = str(properties.get("Runtime", ""))
        if not runtime.startswith("python"):
            self._notes.append(f"{name} (runtime {runtime or properties.get('PackageType', 'unknown')})")
            return None
        code = self._code(properties.get("Code"))
        if code is None or not code.is_dir():
            self._notes.append(f"{name} (its code is in no folder here: {code or 'inline or in S3'})")
            return None
        self._notes.extend(f"{name}.{member}" for member in FUNCTION_UNSUPPORTED if member in properties)
        reference = self.template.resolver.reference(name)
        alias, policy = self._alias(name), self._policy(name)
        logging = properties.get("LoggingConfig", {})
        reserved = properties.get("ReservedConcurrentExecutions")
        return Function(
            logical_id=name,
            name=reference.ref,
            title=title(name),
            arn=reference.attributes["Arn"],
            code=code,
            handler=str(properties.get("Handler", "")),
            runtime=runtime,
            timeout_seconds=float(properties.get("Timeout", 3)),
            memory_megabytes=int(properties.get("MemorySize", 128)),
            environment={
                key: _plain(value) for key, value in properties.get("Environment", {}).get("Variables", {}).items()
            },
            layers=self._layers(name),
            alias=alias,
            reserved_concurrency=None if reserved is None else int(reserved),
            log_format=str(logging.get("LogFormat", "Text")),
            log_level=logging.get("ApplicationLogLevel"),
            policy=policy,
        )

    def _code(self, code: Any) -> Path | None:
        location: str | None = None
        if isinstance(code, str):
            location = code
        elif isinstance(code, dict) and code.get("S3Key") in self.template.codes:
            location = self.template.codes[code["S3Key"]].path
        return None if location is None else (self.template.path.parent / location).resolve()

    def _layers(self, name: str) -> tuple[Layer, ...]:
        found = []
        for value in self.template.resources[name].get("Properties", {}).get("Layers", []):
            logical_id = value.get("Ref") if isinstance(value, dict) else None
            resource = self.template.resources.get(logical_id or "")
            if resource is None or resource["Type"] != "AWS::Lambda::LayerVersion":
                self._notes.append(f"layer {self.template.resolver.resolve(value)} of {name}")
                continue
            content = resource["Properties"].get("Content", {})
            folder = self._code(content)
            if folder is None or not folder.is_dir():
                self._notes.append(f"layer {logical_id} (its content is in no folder here: {folder or 'in S3'})")
                continue
            found.append(Layer(str(logical_id), folder, bool(self.template.codes[content["S3Key"]].build_method)))
        return tuple(found)

    def _alias(self, function: str) -> str | None:
        for name in self._named("AWS::Lambda::Alias"):
            if self.template.resources[name]["Properties"].get("FunctionName") == {"Ref": function}:
                return str(self._raw(name, "Name"))
        return None

    def _policy(self, function: str) -> AsyncPolicy:
        for name in self._named("AWS::Lambda::EventInvokeConfig"):
            if self.template.resources[name]["Properties"].get("FunctionName") == {"Ref": function}:
                properties = self._properties(name)
                destinations = properties.get("DestinationConfig", {})
                return AsyncPolicy(
                    int(properties.get("MaximumRetryAttempts", 2)),
                    int(properties.get("MaximumEventAgeInSeconds", 21_600)),
                    destinations.get("OnFailure", {}).get("Destination"),
                    destinations.get("OnSuccess", {}).get("Destination"),
                )
        letters = self._raw(function, "DeadLetterConfig") or {}
        return AsyncPolicy(on_failure=letters.get("TargetArn"))

    def mail_identities(self) -> list[str]:
        """The SES identities that policies name: here they count as verified."""
        found: set[str] = set()
        for name, resource in self.template.resources.items():
            if resource["Type"].startswith("AWS::IAM::"):
                text = json.dumps(self._properties(name))
                found.update(re.findall(r":ses:[^:\"]*:[^:\"]*:identity/([^\"*/]+)", text))
        return sorted(found)

    def _not_run(self) -> list[str]:
        """What the template has and this stack has not, by service."""
        services: dict[str, Counter[str]] = {}
        for resource in self.template.resources.values():
            if resource["Type"] not in CARRIED and resource["Type"] not in RUN:
                service, _, kind = resource["Type"].rpartition("::")
                services.setdefault(service, Counter())[kind] += 1
        grouped = [
            f"{service}::" + ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
            for service, kinds in sorted(services.items())
        ]
        return [*grouped, *dict.fromkeys(self._notes), *sorted(self.template.resolver.unsupported)]


def title(logical_id: str) -> str:
    """What a function is called on the terminal: ProcessBatchFunction becomes process-batch."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", logical_id.removesuffix("Function") or logical_id)
    return words.lower()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _random(options: Mapping[str, Any]) -> str:
    excluded = set(options.get("ExcludeCharacters", ""))
    letters = string.ascii_letters + string.digits
    if options.get("ExcludePunctuation") not in (True, "true"):
        letters += "!#$%&()*+,-./:;<=>?@[]^_{|}~"
    choice = [letter for letter in letters if letter not in excluded]
    if not choice:
        raise TemplateError("GenerateSecretString excludes every character.")
    return "".join(randomness.choice(choice) for _ in range(int(options.get("PasswordLength", 32))))
