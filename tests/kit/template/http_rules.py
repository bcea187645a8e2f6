"""Check the API: handlers, permissions and refusals."""

import json
from collections.abc import Iterator
from typing import Any

from marquee.edge import refusals
from tests.kit.template.system import System, function_of

GATEWAY_SECONDS = 29
PUBLIC_FUNCTIONS = {"CatalogFunction", "HealthFunction"}
PUBLIC_READS = {
    ("get", "/ratings/items/{item_id}"),
    ("get", "/ratings/items/{item_id}/history"),
    ("get", "/ratings/leaderboard"),
}
SIGNED = {("post", "/webhooks/stripe")}
ONE_CLICK = {("post", "/unsubscribe/{token}")}
"""A mail program asks for the link of a message without signing in (RFC 8058). The token in the path is the right."""
NEEDS_A_TOKEN = {("get", "/health/details")}
MODEL_KEYWORDS = {"type", "required", "properties"}
JSON_TYPES = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}


def every_route_has_a_handler(system: System) -> Iterator[str]:
    """Require that the function of a route and its code exist."""
    for route in system.routes:
        if route.function not in system.functions:
            yield f"{route} has no function"
        elif system.folder(route.function) not in system.folders:
            yield f"{route}: functions/{system.folder(route.function)}/app.py is missing"


def every_route_is_documented(system: System) -> Iterator[str]:
    """Require that the template and docs/openapi.json list the same routes."""
    routes = {(route.method, route.path) for route in system.routes}
    for method, path in sorted(routes - system.operations.keys()):
        yield f"{method.upper()} {path} is not in docs/openapi.json"
    for method, path in sorted(system.operations.keys() - routes):
        yield f"{method.upper()} {path} is not in template.yaml"


def every_route_is_declared_by_its_function(system: System) -> Iterator[str]:
    """Require that the table of routes names the function whose code declares each route, and omits no route."""
    table = {(system.folder(route.function), route.method, route.path) for route in system.routes}
    code = {(folder, *route) for folder, routes in system.declared.items() for route in routes}
    for folder, method, path in sorted(table - code):
        yield f"functions/{folder} does not declare {method.upper()} {path}, which the table of routes gives it"
    for folder, method, path in sorted(code - table):
        yield f"{method.upper()} {path} of functions/{folder} is not in the table of routes"


def routes_invoke_the_alias_by_one_role(system: System) -> Iterator[str]:
    """Require that each route invokes the alias `live` by ApiRole, which may invoke only the aliases with routes."""
    for route in system.routes:
        integration = route.operation["x-amazon-apigateway-integration"]
        if (integration["type"], integration["httpMethod"]) != ("aws_proxy", "POST"):
            yield f"{route} is no proxy integration"
        if integration.get("credentials") != {"Fn::GetAtt": ["ApiRole", "Arn"]}:
            yield f"{route} does not invoke by ApiRole"
        if not integration["uri"]["Fn::Sub"].endswith(f"functions/${{{route.function}.Arn}}:live/invocations"):
            yield f"{route} calls {route.function} instead of its alias"
    needed = {route.function for route in system.routes} | {"AuthorizeFunction"}
    yield from _may_invoke(system, "ApiRole", needed)
    for name in system.of_type("AWS::Lambda::Permission"):
        yield f"{name} lets another principal invoke a function"


def schedules_invoke_the_alias_by_one_role(system: System) -> Iterator[str]:
    """Require that each schedule invokes by SchedulesRole, which may invoke only the aliases with schedules."""
    needed = set()
    for name, schedule in system.of_type("AWS::Scheduler::Schedule").items():
        target = schedule["Properties"]["Target"]
        needed.add(function_of(target["Arn"]))
        if target["RoleArn"] != {"Fn::GetAtt": ["SchedulesRole", "Arn"]}:
            yield f"{name} does not invoke by SchedulesRole"
    yield from _may_invoke(system, "SchedulesRole", needed)


