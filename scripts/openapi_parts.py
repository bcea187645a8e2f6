"""The parts of the OpenAPI document without a handler: problems, tokens, tags, and examples derived from types."""

import json
from http import HTTPStatus
from typing import Any

from marquee.edge import problems

Tree = dict[str, Any]

INFO: Tree = {
    "title": "Marquee",
    "version": "1.0.0",
    "summary": "Bookings that never oversell.",
    "description": (
        "The API of an events business: a public catalog, bookings, holds, waitlists, payments, series and ratings."
        " Errors are problem documents (RFC 9457) with a stable `code`. Lists are returned in pages with a cursor. A"
        " request with an Idempotency-Key can be sent again without a second effect. Guide: docs/reference/api.md."
    ),
}

TAGS = [
    {"name": "catalog", "description": "The public catalog: search, events, organizations, calendars."},
    {"name": "profile", "description": "The caller's name, the language of their messages, and their dashboard."},
    {"name": "notifications", "description": "The caller's notifications, and which messages they receive."},
    {"name": "bookings", "description": "Book seats, hold them, pay for them, cancel them; the caller's calendar."},
    {"name": "refunds", "description": "Refunds and their progress."},
    {"name": "credits", "description": "Wallet money and passes, packages for sale, promo codes."},
    {"name": "invoices", "description": "Invoices and credit notes, and records of their payment."},
    {"name": "fees", "description": "No-show fees: list them, record their payment, waive them."},
    {"name": "payouts", "description": "Organizers' payout accounts and statements, and the ledger's trial balance."},
    {"name": "waitlist", "description": "Wait for seats, and accept offered ones."},
    {"name": "organizations", "description": "Create an organization; its settings, places and booking policies."},
    {"name": "customers", "description": "Customers of an organization, for its staff."},
    {"name": "members", "description": "Members of an organization, invitations, a new owner, and recorded changes."},
    {"name": "events", "description": "Plan single events, change them and cancel them."},
    {"name": "series", "description": "Plan events as a series by a recurrence rule, and pause, resume or archive it."},
    {"name": "attendance", "description": "The roster of an event, and who came."},
    {"name": "desk", "description": "Lists for staff, the day, payments at the desk, and the till."},
    {
        "name": "ratings",
        "description": "Send votes, sliders and fires; read scores, ranks and the reliability of raters.",
    },
    {"name": "insights", "description": "Schedules of instructors, and figures of organizations."},
    {"name": "access-log", "description": "Recorded reads of personal data of an organization's people."},
    {"name": "webhooks", "description": "Events from Stripe, and webhooks to subscribers."},
    {"name": "health", "description": "The health of the system."},
]

_PROBLEMS = {
    304: ("The client already has this response.", None),
    308: ("It is at the address in Location now.", None),
    400: ("The request is malformed. `code` says how.", "malformed_json"),
    401: ("A valid token is required.", "unauthenticated"),
    402: ("Payment is required: `methods` lists the ways to pay.", "payment_required"),
    403: ("The caller may see this, but not do it.", "forbidden"),
    404: ("It does not exist, or the caller may not see it.", "event_not_found"),
    409: ("The current state does not allow this. `code` gives the reason.", "waitlist_closed"),
    413: ("The body is too large.", "body_too_large"),
    415: ("The body is not application/json in UTF-8.", "unsupported_media_type"),
    422: ("The request is not valid. `errors` names each place and the reason.", "invalid_request"),
    429: ("Too many requests. Try again after Retry-After seconds.", "rate_limited"),
    503: ("Temporarily unavailable. Send the request again with the same Idempotency-Key.", "unavailable"),
}

COMPONENTS: Tree = {
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token of the configured OIDC issuer, RS256 or ES256.",
        }
    },
    "schemas": {
        "Problem": {
            "type": "object",
            "description": "A problem document (RFC 9457). docs/reference/api.md lists the other members of each code.",
            "required": ["type", "title", "status", "code"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "code": {
                    "type": "string",
                    "pattern": "^[a-z][a-z0-9_]*$",
                    "description": "Stable. Programs should decide by this.",
                },
                "detail": {"type": "string", "description": "A sentence for people, which may change."},
                "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemPlace"}},
                "retry_after_seconds": {"type": "number", "minimum": 0},
            },
        },
        "ProblemPlace": {
            "type": "object",
            "required": ["path", "kind", "message"],
            "properties": {
                "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                "kind": {"type": "string"},
                "message": {"type": "string"},
            },
        },
    },
}

_PLAIN = {
    "uuid": "0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a",
    "date-time": "2030-01-31T18:00:00Z",
    "date": "2030-01-31",
    "time": "18:00:00",
    "email": "ana@example.org",
    "uri": "https://marquee.example/",
}


def answer(status: int) -> Tree:
    """Return a reference to the documented response of an error status."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def answers(statuses: set[int]) -> Tree:
    """Return the documented responses of these statuses, as components by name."""
    return {_name(status): _answer(status) for status in sorted(statuses)}


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def _answer(status: int) -> Tree:
    description, code = _PROBLEMS.get(status) or (HTTPStatus(status).phrase, "request_refused")
    if code is None:
        return {"description": description, "headers": {"ETag": _header("string")}}
    example = json.loads(problems.problem(status, code).body or "{}")
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    made: Tree = {"description": description, "content": {"application/problem+json": content}}
    if status in (429, 503):
        made["headers"] = {"Retry-After": _header("integer")}
    if status == 401:
        made["headers"] = {"WWW-Authenticate": _header("string")}
    return made


def example_of(schema: Tree, schemas: Tree) -> Any:
    """Return an example that fits a schema: the examples of its fields, or plain values."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[1]], schemas)
    for given in ("examples", "enum"):
        if schema.get(given):
            return schema[given][0]
    for given in ("example", "const", "default"):
        if given in schema:
            return schema[given]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return example_of(schema[choice][0], schemas)
    return _example_of_type(schema, schemas)


def _example_of_type(schema: Tree, schemas: Tree) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: example_of(member, schemas) for name, member in schema.get("properties", {}).items()}
    if kind == "array":
        count = max(1, schema.get("minItems", 1)) if "items" in schema else 0
        return [example_of(schema["items"], schemas)] * count
    if kind in ("integer", "number"):
        lowest = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
        example = max(lowest, min(1, schema.get("maximum", 1)))
        return int(example) if kind == "integer" else example
    if kind == "boolean":
        return True
    if kind == "string":
        text = _PLAIN.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 1000)]
    return None


def _header(kind: str) -> Tree:
    return {"schema": {"type": kind}}
