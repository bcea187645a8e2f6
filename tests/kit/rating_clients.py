"""Rate in separate processes. A client repeats a request without a response, and records each response."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import psycopg

from tests.kit import rating_load

SECONDS_MAX = 120


def send(url: str, organization_id: UUID, acknowledged: Path, events: Sequence[rating_load.Event]) -> None:
    """Send all events in small requests, and retry after every lost connection. Runs in its own process."""
    deadline = time.monotonic() + SECONDS_MAX
    with acknowledged.open("a") as file:
        for request in rating_load.requests(events, 5):
            while time.monotonic() < deadline:
                try:
                    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                        rating_load.ingest(connection, organization_id, request)
                except psycopg.OperationalError:
                    time.sleep(0.02)  # the server is down; retry soon
                    continue
                file.write(json.dumps([event["key"] for event in request]) + "\n")
                file.flush()
                break


def acknowledged_keys(files: Sequence[Path]) -> set[str]:
    """Return the keys of the acknowledged events."""
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return {key for line in lines for key in json.loads(line)}
