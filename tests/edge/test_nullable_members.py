"""Every member that the OpenAPI document lets be null may be null: the handler treats it like the omitted member."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from marquee.core import database
from marquee.core.identity import Caller, service
from marquee.edge import queues
from scripts.openapi_parts import example_of
from tests.kit import gateway, scheduling
from tests.kit.api import OPENAPI, Api
from tests.kit.databases import api_url, copy_database

DOCUMENT = json.loads(OPENAPI.read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    (method, path): operation["requestBody"]["content"]["application/json"]["schema"]
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def is_nullable(schema: dict[str, Any]) -> bool:
    schema = resolved(schema)
    choices = [choice for word in ("anyOf", "oneOf") for choice in schema.get(word, [])]
    return "null" in schema.get("type", ()) or any(map(is_nullable, choices))


def nullable_members(method: str, path: str) -> Iterator[str]:
    schema = resolved(OPERATIONS[method, path])
    for choice in [schema, *map(resolved, schema.get("anyOf", []))]:
        yield from (name for name, member in choice.get("properties", {}).items() if is_nullable(member))


CASES = [(method, path, name) for method, path in OPERATIONS for name in nullable_members(method, path)]


@pytest.fixture(scope="module")
def ask(server, copier):
    """Return a function that sends a body as the owner or the service, and returns the response."""
    copy_database(copier, "nulls")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", api_url(server, "nulls"))
        environment.setattr(queues, "send", lambda *_, **__: None)
        environment.setattr(queues, "send_batch", lambda *_, **__: None)
        with psycopg.connect(server.url("nulls"), autocommit=True, row_factory=dict_row) as db:
            world = scheduling.world(db)
            ids = {"event_id": scheduling.make_event(world)["id"], "series_id": scheduling.make_series(world)["id"]}
            db.execute(
                "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000,"
                " address_burst = 600000"
            )
        api = Api({})

        def send(method: str, path: str, body: Any) -> gateway.Answer:
            function, _ = api.function_of(method.upper(), path)
            operation = DOCUMENT["paths"][path][method]
            served = operation.get("x-caller") == "service_role"
            caller = service() if served else Caller(world.owner, "authenticated", world.organization_id)
            for name in re.findall(r"{(\w+)}", path) if method == "patch" else ():
                path = path.replace(f"{{{name}}}", ids.get(name, str(uuid4())))
            path = re.sub(r"{\w+}", lambda _: str(uuid4()), path)
            if isinstance(body, dict):
                known = {name: str(getattr(world, name)) for name in body if hasattr(world, name) and body[name]}
                new = {"slug": f"s{uuid4().hex}"} if "slug" in body else {}
                body = {**body, **known, **new}
            with contextlib.redirect_stdout(io.StringIO()):
                return gateway.request(function, method.upper(), path, body, caller=caller, key=uuid4().hex)

        yield send
    database.disconnect()
    copier.execute("drop database nulls with (force)")


@pytest.mark.parametrize(("method", "path", "name"), CASES, ids=lambda word: word)
def test_null_is_accepted_where_the_document_allows_it(ask, method, path, name):
    whole = example_of(OPERATIONS[method, path], SCHEMAS)
    assert isinstance(whole, dict)
    without = {key: value for key, value in whole.items() if key != name}

    null, omitted = ask(method, path, {**without, name: None}), ask(method, path, without)

    shown, expected = (answer.body if isinstance(answer.body, dict) else {} for answer in (null, omitted))
    assert null.status < 500
    assert not [error for error in shown.get("errors", []) if name in error["path"]]
    assert (null.status, shown.get("code")) == (omitted.status, expected.get("code"))
