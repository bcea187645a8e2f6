"""Test that no text field of any body accepts control characters or characters that change the text direction."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from marquee.core import database
from marquee.core.identity import Caller
from tests.kit import gateway, scheduling
from tests.kit.api import OPENAPI, Api
from tests.kit.databases import api_url, copy_database, drop_database

DOCUMENT = json.loads(OPENAPI.read_text())
WORSE = {"a control character": "Yo\x07ga", "a change of direction": "\u202egnp.exe", "an isolate": "Yoga\u2066"}

NOT_FOR_PEOPLE = {
    ("POST /ratings/events", "events"): "each event is checked separately, by tests/rating/test_ingest.py",
    (
        "POST /ratings/items/dirty",
        "item_ids",
    ): "the client's own item ids, which must match the stored ids",
    ("POST /organizations/{organization_id}/closures", "from"): "a date or a time, which must be parsed",
    ("POST /organizations/{organization_id}/closures", "until"): "a date or a time, which must be parsed",
    (
        "POST /organizations/{organization_id}/customers/import",
        "csv",
    ): "each row is checked separately, by tests/people/test_customer_details.py",
    ("POST /webhooks/stripe", ""): "Stripe's own event, stored as it was signed",
}
"""Fields that hold no text for people, by operation and first member, and why."""


def texts(schema: dict[str, Any], place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the places of all text fields in a schema. A list counts by its first element."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from texts(part, place)
    if schema.get("type") == "string" and "enum" not in schema and "const" not in schema:
        yield place
    for name, member in schema.get("properties", {}).items():
        yield from texts(member, (*place, name))
    if "items" in schema:
        yield from texts(schema["items"], (*place, 0))


FIELDS = sorted(
    {
        (path, method, place)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
        for place in texts(content["schema"])
        if not any(f"{method.upper()} {path}" == exempt and first in ("", place[0]) for exempt, first in NOT_FOR_PEOPLE)
    },
    key=str,
)


def with_text(place: tuple[str | int, ...], text: str) -> Any:
    """Build the smallest body with a text at this place."""
    body: Any = text
    for part in reversed(place):
        body = {part: body} if isinstance(part, str) else [body]
    return body


@pytest.fixture(scope="module")
def routes(server, copier):
    """Return the API's routes with a database, because the database checks some values."""
    copy_database(copier, "readable")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", api_url(server, "readable"))
        yield Api({})
        database.disconnect()
    drop_database(copier, "readable")


def test_text_fields_are_found_in_the_openapi_document():
    assert len(FIELDS) > 40
    assert ("/series", "post", ("title",)) in FIELDS
    assert all(
        operation.split()[0].lower() in DOCUMENT["paths"][operation.split()[1]] for operation, _ in NOT_FOR_PEOPLE
    )


@pytest.mark.parametrize("text", WORSE.values(), ids=WORSE)
@pytest.mark.parametrize(("path", "method", "place"), FIELDS, ids=lambda value: str(value).replace("/", ":"))
def test_text_field_refuses_control_and_direction_characters(routes, path, method, place, text):
    while "{" in path:
        path = path[: path.index("{")] + str(uuid4()) + path[path.index("}") + 1 :]
    function, _ = routes.function_of(method.upper(), path)
    owner = Caller(uuid4(), "authenticated", uuid4())

    answer = gateway.request(function, method.upper(), path, with_text(place, text), caller=owner, key="tap")

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert [*("body", *place)] in [error["path"] for error in answer.body["errors"]], answer.body


RIGHT_TO_LEFT = ["יוגה בבוקר", "يوغا في الصباح 2030", "כיתה א\u200f (2030)", "\u061cيوغا", "Yoga – ヨガ 👩\u200d👧"]


@pytest.mark.parametrize("title", RIGHT_TO_LEFT)
def test_title_in_any_script_is_stored_unchanged(db, title):
    world = scheduling.world(db)

    made = scheduling.make_series(world, title=title, description=f"{title}\r\n\t{title}")

    row = db.execute("select title, description from events.series where id = %s", [made["id"]]).fetchone()
    assert row == {"title": title, "description": f"{title}\r\n\t{title}"}
