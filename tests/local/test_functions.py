"""Functions in the real runtime client: their environment, the number of instances, and their failures."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.kit.local_stack import LocalStack, alive


@pytest.fixture(scope="module")
def editable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """Start a stack whose code and instances tests may change; it has two instances, which retire soon."""
    running = LocalStack(tmp_path_factory.mktemp("editable"), "--instances", "2", "--idle", "1.5").start()
    yield running
    running.stop()


def test_function_sees_the_environment_of_lambda(stack: LocalStack) -> None:
    seen = stack.get("/inspect").json
    environment = seen["environment"]

    assert seen["arn"].endswith(":function:sample-InspectFunction:live")
    assert (seen["name"], int(seen["memory"])) == ("sample-InspectFunction", 128)
    assert 4000 < seen["left"] <= 5000
    assert seen["folder"].endswith("functions/inspect")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "sample-InspectFunction"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"]
    assert environment["AWS_ENDPOINT_URL"] == stack.status()["aws"]
    assert (environment["AWS_ACCESS_KEY_ID"], environment["POWERTOOLS_TRACE_DISABLED"]) == ("local", "true")
    assert environment["TZ"] == ":UTC"
    assert (environment["LOUD"], environment["ISSUER"]) == ("no", f"{stack.url}/")
    assert "PYTEST_CURRENT_TEST" not in environment


def test_layers_are_under_opt_and_the_stack_is_not_importable(stack: LocalStack) -> None:
    seen = stack.get("/inspect").json

    assert (seen["greeting"], seen["data"]) == ("hello from the layer", "lake")
    assert seen["environment"]["DATA"].startswith(str(stack.state / "opt"))
    assert not seen["can_import_local"]


def test_warm_instance_is_reused(stack: LocalStack) -> None:
    first, second = (stack.get("/inspect").json for _ in range(2))

    assert first["pid"] == second["pid"]
    assert first["request_id"] != second["request_id"]


def test_instances_run_one_invocation_each_and_grow_to_the_limit(editable: LocalStack) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        seen = list(pool.map(lambda _: editable.get("/inspect?nap=0.5").json["pid"], range(6)))
    took = time.monotonic() - began

    assert len(set(seen)) == 2, "the limit is two instances"
    assert took > 1.5, "six requests of half a second on two instances"


def test_idle_instance_is_retired(editable: LocalStack) -> None:
    pid = editable.get("/inspect").json["pid"]

    editable.wait(lambda: not alive(pid))

    assert editable.get("/inspect").json["pid"] != pid


def test_crash_fails_its_request_alone(editable: LocalStack) -> None:
    crashed = editable.post("/answer", "exit")
    after = editable.post("/answer", {"statusCode": 200, "body": "back"})

    assert (crashed.status, crashed.json) == (502, {"message": "Internal server error"})
    assert "Runtime.ExitError" in editable.output
    assert "exit status 7" in editable.output
    assert (after.status, after.body) == (200, b"back")


def test_instance_killed_between_requests_is_replaced(editable: LocalStack) -> None:
    pid = editable.get("/inspect").json["pid"]
    os.kill(pid, signal.SIGKILL)
    editable.wait(lambda: not alive(pid))

    answer = editable.get("/inspect")

    assert answer.status == 200
    assert answer.json["pid"] != pid


def test_function_that_times_out_is_killed_with_its_children(stack: LocalStack) -> None:
    began = time.monotonic()
    answer = stack.get("/patient")

    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})
    assert 1 <= time.monotonic() - began < 4
    assert "Task timed out after 1.00 seconds" in stack.output
    stack.wait(lambda: not stack.status()["functions"]["SlowFunction"])
    stack.wait(lambda: not _running("sleep 300"))


def test_code_that_cannot_be_loaded_is_reported_and_retried(editable: LocalStack) -> None:
    assert editable.get("/broken").status == 502
    assert "No module named 'a_module_that_nobody_has'" in editable.output

    _edit(editable, "functions/broken/app.py", "import a_module_that_nobody_has", "import json")
    with (editable.template.parent / "functions/broken/app.py").open("a") as code:
        code.write("\n\ndef lambda_handler(event, context):\n    return {'statusCode': 204}\n")

    editable.wait(lambda: editable.get("/broken").status == 204)


def test_edit_of_a_function_is_served_at_once(editable: LocalStack) -> None:
    assert editable.get("/inspect").json["version"] == "first"

    _edit(editable, "functions/inspect/app.py", '"first"', '"second"')

    editable.wait(lambda: editable.get("/inspect").json["version"] == "second")
    # Edits in quick succession are reported together.
    editable.wait(lambda: re.search(r"app\.py changed: .*\binspect reloaded\.", editable.output) is not None)


def test_edit_during_the_start_of_an_instance_loses_no_request(editable: LocalStack) -> None:
    for word in ("third", "fourth", "fifth"):
        _edit(editable, "functions/inspect/app.py", 'VERSION = "', f'VERSION = "{word} ')
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(editable.get, "/inspect")
            time.sleep(0.08)
            (editable.template.parent / "functions/inspect/app.py").touch()
            assert asked.result(timeout=10).status == 200


def test_instance_busy_during_an_edit_takes_no_other_request(editable: LocalStack) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(editable.get, "/inspect?nap=1.2")
        time.sleep(0.6)
        _edit(editable, "functions/inspect/app.py", 'VERSION = "', 'VERSION = "newest ')
        before = asked.result(timeout=10).json
    after = editable.get("/inspect").json

    assert not before["version"].startswith("newest")
    assert after["version"].startswith("newest")


def test_edit_of_a_layer_reaches_the_functions_that_use_it(editable: LocalStack) -> None:
    _edit(editable, "layers/words/words/__init__.py", "hello", "good morning")

    editable.wait(lambda: editable.get("/inspect").json["greeting"] == "good morning from the layer")


def test_edit_of_the_template_is_reported(editable: LocalStack) -> None:
    editable.template.write_text(editable.template.read_text() + "\n")

    editable.wait(lambda: "template.yaml has changed: stop and start again" in editable.output)


def test_invocation_has_a_line_and_function_has_a_log(stack: LocalStack) -> None:
    request_id = stack.get("/echo/line").header("x-amzn-RequestId")
    line = next(line for line in stack.output.splitlines() if str(request_id) in line)
    stack.get("/broken")

    assert line.split()[:4] == ["echo", "GET", "/echo/line", "200"]
    assert " ms" in line
    assert "a_module_that_nobody_has" in (stack.state / "logs" / "broken.log").read_text()


def test_stack_runs_without_the_native_runtime_client(tmp_path: Any) -> None:
    running = LocalStack(tmp_path, "--environment", "LOCAL_PLAIN_CLIENT=1").start()
    try:
        assert running.get("/echo/x").json["path"] == "/echo/x"
        assert running.post("/answer", "raise").status == 502
        assert "ValueError: as wished" in running.output
    finally:
        running.stop()


def _edit(stack: LocalStack, name: str, old: str, new: str) -> None:
    file = stack.template.parent / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def _running(command: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.strip() == command]
