"""The resources of a template that run here: typed, resolved, independent of CloudFormation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEFT_OUT = "Local::LeftOut"
"""The type of a resource that does not run because of a mistake. It keeps its name, so that others can refer to it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer's folder; with a build method, its content lands under python/ as `sam build` would put it."""

    logical_id: str
    content: Path
    built: bool


@dataclass(frozen=True, slots=True)
class AsyncPolicy:
    """The policy for a failed asynchronous invocation: retries, age in seconds, ARNs of destinations."""

    retries_max: int = 2
    age_seconds_max: int = 21_600
    on_failure: str | None = None
    on_success: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function: the place of its code, and the settings that Lambda gives it."""

    logical_id: str
    name: str
    title: str
    arn: str
    code: Path
    handler: str
    runtime: str
    timeout_seconds: float
    memory_megabytes: int
    environment: Mapping[str, str]
    layers: tuple[Layer, ...]
    alias: str | None = None
    reserved_concurrency: int | None = None
    log_format: str = "Text"
    log_level: str | None = None
    policy: AsyncPolicy = field(default_factory=AsyncPolicy)

    @property
    def invoked_arn(self) -> str:
        """The ARN that callers use: the alias's, where the function has one."""
        return f"{self.arn}:{self.alias}" if self.alias else self.arn


@dataclass(frozen=True, slots=True)
class Queue:
    """An SQS queue: its name, its ARN and its attributes for CreateQueue."""

    logical_id: str
    name: str
    arn: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret and its value: the template's own, or one made by its GenerateSecretString."""

    logical_id: str
    name: str
    arn: str
    value: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of S3."""

    logical_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """A queue that feeds a function."""

    logical_id: str
    function: str
    queue_arn: str
    batch_size: int
    window_seconds: float
    partial_failures: bool
    concurrency_max: int | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule and its target; `input` is the JSON text that the target gets.

    `event` is the id of the function's event from which SAM makes the schedule, if that event has no name.
    """

    logical_id: str
    name: str
    expression: str
    timezone: str
    target_arn: str
    input: str
    flexible_minutes: int = 0
    retries_max: int = 185
    age_seconds_max: int = 86_400
    dead_letter_arn: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    enabled: bool = True
    event: str | None = None

    @property
    def title(self) -> str:
        """The name for people, as the template states it."""
        return self.event or self.name


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A Lambda authorizer. `sources` identify a caller, for example ("header", "Authorization")."""

    name: str
    kind: str
    function: str
    sources: tuple[tuple[str, str], ...]
    ttl_seconds: int
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """Requests per second, and how many may arrive at once."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one resource of a REST API, with its backend.

    `integration` is API Gateway's own description; `function` is the logical id of the function, for a Lambda proxy.
    `refusal` is the reason why the route is not served: it responds 501, so that nobody passes without a check.
    """

    method: str
    path: str
    resource_id: str
    function: str | None
    integration: Mapping[str, Any]
    authorizer: str | None
    validates_body: bool
    validates_parameters: bool
    body_schema: Mapping[str, Any] | None
    body_required: bool
    required_parameters: tuple[tuple[str, str], ...]
    throttle: Throttle | None
    timeout_seconds: float
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """The gateway's own response to one type of refusal."""

    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Api:
    """A REST API with its stage."""

    logical_id: str
    id: str
    stage: str
    stage_variables: Mapping[str, str]
    operations: tuple[Operation, ...]
    authorizers: Mapping[str, Authorizer]
    responses: Mapping[str, GatewayResponse]
    definitions: Mapping[str, Any]
    binary_types: tuple[str, ...]
    compression_bytes_min: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """The account and region in ARNs."""

    stack: str
    region: str
    id: str = "123456789012"
    partition: str = "aws"

    def arn(self, service: str, name: str) -> str:
        """Return the ARN of a thing with region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{name}"
