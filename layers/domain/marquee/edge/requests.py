"""Checks on every request before its route: JSON of bounded size, with text that PostgreSQL can store."""

import base64
import binascii
import json
import math
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from pydantic import BaseModel

from marquee.core.errors import Refused
from marquee.core.models import Request

BODY_BYTES_MAX = 256 * 1024
DEPTH_MAX = 32
INTEGER_MAX = 2**63 - 1

_DEPTH_OF_ELEMENTS = 3  # {"body": {name: [element]}}
_JSON_TYPES = ("", "application/json")
_CHARSETS = {"utf-8", "utf8"}
_PARAMETER = re.compile(r'(?P<name>[^\s=;"]+)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^;"]*)')
_SURROGATE = re.compile("[\ud800-\udfff]")


class RequestValidation(OpenAPIRequestValidationMiddleware):
    """Powertools' validation by the route's types, after the checks that all routes share."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def handler(self, app: Any, next_middleware: NextMiddleware) -> Response[Any]:
        """Refuse unknown query parameters and text that cannot be stored, then validate by the route's types."""
        event: APIGatewayProxyEvent = app.current_event
        query = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
        known = _parameters(app)
        errors = [
            {"type": "extra_forbidden", "loc": ("query", name), "msg": "There is no such parameter. Omit it."}
            for name in query
            if name not in known
        ]
        errors += unstorable({"query": query, "path": app.context["_route_args"]})
        if errors:
            raise RequestValidationError(errors)
        return super().handler(app, next_middleware)

    def _get_body(self, app: Any) -> dict[str, Any]:
        """Read the body as JSON. Refuses 413, 415, 400 malformed_json, and values that cannot be stored."""
        event: APIGatewayProxyEvent = app.current_event
        raw = raw_body(event)
        if not raw:
            return None  # type: ignore[return-value]  # Powertools' sign of a missing body
        _check_content_type(event)
        try:
            body = json.loads(raw.decode(), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "malformed_json") from error
        if body is not None and not isinstance(body, dict):
            raise RequestValidationError(
                [{"type": "object", "loc": ("body",), "msg": "The body must be a JSON object."}]
            )
        errors = unstorable({"body": body})
        name = _judged_singly(app) if errors else None
        if body is not None and name is not None:
            body = _without_unstorable(body, name)
            errors = unstorable({"body": body})
        if errors:
            raise RequestValidationError(errors)
        return body  # type: ignore[no-any-return]


class ResponseValidation(OpenAPIResponseValidationMiddleware):
    """Serializes a route's return value by its type. A text is a finished response and passes unchanged."""

    def __init__(self) -> None:
        super().__init__(has_response_validation_error=True)

    def handler(self, app: ApiGatewayResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """Raise ResponseValidationError, a fault, for a response without the route's type."""
        response: Response[Any] = next_middleware(app)
        if response.body is None or isinstance(response.body, str | bytes):
            return response
        return self._handle_response(route=app.context["_route"], response=response)  # type: ignore[no-any-return]


def raw_body(event: APIGatewayProxyEvent, *, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """Return the raw body. Refuses 413 body_too_large, and 400 malformed_json for invalid base64."""
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "malformed_json", "The body is not valid base64.") from error
    else:
        raw = body.encode("utf-8", "surrogatepass")
    if len(raw) > bytes_max:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The body may have at most {bytes_max} bytes. Send less.",
        )
    return raw


def _check_content_type(event: APIGatewayProxyEvent) -> None:
    headers = event.headers  # built again on each access
    media_type, charsets = _parsed_media_type(headers.get("content-type") or "")
    encoding = (headers.get("content-encoding") or "identity").strip().lower()
    if media_type not in _JSON_TYPES or not charsets <= _CHARSETS or encoding != "identity":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")


def _parsed_media_type(text: str) -> tuple[str, set[str]]:
    """Return the media type of a Content-Type header and its charsets, in lower case, without other parameters."""
    media_type, _, parameters = text.partition(";")
    charsets = {
        match["value"].strip().strip('"').lower()
        for match in _PARAMETER.finditer(parameters)
        if match["name"].lower() == "charset"
    }
    return media_type.strip().lower(), charsets - {""}


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _parameters(app: Any) -> set[str]:
    """Return the names of the query parameters of the matched route."""
    names: set[str] = set()
    for parameter in app.context["_route"].dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            names.update(field.alias or name for name, field in annotation.model_fields.items())
        else:
            names.add(parameter.alias)
    return names


def _judged_singly(app: Any) -> str | None:
    """Return the name of the body's list whose elements get a result each, if the matched route has one."""
    for parameter in app.context["_route"].dependant.body_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Request):
            return annotation.judged_singly
    return None


def _without_unstorable(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Replace values that cannot be stored, in the elements of that list, by []: valid as neither text nor number."""
    elements = body.get(name)
    if not isinstance(elements, list):
        return body
    return {**body, name: [_storable(element, DEPTH_MAX - _DEPTH_OF_ELEMENTS) for element in elements]}


def _storable(value: Any, depth_left: int) -> Any:
    if _kind_of_unstorable(value) is not None or (depth_left == 0 and isinstance(value, dict | list)):
        return []
    if isinstance(value, dict):
        if any(_kind_of_unstorable(name) is not None for name in value):
            return []
        return {name: _storable(member, depth_left - 1) for name, member in value.items()}
    if isinstance(value, list):
        return [_storable(item, depth_left - 1) for item in value]
    return value


def unstorable(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the errors of a JSON tree that PostgreSQL cannot store: NUL, lone surrogates, numbers beyond 64 bits."""
    return [] if _is_storable(tree, DEPTH_MAX) else list(_places_of_unstorable(tree))


def _is_storable(value: Any, depth_left: int) -> bool:
    """Return whether a tree can be stored. Nearly every one can, so places are searched only in the others."""
    if _kind_of_unstorable(value) is not None or depth_left < 0:
        return False
    if isinstance(value, dict):
        for name, member in value.items():  # two loops, because all() would cost too much
            if _kind_of_unstorable(name) is not None or not _is_storable(member, depth_left - 1):
                return False
    elif isinstance(value, list):
        for item in value:
            if not _is_storable(item, depth_left - 1):
                return False
    return True


def _places_of_unstorable(tree: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), tree)]
    while waiting:
        place, value = waiting.pop()
        kind = _kind_of_unstorable(value)
        if kind is None and len(place) > DEPTH_MAX:
            kind = "too_deep"
        if kind is not None:
            yield {
                "type": kind,
                "loc": place,
                "msg": "This value cannot be stored. Send plain text, or a number of at most 64 bits.",
            }
        elif isinstance(value, dict):
            for name, member in value.items():
                if _kind_of_unstorable(name) is not None:
                    yield {
                        "type": "string_unicode",
                        "loc": place,
                        "msg": "A name in this object cannot be stored. Correct it.",
                    }
                waiting.append(((*place, name), member))
        elif isinstance(value, list):
            waiting.extend(((*place, number), item) for number, item in enumerate(value))


def _kind_of_unstorable(value: Any) -> str | None:
    if isinstance(value, str):
        if "\0" in value:
            return "string_nul"
        return None if value.isascii() or not _SURROGATE.search(value) else "string_unicode"
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        return "int_too_large"
    if isinstance(value, float) and not math.isfinite(value):
        return "finite_number"
    return None
