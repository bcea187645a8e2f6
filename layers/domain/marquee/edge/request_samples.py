"""Samples of booking durations and request failures, for the system's own figures and alert rules.

Samples are kept in memory and written to ops.performance_metrics in batches, not per request. A batch is due at a
hundred samples, or at twenty when the oldest is a minute old. Samples of an execution environment that ends are lost;
they are not used for accounting. CloudWatch gets every request by the embedded metric format.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from marquee.core import clock, database
from marquee.core.errors import Refused, Unavailable
from marquee.core.identity import Caller
from marquee.edge.observability import count, logger

BATCH_MOST = 100
BATCH_LEAST = 20
AGE_SECONDS_MAX = 60.0
DURATIONS_MOST = 20

OPERATIONS = {
    "POST /bookings": "book",
    "POST /bookings/{booking_id}/cancel": "cancel",
    "POST /holds": "hold",
    "POST /events/{event_id}/waitlist": "join_waitlist",
    "POST /waitlist/{entry_id}/accept": "accept_offer",
}
"""The routes whose durations are recorded, with their operation names."""

Metrics = list[dict[str, Any]]


@dataclass(slots=True)
class Batch:
    """Samples that are not yet written; `write` stores them."""

    write: Callable[[Caller, Metrics], None]
    requests: int = 0
    failures: int = 0
    durations: dict[str, list[tuple[float, datetime]]] = field(default_factory=dict)
    begun_at: float = 0.0

    def add(self, route: str, milliseconds: float, *, failed: bool) -> None:
        """Add one request, with its route in the form "POST /bookings"."""
        if self.requests == 0:
            self.begun_at = time.monotonic()
        self.requests += 1
        self.failures += failed
        if route in OPERATIONS:
            self.durations.setdefault(OPERATIONS[route], []).append((milliseconds, clock.now()))

    def write_if_due(self, caller: Caller) -> None:
        """Write the samples if there are enough. On failure they are lost, and the request continues.

        They are written as the caller of the last request, whose connection is already open.
        """
        age_seconds = time.monotonic() - self.begun_at
        if self.requests < BATCH_LEAST or (self.requests < BATCH_MOST and age_seconds < AGE_SECONDS_MAX):
            return
        metrics = self._metrics()
        self.requests, self.failures, self.durations = 0, 0, {}
        try:
            self.write(caller, metrics)
        except (Refused, Unavailable, psycopg.Error) as error:
            logger.warning("samples_lost", count=len(metrics), error=type(error).__name__)
            count("SamplesLost")

    def _metrics(self) -> Metrics:
        errors = {"name": "request_errors", "value": self.failures, "unit": "requests", "tags": {"of": self.requests}}
        return [errors] + [
            {
                "name": "booking_operation_duration",
                "value": round(milliseconds, 1),
                "unit": "milliseconds",
                "tags": {"operation": operation},
                "recorded_at": at.isoformat(),
            }
            for operation, samples in self.durations.items()
            for milliseconds, at in _thinned(samples)
        ]


def _thinned(samples: list[tuple[float, datetime]]) -> list[tuple[float, datetime]]:
    """Return at most twenty samples, spread evenly over their order, so that percentiles and the maximum are kept."""
    ordered = sorted(samples)
    if len(ordered) <= DURATIONS_MOST:
        return ordered
    return [ordered[number * (len(ordered) - 1) // (DURATIONS_MOST - 1)] for number in range(DURATIONS_MOST)]


def _write(caller: Caller, metrics: Metrics) -> None:
    with database.single(caller) as session:
        session.value("select ops.record_samples(metrics => %s::jsonb)", [json.dumps(metrics)])


requests = Batch(_write)
"""The batch of this execution environment."""
