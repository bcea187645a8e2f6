"""GET /health without a reachable database, and the permission to read GET /health/details."""

import socket
from uuid import uuid4

import pytest

from marquee.core import database
from marquee.core.identity import Caller
from tests.kit import gateway


@pytest.fixture(autouse=True)
def _no_database(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("DATABASE_URL", f"postgresql://127.0.0.1:{port}/marquee")
    database.disconnect()


def test_health_is_unavailable_without_the_database():
    answer = gateway.get("health", "/health")

    assert (answer.status, answer.body["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")


@pytest.mark.parametrize("caller", [None, uuid4(), Caller(uuid4(), "authenticated", uuid4())])
def test_health_details_are_forbidden_to_other_roles(caller):
    answer = gateway.get("health", "/health/details", caller=caller)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_service_role_may_read_health_details():
    assert gateway.get("health", "/health/details", caller=Caller(uuid4(), "service_role")).status == 503
