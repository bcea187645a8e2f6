"""The gateway's own refusals, in the wording of the template's GatewayResponses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.events import Call
from local.resources import Api, GatewayResponse

STATUSES = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 500,
}
ERROR_TYPES = {
    "ACCESS_DENIED": "AccessDeniedException",
    "BAD_REQUEST_BODY": "BadRequestException",
    "BAD_REQUEST_PARAMETERS": "BadRequestException",
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "REQUEST_TOO_LARGE": "RequestTooLargeException",
    "THROTTLED": "TooManyRequestsException",
    "UNAUTHORIZED": "UnauthorizedException",
    "UNSUPPORTED_MEDIA_TYPE": "UnsupportedMediaTypeException",
}
PLAIN = {"application/json": '{"message":$context.error.messageString}'}
VARIABLE = re.compile(r"\$(context|stageVariables|method\.request)((?:\.[A-Za-z0-9_-]+)+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the gateway: status, headers in order, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class RefusedByGateway(Exception):
    """The gateway refuses the request, or cannot make a response of the function's result."""

    def __init__(self, kind: str, message: str | None, *, status: int | None = None, detail: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = status
        self.detail = detail


def bad_gateway() -> RefusedByGateway:
    """Return the refusal for a failed function, or for a result that is not a response."""
    return RefusedByGateway("DEFAULT_5XX", "Internal server error", status=502)


def not_here(call: Call, reason: str) -> Answer:
    """Respond 501 for a route that is not served here, with a problem document that gives the reason."""
    problem = {
        "type": "about:blank",
        "title": "Not Implemented",
        "status": 501,
        "code": "not_run_locally",
        "detail": f"The local stack does not serve {call.method} {call.path}: {reason}.",
    }
    return Answer(501, [("Content-Type", "application/problem+json")], json.dumps(problem).encode())


def answer(refusal: RefusedByGateway, call: Call, api: Api) -> Answer:
    """Return the refusal in the wording of the API's GatewayResponses, or else of AWS."""
    status = refusal.status or STATUSES[refusal.kind]
    chosen = api.responses.get(refusal.kind) or api.responses.get("DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX")
    chosen = chosen or GatewayResponse(None, {}, PLAIN)
    status = chosen.status or status
    values = _values(refusal, call, api)
    templates = chosen.templates or PLAIN
    media_type = _media_type(call, templates)
    body = VARIABLE.sub(lambda match: _lookup(values, match.group(1) + match.group(2)), templates[media_type])
    headers = {"Content-Type": media_type}
    for name, expression in chosen.headers.items():
        headers[name] = expression[1:-1] if expression.startswith("'") else _lookup(values, expression)
    named = {name.lower() for name in headers}
    if "content-type" in {name.lower() for name in chosen.headers}:
        headers = {name: value for name, value in headers.items() if name != "Content-Type" or name in chosen.headers}
    if "x-amzn-errortype" not in named:
        headers["x-amzn-ErrorType"] = ERROR_TYPES.get(refusal.kind, "InternalServerErrorException")
    return Answer(status, list(headers.items()), body.encode())


def _media_type(call: Call, templates: Mapping[str, str]) -> str:
    accepted = (call.header("Accept") or "").partition(",")[0].partition(";")[0].strip().lower()
    if accepted in templates:
        return accepted
    return "application/json" if "application/json" in templates else next(iter(templates))


def _values(refusal: RefusedByGateway, call: Call, api: Api) -> dict[str, str]:
    values = {
        "context.error.message": refusal.message or "",
        "context.error.messageString": json.dumps(refusal.message),
        "context.error.responseType": refusal.kind,
        "context.error.validationErrorString": json.dumps(refusal.detail or "")[1:-1],
        "context.requestId": call.request_id,
        "context.extendedRequestId": call.extended_id,
        "context.httpMethod": call.method,
        "context.path": call.path,
        "context.protocol": call.protocol,
        "context.resourcePath": call.match.operation.path if call.match else "",
        "context.stage": api.stage,
        "context.apiId": api.id,
        "context.domainName": call.header("Host") or "",
        "context.identity.sourceIp": call.source_address,
        "context.identity.userAgent": call.header("User-Agent") or "",
    }
    values.update({f"stageVariables.{name}": value for name, value in api.stage_variables.items()})
    values.update({f"context.authorizer.{name}": _text(value) for name, value in (call.principal or {}).items()})
    values.update({f"method.request.header.{name.lower()}": value for name, value in call.headers})
    values.update({f"method.request.querystring.{name}": value for name, value in call.parameters})
    return values


def _lookup(values: Mapping[str, str], name: str) -> str:
    if name.startswith("method.request.header."):
        name = name.lower()
    return values.get(name, "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
