"""Ingestion judges each event by itself, counts repeated ones once and queues the event for its items."""

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.kit.rating_events import become, fire, ingest, member, organization, person, slider, vote


@pytest.fixture
def gallery(db):
    made = organization(db)
    become(db)
    return made


def counts(db):
    return {
        table: db.execute(f"select count(*) as n from rating.{table}").fetchone()["n"]
        for table in ("votes", "sliders", "fires", "inbox", "event_keys", "item_fires", "dirty_items")
    }


def codes(results):
    return [result.get("code", result["status"]) for result in results]


def test_event_is_written_once_and_queued_for_each_of_its_items(db, gallery):
    results = ingest(db, gallery, vote("a", "b", kind="super"), slider("c", 72.5), fire("a"))

    assert [(result["index"], result["status"]) for result in results] == [
        (0, "accepted"),
        (1, "accepted"),
        (2, "accepted"),
    ]
    assert [result["event_id"] for result in results] == sorted(result["event_id"] for result in results)
    waiting = db.execute(
        "select item_id, kind::text, opponent_id, first, score, weight from rating.inbox order by item_id, event_id"
    ).fetchall()
    assert [tuple(row.values()) for row in waiting] == [
        ("a", "vote", "b", True, 1, 2),
        ("a", "fire", None, True, 1, 1),
        ("b", "vote", "a", False, 0, 2),
        ("c", "slider", None, True, 72.5, 1),
    ]
    assert counts(db) == {
        "votes": 1, "sliders": 1, "fires": 1, "inbox": 4, "event_keys": 3, "item_fires": 1, "dirty_items": 3,
    }  # fmt: skip


def test_loser_may_be_named_first(db, gallery):
    ingest(db, gallery, {**vote("a", "b"), "winner": "b"})

    rows = db.execute("select item_id, first, score from rating.inbox order by item_id").fetchall()
    assert [tuple(row.values()) for row in rows] == [("a", True, 0), ("b", False, 1)]


def test_repeated_event_is_a_duplicate_and_changed_content_is_refused(db, gallery):
    events = [vote(), slider(), fire()]
    ingest(db, gallery, *events)
    before = counts(db)

    assert codes(ingest(db, gallery, *events)) == ["duplicate"] * 3
    changed = [{**events[0], "winner": "b"}, {**events[1], "value": 51}, {**events[2], "item_id": "z"}]
    assert codes(ingest(db, gallery, *changed)) == ["key_reused"] * 3
    assert counts(db) == before


def test_event_with_another_time_is_a_duplicate(db, gallery):
    event = slider(value=50)
    ingest(db, gallery, event)

    assert codes(ingest(db, gallery, {**event, "value": 50.0, "occurred_at": "2026-01-01T00:00:00Z"})) == ["duplicate"]


def test_event_keys_are_separate_for_each_organization(db, gallery):
    event = vote()

    assert codes(ingest(db, gallery, event)) == ["accepted"]
    assert codes(ingest(db, organization(db), event)) == ["accepted"]


def test_duplicates_within_a_request_are_found(db, gallery):
    event = vote()

    results = ingest(db, gallery, event, event, {**event, "winner": "b"})

    assert codes(results) == ["accepted", "duplicate", "key_reused"]
    assert counts(db)["votes"] == 1


def test_hundred_fires_of_one_person_count_once(db, gallery):
    results = ingest(db, gallery, *(fire("a", "ana") for _ in range(60)))
    results += [result for _ in range(40) for result in ingest(db, gallery, fire("a", "ana"))]

    assert codes(results) == ["accepted"] + ["duplicate"] * 99
    assert (counts(db)["fires"], counts(db)["inbox"]) == (1, 1)
    assert codes(ingest(db, gallery, fire("a", "ben"), fire("b", "ana"))) == ["accepted", "accepted"]


