"""Problem documents (RFC 9457): the one form of all error responses."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from marquee.core.errors import Refused, Unavailable
from marquee.edge import refusals

CONTENT_TYPE = "application/problem+json"
ERRORS_MAX = 50
TEXT_LENGTH_MAX = 200
VALIDATOR_PREFIX = "Value error, "
"""Pydantic's prefix of the messages of validators."""

_MEMBERS = ("type", "title", "status", "code", "detail")


def problem(
    status: int,
    code: str,
    detail: str | None = None,
    *,
    extensions: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Respond with a problem document; `extensions` become members beside the standard ones.

    Without a `detail`, the sentence of its code is used.
    """
    detail = detail or refusals.sentence_of(code, extensions or {})
    document: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
    }
    if detail is not None:
        document["detail"] = detail
    document.update({name: value for name, value in (extensions or {}).items() if name not in _MEMBERS})
    return Response(
        status_code=status,
        content_type=CONTENT_TYPE,
        body=json.dumps(document, separators=(",", ":"), default=str),
        headers=dict(headers or {}),
    )


def refused(refusal: Refused) -> Response[Any]:
    """Respond to a refusal; its member `retry_after_seconds` becomes a Retry-After header."""
    headers = {}
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    seconds = refusal.extensions.get("retry_after_seconds")
    if isinstance(seconds, int | float):
        headers["Retry-After"] = str(max(1, round(seconds)))
    allowed = refusal.extensions.get("allowed_methods")
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED and isinstance(allowed, list):
        headers["Allow"] = ", ".join(allowed)
    return problem(refusal.status, refusal.code, refusal.detail, extensions=refusal.extensions, headers=headers)


def unavailable(error: Unavailable) -> Response[Any]:
    """Respond that the same request may succeed in a moment."""
    return problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "unavailable",
        error.detail,
        extensions={"retry_after_seconds": error.retry_after_seconds},
        headers={"Retry-After": str(error.retry_after_seconds)},
    )


def invalid(errors: Sequence[Mapping[str, Any]]) -> Refused:
    """Return the refusal of an invalid request: places, kinds and reasons of its errors, never the values sent."""
    places = [
        {
            "path": [_short(part) for part in error["loc"]],
            "kind": str(error["type"]),
            "message": _short(error["msg"].removeprefix(VALIDATOR_PREFIX)),
        }
        for error in errors[:ERRORS_MAX]
    ]
    for place in places:
        if place["path"] == ["header", "idempotency-key"] and place["kind"] == "missing":
            return Refused(HTTPStatus.BAD_REQUEST, "idempotency_key_required")
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", errors=places)


def _short(value: Any) -> Any:
    return value[:TEXT_LENGTH_MAX] if isinstance(value, str) else value