def _may_invoke(system: System, role: str, needed: set[str]) -> Iterator[str]:
    """Compare the functions that a role may invoke with those that it needs."""
    statements = [
        statement
        for policy in system.properties(role)["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in str(statement["Action"])
    ]
    resources = [each for statement in statements for each in statement["Resource"]]
    allowed = {function_of(each) for each in resources if each == {"Ref": f"{function_of(each)}Aliaslive"}}
    if len(resources) != len(allowed):
        yield f"{role} may invoke more than aliases"
    for name in sorted(needed ^ allowed):
        yield f"{role} may {'not ' if name in needed else ''}invoke {name}"


def only_catalog_scores_and_health_are_public(system: System) -> Iterator[str]:
    """Require a token on each route except the catalog, public scores, health, signed events, and one-click links."""
    for route in system.routes:
        asked = (route.method, route.path)
        reads_in_public = route.function in PUBLIC_FUNCTIONS and route.method == "get"
        expected = asked in SIGNED | ONE_CLICK | PUBLIC_READS or (reads_in_public and asked not in NEEDS_A_TOKEN)
        if route.public and not expected:
            yield f"{route} asks for no token"
        elif expected and not route.public:
            yield f"{route} asks for a token"
        elif not expected and route.operation.get("security") != [{"Tokens": []}]:
            yield f"{route} is not behind the authorizer"


def functions_time_out_before_the_gateway(system: System) -> Iterator[str]:
    """Require that a function times out before API Gateway, which waits 29 seconds."""
    for name in sorted({route.function for route in system.routes} | {"AuthorizeFunction"}):
        if system.properties(name)["Timeout"] >= GATEWAY_SECONDS:
            yield f"{name} may take longer than {GATEWAY_SECONDS} s"


def tokens_are_verified_by_our_authorizer(system: System) -> Iterator[str]:
    """Require a REQUEST authorizer keyed by the Authorization header."""
    authorizer = system.body["securityDefinitions"]["Tokens"]["x-amazon-apigateway-authorizer"]
    if authorizer["type"] != "request":
        yield "the authorizer does not see the request"
    if authorizer.get("identitySource") != "method.request.header.Authorization":
        yield "the authorizer's cache is not keyed by the Authorization header"
    # Use the ARN, because `sam local` skips an authorizer that is named by a reference to the alias.
    if {"Fn::Sub": "${AuthorizeFunction.Arn}:live"} not in authorizer["authorizerUri"]["Fn::Sub"][1].values():
        yield "the authorizer is not AuthorizeFunction's alias"
    if authorizer.get("authorizerCredentials") != {"Fn::GetAtt": ["ApiRole", "Arn"]}:
        yield "the authorizer is not invoked by ApiRole"


def gateway_requires_no_more_than_the_handler(system: System) -> Iterator[str]:
    """Require that API Gateway's own request check demands no more than the handler, so that both refuse the same."""
    schemas = system.openapi.get("components", {}).get("schemas", {})
    for route in system.routes:
        operation = system.operations.get((route.method, route.path), {})
        needed = {each["name"] for each in operation.get("parameters", []) if each.get("required")}
        for parameter in route.operation.get("parameters", []):
            if parameter["in"] == "body":
                model = system.body["definitions"][parameter["schema"]["$ref"].rsplit("/", 1)[1]]
                body = operation.get("requestBody", {})
                schema = body.get("content", {}).get("application/json", {}).get("schema", {})
                if operation and not body.get("required"):
                    yield f"{route} is refused without a body"
                if operation:
                    yield from (f"{route} {each}" for each in _stricter(model, schema, schemas))
            elif parameter["required"] and operation and parameter["name"] not in needed:
                yield f"{route} is refused without {parameter['name']}"


def _stricter(model: dict[str, Any], schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    """Return the demands of a model of API Gateway that the handler's schema does not make.

    A model names one type for a member, because API Gateway drops or refuses lists of types. So a member that may be
    null, or have several types, has no place in a model.
    """
    for keyword in sorted(model.keys() - MODEL_KEYWORDS):
        yield f"is checked by {keyword}, which may refuse more than the handler"
    if not isinstance(model.get("type", ""), str):
        yield f"is checked for a list of types: {model['type']}"
    for kind in sorted(_types(schema, schemas) - _allowed(model)):
        yield f"is refused as {kind}"
    members = _members(schema, schemas)
    for name in sorted(set(model.get("required", [])) - set(_resolved(schema, schemas).get("required", []))):
        yield f"is refused without {name}"
    for name, member in model.get("properties", {}).items():
        if name not in members:
            yield f"checks {name}, which the handler does not know"
            continue
        yield from (f"{name}: {each}" for each in _stricter(member, members[name], schemas))


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _members(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _resolved(schema, schemas).get("properties", {})
    return found


def _types(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """Return the JSON types that a schema of the OpenAPI document accepts."""
    schema = _resolved(schema, schemas)
    choices = [choice for word in ("anyOf", "oneOf") for choice in schema.get(word, [])]
    if choices:
        return {kind for choice in choices for kind in _types(choice, schemas)}
    if "enum" in schema or "const" in schema:
        return {JSON_TYPES[type(value)] for value in schema.get("enum", [schema.get("const")])}
    kinds = schema.get("type", sorted(JSON_TYPES.values()))
    return set(kinds) if isinstance(kinds, list) else {kinds}


def _allowed(model: dict[str, Any]) -> set[str]:
    if not isinstance(model.get("type"), str):
        return set(JSON_TYPES.values())
    return {"number", "integer"} if model["type"] == "number" else {model["type"]}


def gateway_refusals_are_problem_documents(system: System) -> Iterator[str]:
    """Require that API Gateway's own refusals are problem documents like ours, with the status of the response."""
    responses = system.body["x-amazon-apigateway-gateway-responses"]
    for name in ("DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "UNAUTHORIZED", "ACCESS_DENIED", "REQUEST_TOO_LARGE"):
        if name not in responses:
            yield f"{name} has no problem document"
    for name, response in responses.items():
        template = response["responseTemplates"]["application/json"]
        for placeholder in ("$context.error.messageString", "$context.error.validationErrorString"):
            template = template.replace(f'"{placeholder}"', '"…"').replace(placeholder, '"…"')
        yield from (f"{name} {fault}" for fault in _faults_of_problem(json.loads(template), response))


def _faults_of_problem(problem: dict[str, Any], response: dict[str, Any]) -> Iterator[str]:
    headers = response["responseParameters"]
    if not {"type", "title", "status", "code", "detail"} <= problem.keys():
        yield "is no problem document"
        return
    refusal = refusals.BY_CODE.get(problem["code"])
    if refusal is None:
        yield f"has an unknown code: {problem['code']}"
    elif problem["status"] not in (refusal.status, *refusal.also):
        yield f"has a status that {problem['code']} does not have"
    if problem["type"] != f"/problems/{problem['code']}":
        yield "has a type of another code"
    if problem["title"] != problem["code"].replace("_", " ").capitalize():
        yield "has another title than our own refusals of this code"
    if problem["status"] != int(response.get("statusCode", 0)):
        yield "differs from the response in status"
    if headers["gatewayresponse.header.Content-Type"] != "'application/problem+json'":
        yield "is not sent as application/problem+json"
    if headers.get("gatewayresponse.header.Vary") != "'Authorization'":
        yield "does not say that it varies by the token"
    retried = problem["code"] in ("rate_limited", "unavailable")
    wait = f"'{problem.get('retry_after_seconds')}'" if retried else None
    if headers.get("gatewayresponse.header.Retry-After") != wait:
        yield "differs from retry_after_seconds in Retry-After"
    if (problem["status"] == 401) != ("gatewayresponse.header.WWW-Authenticate" in headers):
        yield "has WWW-Authenticate with another status than 401"


def stage_is_throttled_logged_and_traced(system: System) -> Iterator[str]:
    """Require a rate and a burst for each method, and an access log and traces for the stage."""
    stage = next(iter(system.of_type("AWS::ApiGateway::Stage").values()))["Properties"]
    every = [setting for setting in stage["MethodSettings"] if setting["ResourcePath"] == "/*"]
    if len(every) != 1:
        yield "no setting applies to all routes"
    for setting in stage["MethodSettings"]:
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= setting.keys():
            yield f"{setting['ResourcePath']} is not throttled"
        if setting.get("DataTraceEnabled"):
            yield f"{setting['ResourcePath']} writes whole requests to the log"
    if "AccessLogSetting" not in stage:
        yield "there is no access log"
    if not stage.get("TracingEnabled"):
        yield "requests are not traced"


def only_watched_routes_have_metrics(system: System) -> Iterator[str]:
    """Require metrics only for routes that an alarm watches, because they cost money for each method."""
    stage = next(iter(system.of_type("AWS::ApiGateway::Stage").values()))["Properties"]
    measured = {
        (setting["HttpMethod"], setting["ResourcePath"].removeprefix("/").replace("~1", "/"))
        for setting in stage["MethodSettings"]
        if setting.get("MetricsEnabled") is not False
    }
    watched = set()
    for alarm in system.of_type("AWS::CloudWatch::Alarm").values():
        metric = alarm["Properties"]
        dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
        if metric.get("Namespace") == "AWS/ApiGateway" and "Resource" in dimensions:
            watched.add((dimensions["Method"], dimensions["Resource"]))
    for method, path in sorted(measured ^ watched):
        yield f"{method} {path} is {'not ' if (method, path) in watched else ''}measured by itself"


def cache_keys_hold_every_parameter(system: System) -> Iterator[str]:
    """Require that a cached route is public.

    Its cache key must hold each parameter of path and query, the tag (304) and the origin (CORS).
    """
    stage = next(iter(system.of_type("AWS::ApiGateway::Stage").values()))["Properties"]
    cached = {
        (setting["HttpMethod"].lower(), setting["ResourcePath"].removeprefix("/").replace("~1", "/"))
        for setting in stage["MethodSettings"]
        if setting.get("CachingEnabled") not in (None, False)
    }
    routes = {(route.method, route.path): route for route in system.routes}
    for key in sorted(cached):
        if key not in routes:
            yield f"{key} is cached but no route"
            continue
        if not routes[key].public:
            yield f"{routes[key]} is cached but not public"
        decides = {"method.request.header.If-None-Match", "method.request.header.Origin"}
        for parameter in system.operations.get(key, {}).get("parameters", []):
            place = {"query": "querystring", "path": "path"}.get(parameter["in"])
            if place:
                decides.add(f"method.request.{place}.{parameter['name']}")
        kept = set(routes[key].operation["x-amazon-apigateway-integration"].get("cacheKeyParameters", []))
        if kept != decides:
            yield f"{routes[key]}: the cache's key is wrong in {sorted(kept ^ decides)}"


RULES = (
    every_route_has_a_handler,
    every_route_is_documented,
    every_route_is_declared_by_its_function,
    routes_invoke_the_alias_by_one_role,
    schedules_invoke_the_alias_by_one_role,
    only_catalog_scores_and_health_are_public,
    functions_time_out_before_the_gateway,
    tokens_are_verified_by_our_authorizer,
    gateway_requires_no_more_than_the_handler,
    gateway_refusals_are_problem_documents,
    stage_is_throttled_logged_and_traced,
    only_watched_routes_have_metrics,
    cache_keys_hold_every_parameter,
)
