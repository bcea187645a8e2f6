"""Logs, metrics and traces, the same for every function.

    from marquee.edge.observability import logger, metrics, observed

    @observed
    def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return app.resolve(event, context)

Logs are JSON lines with request id, function and correlation id; neither events nor tokens are ever logged. Metrics go
out in the embedded metric format, once an invocation, and those with dimensions of their own at once.
"""

import functools
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from marquee.edge import initialization

__all__ = ["LambdaContext", "MetricUnit", "count", "duration", "logger", "metrics", "observed"]

_NAMESPACE = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Marquee")

logger = Logger(json_deserializer=str)  # a message is plain text, not JSON to be parsed
metrics = Metrics(namespace=_NAMESPACE)

Handler = Callable[[dict[str, Any], LambdaContext], Any]


def count(name: str, **dimensions: str) -> None:
    """Add one to a metric. Dimensions are few and have few values (a code, a route), never an id."""
    if not dimensions:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=1)
        return
    _emit(name, MetricUnit.Count, 1, dimensions)


def duration(name: str, milliseconds: float, **dimensions: str) -> None:
    """Record how long something took."""
    _emit(name, MetricUnit.Milliseconds, milliseconds, dimensions)


def observed(handler: Handler) -> Handler:
    """Add log context, metrics and trace to a Lambda handler. Faults pass through, so that Lambda counts them.

    A function decorates its handler while Lambda initializes it, so this is where its secrets are fetched.
    """
    initialization.fetch_secrets()
    measured = _traced(metrics.log_metrics(handler, capture_cold_start_metric=True))

    @logger.inject_lambda_context(clear_state=True)
    def correlated(event: dict[str, Any], context: LambdaContext) -> Any:
        logger.set_correlation_id((event.get("requestContext") or {}).get("requestId"))
        return measured(event, context)

    @functools.wraps(handler)
    def observe(event: dict[str, Any], context: LambdaContext) -> Any:
        return correlated(event, context)

    return observe


def _emit(name: str, unit: MetricUnit, value: float, dimensions: dict[str, str]) -> None:
    """Write a metric with its own dimensions at once, in a separate document."""
    service = {"service": metrics.service} if metrics.service else {}
    added = {name: {"Unit": unit.value, "Value": [float(value)]}}
    document = metrics.serialize_metric_set(metrics=added, dimensions={**dimensions, **service}, metadata={})
    sys.stdout.write(json.dumps(document, separators=(",", ":")) + "\n")


def _traced(handler: Handler) -> Handler:
    """Wrap the handler in an X-Ray segment if tracing is on.

    X-Ray's SDK loads botocore, so it is imported nowhere else.
    """
    off = os.environ.get("POWERTOOLS_TRACE_DISABLED", "").lower() in ("true", "1")
    if off or "AWS_XRAY_DAEMON_ADDRESS" not in os.environ:
        return handler
    from aws_lambda_powertools import Tracer

    return Tracer(auto_patch=False).capture_lambda_handler(handler, capture_response=False)