def test_fire_refused_for_its_key_does_not_block_a_valid_one(db, gallery):
    used = vote()
    ingest(db, gallery, used)

    assert codes(ingest(db, gallery, fire(key=used["key"]), fire())) == ["key_reused", "accepted"]


LONG = "x" * 129
WRONG = [
    ("winner outside the pair", vote(winner="a") | {"winner": "c"}, "winner_not_in_pair"),
    ("no winner", {name: value for name, value in vote().items() if name != "winner"}, "winner_not_in_pair"),
    ("an item against itself", vote("a", "a"), "items_are_the_same"),
    ("slider -5000", slider(value=-5000), "invalid_event"),
    ("slider 100.01", slider(value=100.01), "invalid_event"),
    ("slider as text", slider(value="50"), "invalid_event"),
    ("slider NaN as text", slider(value="NaN"), "invalid_event"),
    ("slider beyond numeric", json.dumps(slider(value=7)).replace("7}", "1e999999}"), "invalid_event"),
    ("slider beyond floats", json.dumps(slider(value=7)).replace("7}", "1e400}"), "invalid_event"),
    ("slider below floats", json.dumps(slider(value=7)).replace("7}", "1e-400}"), "invalid_event"),
    ("vote of a type mega", vote(type="mega"), "unknown_type"),
    ("vote of a kind mega", vote(kind="mega"), "invalid_event"),
    ("no type", {"key": "k"}, "unknown_type"),
    ("a type that is not text", vote(type=["vote"]), "unknown_type"),
    ("an unknown member", vote(opponent_rating=3000), "invalid_event"),
    ("an opponent's rating as text", vote(opponent_rating="3000"), "invalid_event"),
    ("a slider's member in a vote", vote(value=5), "invalid_event"),
    ("no key", {name: value for name, value in vote().items() if name != "key"}, "invalid_event"),
    ("an empty key", vote(key=""), "invalid_event"),
    ("a long key", vote(key=LONG), "invalid_event"),
    ("a number for a key", vote(key=5), "invalid_event"),
    ("an item that is null", vote(item_a=None), "invalid_event"),
    ("a long item", fire(LONG), "invalid_event"),
    ("a long first item", vote(LONG, "b"), "invalid_event"),
    ("a long second item", vote("a", LONG), "invalid_event"),
    ("a long voter", vote(voter=LONG), "invalid_event"),
    ("a service without a voter", vote(voter_id=None), "invalid_event"),
    ("a voter that is a list", vote(voter_id=[]), "invalid_event"),
    ("NUL", fire("a\0"), "invalid_event"),
    ("a lone surrogate", fire("a\ud800"), "invalid_event"),
    ("a number", 5, "invalid_event"),
    ("null", None, "invalid_event"),
    ("a list", [], "invalid_event"),
    ("text instead of a time", vote(occurred_at="yesterday"), "invalid_event"),
    ("infinity as a time", vote(occurred_at="infinity"), "invalid_event"),
    ("a day that does not exist", vote(occurred_at="2026-02-30T00:00:00Z"), "invalid_event"),
    ("a time without offset", vote(occurred_at="2026-02-03T00:00:00"), "invalid_event"),
    ("the far future", vote(occurred_at="2999-01-01T00:00:00Z"), "invalid_event"),
    ("in two days", vote(occurred_at=(datetime.now(UTC) + timedelta(days=2)).isoformat()), "invalid_event"),
    ("the far past", vote(occurred_at="0001-01-01T00:00:00+14:00"), "invalid_event"),
    ("a time as number", vote(occurred_at=1700000000), "invalid_event"),
]

UNREADABLE = {"a line end": "a\nb", "an escape": "\x1b[2J", "a separator": "a\u2028b", "an override": "\u202egnp.exe"}
WRONG += [
    (f"{name} in {member} of a {event['type']}", {**event, member: text}, "invalid_event")
    for name, text in UNREADABLE.items()
    for event in (vote(), slider(), fire())
    for member in sorted(event.keys() - {"type", "kind", "value", "winner"})
]


