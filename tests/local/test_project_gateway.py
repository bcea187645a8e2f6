"""The gateway of template.yaml as the local stack serves it: it refuses no body that the OpenAPI document allows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local import plans, refusals, template
from local.events import Call
from local.refusals import RefusedByGateway
from local.resources import Account, Api
from local.validation import Validators
from scripts.openapi_parts import example_of
from tests.kit.api import OPENAPI

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads(OPENAPI.read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
BODIES = {
    (method.upper(), path): operation["requestBody"]["content"]["application/json"]["schema"]
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if "application/json" in operation.get("requestBody", {}).get("content", {})
}
MEDIA_TYPES = ["application/json", "application/json; foo=bar", "Application/JSON ; charset=UTF-8", None]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    account = Account("marquee", "eu-central-1")
    loaded = template.load(ROOT / "template.yaml", {}, account, tmp_path_factory.mktemp("cache"))
    [found] = plans.Plan(loaded).read().apis
    return found


def call(method: str, path: str, body: Any = None, content_type: str | None = "application/json") -> Call:
    return Call(
        method=method,
        path=path,
        query="",
        headers=[] if content_type is None else [("Content-Type", content_type)],
        source_address="127.0.0.1",
        protocol="HTTP/1.1",
        port=3000,
        body=json.dumps(body).encode(),
    )


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def bodies(schema: dict[str, Any]) -> Iterator[Any]:
    """Generate an example of each alternative of each member, in turn, and the body with its required members only."""
    schema = resolved(schema)
    choices = [choice for word in ("anyOf", "oneOf") for choice in schema.get(word, [])]
    for choice in choices:
        yield from bodies(choice)
    if choices:
        return
    if "properties" not in schema:
        yield None if schema.get("type") == "null" else example_of(schema, SCHEMAS)
        return
    whole = example_of(schema, SCHEMAS)
    yield {name: whole[name] for name in schema.get("required", [])}
    for name, member in schema["properties"].items():
        for value in bodies(member):
            yield {**whole, name: value}


def test_gateway_accepts_every_alternative_of_every_member(api: Api) -> None:
    validators, refused, nulls = Validators(api), [], 0
    for operation in api.operations:
        schema = BODIES.get((operation.method, operation.path))
        if schema is None:
            continue
        document = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
        for body in filter(document.is_valid, bodies(schema)):
            nulls += isinstance(body, dict) and None in body.values()
            for media_type in MEDIA_TYPES:
                try:
                    validators.check(call(operation.method, operation.path, body, media_type), operation)
                except RefusedByGateway as refusal:
                    refused.append((operation.method, operation.path, body, refusal.detail))

    assert refused == []
    assert nulls > 50


@pytest.mark.parametrize("kind", sorted(refusals.STATUSES))
def test_refusal_of_the_gateway_is_a_problem_document_with_its_status(api: Api, kind: str) -> None:
    answer = refusals.answer(RefusedByGateway(kind, "A reason", detail='[missing (["a"])]'), call("GET", "/x"), api)
    problem, headers = json.loads(answer.body), dict(answer.headers)

    assert (problem["status"], headers["Content-Type"]) == (answer.status, "application/problem+json")
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["title"] == problem["code"].replace("_", " ").capitalize()
    assert problem["detail"]
    assert ("Retry-After" in headers) == (answer.status in (429, 502, 504))
    assert headers.get("Retry-After", "None") == str(problem.get("retry_after_seconds"))


def test_failed_function_is_a_problem_document_with_its_status(api: Api) -> None:
    answer = refusals.answer(refusals.bad_gateway(), call("GET", "/x"), api)

    assert (answer.status, json.loads(answer.body)["status"]) == (502, 502)
