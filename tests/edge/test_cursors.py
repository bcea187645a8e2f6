"""Test that any text in a cursor or a query time returns a page or a refusal, never a server error."""

import base64
import itertools
import json
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from marquee.core import database, paging
from marquee.core.identity import Caller, service
from tests.kit import gateway, rating_requests, scheduling
from tests.kit.api import OPENAPI, Api
from tests.kit.databases import api_url, copy_database

DOCUMENT = json.loads(OPENAPI.read_text())

NUMBERS = [
    0,
    -1,
    32767,
    2**31 - 1,
    2**31,
    2**53 - 1,
    2**63 - 1,
    2**63,
    -(2**31),
    -(2**63),
    10**400,
    True,
    1.5,
    "1",
    None,
]
MOMENTS = [
    "2030-01-31T18:00:00+00:00", "2030-01-31T18:00:00+16:00", "2030-01-31T18:00:00-15:59", "2030-01-31T18:00:00",
    "2030-01-31", "2030-W05-4T18:00:00+00:00", "2030-01-31T24:00:00+00:00", "0001-01-01T00:00:00+00:00",
    "0001-01-02T00:00:00+00:00", "9999-12-30T23:59:59+00:00", "9999-12-31T23:59:59+00:00", "infinity", "", 5, None,
]  # fmt: skip
DAYS = ["2030-01-01", "2030-01-31", "1970-01-01", "2199-12-31", "0001-01-01", "9999-12-31", "2030-02-30", "2030-W01-1"]
IDS = [str(UUID(int=0)), str(UUID(int=2**128 - 1)), "{00000000-0000-0000-0000-000000000000}", "x", "", 5, None]
TEXTS = ["", "a", "\0", "\ud800", "'; --", "%", "\\", "x" * 1400, "\u202e", 5, None]
FLOATS = [0, -0.0, 1e308, -1e308, 1e-320, 10**400, 2**63, "0", None]
VALUES = {datetime: MOMENTS, UUID: IDS, str: TEXTS, float: FLOATS}
BROKEN = ["x", "e30", "bnVsbA", "W10", "\u0661", "a b", "%", "====", "W1t bXV0", base64.b64encode(b"[" * 1000).decode()]

LISTS = sorted(
    path
    for path, methods in DOCUMENT["paths"].items()
    if any(parameter["name"] == "cursor" for parameter in methods.get("get", {}).get("parameters", ()))
)
TIMES = sorted(
    (path, parameter["name"])
    for path, methods in DOCUMENT["paths"].items()
    for parameter in methods.get("get", {}).get("parameters", ())
    if parameter["in"] == "query" and "date" in json.dumps(parameter["schema"])
)


@pytest.fixture(scope="module")
def place(server, copier):
    """Return ask(path, query), which calls the API as each caller. The database has rows for each list."""
    copy_database(copier, "cursors")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", api_url(server, "cursors"))
        with psycopg.connect(server.url("cursors"), autocommit=True, row_factory=dict_row) as db:
            world = scheduling.world(db)
            series = scheduling.make_series(world)["id"]
            event = scheduling.events_of(world, series)[0]["id"]
            rating_requests.publish(db, world.organization_id, {"dawn": 50.0})
            db.execute(
                "update ops.rate_limit_rules set per_minute = 600000, burst = 600000, address_per_minute = 600000,"
                " address_burst = 600000"
            )
        ids = {
            "organization_id": world.organization_id, "event_id": event, "series_id": series, "item_id": "dawn",
            "instructor_id": world.instructor_id,
        }  # fmt: skip
        owner = Caller(world.owner, "authenticated", world.organization_id)
        api = Api({})

        def ask(path, query):
            filled = path.format_map({**dict.fromkeys(["endpoint_id", "voter_id"], uuid4()), **ids})
            function, _ = api.function_of("GET", filled)
            values = {"organization_id": world.organization_id, "from": "2030-01-01", "to": "2030-01-31"}
            required = {
                parameter["name"]: values[parameter["name"]]
                for parameter in DOCUMENT["paths"][path]["get"].get("parameters", ())
                if parameter["in"] == "query" and parameter.get("required")
            }
            for caller in (owner, service(), Caller(uuid4(), "authenticated")):
                answer = gateway.get(function, filled, query={**required, **query}, caller=caller)
                assert answer.status < 500, (query, answer.text)
                yield answer

        yield ask
    database.disconnect()
    copier.execute("drop database cursors with (force)")


def encode_cursor(keys):
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
def test_invalid_cursor_never_causes_a_server_error(place, monkeypatch, path):
    kinds = []
    after = paging.after
    monkeypatch.setattr(paging, "after", lambda text, *asked: kinds.append(asked) or after(text, *asked))
    statuses = {answer.status for broken in BROKEN for answer in place(path, {"cursor": broken})}
    assert statuses <= {403, 404, 422}
    assert kinds, "No caller of the test reaches the cursor."

    values = [NUMBERS if isinstance(kind, range) else VALUES[kind] for kind in kinds[0]]
    plain = [column[0] for column in values]
    tampered = [
        [*plain[:number], value, *plain[number + 1 :]] for number, column in enumerate(values) for value in column
    ] + [list(row) for row in itertools.zip_longest(*(column[7:9] for column in values), fillvalue=None)]
    taken = {answer.status for keys in tampered for answer in place(path, {"cursor": encode_cursor(keys)})}

    assert taken <= {200, 403, 404, 422}
    assert 200 in taken, "No caller of the test gets a page."


@pytest.mark.parametrize(("path", "name"), TIMES)
def test_invalid_query_time_never_causes_a_server_error(place, path, name):
    texts = [*(text for text in MOMENTS if isinstance(text, str)), *DAYS]
    statuses = {answer.status for text in texts for answer in place(path, {name: text})}

    assert statuses <= {200, 403, 404, 422}
    assert 200 in statuses
