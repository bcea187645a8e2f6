"""POST /ratings/events reports a result for each event and refuses impossible ones."""

import functools
import json
from uuid import uuid4

import pytest

from marquee.core.identity import service
from tests.kit import gateway, stages
from tests.kit.rating_requests import EVENTS, counted, fire, keep_private, known, outcomes, post, slider, vote


@pytest.fixture
def stage(db, aws):
    return stages.create(db)


def test_events_are_accepted_with_ascending_ids(db, stage):
    answer = post(
        stage,
        vote("dawn", "dusk", voter_id="eva", kind="super", occurred_at="2026-01-01T10:00:00+02:00"),
        slider("dawn", 72.5, voter_id="eva"),
        fire("dusk", voter_id="eva"),
    )

    assert answer.status == 200
    assert (answer.body["accepted"], answer.body["duplicates"], answer.body["refused"]) == (3, 0, 0)
    assert outcomes(answer) == ["accepted"] * 3
    numbers = [result["event_id"] for result in answer.body["results"]]
    assert numbers == sorted(numbers)
    assert counted(db) == {"votes": 1, "sliders": 1, "fires": 1, "inbox": 4}
    row = db.execute("select voter_id, winner, kind::text, occurred_at from rating.votes").fetchone()
    assert (row["voter_id"], row["winner"], row["kind"]) == ("eva", "dawn", "super")
    assert row["occurred_at"].isoformat() == "2026-01-01T08:00:00+00:00"


def test_repeated_request_returns_duplicates_and_counts_once(db, stage):
    events = [vote("dawn", "dusk"), slider("dawn", 10), fire("dusk")]

    first, second = post(stage, *events), post(stage, *events)

    assert (first.status, second.status) == (200, 200)
    assert outcomes(second) == ["duplicate"] * 3
    assert counted(db) == {"votes": 1, "sliders": 1, "fires": 1, "inbox": 4}


def test_key_reused_with_other_content_is_refused(db, stage):
    same = slider("dawn", 10, key="tap")

    answer = post(stage, same, same, {**same, "value": 11})

    assert outcomes(answer) == ["accepted", "duplicate", "key_reused"]
    assert counted(db)["sliders"] == 1
    assert outcomes(post(stage, {**same, "value": 12}, same)) == ["key_reused", "duplicate"]


def test_hundred_fires_of_one_person_count_once(db, stage):
    answer = post(stage, *(fire("dawn", voter_id="eva") for _ in range(100)))

    assert outcomes(answer) == ["accepted"] + ["duplicate"] * 99
    assert counted(db) == {"votes": 0, "sliders": 0, "fires": 1, "inbox": 1}


WRONG = [
    ("winner outside the pair", vote("dawn", "dusk", winner="noon"), "winner_not_in_pair"),
    ("a vote against itself", vote("dawn", "dawn"), "items_are_the_same"),
    ("vote type mega", vote("dawn", "dusk", kind="mega"), "invalid_event"),
    ("slider −5000", slider("dawn", -5000), "invalid_event"),
    ("slider 100.1", slider("dawn", 100.1), "invalid_event"),
    ("slider as text", slider("dawn", "50"), "invalid_event"),
    ("slider as a boolean", slider("dawn", True), "invalid_event"),
    ("no key", {"type": "fire", "item_id": "dawn"}, "invalid_event"),
    ("a key too long", fire("dawn", key="k" * 129), "invalid_event"),
    ("an empty item", fire(""), "invalid_event"),
    ("an item too long", fire("x" * 129), "invalid_event"),
    ("an item as a number", fire(7), "invalid_event"),
    ("an unknown member", fire("dawn", opponent_rating=3000), "invalid_event"),
    ("a time without offset", fire("dawn", occurred_at="2030-01-01T10:00:00"), "invalid_event"),
    ("another type", {"type": "mega", "key": "m"}, "unknown_type"),
    ("no type", {"key": "m"}, "unknown_type"),
    ("text instead of an object", "fire", "invalid_event"),
    ("null", None, "invalid_event"),
    ("a NUL in a key", fire("dawn", key="tap\0"), "invalid_event"),
    ("a NUL in an item", vote("dawn", "du\0sk"), "invalid_event"),
    ("a NUL for a voter", fire("dawn", voter_id="\0"), "invalid_event"),
    ("a NUL for a kind", vote("dawn", "dusk", kind="\0"), "invalid_event"),
    ("a NUL for a type", {"type": "fire\0", "key": "nul-type"}, "unknown_type"),
    ("a NUL in a name", {**fire("dawn"), "\0": 1}, "invalid_event"),
    ("NUL alone", "\0", "invalid_event"),
    ("a line end in a key", fire("dawn", key="tap\n"), "invalid_event"),
    ("a control character in a voter", fire("dawn", voter_id="ana\x1b[2J"), "invalid_event"),
    ("a text direction override in an item", vote("dawn", "\u202egnp.exe"), "invalid_event"),
    ("a lone surrogate", fire("dawn", key="half \ud800"), "invalid_event"),
    ("a huge number", slider("dawn", 10**400), "invalid_event"),
    ("nested too deeply", fire("dawn", more=functools.reduce(lambda inner, _: [inner], range(40), 0)), "invalid_event"),
]


