"""REST APIs: from the OpenAPI document of SAM to operations, authorizers and gateway responses.

A route whose check does not run here keeps its path and responds 501. Such checks are Cognito, API keys, IAM, resource
policies and client certificates. A route whose integration does not run here, or whose description cannot be read,
responds 501 too.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.intrinsics import Resolver, TemplateError
from local.report import Group, Report, listed
from local.resources import Api, Authorizer, GatewayResponse, Operation, Throttle
from local.triggers import Targets

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"}
INTEGRATION_SECONDS_MAX = 29.0
AUTHORIZER_TTL_SECONDS = 300
FUNCTION_ARN = re.compile(r"/functions/(.+)/invocations$")
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
OPEN = "NONE"
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Part:
    """An API in its template, and the functions that it can call."""

    logical_id: str
    prefix: str
    resources: Mapping[str, Mapping[str, Any]]
    properties: Mapping[str, Any]
    resolver: Resolver
    here: Targets
    report: Report


def api_id(logical_id: str) -> str:
    """Return an id of ten characters in the form of API Gateway's ids, the same at every start."""
    return hashlib.sha256(logical_id.encode()).hexdigest()[:10]


def read(part: Part, closed: str | None) -> Api | None:
    """Return the API, or None, with a line in the report, when its definition is not in the template.

    `closed` is a reason why none of its routes may be served.
    """
    name, properties, report = part.logical_id, part.properties, part.report
    body = properties.get("Body")
    if isinstance(body, str):
        body = json.loads(body)
    if not isinstance(body, dict):
        where = "it is in S3" if "BodyS3Location" in properties else "its routes are resources of their own"
        report.add(Group.APIS, f"{name}: its definition is not in the template ({where}).")
        return None
    stage = _stage(part)
    if stage.get("CacheClusterEnabled") in (True, "true"):
        report.add(Group.SETTINGS, f"{name}: the cache of responses")
    variables = {key: str(value) for key, value in _mapping(stage.get("Variables")).items()}
    schemes = _schemes(body)
    reading = _Reading(part, body, stage, variables, schemes, _authorizers(part, schemes, variables))
    closed = closed or _closed(part, body)
    operations = [
        replace(operation, refusal=closed) if closed else operation for operation in _operations(reading, name)
    ]
    _report_refusals(operations, name, report)
    minimum = properties.get("MinimumCompressionSize", body.get("x-amazon-apigateway-minimum-compression-size"))
    return Api(
        logical_id=part.prefix + name,
        id=api_id(part.prefix + name),
        stage=str(stage.get("StageName", "local")),
        stage_variables=variables,
        operations=tuple(operations),
        authorizers=reading.authorizers,
        responses=_responses(body.get("x-amazon-apigateway-gateway-responses"), name, report),
        definitions={"definitions": body.get("definitions", {}), "components": _mapping(body.get("components"))},
        binary_types=tuple(
            str(kind).replace("~1", "/")
            for kind in body.get("x-amazon-apigateway-binary-media-types", properties.get("BinaryMediaTypes", []))
        ),
        compression_bytes_min=None if minimum is None else int(minimum),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The data that the operations of one API share."""

    part: Part
    body: Mapping[str, Any]
    stage: Mapping[str, Any]
    variables: Mapping[str, str]
    schemes: Mapping[str, Any]
    authorizers: Mapping[str, Authorizer]


def _stage(part: Part) -> dict[str, Any]:
    for resource in part.resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ApiGateway::Stage" and properties.get("RestApiId") == {"Ref": part.logical_id}:
            found = {}
            for member, value in properties.items():
                try:
                    found[member] = part.resolver.resolve(value)
                except TemplateError as error:
                    part.report.add(Group.FAULTS, f"{part.logical_id}, {member} of its stage: {error}")
            return found
    return {}


def _schemes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    named = body.get("securityDefinitions", _mapping(body.get("components")).get("securitySchemes"))
    return _mapping(named)


# Access checks.


def _closed(part: Part, body: Mapping[str, Any]) -> str | None:
    """Return the check of the whole API that does not run here, or None."""
    policy = body.get("x-amazon-apigateway-policy", part.properties.get("Policy"))
    if policy and not _lets_everyone_through(policy):
        return "it has a resource policy"
    by_domain = any(
        resource["Type"].startswith("AWS::ApiGateway::BasePathMapping")
        and resource.get("Properties", {}).get("RestApiId") == {"Ref": part.logical_id}
        for resource in part.resources.values()
    )
    by_certificate = any(
        resource["Type"].startswith("AWS::ApiGateway::DomainName")
        and "MutualTlsAuthentication" in resource.get("Properties", {})
        for resource in part.resources.values()
    )
    return "it asks for client certificates" if by_domain and by_certificate else None


def _lets_everyone_through(policy: Any) -> bool:
    """Check that a resource policy allows everyone without conditions and denies nobody."""
    document = json.loads(policy) if isinstance(policy, str) else policy
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    statements = [statements] if isinstance(statements, Mapping) else statements
    return isinstance(statements, list) and all(
        isinstance(statement, Mapping)
        and statement.get("Effect") == "Allow"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and not statement.get("Condition")
        for statement in statements
    )


def _authorizers(part: Part, schemes: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Authorizer]:
    """Return the Lambda authorizers whose functions run here."""
    found: dict[str, Authorizer] = {}
    for name, scheme in schemes.items():
        try:
            authorizer = _authorizer(name, scheme["x-amazon-apigateway-authorizer"], part.here, variables)
        except MALFORMED:
            continue  # its routes are refused
        if authorizer is not None:
            found[name] = authorizer
    return found


def _authorizer(
    name: str, definition: Mapping[str, Any], here: Targets, variables: Mapping[str, str]
) -> Authorizer | None:
    function = here.function(_function_arn(definition, variables))
    if definition.get("type") not in ("request", "token") or function is None:
        return None
    ttl = definition.get("authorizerResultTtlInSeconds")
    sources = definition.get("identitySource", "method.request.header.Authorization")
    return Authorizer(
        name=name,
        kind=str(definition["type"]),
        function=function,
        sources=tuple(_source(source.strip()) for source in sources.split(",") if source.strip()),
        ttl_seconds=AUTHORIZER_TTL_SECONDS if ttl is None else int(ttl),
        pattern=definition.get("identityValidationExpression"),
    )


def _source(expression: str) -> tuple[str, str]:
    """Parse an identity source.

    method.request.header.Authorization → ("header", "Authorization"); context.x → ("context", "x").
    """
    kind, _, name = expression.removeprefix("method.request.").partition(".")
    return kind, name


def _protection(reading: _Reading, operation: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the Lambda authorizer of an operation, and the reason for refusing it if it has another check."""
    security = operation.get("security", reading.body.get("security"))
    security = [] if security is None else security
    if not isinstance(security, list) or not all(isinstance(entry, Mapping) for entry in security):
        return None, "its security cannot be read"
    required = [name for entry in security for name in entry if name != OPEN or name in reading.schemes]
    required = [name for name in required if not _is_open(name, reading.schemes)]
    iam = _mapping(operation.get("x-amazon-apigateway-auth")).get("type", OPEN)
    if str(iam).upper() != OPEN:
        return None, f"it needs {iam} signatures"
    for name in required:
        if name not in reading.authorizers:
            return None, _unmet(name, reading)
    if operation.get("x-amazon-apigateway-api-key-required") in (True, "true"):
        return None, "it needs an API key"
    return (required[0] if required else None), None


def _is_open(name: str, schemes: Mapping[str, Any]) -> bool:
    """Return whether a scheme is SAM's NONE, for routes without a check: it has no authorizer."""
    return name == OPEN and "x-amazon-apigateway-authorizer" not in _mapping(schemes.get(name))


def _unmet(name: str, reading: _Reading) -> str:
    """Return the unmet requirement of a route, for a scheme that does not run here."""
    scheme = _mapping(reading.schemes.get(name))
    definition = _mapping(scheme.get("x-amazon-apigateway-authorizer"))
    kind = str(definition.get("type", "")).lower()
    if kind == "cognito_user_pools":
        return f"it needs the Cognito authorizer {name}"
    if kind in ("request", "token"):
        function = reading.part.here.named(_function_arn(definition, reading.variables))
        return f"it needs the Lambda authorizer {name}, whose function does not run here: {function}"
    if str(scheme.get("x-amazon-apigateway-authtype", "")).lower() == "awssigv4" or name in ("AWS_IAM", "sigv4"):
        return "it needs AWS_IAM signatures"
    if name == "api_key" or str(scheme.get("name", "")).lower() == "x-api-key":
        return "it needs an API key"
    return f"it needs {name}, which is not a Lambda authorizer"


# Routes.


def _operations(reading: _Reading, name: str) -> list[Operation]:
    found: list[Operation] = []
    for path, methods in _mapping(reading.body.get("paths")).items():
        if not isinstance(methods, Mapping):
            reading.part.report.add(Group.FAULTS, f"{name}: the path {path} has no methods.")
            continue
        for method, operation in methods.items():
            if method.lower() in METHODS:
                verb = "ANY" if method.lower() == "x-amazon-apigateway-any-method" else method.upper()
                found.append(_operation(path, verb, operation, reading))
    return found


def _operation(path: str, verb: str, operation: Any, reading: _Reading) -> Operation:
    resource_id = hashlib.sha256(path.encode()).hexdigest()[:6]
    refused = Operation(
        method=verb,
        path=path,
        resource_id=resource_id,
        function=None,
        integration={},
        authorizer=None,
        validates_body=False,
        validates_parameters=False,
        body_schema=None,
        body_required=False,
        required_parameters=(),
        throttle=None,
        timeout_seconds=INTEGRATION_SECONDS_MAX,
    )
    if not isinstance(operation, Mapping):
        return replace(refused, refusal="its description is empty")
    try:
        return _described(refused, operation, reading)
    except MALFORMED as error:
        return replace(refused, refusal=f"its description has an unexpected form ({error})")


def _described(empty: Operation, operation: Mapping[str, Any], reading: _Reading) -> Operation:
    integration = _mapping(operation.get("x-amazon-apigateway-integration"))
    kind = str(integration.get("type", "")).lower()
    arn = _function_arn(integration, reading.variables)
    function = reading.part.here.function(arn) if kind == "aws_proxy" else None
    authorizer, refusal = _protection(reading, operation)
    if refusal is None and function is None and kind != "mock":
        if kind == "aws_proxy" and arn:
            refusal = f"its function does not run here: {reading.part.here.named(arn)}"
        else:
            refusal = f"its integration does not run here: {kind or 'none'}"
    validators = _mapping(reading.body.get("x-amazon-apigateway-request-validators"))
    named = operation.get(
        "x-amazon-apigateway-request-validator", reading.body.get("x-amazon-apigateway-request-validator")
    )
    validator = _mapping(validators.get(named))
    schema, needs_body = _body(operation)
    settings = reading.stage.get("MethodSettings", [])
    return replace(
        empty,
        function=function,
        integration=integration,
        authorizer=authorizer,
        validates_body=bool(validator.get("validateRequestBody")),
        validates_parameters=bool(validator.get("validateRequestParameters")),
        body_schema=schema,
        body_required=needs_body,
        required_parameters=tuple(
            (str(parameter["in"]), str(parameter["name"]))
            for parameter in operation.get("parameters", [])
            if parameter.get("required") and parameter.get("in") in ("header", "query")
        ),
        throttle=_limits(empty, settings if isinstance(settings, list) else [], reading.part),
        timeout_seconds=min(float(integration.get("timeoutInMillis", 29_000)) / 1000, INTEGRATION_SECONDS_MAX),
        refusal=refusal,
    )


def _function_arn(integration: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    """Return the ARN in an integration's or an authorizer's address, with the stage's variables inserted."""
    uri = str(integration.get("uri", integration.get("authorizerUri", "")))
    match = FUNCTION_ARN.search(STAGE_VARIABLE.sub(lambda found: variables.get(found.group(1), ""), uri))
    return match.group(1) if match else ""


def _body(operation: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, bool]:
    """Return the model of a JSON body (Swagger 2 or OpenAPI 3), and whether a body is required. Raises TypeError."""
    schema: Any = None
    required = False
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "body":
            schema, required = parameter.get("schema"), bool(parameter.get("required"))
            break
    else:
        content = _mapping(operation.get("requestBody"))
        schema = content.get("content", {}).get("application/json", {}).get("schema")
        required = bool(content.get("required"))
    if schema is not None and not isinstance(schema, Mapping):
        raise TypeError("its model is no mapping")
    return schema, required


def _limits(operation: Operation, settings: Sequence[Mapping[str, Any]], part: Part) -> Throttle | None:
    try:
        return _throttle(operation.path, operation.method, settings)
    except MALFORMED as error:
        part.report.add(Group.SETTINGS, f"{part.logical_id}, MethodSettings: an unexpected form ({error})")
        return None


def _throttle(path: str, method: str, settings: Sequence[Mapping[str, Any]]) -> Throttle | None:
    """Return the most specific setting with limits: for this method, this path, or all."""

    def rank(setting: Mapping[str, Any]) -> int:
        where = str(setting.get("ResourcePath", "/*")).removeprefix("/").replace("~1", "/") or "/"
        which = str(setting.get("HttpMethod", "*")).upper()
        if where not in ("*", path) or which not in ("*", method):
            return 0
        return 1 + 2 * (where == path) + (which == method)

    limited = [setting for setting in settings if "ThrottlingRateLimit" in setting and rank(setting)]
    if not limited:
        return None
    chosen = max(limited, key=rank)
    rate = float(chosen["ThrottlingRateLimit"])
    return Throttle(rate, int(chosen.get("ThrottlingBurstLimit", max(1, int(rate)))))


def _responses(definitions: Any, name: str, report: Report) -> dict[str, GatewayResponse]:
    found: dict[str, GatewayResponse] = {}
    for kind, definition in _mapping(definitions).items():
        try:
            found[kind] = GatewayResponse(
                status=int(definition["statusCode"]) if "statusCode" in definition else None,
                headers={
                    key.removeprefix("gatewayresponse.header."): str(value)
                    for key, value in definition.get("responseParameters", {}).items()
                },
                templates={
                    media_type: template if isinstance(template, str) else json.dumps(template)
                    for media_type, template in definition.get("responseTemplates", {}).items()
                },
            )
        except MALFORMED as error:
            report.add(Group.FAULTS, f"{name}, gateway response {kind}: an unexpected form ({error}).")
    return found


def _report_refusals(operations: Sequence[Operation], name: str, report: Report) -> None:
    """Add one line for each reason."""
    reasons: dict[str, list[str]] = {}
    for operation in operations:
        if operation.refusal is not None:
            reasons.setdefault(operation.refusal, []).append(f"{operation.method} {operation.path}")
    for reason, routes in reasons.items():
        report.add(Group.CLOSED, f"{name}, {listed(sorted(routes), 4)}: {reason}")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
