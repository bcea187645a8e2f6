"""CloudFormation's intrinsic functions, resolved against local values.

    resolver = Resolver(template, parameters, account)
    resolver.references["RelayQueue"] = Reference("http://127.0.0.1:4566/…", {"Arn": "arn:aws:sqs:…"})
    resolver.resolve({"Fn::Sub": "${AWS::StackName}-${RelayQueue}"})

A resource that does not exist here still has a name, `stack-LogicalId`, and attributes like
`stack-LogicalId.Attribute`.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.resources import Account

NO_VALUE = object()
ZONES = ("a", "b", "c")
DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):(.*?)\}\}")


class TemplateError(Exception):
    """The template cannot be run; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The values of Ref and GetAtt for a resource."""

    ref: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Resolver:
    """Resolves values of one template.

    `unsupported` collects functions that do not run here (they become an empty text) and dynamic references to values
    that the template lacks (they stay unchanged). `stored` are the values that dynamic references can find, by service
    and name. `outputs` returns an output of a nested template.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        parameters: Mapping[str, Any],
        account: Account,
    ) -> None:
        self.template = template
        self.parameters = parameters
        self.account = account
        self.references: dict[str, Reference] = {}
        self.unsupported: set[str] = set()
        self.stored: dict[tuple[str, str], str] = {}
        self.outputs: Callable[[str, str], Any] | None = None
        self._conditions: dict[str, bool | None] = {}
        self._pseudo = {
            "AWS::Region": account.region,
            "AWS::AccountId": account.id,
            "AWS::StackName": account.stack,
            "AWS::StackId": account.arn("cloudformation", f"stack/{account.stack}/local"),
            "AWS::Partition": account.partition,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda value: str(value[0]).join(as_text(part) for part in _list(self.resolve(value[1]))),
            "Fn::If": lambda value: self.resolve(value[1] if self.condition(value[0]) else value[2]),
            "Fn::Select": self._select,
            "Fn::Split": lambda value: as_text(self.resolve(value[1])).split(value[0]),
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda value: base64.b64encode(as_text(self.resolve(value)).encode()).decode(),
            "Fn::GetAZs": lambda value: [f"{self.resolve(value) or account.region}{zone}" for zone in ZONES],
            "Fn::Cidr": self._cidr,
            "Fn::Length": lambda value: len(self.resolve(value)),
            "Fn::ToJsonString": lambda value: json.dumps(self.resolve(value)),
            "Fn::Equals": lambda value: as_text(self.resolve(value[0])) == as_text(self.resolve(value[1])),
            "Fn::And": lambda value: all(self._truth(part) for part in value),
            "Fn::Or": lambda value: any(self._truth(part) for part in value),
            "Fn::Not": lambda value: not self._truth(value[0]),
            "Condition": self.condition,
        }

    def resolve(self, value: Any) -> Any:
        """Return the value with all its functions evaluated; members that are AWS::NoValue are omitted."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions and (name != "Condition" or isinstance(argument, str)):
                    return self._call(name, argument)
                if isinstance(name, str) and name.startswith("Fn::"):
                    return self.unknown(name, argument)
            resolved = {key: self.resolve(member) for key, member in value.items()}
            return {key: member for key, member in resolved.items() if member is not NO_VALUE}
        if isinstance(value, list):
            return [member for member in map(self.resolve, value) if member is not NO_VALUE]
        if isinstance(value, str) and "{{resolve:" in value:
            return DYNAMIC.sub(self._dynamic, value)
        return value

    def condition(self, name: str) -> bool:
        """Return whether a condition of the template holds."""
        if not isinstance(name, str) or name not in self.template.get("Conditions", {}):
            raise TemplateError(f"There is no condition {name}.")
        if name not in self._conditions:
            self._conditions[name] = None
            try:
                self._conditions[name] = self._truth(self.template["Conditions"][name])
            finally:
                if self._conditions[name] is None:
                    del self._conditions[name]
        known = self._conditions[name]
        if known is None:
            raise TemplateError(f"The condition {name} depends on itself.")
        return known

    def unknown(self, name: str, argument: Any) -> Any:
        """Return the value for a function that does not run here."""
        said = self.resolve(argument)
        self.unsupported.add(f"{name} {said}" if isinstance(said, str | int) else name)
        return ""

    def _call(self, name: str, argument: Any) -> Any:
        try:
            found = self._functions[name](argument)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            written = json.dumps(argument, default=str)
            raise TemplateError(f"{name} cannot be evaluated on {written[:80]}.") from error
        return DYNAMIC.sub(self._dynamic, found) if isinstance(found, str) and "{{resolve:" in found else found

    def _dynamic(self, match: re.Match[str]) -> str:
        """Resolve {{resolve:ssm:name:version}} or {{resolve:secretsmanager:id:SecretString:key:…}}."""
        service, rest = match.group(1).removesuffix("-secure"), match.group(2)
        name, key = rest.partition(":")[0], ""
        if service == "secretsmanager":
            name, _, members = rest.partition(":SecretString")
            key = members.removeprefix(":").partition(":")[0]
        value = self.stored.get((service, name))
        if value is not None and key:
            try:
                value = as_text(json.loads(value)[key])
            except (ValueError, LookupError, TypeError):
                value = None
        if value is None:
            self.unsupported.add(match.group(0))
            return match.group(0)
        return value

    def reference(self, logical_id: str) -> Reference:
        """Return the name of a resource here, whether or not it runs."""
        known = self.references.get(logical_id)
        return known or Reference(f"{self.account.stack}-{logical_id}")

    def _truth(self, value: Any) -> bool:
        return bool(self.resolve(value))

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        self._require(name)
        return self.reference(name).ref

    def _get_att(self, value: Any) -> str:
        logical_id, _, attribute = value.partition(".") if isinstance(value, str) else (value[0], ".", value[1])
        attribute = as_text(self.resolve(attribute))
        self._require(logical_id)
        if attribute.startswith("Outputs.") and self.outputs is not None:
            found = self.outputs(logical_id, attribute.removeprefix("Outputs."))
            if found is not None:
                return as_text(found)
        reference = self.reference(logical_id)
        if attribute in reference.attributes:
            return reference.attributes[attribute]
        if attribute.endswith("Arn"):
            kind = str(self.template["Resources"][logical_id].get("Type", "")).split("::")
            rest = f"/{attribute}" if attribute != "Arn" else ""
            return self.account.arn(
                kind[1].lower() if len(kind) > 2 else "local", f"{self.account.stack}-{logical_id}{rest}"
            )
        return f"{self.account.stack}-{logical_id}.{attribute}"

    def _require(self, logical_id: str) -> None:
        if logical_id not in self.template.get("Resources", {}):
            raise TemplateError(f"There is no parameter and no resource {logical_id}.")

    def _sub(self, value: Any) -> str:
        text, names = (value, {}) if isinstance(value, str) else (value[0], value[1])

        def substitute(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in names:
                return as_text(self.resolve(names[name]))
            return as_text(self._get_att(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", substitute, text)

    def _select(self, value: Any) -> Any:
        index, members = int(self.resolve(value[0])), _list(self.resolve(value[1]))
        if not 0 <= index < len(members):
            raise TemplateError(f"Fn::Select asks for member {index} of {len(members)}.")
        return members[index]

    def _find_in_map(self, value: Any) -> Any:
        name, first, second = (as_text(self.resolve(part)) for part in value[:3])
        try:
            return self.template["Mappings"][name][first][second]
        except KeyError as error:
            if len(value) > 3 and "DefaultValue" in value[3]:
                return self.resolve(value[3]["DefaultValue"])
            raise TemplateError(f"There is no {name}.{first}.{second} in Mappings.") from error

    def _cidr(self, value: Any) -> list[str]:
        block, count, bits = (self.resolve(part) for part in [*value, 8][:3])
        network = ipaddress.ip_network(block)
        subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits))
        return [str(subnet) for subnet, _ in zip(subnets, range(int(count)), strict=False)]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def as_text(value: Any) -> str:
    """Return the text of a value as CloudFormation writes it: true, false, lists with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(as_text, value))
    return "" if value is NO_VALUE else str(value)
