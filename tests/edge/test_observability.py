"""Test logs and metrics: every invocation emits some, no secret is logged, and a function starts without boto3."""

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import single_metric

from marquee.edge import http
from marquee.edge.observability import MetricUnit, count, duration, logger, metrics, observed
from tests.kit.gateway import Context, event

pytestmark = pytest.mark.usefixtures("sockets_off")

ROOT = Path(__file__).resolve().parents[2]


def emitted(text: str) -> dict[str, dict[str, Any]]:
    """Return the metrics in the printed text by name, with their dimensions."""
    lines = [json.loads(line) for line in text.splitlines() if '"_aws"' in line]
    return {metric["Name"]: line for line in lines for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def test_metrics_are_emitted_at_the_end_of_an_invocation(capsys):
    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> str:
        count("BookingConfirmed")
        return "done"

    assert lambda_handler({}, Context()) == "done"
    assert emitted(capsys.readouterr().out)["BookingConfirmed"]["BookingConfirmed"] == [1.0]


def test_fault_is_raised_and_its_metrics_are_emitted(capsys):
    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        count("BookingConfirmed")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lambda_handler({}, Context())
    assert "BookingConfirmed" in emitted(capsys.readouterr().out)


def test_dimensions_apply_to_their_own_metric_only(capsys):
    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        count("RequestRefused", code="sold_out")
        count("BookingRefused")

    lambda_handler({}, Context())

    metrics = emitted(capsys.readouterr().out)
    assert metrics["RequestRefused"]["code"] == "sold_out"
    assert "code" not in metrics["BookingRefused"]


def test_metric_with_dimensions_equals_the_single_metric_of_powertools(capsys, monkeypatch):
    monkeypatch.setattr(metrics, "service", "book")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "book")
    unit, dimensions = MetricUnit.Milliseconds, {"route": "GET /here"}

    duration("RequestDuration", 12, **dimensions)
    with single_metric("RequestDuration", unit, 12, namespace=metrics.namespace, default_dimensions=dimensions):
        pass

    ours, theirs = (re.sub(r'("Timestamp":)\d+', r"\1", line) for line in capsys.readouterr().out.splitlines())
    assert ours == theirs


def test_log_keys_of_an_invocation_are_cleared_for_the_next():
    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        if event:
            logger.append_keys(customer=event["customer"])
        logger.info("here")
        count("Seen")

    lambda_handler({"customer": "ana"}, Context())
    assert logger.get_current_keys()["customer"] == "ana"

    lambda_handler({}, Context())
    assert "customer" not in logger.get_current_keys()


@pytest.mark.parametrize("message", ["request", "12", '{"a": 1}'])
def test_log_message_is_kept_as_text(message):
    record = logging.LogRecord("marquee", logging.INFO, __file__, 1, message, None, None)

    assert json.loads(logger.registered_formatter.format(record))["message"] == message


def test_log_carries_the_request_id_for_its_invocation_only():
    seen = []

    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        seen.append(logger.get_correlation_id())
        count("Seen")

    request = event("GET", "/here")
    for each in (request, {"requestContext": None}, {"job": "clean_up"}):
        lambda_handler(each, Context())

    assert seen == [request["requestContext"]["requestId"], None, None]


def test_request_values_are_not_logged(caplog, capsys):
    app = http.resolver()

    @observed
    def lambda_handler(event: dict[str, Any], context: Any) -> Any:
        return app.resolve(event, context)

    secret = "hunter2"
    lambda_handler(
        event(
            "POST", f"/{secret}", {"card": secret}, headers={"Authorization": f"Bearer {secret}"}, query={"q": secret}
        ),
        Context(),
    )

    assert "request" in caplog.text
    assert secret not in caplog.text + "".join(capsys.readouterr())


@pytest.mark.parametrize("function", ["book", "authorize", "health"])
def test_function_start_loads_neither_botocore_nor_the_x_ray_sdk(function):
    code = (
        "import importlib.util as u, sys\n"
        f"spec = u.spec_from_file_location('app', 'functions/{function}/app.py')\n"
        "module = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(sorted({'boto3', 'botocore.session', 'aws_xray_sdk'} & set(sys.modules)))"
    )
    path = f"{ROOT / 'functions' / function}{os.pathsep}{ROOT / 'layers' / 'domain'}"
    environment = {**os.environ, "PYTHONPATH": path, "POWERTOOLS_TRACE_DISABLED": "true"}

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"