@pytest.mark.parametrize(("event", "code"), [pytest.param(*wrong[1:], id=wrong[0]) for wrong in WRONG])
def test_invalid_event_among_valid_ones_is_refused_alone(rolled_back, event, code):
    gallery = organization(rolled_back)
    become(rolled_back)

    results = ingest(rolled_back, gallery, vote(), event, slider())

    assert codes(results) == ["accepted", code, "accepted"]
    assert results[1]["detail"].endswith(".")
    assert (counts(rolled_back)["event_keys"], counts(rolled_back)["inbox"]) == (2, 3)


@pytest.mark.parametrize(("event", "code"), [pytest.param(*wrong[1:], id=wrong[0]) for wrong in WRONG])
def test_invalid_event_on_its_own_is_refused_the_same_way(rolled_back, event, code):
    gallery = organization(rolled_back)
    become(rolled_back)

    among_others = ingest(rolled_back, gallery, vote(), event)[1]
    alone = ingest(rolled_back, gallery, event)

    assert codes(alone) == [code]
    assert alone == [among_others | {"index": 0}]
    assert counts(rolled_back)["event_keys"] == 1


ALONE = [
    ("plain", {}),
    ("super", {"kind": "super"}),
    ("by the caller", {"voter_id": None}),
    ("with a time", {"occurred_at": "2026-02-03T04:05:06.789+01:00"}),
    ("with members that are null", {"kind": None, "occurred_at": None, "value": None}),
    ("won by the second", {"winner": "b"}),
    ("for another voter", {"voter_id": "ben"}),
    ("on an unknown item", {"item_b": "new"}),
    ("on an unknown first item", {"item_a": "new", "winner": "new"}),
    ("of the longest texts", {"item_a": "ü" * 128, "winner": "ü" * 128, "key": "k" * 128}),
]


@pytest.mark.parametrize("caller", ["service", "owner", "anybody", "anybody, where ratings are private"])
@pytest.mark.parametrize("members", [pytest.param(members, id=name) for name, members in ALONE])
def test_single_vote_writes_the_same_rows_as_in_a_request_of_two(rolled_back, caller, members):
    left = []
    somebody = person(rolled_back)
    for others in ([], [slider("z", voter=str(somebody), key="other")]):
        gallery = organization(rolled_back)
        known(rolled_back, gallery, "a", "b", "z")
        if caller == "owner":
            member(rolled_back, gallery, somebody)
        if caller.endswith("private"):
            rolled_back.execute("insert into rating.settings (organization_id, public) values (%s, false)", [gallery])
        become(rolled_back, None if caller == "service" else somebody)

        given = vote("a", "b", str(somebody), key="one") | members
        result = ingest(rolled_back, gallery, given, *others)[0]
        again = ingest(rolled_back, gallery, given, *others)[0]
        other = ingest(rolled_back, gallery, given | {"item_b": "c"}, *others)[0]

        left.append(([without_id(one) for one in (result, again, other)], rows_of(rolled_back, gallery)))

    alone, among_others = left
    assert alone == among_others


def without_id(result):
    return {name: value for name, value in result.items() if name != "event_id"}


LEFT = {
    "keys": "select key, content from rating.event_keys where organization_id = %s and key <> 'other'",
    "votes": """
        select key, voter_id, item_a, item_b, winner, kind::text, occurred_at from rating.votes
        where organization_id = %s
    """,
    "inbox": """
        select
            i.item_id, i.kind::text, i.voter_id, i.opponent_id, i.first, i.score, i.weight,
            i.event_id = (select v.event_id from rating.votes as v where v.organization_id = i.organization_id) as same
        from rating.inbox as i
        where i.organization_id = %s and i.item_id <> 'z'
        order by i.item_id
    """,
    "marks": """
        select item_id, priority, attempts from rating.dirty_items
        where organization_id = %s and item_id <> 'z'
        order by item_id
    """,
}