@pytest.mark.parametrize(("event", "code"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
def test_invalid_event_among_valid_ones_is_refused_alone(db, stage, event, code):
    answer = post(stage, vote("dawn", "dusk"), event, fire("dusk"))

    assert answer.status == 200
    assert outcomes(answer) == ["accepted", code, "accepted"]
    refusal = answer.body["results"][1]
    assert (refusal["index"], refusal["status"], bool(refusal["detail"])) == (1, "refused", True)
    assert counted(db) == {"votes": 1, "sliders": 0, "fires": 1, "inbox": 3}


def test_request_without_a_valid_event_is_422(db, stage):
    answer = post(stage, vote("dawn", "dusk", winner="noon"), slider("dawn", -5000))

    assert (answer.status, answer.body["code"]) == (422, "no_event_accepted")
    assert outcomes(answer) == ["winner_not_in_pair", "invalid_event"]
    assert counted(db)["inbox"] == 0


def test_request_with_only_a_reused_key_is_422(db, stage):
    post(stage, fire("dawn", key="tap"))

    answer = post(stage, fire("dusk", key="tap"))

    assert (answer.status, answer.body["code"]) == (422, "no_event_accepted")
    assert outcomes(answer) == ["key_reused"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "malformed_json"),
        ({"organization_id": str(uuid4())}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": []}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": {}}, 422, "invalid_request"),
        ({"organization_id": "studio", "events": [{}]}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": [{}], "more": 1}, 422, "invalid_request"),
        ({"organization_id": "\0", "events": [{}]}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": "\0"}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": [{}], "\0": []}, 422, "invalid_request"),
        ({"organization_id": str(uuid4()), "events": [{"key": "\0"}]}, 422, "no_event_accepted"),
        ("x" * 300_000, 413, "body_too_large"),
    ],
)
def test_malformed_request_is_refused_as_a_whole(db, stage, body, status, code):
    answer = gateway.post("ingest", EVENTS, body, caller=stage.owner)

    assert (answer.status, answer.body["code"]) == (status, code)


def test_request_holds_at_most_500_events(db, stage):
    events = [vote(f"item-{number}", f"item-{number + 1}") for number in range(501)]

    assert post(stage, *events).status == 422
    assert counted(db)["votes"] == 0
    assert post(stage, *events[:500]).body["accepted"] == 500
    assert counted(db) == {"votes": 500, "sliders": 0, "fires": 0, "inbox": 1000}


def test_non_member_rates_existing_items_as_themselves(db, stage):
    known(db, stage, "dawn", "dusk")
    ana = stage.customer()

    answer = post(
        stage,
        vote("dawn", "dusk"),
        fire("dawn", voter_id=str(ana)),
        fire("dawn", voter_id=str(uuid4())),
        vote("dawn", "unheard of"),
        slider("unheard of", 100),
        caller=ana,
    )

    assert outcomes(answer) == ["accepted", "accepted", "forbidden", "item_not_found", "item_not_found"]
    assert {row["voter_id"] for row in db.execute("select voter_id from rating.votes").fetchall()} == {str(ana)}


@pytest.mark.parametrize("role", ["front_desk", "editor", "admin", "owner"])
def test_staff_rate_new_items_for_any_voter(db, stage, role):
    assert outcomes(post(stage, fire("new", voter_id="eva"), caller=stage.member(role))) == ["accepted"]


def test_service_rates_for_any_voter(db, stage):
    assert outcomes(post(stage, fire("new", voter_id="eva"), caller=service())) == ["accepted"]


def test_private_organization_accepts_events_of_members_only(db, stage):
    known(db, stage, "dawn")
    keep_private(db, stage)

    stranger = post(stage, fire("dawn"), caller=stage.customer())

    assert (stranger.status, outcomes(stranger)) == (422, ["forbidden"])
    assert post(stage, fire("dawn")).status == 200


def test_unknown_organization_and_anonymous_caller_are_refused(db, stage):
    body = {"organization_id": uuid4(), "events": [fire("dawn")]}

    unknown = gateway.post("ingest", EVENTS, body, caller=service())
    anonymous = post(stage, fire("dawn"), caller=None)

    assert (unknown.status, unknown.body["code"]) == (404, "organization_not_found")
    assert (anonymous.status, anonymous.body["code"]) == (401, "unauthenticated")


def test_ids_of_any_script_are_stored_unchanged(db, stage):
    name = "art/2030 Zürich ☃ 日の出 \"'\\ 100%"

    assert post(stage, fire(name, voter_id=name, key=name)).status == 200

    assert dict(db.execute("select item_id, voter_id, key from rating.fires").fetchone()) == dict.fromkeys(
        ("item_id", "voter_id", "key"), name
    )


def test_metrics_count_accepted_repeated_and_refused_events(db, stage, capsys):
    event = fire("dawn")

    def counted(*events):
        capsys.readouterr()
        post(stage, *events)
        (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RatingEvent" in line]
        return {name: value for name, value in line.items() if name.startswith("RatingEvent")}

    assert counted(event) == {"RatingEventAccepted": [1]}
    assert counted(event, fire("dusk"), {}) == {
        "RatingEventAccepted": [1], "RatingEventRepeated": [1], "RatingEventRefused": [1]
    }  # fmt: skip
    assert counted(event) == {"RatingEventRepeated": [1]}
