"""The parts of the OpenAPI document that belong to no handler: problems, tokens, tags, and examples made from types."""

from http import HTTPStatus
from typing import Any

Tree = dict[str, Any]

INFO: Tree = {
    "title": "Marquee",
    "version": "1.0.0",
    "summary": "Bookings that never oversell.",
    "description": (
        "Events, bookings, holds and waitlists. Errors are problem documents (RFC 9457) with a stable `code`; lists"
        " come in pages with a cursor; a request with an Idempotency-Key may be sent again."
        " docs/reference/api.md has the rules for all routes."
    ),
}

TAGS = [
    {"name": "catalog", "description": "What is on, for everybody: search, events, organizations, calendars."},
    {"name": "profile", "description": "What a person is called, and the language in which they are written to."},
    {"name": "bookings", "description": "Take seats, keep them for a while, give them back."},
    {"name": "refunds", "description": "Money that goes back, and how far it has come."},
    {"name": "credits", "description": "Wallets and passes, packages of them, promo codes."},
    {"name": "invoices", "description": "Invoices, and the credit notes that correct them."},
    {"name": "ledger", "description": "The books: organizers' statements, the trial balance."},
    {"name": "waitlist", "description": "Wait for seats, and take those that are offered."},
    {"name": "series", "description": "Plan events, one by one or by a rule."},
    {"name": "attendance", "description": "Who comes, who came."},
    {"name": "ratings", "description": "Votes, sliders and fires in; scores, ranks and what is known of raters out."},
    {"name": "insights", "description": "Figures for customers, instructors and organizations."},
    {"name": "webhooks", "description": "What Stripe tells Marquee, and what Marquee tells subscribers."},
    {"name": "health", "description": "Whether Marquee works."},
]

_PROBLEMS = {
    304: ("The client has this answer already.", None),
    400: ("The request is not well formed.", "malformed_json"),
    401: ("A token is needed, and a valid one.", "unauthenticated"),
    402: ("It costs something: `methods` says how it can be paid.", "payment_required"),
    403: ("The caller may not do this.", "forbidden"),
    404: ("There is no such thing, or not for this caller.", "not_found"),
    409: ("Its present state does not allow it; `code` says what stands in the way.", "conflict"),
    413: ("The body is too large.", "body_too_large"),
    415: ("The body is not application/json in UTF-8.", "unsupported_media_type"),
    422: ("The request does not have the form it must; `errors` says where and why.", "invalid_request"),
    429: ("Too many requests; come back after Retry-After seconds.", "rate_limited"),
    503: ("Not now; send it again, with the same Idempotency-Key.", "unavailable"),
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
            "description": "RFC 9457. Other members belong to the code: docs/reference/api.md lists them.",
            "required": ["type", "title", "code"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": {"type": "string"},
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "description": "Stable: decide by this."},
                "detail": {"type": "string", "description": "For people."},
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
    """A reference to the documented answer for a status that is no success."""
    return {"$ref": f"#/components/responses/{_name(status)}"}


def answers(statuses: set[int]) -> Tree:
    """The documented answers for these statuses, as components by name."""
    return {_name(status): _answer(status) for status in sorted(statuses)}


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def _answer(status: int) -> Tree:
    description, code = _PROBLEMS.get(status) or (HTTPStatus(status).phrase, "refused")
    if code is None:
        return {"description": description, "headers": {"ETag": _header("string")}}
    example = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": code,
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    made: Tree = {"description": description, "content": {"application/problem+json": content}}
    if status in (429, 503):
        made["headers"] = {"Retry-After": _header("integer")}
    if status == 401:
        made["headers"] = {"WWW-Authenticate": _header("string")}
    return made


def example_of(schema: Tree, schemas: Tree) -> Any:
    """An example that fits a schema: what its fields give as examples, else something plain."""
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
        return max(lowest, min(1, schema.get("maximum", 1)))
    if kind == "boolean":
        return True
    if kind == "string":
        text = _PLAIN.get(schema.get("format", ""), "text")
        return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength", 1000)]
    return None


def _header(kind: str) -> Tree:
    return {"schema": {"type": kind}}
