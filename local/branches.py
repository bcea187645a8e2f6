"""One template of a tree, the root or a nested one: its names, its values and its parts.

A part that cannot be read is left out, with a line in the report.
"""

import json
import secrets as randomness
import string
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from local import apis, lambdas, triggers
from local.intrinsics import NO_VALUE, Reference, TemplateError
from local.report import Group
from local.resources import Api, Bucket, Function, Layer, Queue, Schedule, Secret, Source
from local.template import Template
from local.triggers import Targets

QUEUE_NUMBERS = (
    "VisibilityTimeout",
    "MessageRetentionPeriod",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "MaximumMessageSize",
)
QUEUE_ATTRIBUTES = (
    *QUEUE_NUMBERS,
    "FifoQueue",
    "ContentBasedDeduplication",
    "RedrivePolicy",
    "RedriveAllowPolicy",
)
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
"""Errors that a malformed description raises during its conversion to our types."""

Made = TypeVar("Made")


class Branch:
    """A template and, in `children`, its nested templates. `prefix` precedes the logical ids of a nested one."""

    def __init__(self, template: Template, prefix: str = "") -> None:
        self.template = template
        self.prefix = prefix
        self.resolver = template.resolver
        self.account = template.resolver.account
        self.report = template.report
        self.children: dict[str, Branch] = {}
        self._opened: set[str] = set()
        self.resolver.outputs = self._output
        self._name_resources()
        for name in self._named("AWS::CloudFormation::Stack"):
            self._open(name)
        if self.children:
            self._name_resources()  # again, because a name may contain a nested template's output
        self.queues = self._each("AWS::SQS::Queue", self._queue)
        self.secrets = self._each("AWS::SecretsManager::Secret", self._secret)
        self.buckets = self._each("AWS::S3::Bucket", self._bucket)
        self._store_values()

    def walk(self) -> Iterator["Branch"]:
        """Yield this branch and all below it."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def furnish(self, urls: Mapping[str, str], arns: Mapping[str, str]) -> None:
        """Let values refer to queues by their URLs and to secrets by their ARNs; both are given by planned ARN."""
        references = self.resolver.references
        for queue in self.queues:
            name = queue.logical_id.removeprefix(self.prefix)
            url = urls.get(queue.arn, references[name].ref)
            references[name] = Reference(url, {**references[name].attributes, "QueueUrl": url})
        for secret in self.secrets:
            arn = arns.get(secret.arn, secret.arn)
            references[secret.logical_id.removeprefix(self.prefix)] = Reference(arn, {"Id": arn})

    def properties(self, name: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the properties of a resource. A property that cannot be resolved is left out and reported."""
        found: dict[str, Any] = {}
        for member, value in self.template.resources[name].get("Properties", {}).items():
            if member in without:
                continue
            try:
                resolved = self.resolver.resolve(value)
            except TemplateError as error:
                self.report.add(Group.FAULTS, f"{name}.{member}: {error}")
                continue
            if resolved is not NO_VALUE:
                found[member] = resolved
        return found

    def layers(self) -> dict[str, Layer]:
        """Return the layers by ARN."""
        found = {}
        for name in self._named("AWS::Lambda::LayerVersion"):
            for layer in self._part(name, partial(lambdas.layer, name, self.template, self.properties(name))):
                found[self.resolver.reference(name).ref] = layer
        return found

    def functions(self, layers: Mapping[str, Layer]) -> tuple[dict[str, Function], dict[str, str]]:
        """Return the functions that run here by logical id, and the reasons for each other function by ARN and name."""
        runnable: dict[str, Function] = {}
        absent: dict[str, str] = {}
        for name in self._named("AWS::Lambda::Function"):
            part = lambdas.Part(
                name,
                self.prefix,
                self.template,
                self.properties(name, without=("Environment",)),
                self._alias(name),
                self._invoke_config(name),
            )
            found = self._part(name, partial(lambdas.read, part, layers))
            if found and isinstance(found[0], Function):
                runnable[self.prefix + name] = found[0]
                continue
            reason = found[0] if found else "its description has a mistake"
            reference = self.resolver.reference(name)
            for key in (reference.ref, reference.attributes["Arn"]):
                absent[key] = f"{self.prefix}{name} ({reason})"
            if found:
                self.report.add(Group.FUNCTIONS, f"{name} ({reason})")
        return runnable, absent

    def sources(self, here: Targets) -> list[Source]:
        """Return the queues that feed functions."""
        found = self._each("AWS::Lambda::EventSourceMapping", partial(self._source, here))
        return [source for source in found if source is not None]

    def schedules(self, here: Targets) -> list[Schedule]:
        """Return the schedules whose targets run here."""
        groups = self._each("AWS::Scheduler::Schedule", partial(self._schedules, triggers.schedules, here))
        groups += self._each("AWS::Events::Rule", partial(self._schedules, triggers.rule, here))
        return [schedule for group in groups for schedule in group]

    def apis(self, here: Targets) -> list[Api]:
        """Return the APIs that are served."""
        found = self._each("AWS::ApiGateway::RestApi", partial(self._api, here))
        return [api for api in found if api is not None]

    def report_rest(self, here: Targets) -> None:
        """Report triggers and APIs of kinds that do not run here, and values that could not be resolved."""
        for name in self._named("AWS::ApiGatewayV2::Api"):
            kind = "WebSocket" if self._raw(name, "ProtocolType") == "WEBSOCKET" else "HTTP"
            self.report.add(Group.APIS, f"{name}: {kind} APIs do not run here; REST APIs do.")
        triggers.report_others(self.template.resources, self.properties, here, self.prefix, self.report.root())
        for line in sorted(self.resolver.unsupported):
            way = "it stays as it is" if line.startswith("{{") else "an empty text takes its place"
            self.report.add(Group.VALUES, f"{line}: {way}.")

    def _open(self, name: str) -> None:
        """Load a nested template once; while it is loading, its outputs have invented names."""
        if name in self._opened or name not in self.template.resources:
            return
        self._opened.add(name)
        values = self.template.nested.get(name, {}).get("parameters")
        given = values if isinstance(values, Mapping) else {}
        child = self.template.open(name, lambda parameter: self.resolver.resolve(given[parameter]))
        if child is not None:
            self.children[name] = Branch(child, f"{self.prefix}{name}.")

    def _output(self, name: str, output: str) -> Any:
        """Return the value of a nested template's output, or None if there is none."""
        self._open(name)
        child = self.children.get(name)
        outputs = child.resolver.template.get("Outputs") if child else None
        found = outputs.get(output) if isinstance(outputs, Mapping) else None
        if child is None or not isinstance(found, Mapping):
            return None
        value = child.resolver.resolve(found.get("Value"))
        return None if value is NO_VALUE else value

    def _named(self, kind: str) -> list[str]:
        return [name for name, resource in self.template.resources.items() if resource["Type"] == kind]

    def _raw(self, name: str, member: str) -> Any:
        value = self.template.resources[name].get("Properties", {}).get(member)
        resolved = self.template.attempt(f"{name}.{member}", value)
        return None if resolved is NO_VALUE else resolved

    def _each(self, kind: str, reader: Callable[[str], Made]) -> list[Made]:
        """Read each resource of a kind."""
        return [made for name in self._named(kind) for made in self._part(name, partial(reader, name))]

    def _part(self, name: str, work: Callable[[], Made]) -> list[Made]:
        """Read a part. Return it in a list, which is empty for a malformed part, with a line in the report."""
        try:
            return [work()]
        except TemplateError as error:
            self.report.add(Group.FAULTS, f"{name}: {error}")
        except MALFORMED as error:
            missing = f"has no {error.args[0]}" if isinstance(error, KeyError) else f"has an unexpected form ({error})"
            self.report.add(Group.FAULTS, f"{name}: its description {missing}.")
        return []

    def _name_resources(self) -> None:
        references, aliases = self.resolver.references, []
        for name, resource in self.template.resources.items():
            match resource["Type"]:
                case "AWS::Lambda::Function":
                    given = str(self._raw(name, "FunctionName") or lambdas.physical_name(self.account.stack, name))
                    references[name] = Reference(given, {"Arn": self.account.arn("lambda", f"function:{given}")})
                case "AWS::Lambda::LayerVersion":
                    arn = self.account.arn("lambda", f"layer:{self.account.stack}-{name}:1")
                    references[name] = Reference(arn, {"LayerVersionArn": arn, "Arn": arn})
                case "AWS::SQS::Queue":
                    fifo = ".fifo" if self._raw(name, "FifoQueue") in (True, "true") else ""
                    given = str(self._raw(name, "QueueName") or f"{self.account.stack}-{name}{fifo}")
                    arn = self.account.arn("sqs", given)
                    references[name] = Reference(given, {"Arn": arn, "QueueName": given})
                case "AWS::SecretsManager::Secret":
                    given = str(self._raw(name, "Name") or f"{self.account.stack}-{name}")
                    arn = self.account.arn("secretsmanager", f"secret:{given}")
                    references[name] = Reference(arn, {"Id": arn})
                case "AWS::S3::Bucket":
                    given = str(self._raw(name, "BucketName") or f"{self.account.stack}-{name}".lower())
                    references[name] = Reference(given, {"Arn": f"arn:{self.account.partition}:s3:::{given}"})
                case "AWS::ApiGateway::RestApi":
                    references[name] = Reference(apis.api_id(self.prefix + name))
                case "AWS::ApiGateway::Stage":
                    references[name] = Reference(str(self._raw(name, "StageName")))
                case "AWS::Lambda::Alias":
                    aliases.append(name)
        for name in aliases:
            function = str(self._raw(name, "FunctionName"))
            base = function if function.startswith("arn:") else self.account.arn("lambda", f"function:{function}")
            arn = f"{base}:{self._raw(name, 'Name')}"
            references[name] = Reference(arn, {"AliasArn": arn})

    def _store_values(self) -> None:
        """Let dynamic references find the secrets and the plain parameters of the template."""
        for secret in self.secrets:
            for identifier in (secret.name, secret.arn):
                self.resolver.stored["secretsmanager", identifier] = secret.value
        for name in self._named("AWS::SSM::Parameter"):
            value = self._raw(name, "Value")
            if isinstance(value, str):
                self.resolver.stored["ssm", str(self._raw(name, "Name"))] = value

    def _queue(self, name: str) -> Queue:
        attributes = {}
        for attribute, value in self.properties(name).items():
            if attribute not in QUEUE_ATTRIBUTES or (attribute == "FifoQueue" and value in (False, "false")):
                continue
            text = json.dumps(value) if isinstance(value, dict) else lambdas.plain(value)
            if attribute in QUEUE_NUMBERS and not text.isdecimal():
                self.report.add(Group.FAULTS, f"{name}.{attribute}: {value!r} is not a number; SQS's default is used.")
                continue
            attributes[attribute] = text
        reference = self.resolver.reference(name)
        return Queue(self.prefix + name, reference.attributes["QueueName"], reference.attributes["Arn"], attributes)

    def _bucket(self, name: str) -> Bucket:
        return Bucket(self.prefix + name, self.resolver.reference(name).ref)

    def _secret(self, name: str) -> Secret:
        properties = self.properties(name)
        made = properties.get("GenerateSecretString")
        value = str(properties.get("SecretString", ""))
        if not value and made is not None:
            word = _random(made)
            key = made.get("GenerateStringKey")
            value = json.dumps({**json.loads(made.get("SecretStringTemplate", "{}")), key: word}) if key else word
        reference = self.resolver.reference(name)
        return Secret(self.prefix + name, reference.ref.partition(":secret:")[2], reference.ref, value or "{}")

    def _alias(self, function: str) -> str | None:
        for name in self._named("AWS::Lambda::Alias"):
            if self.template.resources[name].get("Properties", {}).get("FunctionName") == {"Ref": function}:
                return str(self._raw(name, "Name"))
        return None

    def _invoke_config(self, function: str) -> dict[str, Any] | None:
        for name in self._named("AWS::Lambda::EventInvokeConfig"):
            if self.template.resources[name].get("Properties", {}).get("FunctionName") == {"Ref": function}:
                return self.properties(name)
        return None

    def _source(self, here: Targets, name: str) -> Source | None:
        return triggers.source(self.prefix + name, self.properties(name), here, self.report.root())

    def _schedules(self, reader: Callable[..., list[Schedule]], here: Targets, name: str) -> list[Schedule]:
        return reader(self.prefix + name, self.properties(name), self.account, here, self.report.root())

    def _api(self, here: Targets, name: str) -> Api | None:
        properties = self.properties(name)
        part = apis.Part(name, self.prefix, self.template.resources, properties, self.resolver, here, self.report)
        closed = self.template.closed.get(name) or self.template.closed.get("*")
        policy = self.template.resources[name].get("Properties", {}).get("Policy")
        if policy is not None and self.template.attempt(f"{name}.Policy", policy) is None:
            closed = closed or "its resource policy cannot be read"
        return apis.read(part, closed)


def _random(options: Mapping[str, Any]) -> str:
    excluded = set(options.get("ExcludeCharacters", ""))
    letters = string.ascii_letters + string.digits
    if options.get("ExcludePunctuation") not in (True, "true"):
        letters += "!#$%&()*+,-./:;<=>?@[]^_{|}~"
    choice = [letter for letter in letters if letter not in excluded]
    if not choice:
        raise TemplateError("GenerateSecretString excludes every character.")
    return "".join(randomness.choice(choice) for _ in range(int(options.get("PasswordLength", 32))))
