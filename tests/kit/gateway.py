"""Replace API Gateway: build a request's proxy event and call the function's handler in this process.

    answer = gateway.post("book", "/bookings", {"event_id": event_id, "seats": 2}, caller=customer_id, key="tap")
    assert answer.status == 201
    assert answer.body["status"] == "confirmed"

`caller` is a profile's id, a Caller (for an organization or the service role), or nothing for an anonymous request.
It becomes the authorizer's context, which is all that a function knows about a caller. `key` is the Idempotency-Key.
The response's body is parsed if it is JSON. `answer.text` is the unchanged text.
"""

import base64
import functools
import importlib.util
import json
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from marquee.core.identity import Caller

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
SOURCE_ADDRESS = "192.0.2.10"
STAGE = "live"

Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The response that the client would see. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: Any
    text: str = ""


@dataclass(slots=True)
class Context:
    """A Lambda context whose remaining time a test can set."""

    function_name: str = "function"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    milliseconds_left: int = 25_000
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """Return the function's ARN in a fictitious account."""
        return f"arn:aws:lambda:eu-central-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Return the remaining time of the invocation."""
        return self.milliseconds_left


def get(function: str, path: str, **options: Any) -> Answer:
    """Send a GET request. The options are those of `request`."""
    return request(function, "GET", path, **options)


def post(function: str, path: str, body: Any = None, **options: Any) -> Answer:
    """Send a POST request with a JSON body. The options are those of `request`."""
    return request(function, "POST", path, body, **options)


def patch(function: str, path: str, body: Any = None, **options: Any) -> Answer:
    """Send a PATCH request with a JSON body. The options are those of `request`."""
    return request(function, "PATCH", path, body, **options)


def delete(function: str, path: str, body: Any = None, **options: Any) -> Answer:
    """Send a DELETE request. The options are those of `request`."""
    return request(function, "DELETE", path, body, **options)


def request(function: str, method: str, path: str, body: Any = None, **options: Any) -> Answer:
    """Send one request to a function, by its folder's name, and read the response.

    Options: caller, key, headers, query (a value or a list of values each), address (the source address).
    A body that is str or bytes is sent unchanged, anything else as JSON. A fault of the handler is raised.
    """
    result = invoke(function, event(method, path, body, **options))
    headers = {
        **{name.lower(): values[-1] for name, values in (result.get("multiValueHeaders") or {}).items()},
        **{name.lower(): value for name, value in (result.get("headers") or {}).items()},
    }
    text = result.get("body") or ""
    if result.get("isBase64Encoded"):
        text = base64.b64decode(text).decode()
    is_json = "json" in headers.get("content-type", "")
    return Answer(result["statusCode"], headers, json.loads(text) if text and is_json else text, text)


def invoke(function: str, payload: dict[str, Any], context: Context | None = None) -> Any:
    """Call a function's handler with any event, passed through JSON."""
    result = load(function).lambda_handler(
        json.loads(json.dumps(payload, default=str)), context or Context(function_name=function)
    )
    return json.loads(json.dumps(result))


def event(
    method: str,
    path: str,
    body: Any = None,
    *,
    caller: Caller | UUID | None = None,
    key: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: Query | None = None,
    address: str = SOURCE_ADDRESS,
) -> dict[str, Any]:
    """Build API Gateway's event for a request (REST API, Lambda proxy integration)."""
    sent = {"Host": "api.marquee.example", "User-Agent": "tests", **(headers or {})}
    if key is not None:
        sent["Idempotency-Key"] = key
    if body is not None and not any(name.lower() == "content-type" for name in sent):
        sent["Content-Type"] = "application/json"
    values = {
        name: [str(item) for item in (value if isinstance(value, list | tuple) else [value])]
        for name, value in (query or {}).items()
        if value is not None
    }
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: items[-1] for name, items in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "marquee",
            "authorizer": None if caller is None else authorizer_context(caller),
            "domainName": "api.marquee.example",
            "extendedRequestId": "test",
            "httpMethod": method,
            "identity": {"sourceIp": address, "userAgent": "tests"},
            "path": f"/{STAGE}{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": 1_900_000_000_000,
            "resourceId": "test",
            "resourcePath": path,
            "stage": STAGE,
        },
        **_encoded(body),
    }


def authorizer_context(caller: Caller | UUID) -> dict[str, str]:
    """Build the authorizer's context of a caller, with strings only as in API Gateway."""
    if isinstance(caller, UUID):
        caller = Caller(caller, "authenticated")
    caller_id = caller.id or uuid.uuid5(uuid.NAMESPACE_URL, "tests#" + caller.role)
    context = {
        "principalId": str(caller_id),
        "caller_id": str(caller_id),
        "role": caller.role,
        "claims": json.dumps(Caller(caller_id, caller.role, caller.org_id, caller.claims).database_claims()),
    }
    if caller.org_id is not None:
        context["org_id"] = str(caller.org_id)
    return context


@functools.cache
def load(function: str) -> ModuleType:
    """Load the module of a function's folder once, by path, because folder names need not be identifiers."""
    os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Marquee")
    os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "tests")
    os.environ.setdefault("POWERTOOLS_TRACE_DISABLED", "true")
    path = FUNCTIONS / function / "app.py"
    if str(path.parent) not in sys.path:  # a package beside app.py has a unique name
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(f"functions_{function.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _encoded(body: Any) -> dict[str, Any]:
    if isinstance(body, bytes):
        return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    if body is None or isinstance(body, str):
        return {"body": body, "isBase64Encoded": False}
    return {"body": json.dumps(body, default=str), "isBase64Encoded": False}
