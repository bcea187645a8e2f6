"""The daily limit of rating events per voter; a repeated event counts once."""

import json
from collections import Counter
from uuid import UUID, uuid4

import pytest

from tests.kit.concurrency import run_together
from tests.kit.rating_events import become, fire, ingest, organization, person, slider, vote

MOST = 5


@pytest.fixture
def gallery(db):
    """Create an organization that accepts five events per voter and day; the caller is a member of its staff."""
    made = organization(db)
    become(db, person(db, made))
    db.execute("insert into rating.settings (organization_id, events_per_voter_and_day) values (%s, %s)", [made, MOST])
    return made


def codes(results):
    return [result.get("code", result["status"]) for result in results]


def counted(db, gallery):
    rows = db.execute("select voter_id, events from rating.voter_days where organization_id = %s", [gallery]).fetchall()
    return {row["voter_id"]: row["events"] for row in rows}


def next_day(db):
    db.execute("update rating.voter_days set day = day - 1")


@pytest.mark.parametrize("at_once", [True, False], ids=["in one request", "one by one"])
def test_events_above_the_daily_limit_are_refused_singly(db, gallery, at_once):
    events = [vote() for _ in range(MOST + 2)]

    results = ingest(db, gallery, *events) if at_once else [ingest(db, gallery, event)[0] for event in events]

    assert codes(results) == ["accepted"] * MOST + ["daily_limit_reached"] * 2
    assert "tomorrow" in results[-1]["detail"]
    assert counted(db, gallery) == {"ana": MOST}
    assert db.execute("select count(*) as n from rating.votes").fetchone()["n"] == MOST
    assert db.execute("select count(*) as n from rating.inbox").fetchone()["n"] == 2 * MOST


def test_refused_events_are_accepted_the_next_day_under_the_same_keys(db, gallery):
    events = [vote() for _ in range(MOST + 2)]
    ingest(db, gallery, *events)
    next_day(db)

    assert codes(ingest(db, gallery, *events)) == ["duplicate"] * MOST + ["accepted"] * 2


def test_retries_of_counted_events_are_not_counted_twice(db, gallery):
    events = [vote(), slider(), fire()]
    for _ in range(4):
        ingest(db, gallery, *events)
        ingest(db, gallery, events[0])

    assert counted(db, gallery) == {"ana": 3}
    assert codes(ingest(db, gallery, vote(), slider("c"), fire("c"))) == ["accepted"] * 2 + ["daily_limit_reached"]


def test_daily_limit_is_per_voter_and_organization(db, gallery):
    ingest(db, gallery, *[vote() for _ in range(MOST)])
    other = organization(db)
    become(db, person(db, other))

    assert codes(ingest(db, other, vote())) == ["accepted"]
    become(db, person(db, gallery))
    assert codes(ingest(db, gallery, vote(voter="ben"), vote())) == ["accepted", "daily_limit_reached"]


def test_raised_daily_limit_applies_at_once(db, gallery):
    ingest(db, gallery, *[vote() for _ in range(3 * MOST)])
    db.execute("update rating.settings set events_per_voter_and_day = %s", [MOST + 1])

    assert codes(ingest(db, gallery, vote(), vote())) == ["accepted", "daily_limit_reached"]


def test_daily_limit_without_settings_is_2000(db):
    made = organization(db)
    become(db, person(db, made))
    db.execute(
        "insert into rating.voter_days (organization_id, voter_id, day, events) "
        "values (%s, 'ana', (now() at time zone 'utc')::date, 1999)",
        [made],
    )

    assert codes(ingest(db, made, vote(), vote())) == ["accepted", "daily_limit_reached"]


def test_events_of_the_service_are_not_limited(db, gallery):
    become(db)

    assert set(codes(ingest(db, gallery, *[vote() for _ in range(3 * MOST)]))) == {"accepted"}
    assert codes(ingest(db, gallery, vote())) == ["accepted"]
    assert counted(db, gallery) == {}


def test_queued_events_are_limited_by_the_caller_who_sent_them(db, gallery):
    staff = person(db, gallery)
    become(db)
    requests = [
        {
            "request_id": str(uuid4()),
            "part": 1,
            "parts": 1,
            "organization_id": str(gallery),
            "caller_id": str(caller) if caller else None,
            "role": role,
            "events": [vote() for _ in range(4)],
        }
        for caller, role in ((staff, "authenticated"), (None, "service_role"), (staff, "authenticated"))
    ]

    answers = db.execute("select rating.ingest_requests(%s::json) as a", [json.dumps(requests)]).fetchone()["a"]

    assert [(one["accepted"], one["refused"]) for one in answers] == [(4, 0), (4, 0), (1, 3)]
    assert counted(db, gallery) == {"ana": MOST}


@pytest.mark.parametrize("size", [1, 3])
def test_daily_limit_holds_for_a_voter_on_many_devices(db, connect, gallery, size):
    db.execute("update rating.settings set events_per_voter_and_day = 20")
    staff: UUID = person(db, gallery)

    def send(connection, events):
        become(connection, staff)
        return ingest(connection, gallery, *events)

    results = run_together(connect, [[vote() for _ in range(size)] for _ in range(30)], send)

    assert Counter(code for result in results for code in codes(result)) == {
        "accepted": 20,
        "daily_limit_reached": 30 * size - 20,
    }
    assert counted(db, gallery) == {"ana": 20}


def test_event_sent_from_many_devices_is_counted_once(db, connect, gallery):
    staff, event = person(db, gallery), vote()

    def send(connection, number):
        become(connection, staff)
        return ingest(connection, gallery, event, *([vote(voter="ben")] if number % 2 else []))

    run_together(connect, range(12), send)

    assert counted(db, gallery)["ana"] == 1
