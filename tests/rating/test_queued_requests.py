"""Queued requests are written many at a time, each part once, with a result for each event."""

import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit.rating_events import become, fire, organization, person, slider, vote


@pytest.fixture
def gallery(db):
    made = organization(db)
    become(db)
    return made


def part(gallery, *events, number=1, parts=1, request_id=None, caller=None):
    return {
        "request_id": str(request_id or uuid4()),
        "part": number,
        "parts": parts,
        "organization_id": str(gallery),
        "caller_id": str(caller) if caller else None,
        "role": "authenticated" if caller else "service_role",
        "events": list(events),
    }


def take(db, *requests):
    answer = db.execute("select rating.ingest_requests(%s::json) as a", [json.dumps(requests)]).fetchone()["a"]
    return [(one["status"], one["accepted"], one["duplicates"], one["refused"]) for one in answer]


def kept(db, request):
    row = db.execute(
        "select results from rating.requests where request_id = %s and part = %s",
        [request["request_id"], request["part"]],
    ).fetchone()
    return [result.get("code", result["status"]) for result in row["results"]]


def written(db):
    return db.execute("select count(*) as n from rating.event_keys").fetchone()["n"]


def test_requests_are_written_together_and_each_result_is_kept(db, gallery):
    repeated = vote()
    requests = [
        part(gallery, repeated, slider("a", -5000), fire("a")),
        part(organization(db), vote(), fire("a")),
        part(gallery, fire("a"), repeated, {**repeated, "winner": "b"}),
    ]

    assert take(db, *requests) == [("written", 2, 0, 1), ("written", 2, 0, 0), ("written", 0, 2, 1)]

    assert [kept(db, one) for one in requests] == [
        ["accepted", "invalid_event", "accepted"],
        ["accepted", "accepted"],
        ["duplicate", "duplicate", "key_reused"],
    ]
    assert written(db) == 5
    assert db.execute("select count(*) as n from rating.fires").fetchone() == {"n": 2}


def test_repeated_part_has_no_effect(db, gallery):
    first = part(gallery, vote(), fire("a"), parts=2)
    second = part(gallery, slider(), parts=2, number=2, request_id=UUID(first["request_id"]))
    take(db, first)

    assert take(db, second, first, second) == [("written", 1, 0, 0), ("repeated", 0, 0, 0), ("written", 0, 1, 0)]

    assert kept(db, first) == ["accepted", "accepted"]
    assert kept(db, second) == ["accepted"]
    assert written(db) == 3


def test_part_delivered_in_parallel_is_written_once(db, gallery, connect):
    requests = [part(gallery, *(vote() for _ in range(20))) for _ in range(5)]
    connections = [connect() for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda connection: take(connection, *requests), connections))

    assert written(db) == 100
    assert [kept(db, one) for one in requests] == [["accepted"] * 20] * 5


def test_queued_events_have_the_rights_of_their_caller(db, gallery):
    owner, somebody = person(db, gallery), person(db)
    requests = [part(gallery, vote(), caller=owner), part(gallery, vote(), fire("a", None), caller=somebody)]

    take(db, *requests)

    assert kept(db, requests[0]) == ["accepted"]
    assert kept(db, requests[1]) == ["forbidden", "item_not_found"]


def test_unreadable_event_is_refused_alone(db, gallery):
    odd = slider("big")
    request = part(
        gallery, fire("nul\0"), fire("half\ud800"), odd, fire("😀 \\u0000 / \\"), vote("ü" * 128, "\\/u0041")
    )
    written_as = json.dumps([request]).replace('"value": 50', '"value": 1e999999')

    db.execute("select rating.ingest_requests(%s::json)", [written_as])

    assert kept(db, request) == ["invalid_event"] * 3 + ["accepted"] * 2
    assert db.execute("select item_id from rating.fires").fetchone() == {"item_id": "😀 \\u0000 / \\"}
    assert db.execute("select item_b from rating.votes").fetchone() == {"item_b": "\\/u0041"}


def test_refused_request_has_each_of_its_events_refused(db, gallery):
    requests = [
        part(uuid4(), vote(), vote()),
        part(gallery, *range(501)),
        {**part(gallery), "events": "none"},
        {**part(gallery), "events": None},
        part(gallery, vote()),
    ]

    assert take(db, *requests) == [
        ("written", 0, 0, 2),
        ("written", 0, 0, 501),
        ("written", 0, 0, 1),
        ("written", 0, 0, 1),
        ("written", 1, 0, 0),
    ]
    assert kept(db, requests[0]) == ["organization_not_found"] * 2
    assert kept(db, requests[2]) == ["invalid_request"]


def test_hundreds_of_requests_are_written_within_the_time_limit(db, gallery):
    requests = [part(gallery, *(vote(f"a{n % 50}", "b") for n in range(20))) for _ in range(300)]
    db.execute("set statement_timeout = '15s'")

    assert set(take(db, *requests)) == {("written", 20, 0, 0)}
    assert written(db) == 6000


def test_queued_requests_are_written_by_the_service_alone(db, connect):
    api = connect("marquee_people")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
        api.execute("select ops.act_as(%s::jsonb)", [json.dumps({"sub": str(uuid4()), "role": "authenticated"})])
        api.execute("select rating.ingest_requests('[]')")
