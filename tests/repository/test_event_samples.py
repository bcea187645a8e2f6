"""scripts/events.py writes a sample of each trigger, and notices when a committed one differs."""

import functools
import json
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, RootModel

from marquee.edge import queues
from scripts import events

pytestmark = pytest.mark.usefixtures("sockets_off")


def parameter(place, name, *, required=False, **schema):
    return {"in": place, "name": name, "required": required, "schema": {"type": "string", **schema}}


def operation(*parameters, **members):
    return {"operationId": "read_thing", "security": [{"bearer": []}], "parameters": list(parameters), **members}


def sample(*parameters, **members):
    return dict(events.requests("POST", "/things/{thing}", operation(*THING, *parameters, **members), {}))


THING = (parameter("path", "thing", required=True, examples=["a/b 1"]),)


def test_request_quotes_its_path_parameters():
    made = sample()["read_thing"]

    assert made["resource"] == "/things/{thing}"
    assert made["path"] == "/things/a%2Fb%201"
    assert made["requestContext"]["path"] == "/v1/things/a%2Fb%201"
    assert made["pathParameters"] == {"thing": "a%2Fb%201"}


def test_request_sends_required_parameters_and_those_with_an_example():
    made = sample(
        parameter("query", "from", required=True),
        parameter("query", "kind", examples=["vote"]),
        parameter("query", "cursor"),
        parameter("header", "X-Needed", required=True),
    )["read_thing"]

    assert made["queryStringParameters"] == {"from": "text", "kind": "vote"}
    assert made["headers"]["X-Needed"] == "text"


def test_request_with_an_idempotency_key_sends_one():
    made = sample(parameter("header", "Idempotency-Key"))

    assert list(made) == ["read_thing"]
    assert made["read_thing"]["headers"]["Idempotency-Key"] == "sample-read-thing"


def test_optional_header_with_an_example_has_a_sample_of_its_own():
    made = sample(parameter("header", "Prefer", examples=["respond-async"]), parameter("header", "If-None-Match"))

    assert list(made) == ["read_thing", "read_thing-Prefer"]
    assert "Prefer" not in made["read_thing"]["headers"]
    assert made["read_thing-Prefer"]["headers"]["Prefer"] == "respond-async"


def test_body_is_the_example_of_the_document():
    content = {"application/json": {"schema": {}, "example": {"seats": 2}}}
    made = sample(requestBody={"content": content})["read_thing"]

    assert json.loads(made["body"]) == {"seats": 2}
    assert made["headers"]["Content-Type"] == "application/json"
    assert sample()["read_thing"]["body"] is None


@pytest.mark.parametrize(
    ("members", "role"),
    [({}, "authenticated"), ({"x-caller": "service_role"}, "service_role"), ({"security": []}, None)],
)
def test_caller_has_the_role_of_the_route(members, role):
    made = sample(**members)["read_thing"]

    authorizer = made["requestContext"].get("authorizer", {})
    assert authorizer.get("role") == role
    assert ("Authorization" in made["headers"]) == (role is not None)
    assert bool(authorizer.get("org_id")) == (role == "authenticated")


class Make(BaseModel):
    """A message of any queue."""

    model_config = ConfigDict(extra="forbid")

    thing: Literal["chair"]


class Mend(BaseModel):
    """A message of one queue."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"queue": "MendQueue"})

    broken: Literal["table"]


class Either(RootModel[Make | Mend]):
    """A message of either queue."""


def test_message_is_of_the_kind_that_names_the_queue():
    assert events.message(Either, "MendQueue") == {"broken": "table"}
    assert events.message(Either, "MakeQueue") == {"thing": "chair"}


def test_queue_without_a_message_is_an_error():
    with pytest.raises(events.NoExample, match="No message of Mend is for MakeQueue"):
        events.message(Mend, "MakeQueue")


def observed(handler):
    @functools.wraps(handler)
    def observe(event, context):
        raise AssertionError("The sample needs the handler alone, without logs and metrics.")

    return observe


@pytest.mark.parametrize(
    "receive",
    [
        lambda event, context: queues.receive(event, context, Make, print),
        lambda event, context: queues.receive_together(event, Make, print),
    ],
)
def test_message_model_is_found_in_the_handler(receive):
    assert events.kind_of(observed(receive)) is Make


def test_handler_that_receives_no_messages_is_an_error():
    with pytest.raises(events.NoExample, match="does not pass its messages"):
        events.kind_of(observed(lambda event, context: None))


def test_two_triggers_with_one_name_are_an_error():
    with pytest.raises(events.Contradiction, match=r"events/desk-read-thing\.json"):
        events.samples([("desk", ("read_thing", {})), ("desk", ("ReadThing", {}))])


def test_documented_route_without_a_template_is_an_error():
    api = {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": {"paths": {}}}}
    document = {"paths": {"/things": {"get": operation()}}, "components": {"schemas": {}}}
    found = events.Triggers({"Resources": {}}, {"Api": api}, document, {}, {})

    with pytest.raises(events.Contradiction, match=r"GET /things is not in template\.yaml"):
        list(found.routes())


def test_differences_are_printed(capsys):
    assert events.differs({"a.json": "1\n"}, {"a.json": "1\n"}) == 0
    assert events.differs({"a.json": "1\n", "b.json": "1\n"}, {"a.json": "2\n", "c.json": "1\n"}) == 1

    said = capsys.readouterr().out
    assert "events/c.json is missing." in said
    assert "events/b.json is of no trigger." in said
    assert "-1\n+2" in said
    assert "make events" in said
