"""docs/openapi.json is generated from the handlers' types, complete and consistent with them."""

import json
import textwrap

import pytest
from jsonschema.validators import Draft202012Validator
from openapi_spec_validator import validate

from scripts import openapi

pytestmark = pytest.mark.usefixtures("sockets_off")

HANDLER = """
    from typing import Annotated
    from aws_lambda_powertools.event_handler import Response
    from aws_lambda_powertools.event_handler.openapi.params import Body, Path
    from marquee.core.models import Answer, Id, Request
    from marquee.edge import http

    app = http.resolver()

    class {model}(Request):
        title: str
        thing_id: Id | None = None

    class Made{model}(Answer):
        title: str

    @app.post("{path}", tags=["bookings"], status_code=201, responses=http.problems(409))
    def {name}(
        thing: Annotated[Id, Path()], request: Annotated[{model}, Body()], key: http.IdempotencyKey = None
    ) -> Response[Made{model}]:
        \"\"\"Make one thing. Then say so.\"\"\"
        raise NotImplementedError

    @app.get("{path}", responses=http.problems(304))
    def get_{name}(thing: Annotated[Id, Path()], cursor: http.Cursor = None) -> Response[Made{model}]:
        \"\"\"See one.\"\"\"
        raise NotImplementedError

    @app.delete("{path}", status_code=204)
    def drop_{name}(thing: Annotated[Id, Path()]) -> Response[None]:
        \"\"\"Drop one.\"\"\"
        raise NotImplementedError
"""

TEMPLATE = """
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      DefinitionBody:
        x-functions:
          A: &A {x-amazon-apigateway-integration: {uri: !Sub "${AFunction.Arn}"}}
        paths:
          /a/{thing}: {get: {<<: *A, security: [{NONE: []}]}, post: *A}
"""


@pytest.fixture
def project(tmp_path):
    """Return a function that creates functions in a temporary project and returns their document."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def document(**functions):
        for folder, names in functions.items():
            given = {"model": folder.title(), "name": folder, "path": f"/{folder}/<thing>", **names}
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "app.py").write_text(textwrap.dedent(HANDLER.format(**given)))
        return openapi.document(tmp_path, tmp_path / "template.yaml")

    return document


def test_document_contains_the_routes_of_every_function(project):
    made = project(a={}, b={})

    assert set(made["paths"]) == {"/a/{thing}", "/b/{thing}"}
    assert {"A", "B", "MadeA", "MadeB", "Problem"} <= set(made["components"]["schemas"])


def test_function_without_routes_is_not_in_the_document(project, tmp_path):
    (tmp_path / "relay").mkdir()
    (tmp_path / "relay" / "app.py").write_text("def lambda_handler(event, context): ...")

    assert set(project(a={})["paths"]) == {"/a/{thing}"}


def test_operation_lists_all_its_responses(project):
    operations = project(a={})["paths"]["/a/{thing}"]

    assert set(operations["post"]["responses"]) == {
        "201", "400", "401", "403", "404", "409", "413", "415", "422", "429", "503",
    }  # fmt: skip
    assert set(operations["get"]["responses"]) == {"200", "304", "404", "422", "429", "503"}
    assert "content" not in operations["delete"]["responses"]["204"]


def test_routes_require_a_token_unless_the_template_exempts_them(project):
    operations = project(a={})["paths"]["/a/{thing}"]

    assert operations["get"]["security"] == []
    assert operations["post"]["security"] == operations["delete"]["security"] == [{"bearer": []}]


def test_header_has_its_http_name_and_parameters_are_not_nullable(project):
    operations = project(a={})["paths"]["/a/{thing}"]
    header = next(each for each in operations["post"]["parameters"] if each["in"] == "header")
    cursor = next(each for each in operations["get"]["parameters"] if each["name"] == "cursor")

    assert (header["name"], header["required"]) == ("Idempotency-Key", False)
    assert header["schema"]["type"] == cursor["schema"]["type"] == "string"


def test_generated_titles_are_removed_and_title_fields_are_kept(project):
    schema = project(a={})["components"]["schemas"]["A"]

    assert "title" not in schema
    assert set(schema["properties"]) == {"title", "thing_id"}


def test_docstrings_become_summaries(project):
    operation = project(a={})["paths"]["/a/{thing}"]["post"]

    assert (operation["operationId"], operation["summary"], operation["description"]) == (
        "a", "Make one thing", "Then say so.",
    )  # fmt: skip


def test_two_functions_with_the_same_route_are_refused(project):
    with pytest.raises(openapi.Contradiction, match="/a/"):
        project(a={}, b={"path": "/a/<thing>"})


def test_two_models_with_the_same_name_are_refused(project, tmp_path):
    project(a={})
    other = textwrap.dedent(HANDLER.format(model="A", name="c", path="/c/<thing>")).replace("title: str", "title: int")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "app.py").write_text(other)

    with pytest.raises(openapi.Contradiction, match="model named"):
        project()


def test_document_is_reproducible(project):
    project(a={}, b={})

    assert openapi.text_of(project()) == openapi.text_of(project())


@pytest.fixture(scope="module")
def real():
    """Return the document of the real functions."""
    return json.loads(openapi.text_of(openapi.document()))


def test_real_document_is_valid_openapi_3_1(real):
    validate(real)


def test_examples_match_their_schemas(real):
    messages = [
        (f"{method} {path}", message)
        for path, operations in real["paths"].items()
        for method, operation in operations.items()
        for message in [operation.get("requestBody", {}), *operation["responses"].values()]
    ] + list(real["components"]["responses"].items())

    checked = 0
    for name, message in messages:
        for content in message.get("content", {}).values():
            if "example" in content:
                schema = {**content["schema"], "components": real["components"]}
                errors = list(Draft202012Validator(schema).iter_errors(content["example"]))
                assert not errors, (name, errors[0].message)
                checked += 1
    assert checked > 10


def test_operations_have_unique_ids_summaries_and_known_tags(real):
    operations = [each for path in real["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]

    assert len(names) == len(set(names))
    assert all(operation["summary"] and operation["tags"] for operation in operations)
    known = {tag["name"] for tag in real["tags"]}
    assert all(tag in known for operation in operations for tag in operation["tags"])
