"""REST APIs: from the OpenAPI document that SAM makes to operations, authorizers and gateway responses."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from local.intrinsics import Resolver, TemplateError
from local.resources import Api, Authorizer, GatewayResponse, Operation, Throttle

METHODS = {"get", "post", "put", "patch", "delete", "head", "options", "x-amazon-apigateway-any-method"}
INTEGRATION_SECONDS_MAX = 29.0
AUTHORIZER_TTL_SECONDS = 300
FUNCTION_ARN = re.compile(r"/functions/(.+)/invocations$")


def api_id(logical_id: str) -> str:
    """Ten characters, the same at every start, as API Gateway's ids look."""
    return hashlib.sha256(logical_id.encode()).hexdigest()[:10]


def read(
    name: str,
    resources: Mapping[str, Mapping[str, Any]],
    properties: Mapping[str, Any],
    resolver: Resolver,
    functions: Mapping[str, str],
    notes: list[str],
) -> Api:
    """The API `name`; `functions` are logical ids by ARN. What does not run here is added to `notes`."""
    body = properties.get("Body")
    if not isinstance(body, dict):
        raise TemplateError(f"{name}: only APIs whose definition is in the template are served.")
    stage = _stage(name, resources, resolver)
    if stage.get("CacheClusterEnabled") in (True, "true"):
        notes.append(f"the cache of {name}")
    components = body.get("components", {})
    schemes = body.get("securityDefinitions", components.get("securitySchemes", {}))
    authorizers = {}
    for scheme, definition in schemes.items():
        authorizer = _authorizer(scheme, definition.get("x-amazon-apigateway-authorizer"), functions)
        if authorizer is not None:
            authorizers[scheme] = authorizer
        elif scheme != "NONE":
            notes.append(f"authorizer {scheme} of {name} (only Lambda authorizers run here)")
    operations = [
        _operation(path, method, operation, body, authorizers, stage, functions, notes)
        for path, methods in body.get("paths", {}).items()
        for method, operation in methods.items()
        if method.lower() in METHODS
    ]
    minimum = properties.get("MinimumCompressionSize", body.get("x-amazon-apigateway-minimum-compression-size"))
    return Api(
        logical_id=name,
        id=api_id(name),
        stage=str(stage.get("StageName", "local")),
        stage_variables={key: str(value) for key, value in stage.get("Variables", {}).items()},
        operations=tuple(operations),
        authorizers=authorizers,
        responses=_responses(body.get("x-amazon-apigateway-gateway-responses", {})),
        definitions={"definitions": body.get("definitions", {}), "components": components},
        binary_types=tuple(
            kind.replace("~1", "/")
            for kind in body.get("x-amazon-apigateway-binary-media-types", properties.get("BinaryMediaTypes", []))
        ),
        compression_bytes_min=None if minimum is None else int(minimum),
    )


def _stage(api: str, resources: Mapping[str, Mapping[str, Any]], resolver: Resolver) -> dict[str, Any]:
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::Stage" and resource["Properties"].get("RestApiId") == {"Ref": api}:
            return dict(resolver.resolve(resource["Properties"]))
    return {}


def _authorizer(name: str, definition: Any, functions: Mapping[str, str]) -> Authorizer | None:
    if not isinstance(definition, dict):
        return None
    function = functions.get(_function_arn(definition))
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
    """method.request.header.Authorization → ("header", "Authorization"); context.x → ("context", "x")."""
    kind, _, name = expression.removeprefix("method.request.").partition(".")
    return kind, name


def _function_arn(integration: Mapping[str, Any]) -> str:
    match = FUNCTION_ARN.search(str(integration.get("uri", integration.get("authorizerUri", ""))))
    return match.group(1) if match else ""


def _operation(
    path: str,
    method: str,
    operation: Mapping[str, Any],
    body: Mapping[str, Any],
    authorizers: Mapping[str, Authorizer],
    stage: Mapping[str, Any],
    functions: Mapping[str, str],
    notes: list[str],
) -> Operation:
    verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
    integration = operation.get("x-amazon-apigateway-integration", {})
    kind = str(integration.get("type", "")).lower()
    function = functions.get(_function_arn(integration)) if kind == "aws_proxy" else None
    if function is None and kind != "mock":
        notes.append(f"{verb} {path} (integration {kind or 'missing'})")
    required = [name for scheme in operation.get("security", []) for name in scheme]
    if "api_key" in required:
        notes.append("API keys")
    validators = body.get("x-amazon-apigateway-request-validators", {})
    validator = validators.get(
        operation.get("x-amazon-apigateway-request-validator", body.get("x-amazon-apigateway-request-validator")), {}
    )
    schema, needs_body = _body(operation)
    return Operation(
        method=verb,
        path=path,
        resource_id=hashlib.sha256(path.encode()).hexdigest()[:6],
        function=function,
        integration=integration,
        authorizer=next((name for name in required if name in authorizers), None),
        validates_body=bool(validator.get("validateRequestBody")),
        validates_parameters=bool(validator.get("validateRequestParameters")),
        body_schema=schema,
        body_required=needs_body,
        required_parameters=tuple(
            (str(parameter["in"]), str(parameter["name"]))
            for parameter in operation.get("parameters", [])
            if parameter.get("required") and parameter.get("in") in ("header", "query")
        ),
        throttle=_throttle(path, verb, stage.get("MethodSettings", [])),
        timeout_seconds=min(float(integration.get("timeoutInMillis", 29_000)) / 1000, INTEGRATION_SECONDS_MAX),
    )


def _body(operation: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, bool]:
    """The model of a JSON body, in Swagger 2 or OpenAPI 3, and whether a body must be there."""
    for parameter in operation.get("parameters", []):
        if parameter.get("in") == "body":
            return parameter.get("schema"), bool(parameter.get("required"))
    content = operation.get("requestBody", {})
    schema = content.get("content", {}).get("application/json", {}).get("schema")
    return schema, bool(content.get("required"))


def _throttle(path: str, method: str, settings: list[Mapping[str, Any]]) -> Throttle | None:
    """The most particular setting that has limits: this method, this path, all."""

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


def _responses(definitions: Mapping[str, Any]) -> dict[str, GatewayResponse]:
    return {
        name: GatewayResponse(
            status=int(definition["statusCode"]) if "statusCode" in definition else None,
            headers={
                key.removeprefix("gatewayresponse.header."): str(value)
                for key, value in definition.get("responseParameters", {}).items()
            },
            templates=definition.get("responseTemplates", {}),
        )
        for name, definition in definitions.items()
    }
