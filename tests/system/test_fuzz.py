"""Made-up requests to every operation of the API: no fault, and no answer that its own description does not know."""

import contextlib
import io
import json
import os

import hypothesis
import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from psycopg.rows import dict_row
from schemathesis.checks import CHECKS

from marquee.core import database
from marquee.core.identity import service
from tests import given, planning
from tests.conftest import API_PASSWORD, TEMPLATE
from tests.system.api import OPENAPI, Api

EXAMPLES = int(os.environ.get("MARQUEE_FUZZ_EXAMPLES", "8"))
HELD = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]


@pytest.fixture(scope="module")
def api(server):
    """The whole API over one database with a small world, for a customer, an owner and the service."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database fuzz template {TEMPLATE} strategy file_copy")
    before = os.environ.get("DATABASE_URL")
    os.environ["DATABASE_URL"] = server.url("fuzz", "marquee_api", API_PASSWORD)
    with psycopg.connect(server.url("fuzz"), autocommit=True, row_factory=dict_row) as db:
        db.execute(
            "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000, "
            "address_burst = 600000"
        )
        world = planning.world(db)
        stage = given.Stage(db, world.organization_id, world.owner)
        for capacity in (1, 5, None):
            given.book(db, stage.event(capacity=capacity), world.customer)
            db.execute("reset role")
        yield schemathesis.openapi.from_wsgi("/openapi.json", Api([world.customer, world.owner, service()]))
    database.disconnect()
    if before is None:
        del os.environ["DATABASE_URL"]
    else:
        os.environ["DATABASE_URL"] = before
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("drop database fuzz with (force)")


OPERATIONS = [
    (path, method)
    for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
    for method in methods
    if method in ("get", "post", "put", "patch", "delete")
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda word: word)
def test_every_answer_is_one_that_the_api_describes(api, path, method):
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=api[path][method.upper()].as_strategy())
    def ask(case):
        with contextlib.redirect_stdout(io.StringIO()):
            case.call_and_validate(checks=[CHECKS.get_one(name) for name in HELD])

    ask()