def rows_of(db, gallery):
    """Return the rows that a vote leaves, without ids and times."""
    return {name: db.execute(query, [gallery]).fetchall() for name, query in LEFT.items()}


def test_events_at_the_limits_are_accepted(db, gallery):
    soon = datetime.now(UTC) + timedelta(hours=23)
    events = [
        slider(value=0),
        slider(value=100),
        vote("i" * 128, "ü" * 128, "v" * 128, key="k" * 128),
        fire("\\u0000 \" ' \u200f 😀"),
        vote(kind=None, occurred_at=None, value=None),
        vote(occurred_at=soon.isoformat()),
        vote(occurred_at="2026-02-03 04:05+01"),
    ]

    assert codes(ingest(db, gallery, *events)) == ["accepted"] * len(events)
    stored = db.execute("select item_id from rating.fires").fetchone()["item_id"]
    assert stored == "\\u0000 \" ' \u200f 😀"


@pytest.mark.parametrize("events", ["{}", "5", "null", None, json.dumps([1] * 501)])
def test_request_that_is_not_a_list_of_at_most_500_is_refused(rolled_back, events):
    with pytest.raises(psycopg.Error) as refused:
        rolled_back.execute("select rating.ingest(%s, %s::json)", [organization(rolled_back), events])

    assert (refused.value.sqlstate, refused.value.diag.message_primary) == ("PT422", "invalid_request")


def test_request_accepts_500_events_or_none(db, gallery):
    assert codes(ingest(db, gallery, *(slider(f"i{n % 7}", voter=f"v{n}") for n in range(500)))) == ["accepted"] * 500
    assert ingest(db, gallery) == []


def test_unknown_organization_is_refused(db):
    become(db)

    with pytest.raises(psycopg.Error) as refused:
        ingest(db, person(db), vote())

    assert (refused.value.sqlstate, refused.value.diag.message_primary) == ("PT404", "organization_not_found")


@pytest.mark.parametrize("role", ["front_desk", "editor", "admin", "owner"])
def test_staff_rate_new_items_for_any_voter(db, gallery, role):
    become(db, person(db, gallery, role))

    assert codes(ingest(db, gallery, vote("new", "newer", "anybody"))) == ["accepted"]


def known(db, gallery, *items):
    for item in items:
        db.execute(
            "insert into rating.item_stats"
            " (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)"
            " values (%s, %s, 'bayes', 1500, 350, 1500, 350)",
            [gallery, item],
        )


@pytest.mark.parametrize("role", [None, "viewer", "instructor", "accountant"])
def test_other_callers_rate_existing_items_as_themselves(db, gallery, role):
    somebody = person(db, gallery if role else None, role or "")
    known(db, gallery, "a", "b")
    become(db, somebody)

    results = ingest(
        db,
        gallery,
        vote("a", "b", None),
        slider("a", 50, str(somebody)),
        vote("a", "b", "ana"),
        vote("a", "new", str(somebody)),
        vote("new", "a", str(somebody)),
        fire("new", str(somebody)),
    )

    assert codes(results) == ["accepted", "accepted", "forbidden"] + ["item_not_found"] * 3
    voters = db.execute("select distinct voter_id from rating.inbox").fetchall()
    assert voters == [{"voter_id": str(somebody)}]
    assert counts(db)["event_keys"] == 2


def test_private_organization_refuses_events_of_non_members(db, gallery):
    known(db, gallery, "a", "b")
    db.execute("insert into rating.settings (organization_id, public) values (%s, false)", [gallery])
    become(db, person(db, organization(db)))
    assert codes(ingest(db, gallery, vote(voter=None))) == ["forbidden"]

    become(db, person(db, gallery, "editor"))
    assert codes(ingest(db, gallery, vote(voter=None))) == ["accepted"]


def test_anonymous_caller_may_not_rate(db, gallery, connect):
    api = connect("marquee_public")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
        api.execute("select ops.act_as('{}')")
        ingest(api, gallery, vote())
