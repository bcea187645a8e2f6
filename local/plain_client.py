"""awslambdaric's `runtime_client` with only the standard library, for machines without its native one."""

import http.client
import os
from collections.abc import Mapping
from email.message import Message

BASE = "/2018-06-01/runtime/invocation"

_connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
_headers: dict[str, str] = {}


class RuntimeClientError(Exception):
    """The Runtime API refused a request."""


def initialize_client(user_agent: str) -> None:
    """Store the name of this client."""
    _headers["User-Agent"] = user_agent


def next() -> tuple[bytes, Mapping[str, str | None]]:  # noqa: A001  # the name that awslambdaric calls
    """Wait for the next invocation: its event and its headers."""
    body, headers = _call("GET", f"{BASE}/next", None, {})
    return body, {name: headers.get(name) for name in _NAMES}


def post_invocation_result(
    invoke_id: str,
    result: bytes,
    content_type: str,
    invocation_id: str | None = None,  # noqa: ARG001
) -> None:
    """Send the handler's result."""
    _call("POST", f"{BASE}/{invoke_id}/response", result, {"Content-Type": content_type})


def post_error(invoke_id: str, error: str, xray_cause: str, invocation_id: str | None = None) -> None:  # noqa: ARG001
    """Send the handler's error."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": "Unhandled"}
    if xray_cause:
        headers["Lambda-Runtime-Function-XRay-Error-Cause"] = xray_cause.replace("\n", "")
    _call("POST", f"{BASE}/{invoke_id}/error", error.encode(), headers)


_NAMES = (
    "Lambda-Runtime-Aws-Request-Id",
    "Lambda-Runtime-Trace-Id",
    "Lambda-Runtime-Invoked-Function-Arn",
    "Lambda-Runtime-Deadline-Ms",
    "Lambda-Runtime-Client-Context",
    "Lambda-Runtime-Cognito-Identity",
    "Lambda-Runtime-Aws-Tenant-Id",
    "Lambda-Runtime-Invocation-Id",
    "Content-Type",
)


def _call(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[bytes, Message]:
    _connection.request(method, path, body, {**_headers, **headers})
    answer = _connection.getresponse()
    content = answer.read()
    if answer.status >= 300:
        raise RuntimeClientError(f"{method} {path} returned {answer.status}.")
    return content, answer.headers
