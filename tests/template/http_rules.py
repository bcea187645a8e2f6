"""Rules of the API: who answers, who may call, and what refusals look like."""

import json
from collections.abc import Iterator

from tests.template.system import System, mentions

GATEWAY_SECONDS = 29
PUBLIC_FUNCTIONS = {"CatalogFunction", "HealthFunction"}
SIGNED = {("post", "/webhooks/stripe")}
NEEDS_A_TOKEN = {("get", "/health/details")}


def every_route_has_a_handler(system: System) -> Iterator[str]:
    """The function behind a route exists, and so does its code."""
    for route in system.routes:
        if route.function not in system.functions:
            yield f"{route} is answered by no function"
        elif system.folder(route.function) not in system.folders:
            yield f"{route}: functions/{system.folder(route.function)}/app.py is missing"


def every_route_is_documented(system: System) -> Iterator[str]:
    """The template and docs/openapi.json name the same routes."""
    routes = {(route.method, route.path) for route in system.routes}
    for method, path in sorted(routes - system.operations.keys()):
        yield f"{method.upper()} {path} is not in docs/openapi.json"
    for method, path in sorted(system.operations.keys() - routes):
        yield f"{method.upper()} {path} is not in template.yaml"


def only_the_catalog_and_health_are_public(system: System) -> Iterator[str]:
    """Everybody may look at the catalog and ask for health; Stripe signs what it sends; all else takes a token."""
    for route in system.routes:
        asked = (route.method, route.path)
        reads_in_public = route.function in PUBLIC_FUNCTIONS and route.method == "get"
        expected = asked in SIGNED or (reads_in_public and asked not in NEEDS_A_TOKEN)
        if route.public and not expected:
            yield f"{route} asks for no token"
        elif expected and not route.public:
            yield f"{route} asks for a token"
        elif not expected and route.operation.get("security") != [{"Tokens": []}]:
            yield f"{route} is not behind the authorizer"


def answers_come_before_the_gateway_gives_up(system: System) -> Iterator[str]:
    """API Gateway waits 29 seconds; a function that it calls has stopped by then."""
    for name in sorted({route.function for route in system.routes} | {"AuthorizeFunction"}):
        if system.properties(name)["Timeout"] >= GATEWAY_SECONDS:
            yield f"{name} may take longer than {GATEWAY_SECONDS} s"


def tokens_are_verified_by_our_authorizer(system: System) -> Iterator[str]:
    """The authorizer is a REQUEST authorizer keyed by the Authorization header."""
    authorizer = system.body["securityDefinitions"]["Tokens"]["x-amazon-apigateway-authorizer"]
    if authorizer["type"] != "request":
        yield "the authorizer does not see the request"
    if authorizer.get("identitySource") != "method.request.header.Authorization":
        yield "the authorizer's answers are not kept by the Authorization header"
    if "AuthorizeFunctionAliaslive" not in set(mentions(authorizer["authorizerUri"])):
        yield "the authorizer is not AuthorizeFunction's alias"


def the_gateway_asks_for_no_more_than_the_handler(system: System) -> Iterator[str]:
    """What API Gateway's own check of a request wants, the handler wants too, so that both refuse the same."""
    schemas = system.openapi.get("components", {}).get("schemas", {})
    for route in system.routes:
        operation = system.operations.get((route.method, route.path), {})
        needed = {each["name"] for each in operation.get("parameters", []) if each.get("required")}
        for parameter in route.operation.get("parameters", []):
            if parameter["in"] == "body":
                model = system.body["definitions"][parameter["schema"]["$ref"].rsplit("/", 1)[1]]
                body = operation.get("requestBody", {})
                schema = body.get("content", {}).get("application/json", {}).get("schema", {})
                wanted = schemas.get(schema.get("$ref", "").rsplit("/", 1)[-1], schema).get("required", [])
                if operation and not body.get("required"):
                    yield f"{route} is refused without a body"
                for name in sorted(set(model.get("required", [])) - set(wanted)) if operation else ():
                    yield f"{route} is refused without {name}"
            elif parameter["required"] and operation and parameter["name"] not in needed:
                yield f"{route} is refused without {parameter['name']}"


def refusals_of_the_gateway_are_problems(system: System) -> Iterator[str]:
    """What API Gateway itself refuses is a problem document with the status that it is sent with."""
    responses = system.body["x-amazon-apigateway-gateway-responses"]
    for name in ("DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "UNAUTHORIZED", "ACCESS_DENIED", "REQUEST_TOO_LARGE"):
        if name not in responses:
            yield f"{name} has no problem document"
    for name, response in responses.items():
        template = response["responseTemplates"]["application/json"]
        for placeholder in ("$context.error.messageString", "$context.error.validationErrorString"):
            template = template.replace(f'"{placeholder}"', '"…"').replace(placeholder, '"…"')
        problem = json.loads(template)
        if not {"type", "title", "code"} <= problem.keys():
            yield f"{name} is no problem document"
        elif problem["type"] != f"/problems/{problem['code']}":
            yield f"{name}: type and code differ"
        if str(problem.get("status")) != str(response.get("statusCode")):
            yield f"{name}: the document and the answer differ in status"
        if response["responseParameters"]["gatewayresponse.header.Content-Type"] != "'application/problem+json'":
            yield f"{name} is not sent as application/problem+json"
        if response["responseParameters"].get("gatewayresponse.header.Vary") != "'Authorization'":
            yield f"{name} does not say that it varies by the token"


def the_stage_is_throttled_logged_and_traced(system: System) -> Iterator[str]:
    """Each method has a rate and a burst, metrics of its own, an access log and traces."""
    stage = next(iter(system.of_type("AWS::ApiGateway::Stage").values()))["Properties"]
    every = [setting for setting in stage["MethodSettings"] if setting["ResourcePath"] == "/*"]
    if len(every) != 1:
        yield "no setting holds for all routes"
    for setting in stage["MethodSettings"]:
        if not {"ThrottlingRateLimit", "ThrottlingBurstLimit"} <= setting.keys():
            yield f"{setting['ResourcePath']} is not throttled"
        if not setting.get("MetricsEnabled"):
            yield f"{setting['ResourcePath']} has no metrics of its own"
        if setting.get("DataTraceEnabled"):
            yield f"{setting['ResourcePath']} writes whole requests to the log"
    if "AccessLogSetting" not in stage:
        yield "there is no access log"
    if not stage.get("TracingEnabled"):
        yield "requests are not traced"


def cached_answers_are_kept_by_all_that_decides_them(system: System) -> Iterator[str]:
    """A cached route is public; its key holds each parameter of path and query, the tag (304) and the origin (CORS)."""
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
    only_the_catalog_and_health_are_public,
    answers_come_before_the_gateway_gives_up,
    tokens_are_verified_by_our_authorizer,
    the_gateway_asks_for_no_more_than_the_handler,
    refusals_of_the_gateway_are_problems,
    the_stage_is_throttled_logged_and_traced,
    cached_answers_are_kept_by_all_that_decides_them,
)
