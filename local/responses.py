"""Conversion of a function's result to an HTTP response, as in API Gateway's Lambda proxy and mock integrations."""

import base64
import binascii
import json
import re
from typing import Any

from local.events import Call, binary
from local.refusals import Answer, RefusedByGateway, bad_gateway
from local.resources import Api, Operation

MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
REMAPPED = {
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "server",
    "user-agent",
    "www-authenticate",
}
DROPPED = {"te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate", "via"}
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
STATUS = re.compile(r'"statusCode"\s*:\s*"?(\d{3})')


def proxied(payload: bytes, call: Call, api: Api) -> Answer:
    """Return the response that a function's result describes. Raises RefusedByGateway (502) if it describes none."""
    try:
        document = json.loads(payload)
    except ValueError as error:
        raise bad_gateway() from error
    if not isinstance(document, dict) or not document.keys() <= MEMBERS:
        raise bad_gateway()
    headers = _headers(document)
    if "content-type" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Type", "application/json"))
    return Answer(_status(document.get("statusCode", 200)), headers, _body(document, headers, call, api))


def mocked(operation: Operation) -> Answer:
    """Return the response of a mock integration, such as the CORS preflight that SAM generates."""
    integration = operation.integration
    request = "".join(str(text) for text in integration.get("requestTemplates", {}).values())
    status = STATUS.search(request)
    code = status.group(1) if status else "200"
    responses = integration.get("responses", {})
    chosen = next(
        (response for pattern, response in responses.items() if pattern != "default" and re.fullmatch(pattern, code)),
        responses.get("default"),
    )
    if chosen is None:
        raise RefusedByGateway("API_CONFIGURATION_ERROR", "Internal server error")
    media_type, body = next(iter(chosen.get("responseTemplates", {}).items()), ("application/json", ""))
    headers = [
        (name.removeprefix("method.response.header."), str(value).strip("'"))
        for name, value in chosen.get("responseParameters", {}).items()
    ]
    try:
        answered = int(chosen.get("statusCode", 200))
    except (TypeError, ValueError) as error:
        raise RefusedByGateway("API_CONFIGURATION_ERROR", "Internal server error") from error
    return Answer(answered, [("Content-Type", media_type), *headers], str(body).encode())


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise bad_gateway()
    try:
        status = int(value)
    except ValueError as error:
        raise bad_gateway() from error
    if not 200 <= status <= 599:
        raise bad_gateway()
    return status


def _headers(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Merge single-value and multi-value headers; if a name is in both, the multi-value one counts."""
    single, many = ({} if document.get(name) is None else document[name] for name in ("headers", "multiValueHeaders"))
    if not isinstance(single, dict) or not isinstance(many, dict):
        raise bad_gateway()
    overridden = {name.lower() for name in many}
    pairs: list[tuple[str, Any]] = [pair for pair in single.items() if pair[0].lower() not in overridden]
    for name, values in many.items():
        if not isinstance(values, list):
            raise bad_gateway()
        pairs.extend((name, value) for value in values)
    return [(_renamed(name), _text(value)) for name, value in pairs if name.lower() not in DROPPED]


def _renamed(name: str) -> str:
    if HEADER_NAME.fullmatch(name) is None:
        raise bad_gateway()
    return f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise bad_gateway()
    text = str(value)
    if any(character in text for character in "\r\n\0"):
        raise bad_gateway()
    return text


def _body(document: dict[str, Any], headers: list[tuple[str, str]], call: Call, api: Api) -> bytes:
    body, encoded = document.get("body"), document.get("isBase64Encoded", False)
    if not isinstance(body, str | None) or not isinstance(encoded, bool):
        raise bad_gateway()
    if body is None:
        return b""
    accepted = (call.header("Accept") or "").partition(",")[0]
    content_type = next((value for name, value in headers if name.lower() == "content-type"), None)
    if encoded and (binary(accepted or content_type, api.binary_types)):
        try:
            return base64.b64decode(body, validate=True)
        except binascii.Error as error:
            raise bad_gateway() from error
    return body.encode("utf-8", errors="replace")
