"""Routes of HTTP functions: the resolver of each function's app, and the tools that its routes use.

    app = http.resolver()

    @app.post("/bookings", tags=["bookings"], status_code=201, responses=http.problems(402, 404, 409, 429))
    def book(
        request: Annotated[bookings.BookingRequest, Body()], idempotency_key: http.IdempotencyKey = None
    ) -> Response[bookings.Booking]:
        \"\"\"Take seats at an event.\"\"\"
        event = app.current_event
        with database.single(http.caller(event), limit=http.limited(event, "book")) as session:
            booked = bookings.book(session, request, idempotency_key)
        return http.text_json(HTTPStatus.CREATED, booked.answer)

The route's types are the contract: pydantic in and out, unknown members and parameters refused, one form for all
errors. Refused and Unavailable become problem documents. Any other exception is raised, and the client sees a bare 502.
"""

import hashlib
import ipaddress
import json as json_module
import os
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.api_gateway import ResponseBuilder, Route
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError, ResponseValidationError
from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from aws_lambda_powertools.event_handler.router import APIGatewayRouter
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from pydantic import BaseModel

from marquee.core import database, identity, paging
from marquee.core.database import Limit
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.edge import problems as documents
from marquee.edge import request_samples
from marquee.edge.observability import count, duration, logger
from marquee.edge.requests import RequestValidation, ResponseValidation

CONTENT_TYPE = "application/json"
ROLES = ("anon", "authenticated", "service_role")
SERVICE_ONLY = {"x-caller": "service_role"}
"""Mark a route for the service role alone: `openapi_extensions=http.SERVICE_ONLY`."""

Body = TypeVar("Body")
Model = TypeVar("Model", bound=BaseModel)

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="A key chosen by the client. Repeated with the same key, the request has one effect.",
    ),
]
Preview = Annotated[
    bool, Query(description="Only count what the request would do. It writes nothing, and uses no Idempotency-Key.")
]
PageSize = Annotated[int, Query(ge=1, le=paging.LIMIT_MAX, alias="limit", description="The maximum number of items.")]
Cursor = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=paging.CURSOR_LENGTH_MAX,
        alias="cursor",
        description="The next_cursor of the previous page.",
    ),
]


