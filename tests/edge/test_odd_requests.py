"""Test hostile requests at every operation: each gets a response or a refusal, never a server error.

5xx responses roll a deployment back, so no request text may cause one.
"""

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from marquee.core import database
from marquee.core.identity import Caller, service
from marquee.edge import queues
from tests.kit import gateway, scheduling
from tests.kit.api import OPENAPI, Api
from tests.kit.databases import api_url, copy_database

DOCUMENT = json.loads(OPENAPI.read_text())
OPERATIONS = [
    (path, method)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in ("get", "post", "put", "patch", "delete")
]
ID = "ab0c1d2e-3f40-4a5b-8c6d-7e8f90a1b2c3"

WORDS = [
    "", " ", "\0", "a\0b", "\ud800", "\udfff", "%00", "%", "%F0%28%8C%28", "..", "é", "\u0661", "\u202e", "'", "\\",
    "NaN", "inf", "-1", "0", "1e400", "9" * 20, "9" * 400, "0x1", "1_000", "１", "true", "null", "x" * 3000, ID.upper(),
    "{" + ID + "}", f"urn:uuid:{ID}", ID.replace("-", ""), f"{ID}\n", "2030-01-31T18:00:00+16:00", "0000-00-00",
]  # fmt: skip
FEW_WORDS = ["", "a\0b", "\ud800", "%00", "é", "\u202e", "9" * 400, "x" * 3000]
HEADERS = [
    "Idempotency-Key",
    "If-None-Match",
    "Prefer",
    "Content-Type",
    "Content-Encoding",
    "Stripe-Signature",
    "Authorization",
]
BODIES: list[str | bytes] = [
    "null", "[]", '""', "1", "true", "{", "}", "{}", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e400}',
    '{"a": -1e400}', f'{{"a": {"9" * 4000}}}', f'{{"a": {"9" * 5000}}}', '{"a": "\\ud800"}', '{"a": "\\u0000"}',
    '{"\\u0000": 1}', '{"\\ud800": 1}', '{"a": 1, "a": 2}', "[" * 100_000, '{"a":' * 50_000,
    '{"a": ' + "[" * 40 + "]" * 40 + "}",
    "\ufeff{}", "{}\0", b"\xff\xfe{\x00}\x00", b"\xc0\x80", b"\x1f\x8b\x08\x00", "x" * 300_000,
]  # fmt: skip


@pytest.fixture(scope="module")
def ask(server, copier):
    """Return a function that sends a request as each caller and yields the status or the raised error."""
    copy_database(copier, "odd")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", api_url(server, "odd"))
        environment.setenv("STRIPE_SIGNING_SECRETS", "whsec_of_nobody")
        environment.setattr(queues, "send", lambda *_, **__: None)
        environment.setattr(queues, "send_batch", lambda *_, **__: None)
        for name in ("DELIVER", "RATING_EVENTS", "PROCESS_BATCH", "STRIPE_EVENTS"):
            environment.setenv(f"{name}_QUEUE_URL", f"https://queues.example.com/{name.lower()}")
        with psycopg.connect(server.url("odd"), autocommit=True, row_factory=dict_row) as db:
            world = scheduling.world(db)
            db.execute(
                "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000,"
                " address_burst = 600000"
            )
        api = Api({})
        callers = [Caller(world.owner, "authenticated", world.organization_id), service()]

        def ask_all(method: str, path: str, **options: Any) -> Iterator[int | str]:
            function, _ = api.function_of(method.upper(), path)
            for caller in callers:
                with contextlib.redirect_stdout(io.StringIO()):
                    event = gateway.event(method.upper(), path, caller=caller, **options)
                    try:
                        yield gateway.invoke(function, event)["statusCode"]
                    except Exception as error:
                        yield f"{type(error).__name__}: {error}"[:300]

        yield ask_all
    database.disconnect()
    copier.execute("drop database odd with (force)")


def requests(path: str, method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Generate requests for an operation, with an odd value in each place in turn."""
    described = DOCUMENT["paths"][path][method]
    names = [(each["name"], each["in"]) for each in described.get("parameters", ())]
    plain = path
    for name, where in names:
        if where == "path":
            plain = plain.replace(f"{{{name}}}", str(UUID(int=7)))
    for name, where in names:
        for word in WORDS:
            if where == "path" and word and "/" not in word:
                yield path.replace(f"{{{name}}}", word).replace("{", "x").replace("}", "x"), {}
            if where == "query":
                yield plain, {"query": {name: word}}
        if where == "query":
            yield plain, {"query": {name: ["1", "2"]}}
    body = "{}" if "requestBody" in described else None
    for word in FEW_WORDS:
        yield plain, {"query": {word: word}}
        for name in HEADERS:
            yield plain, {"headers": {name: word}, "body": body}
    if body is not None:
        for odd in BODIES:
            yield plain, {"body": odd, "key": "tap"}


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda word: word)
def test_odd_request_never_causes_a_server_error(ask, path, method):
    faults = {}
    for asked, options in requests(path, method):
        for status in ask(method, asked, **options):
            if isinstance(status, str) or status >= 500:
                faults.setdefault(str(status), (asked[:100], str(options)[:200]))

    assert faults == {}
