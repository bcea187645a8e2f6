"""API Gateway's events, format 1.0: the input of a Lambda proxy integration and of a Lambda authorizer."""

import base64
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus
from uuid import uuid4

from local.resources import Account, Api, Operation
from local.routes import Match

CAPITALISED = {"authorization": "Authorization", "user-agent": "User-Agent"}
LEFT_OUT = {"content-length", "connection", "transfer-encoding", "keep-alive", "expect", "upgrade", "te"}
NO_IDENTITY: dict[str, None] = {
    "cognitoIdentityPoolId": None,
    "accountId": None,
    "cognitoIdentityId": None,
    "caller": None,
    "principalOrgId": None,
    "accessKey": None,
    "cognitoAuthenticationType": None,
    "cognitoAuthenticationProvider": None,
    "userArn": None,
    "user": None,
}


@dataclass(slots=True)
class Call:
    """A request on its way through the gateway. `headers` keep order and case, `path` and `query` are raw."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    source_address: str
    protocol: str
    port: int
    request_id: str = field(default_factory=lambda: str(uuid4()))
    extended_id: str = field(default_factory=lambda: secrets.token_urlsafe(11) + "=")
    trace_id: str = field(default_factory=lambda: f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")
    at: float = field(default_factory=time.time)
    body: bytes = b""
    match: Match | None = None
    principal: dict[str, Any] | None = None

    def header(self, name: str) -> str | None:
        """Return the last value of a header, in any case."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.headers) if key.lower() == wanted), None)

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's parameters, decoded, in order."""
        pairs = (part.partition("=") for part in self.query.split("&") if part)
        return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


def proxy(call: Call, operation: Operation, api: Api, account: Account) -> dict[str, Any]:
    """Return the event of a Lambda proxy integration."""
    body, encoded = _body(call, api)
    headers, many_headers = _headers(call)
    query, many_query = _grouped(call.parameters)
    return {
        "resource": operation.path,
        "path": call.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": many_query or None,
        "pathParameters": (call.match.parameters if call.match else {}) or None,
        "stageVariables": dict(api.stage_variables) or None,
        "requestContext": context(call, operation, api, account),
        "body": body,
        "isBase64Encoded": encoded,
    }


def request_authorizer(call: Call, operation: Operation, api: Api, account: Account) -> dict[str, Any]:
    """Return the event of a REQUEST authorizer."""
    headers, many_headers = _headers(call)
    query, many_query = _grouped(call.parameters)
    return {
        "type": "REQUEST",
        "methodArn": method_arn(call, api, account),
        "resource": operation.path,
        "path": call.path,
        "httpMethod": call.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": many_query,
        "pathParameters": call.match.parameters if call.match else {},
        "stageVariables": dict(api.stage_variables),
        "requestContext": context(call, operation, api, account),
    }


def token_authorizer(call: Call, token: str, api: Api, account: Account) -> dict[str, Any]:
    """Return the event of a TOKEN authorizer."""
    return {"type": "TOKEN", "methodArn": method_arn(call, api, account), "authorizationToken": token}


def method_arn(call: Call, api: Api, account: Account) -> str:
    """Return the ARN in an authorizer's policy: this method of this path."""
    path = call.path.removeprefix("/")
    return f"{account.arn('execute-api', api.id)}/{api.stage}/{call.method}/{path}"


def context(call: Call, operation: Operation, api: Api, account: Account) -> dict[str, Any]:
    """Return the requestContext of an event."""
    host = call.header("Host") or "127.0.0.1"
    found: dict[str, Any] = {
        "resourceId": operation.resource_id,
        "resourcePath": operation.path,
        "httpMethod": call.method,
        "extendedRequestId": call.extended_id,
        "requestTime": f"{datetime.fromtimestamp(call.at, UTC):%d/%b/%Y:%H:%M:%S} +0000",
        "path": call.path,
        "accountId": account.id,
        "protocol": call.protocol,
        "stage": api.stage,
        "domainPrefix": host.partition(".")[0].partition(":")[0],
        "requestTimeEpoch": int(call.at * 1000),
        "requestId": call.request_id,
        "identity": {**NO_IDENTITY, "sourceIp": call.source_address, "userAgent": call.header("User-Agent")},
        "domainName": host.rpartition(":")[0] or host,
        "deploymentId": api.id[:6],
        "apiId": api.id,
    }
    if call.principal is not None:
        found["authorizer"] = call.principal
    return found


def _headers(call: Call) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the headers for functions: without those of the connection, with those of the gateway."""
    pairs = [(CAPITALISED.get(key.lower(), key), value) for key, value in call.headers if key.lower() not in LEFT_OUT]
    names = {key.lower() for key, _ in pairs}
    forwarded = [value for key, value in pairs if key.lower() == "x-forwarded-for"]
    pairs = [
        pair for pair in pairs if pair[0].lower() not in ("x-forwarded-for", "x-forwarded-port", "x-forwarded-proto")
    ]
    pairs.append(("X-Forwarded-For", ", ".join([*forwarded, call.source_address])))
    pairs.append(("X-Forwarded-Port", str(call.port)))
    pairs.append(("X-Forwarded-Proto", "http"))
    if "x-amzn-trace-id" not in names:
        pairs.append(("X-Amzn-Trace-Id", call.trace_id))
    return _grouped(pairs)


def _grouped(pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the last value by name, and all values by name."""
    many: dict[str, list[str]] = {}
    for name, value in pairs:
        many.setdefault(name, []).append(value)
    return dict(pairs), many


def _body(call: Call, api: Api) -> tuple[str | None, bool]:
    if not call.body:
        return None, False
    if binary(call.header("Content-Type"), api.binary_types):
        return base64.b64encode(call.body).decode(), True
    return call.body.decode("utf-8", errors="replace"), False


def binary(media_type: str | None, binary_types: Sequence[str]) -> bool:
    """Return whether the API treats this media type as binary."""
    if not binary_types:
        return False
    wanted = (media_type or "").partition(";")[0].strip().lower()
    main = wanted.partition("/")[0]
    return any(kind in ("*/*", wanted, f"{main}/*") for kind in (each.lower() for each in binary_types))