class Resolver(APIGatewayRestResolver):
    """Powertools' resolver for REST APIs with this project's validation, errors and measurements."""

    def __init__(self) -> None:
        super().__init__(cors=_cors(), enable_validation=True, debug=False)
        self._request_validation_middleware = RequestValidation()
        self._response_validation_middleware = ResponseValidation()
        self.exception_handler(Refused)(_refused)
        self.exception_handler(Unavailable)(_unavailable)
        self.exception_handler(RequestValidationError)(_invalid)
        self.exception_handler(ResponseValidationError)(_fault)
        self.exception_handler(NotFoundError)(self._no_route)

    @property
    def routes(self) -> list[Route]:
        """All routes of this app."""
        return [*self._static_routes, *self._dynamic_routes]

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}/*$") -> re.Pattern[str]:
        """Accept any segment as a path parameter, so that a wrong value is refused by its type and not as unknown."""
        return re.compile(base_regex.format(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule)))

    def _call_route(self, route: Route, route_arguments: dict[str, str]) -> ResponseBuilder[Any]:
        """Measure each request by its route, including those that fail."""
        label = f"{route.method} {route.openapi_path}" if route in self.routes else "unknown"
        began, status = time.perf_counter(), "fault"
        try:
            builder = super()._call_route(route, route_arguments)
            status = str(builder.response.status_code)
        finally:
            milliseconds = (time.perf_counter() - began) * 1000
            count("RequestServed")
            duration("RequestDuration", milliseconds, route=label)
            logger.info("request", route=label, status=status, duration_ms=round(milliseconds, 1))
            request_samples.requests.add(label, milliseconds, failed=status == "fault" or status.startswith("5"))
        request_samples.requests.write_if_due(caller(self.current_event))
        builder.response.headers.setdefault("Cache-Control", "no-store")
        builder.response.headers["X-Content-Type-Options"] = "nosniff"
        varies = [] if str(builder.response.headers["Cache-Control"]).startswith("public") else ["Authorization"]
        if self._cors is not None and self._cors.allowed_origin("") is None:  # the response depends on the origin
            varies.append("Origin")
        if varies:
            builder.response.headers["Vary"] = ", ".join(varies)
        return builder

    def _no_route(self, _error: NotFoundError) -> Response[Any]:
        path = self.current_event.path
        methods = sorted({route.method for route in self.routes if route.rule.match(path)})
        if not methods:
            return _refused(Refused(HTTPStatus.NOT_FOUND, "route_not_found"))
        return _refused(Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", allowed_methods=methods))


def resolver(*parts: APIGatewayRouter) -> Resolver:
    """Return the app of a function with routes; `parts` are the routes of its package."""
    app = Resolver()
    for part in parts:
        app.include_router(part)
    return app


def routes() -> APIGatewayRouter:
    """Return the router of a module in the package beside app.py.

    Use it as `routes = http.routes()`, `@routes.get(…)`, `routes.current_event`.
    """
    return APIGatewayRouter()  # type: ignore[no-untyped-call]


def caller(event: APIGatewayProxyEvent) -> Caller:
    """Return the caller that the authorizer found; anonymous on public routes. Client input is ignored."""
    request = event.get("requestContext") or {}
    context = request.get("authorizer") or {}
    if "caller_id" not in context:
        return identity.anonymous()
    role = context["role"]
    if role not in ROLES:
        raise ValueError(f"The authorizer gave an unknown role: {role!r}")
    return Caller(
        id=UUID(context["caller_id"]),
        role=role,
        org_id=UUID(context["org_id"]) if context.get("org_id") else None,
        # The outbox messages of this request carry its id, so that they can be traced back to it.
        claims=json_module.loads(context.get("claims") or "{}") | {"correlation_id": request.get("requestId")},
    )


def source_address(event: APIGatewayProxyEvent) -> str | None:
    """Return the request's source address as API Gateway saw it, never from a header.

    Of an IPv6 address, return the /64 network: one customer has all of its addresses. Return an IPv4-mapped address as
    IPv4. So neither another spelling nor another address of the same network has rate-limit tokens of its own.
    """
    address = ((event.get("requestContext") or {}).get("identity") or {}).get("sourceIp")
    if address is None or ":" not in str(address):
        return None if address is None else str(address)
    try:
        full = ipaddress.IPv6Address(str(address))
    except ValueError:
        return str(address)
    if full.ipv4_mapped is not None:
        return str(full.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(full) >> 64 << 64)}/64"


def base_url(event: APIGatewayProxyEvent) -> str:
    """Return the address of the API as the client called it: its host, and the stage if it is in the path."""
    request = event.get("requestContext") or {}
    host = event.headers.get("host") or request.get("domainName") or "localhost"
    scheme = event.headers.get("x-forwarded-proto") or "https"
    stage = str(request.get("path") or event.path).removesuffix(event.path)
    return f"{scheme}://{host}{stage}"


def limited(event: APIGatewayProxyEvent, operation: str, *, customer_id: UUID | None = None) -> Limit:
    """Return the limit for a session: the operation's rule, for the caller and this source address.

    `customer_id` is the customer for whom the caller acts. If it is not the caller, which only staff may do, the rule
    of `<operation>_for_customer` applies: a front desk serves more people than one person books for.
    """
    if customer_id is not None and customer_id != caller(event).id:
        operation = f"{operation}_for_customer"
    return Limit(operation, source_address(event))


def problems(*statuses: int) -> dict[int, Any]:
    """List a route's own error statuses, besides those of every route (400, 401, 413, 415, 422, 429, 503…)."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def json(status: int, model: Model, headers: Mapping[str, str] | None = None) -> Response[Model]:
    """Respond with a model."""
    return cast(Response[Model], text_json(status, model.model_dump_json(by_alias=True), headers))


def text_json(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """Respond with JSON text, byte for byte: the stored first response to a repeated request."""
    return text_of(status, CONTENT_TYPE, text, headers)


def text_of(status: int, content_type: str, text: str, headers: Mapping[str, str] | None = None) -> Response[Any]:
    """Respond with another kind of text, such as text/calendar; `content_type` names its charset."""
    return Response(status_code=status, content_type=content_type, body=text, headers=dict(headers or {}))


def empty() -> Response[None]:
    """Respond 204, without a body."""
    return Response(status_code=HTTPStatus.NO_CONTENT)


def moved(event: APIGatewayProxyEvent, path: str) -> Response[Any]:
    """Respond 308: the object is at another path of this API now."""
    return Response(status_code=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": f"{base_url(event)}{path}"})


def cacheable(
    event: APIGatewayProxyEvent, response: Response[Body], *, seconds: int, public: bool = True
) -> Response[Body]:
    """Return the response with a strong ETag and Cache-Control, or 304 to a client that already has it.

    `public` lets shared caches store it; use it only for data that every caller may see.
    """
    scope = "public" if public else "private"
    etag = f'"{hashlib.sha256(str(response.body).encode()).hexdigest()[:32]}"'
    response.headers.update({"ETag": etag, "Cache-Control": f"{scope}, max-age={seconds}"})
    if _matches(event.headers.get("if-none-match"), etag):
        kept = {name: value for name, value in response.headers.items() if name != "Content-Type"}
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)
    return response


def _matches(condition: str | None, etag: str) -> bool:
    if condition is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or etag in tags


def _refused(refusal: Refused) -> Response[Any]:
    count("RequestRefused", code=refusal.code)
    return documents.refused(refusal)


def _invalid(error: RequestValidationError) -> Response[Any]:
    return _refused(documents.invalid(error.errors()))


def _unavailable(error: Unavailable) -> Response[Any]:
    count("RequestUnavailable")
    logger.warning("unavailable", exc_info=error)
    return documents.unavailable(error)


def _fault(error: ResponseValidationError) -> Response[Any]:
    """Raise a response that does not have its type, because that is our fault and not the client's."""
    raise error


def _cors() -> CORSConfig | None:
    """Allow browsers of the origins in CORS_ORIGIN (separated by commas). Without any, none may call."""
    origins = [origin.strip() for origin in os.environ.get("CORS_ORIGIN", "").split(",") if origin.strip()]
    if not origins:
        return None
    return CORSConfig(
        allow_origin=origins[0],
        extra_origins=origins[1:],
        allow_headers=["Idempotency-Key", "If-None-Match", "Prefer"],
        expose_headers=["ETag", "Location", "Preference-Applied", "Retry-After"],
        max_age=600,
    )


def _count_warning(code: str) -> None:
    """Count a routine's warning as a metric: rate_limiter_failed is RateLimiterFailed."""
    logger.warning("database_warning", code=code)
    count("".join(word.title() for word in code.split("_")))


database.warning_listeners.append(_count_warning)
