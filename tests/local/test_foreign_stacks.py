"""Foreign applications in a real stack: protected routes stay closed; route tables and nested stacks run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.applications import FOLDERS, HERE
from tests.kit.local_stack import LocalStack


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("routes")
    running = LocalStack(folder, sample=HERE / "table-of-routes", given={"Watch": "true"}).start()
    yield running
    running.stop()


def test_route_table_is_served_by_function_aliases(routes: LocalStack) -> None:
    assert routes.get("/events").json["path"] == "/events"
    assert routes.get("/bookings/7", Authorization="good").json["path"] == "/bookings/{id}"


def test_authorizer_named_by_alias_is_called(routes: LocalStack) -> None:
    assert routes.get("/bookings").status == 401
    assert routes.get("/bookings", Authorization="bad").status in (401, 500)
    assert routes.get("/bookings", Authorization="good").json["caller"] == "ana"


def test_output_of_nested_stack_reaches_the_environment(routes: LocalStack) -> None:
    assert routes.get("/events").json["database"].endswith("Endpoint.Address/tickets")


def test_nested_template_with_loops_is_reported(routes: LocalStack) -> None:
    assert "AWS::CloudWatch::Alarm (1)" in routes.output


@pytest.mark.parametrize("token", [{}, {"Authorization": "good"}])
def test_route_that_needs_cognito_returns_501_with_a_problem(routes: LocalStack, token: dict[str, str]) -> None:
    answer = routes.get("/closed", **token)

    assert (answer.status, answer.header("content-type")) == (501, "application/problem+json")
    assert answer.json["code"] == "not_run_locally"
    assert "it needs the Cognito authorizer Members" in answer.json["detail"]
    assert routes.output.count("Api, GET /closed: it needs the Cognito authorizer Members") == 1


def test_fixed_response_behind_an_authorizer_is_protected(routes: LocalStack) -> None:
    assert routes.get("/closed-answer").status == 401
    assert routes.get("/closed-answer", Authorization="good").json == {"fixed": True}


def test_preflight_of_a_protected_route_returns_200(routes: LocalStack) -> None:
    assert routes.request("OPTIONS", "/bookings").status == 200


def test_edit_of_a_nested_template_is_reported(routes: LocalStack) -> None:
    nested = routes.template.parent / "stacks" / "database.yaml"
    nested.write_text(nested.read_text() + "# edited\n")

    LocalStack.wait(lambda: "database.yaml has changed: stop and start again to use it." in routes.output)


def test_all_applications_start_together_and_one_of_them_runs(tmp_path: Path) -> None:
    applications = {
        "".join(word.capitalize() for word in folder.name.split("-")): {
            "Type": "AWS::Serverless::Application",
            "Properties": {"Location": str(next(folder.glob("template.*")))},
        }
        for folder in FOLDERS
    }
    running = LocalStack(tmp_path)
    running.template.write_text(json.dumps({"Resources": applications}))
    (tmp_path / "event.json").write_text('{"resource": "/by-hand"}')

    done = running.run(
        "invoke", "--template", str(running.template), "TableOfRoutes.BookFunction", str(tmp_path / "event.json")
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(json.loads(done.stdout)["body"])["path"] == "/by-hand"
    assert "Traceback" not in done.stderr
    assert "Cognito.Api, GET /notes, POST /notes: it needs the Cognito authorizer Members" in done.stderr
