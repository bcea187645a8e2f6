"""Administration of ratings: settings, reset, pipeline status and recent events."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from marquee.rating import processing
from tests.kit.rating_events import (
    NOW,
    become,
    claim,
    fail,
    finish,
    fire,
    ingest,
    mark,
    names,
    organization,
    person,
    slider,
    vote,
)
from tests.kit.rating_requests import publish


@pytest.fixture
def gallery(db):
    made = organization(db)
    become(db)
    return made


def change(db, gallery, **changes):
    row = db.execute("select rating.change_settings(%s, %s) as s", [gallery, Jsonb(changes)]).fetchone()
    return row["s"]


def restart(db, gallery):
    return db.execute("select rating.reset_ratings(%s) as done", [gallery]).fetchone()["done"]


def status(db, gallery=None, at=NOW):
    return db.execute("select rating.get_pipeline_status(%s, %s) as s", [gallery, at]).fetchone()["s"]


def known(db, gallery, *items):
    for item in items:
        db.execute(
            "insert into rating.item_stats"
            " (organization_id, item_id, model, mean, deviation, base_mean, base_deviation, votes, version)"
            " values (%s, %s, 'elo', 1600, 80, 1600, 80, 7, 3)",
            [gallery, item],
        )


def refusal(call):
    with pytest.raises(psycopg.Error) as refused:
        call()
    return refused.value.sqlstate, refused.value.diag.message_primary


def test_settings_change_keeps_the_other_settings(db, gallery):
    assert change(db, gallery, model="elo", tiers=[50], paused_until="2030-01-01T00:00:00Z")["model"] == "elo"

    change(db, gallery, votes_least=2)
    changed = change(db, gallery, paused_until=None)

    kept = db.execute("select to_jsonb(s) - 'updated_at' as s from rating.settings as s").fetchone()["s"]
    assert changed == kept
    assert (changed["model"], changed["tiers"], changed["votes_least"], changed["paused_until"]) == (
        "elo", [50], 2, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "mega"},
        {"model": None},
        {"votes_least": -1},
        {"votes_least": "many"},
        {"rating_weight": 0.9},
        {"rating_weight": "NaN"},
        {"tiers": [101]},
        {"tiers": ["NaN"]},
        {"tiers": 5},
        {"paused_until": "infinity"},
        {"pause_seconds": 1e12},
        {"organization_id": "00000000-0000-0000-0000-000000000000"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_invalid_settings_are_refused(rolled_back, changes):
    made = organization(rolled_back)
    become(rolled_back)

    assert refusal(lambda: change(rolled_back, made, **changes)) == ("PT422", "invalid_request")


@pytest.mark.parametrize("role", ["viewer", "editor", "front_desk", None])
def test_settings_change_is_refused_below_admin(db, gallery, role):
    become(db, person(db, gallery if role else None, role or ""))

    assert refusal(lambda: change(db, gallery, model="elo")) == ("PT403", "forbidden")


@pytest.mark.parametrize("role", ["viewer", "admin", None])
def test_ratings_reset_is_refused_to_everyone_but_the_owner(db, gallery, role):
    become(db, person(db, gallery if role else None, role or ""))

    assert refusal(lambda: restart(db, gallery)) == ("PT403", "forbidden")


def test_administration_without_a_caller_is_refused(db, gallery):
    db.execute("select set_config('request.jwt.claims', '{}', false)")

    for call in (lambda: change(db, gallery), lambda: restart(db, gallery), lambda: status(db, gallery)):
        assert refusal(call) == ("PT401", "unauthenticated")


def test_unknown_organization_is_not_found(db, gallery):
    nobody = person(db)

    assert refusal(lambda: change(db, nobody, model="elo")) == ("PT404", "organization_not_found")
    assert refusal(lambda: restart(db, nobody)) == ("PT404", "organization_not_found")


def test_change_of_publishing_settings_marks_all_items(db, gallery):
    known(db, gallery, "a", "b")
    mark(db, gallery, "a")
    finish(db, claim(db), publish_at=[NOW + timedelta(hours=1)])

    change(db, gallery, public=False)
    assert claim(db, at=NOW) == []
    change(db, gallery, pause_seconds=0)

    assert names(claim(db, at=NOW)) == ["a", "b"]


def test_ratings_reset_queues_all_events_and_clears_the_results(db, gallery):
    ingest(db, gallery, vote("a", "b", kind="super"), slider("c", 72.5), fire("a"))
    before = db.execute("select * from rating.inbox order by event_id, item_id").fetchall()
    db.execute("delete from rating.inbox; delete from rating.dirty_items")
    known(db, gallery, "a", "b", "c")
    db.execute("insert into rating.voters (organization_id, voter_id, votes) values (%s, 'ana', 5)", [gallery])
    db.execute("insert into rating.populations (organization_id) values (%s)", [gallery])

    assert restart(db, gallery) == {"events": 3, "items": 3}

    def undated(rows):
        return [{name: value for name, value in row.items() if name != "received_at"} for row in rows]

    assert undated(db.execute("select * from rating.inbox order by event_id, item_id").fetchall()) == undated(before)
    assert names(claim(db, at=datetime.now(UTC))) == ["a", "b", "c"]
    assert db.execute("select distinct votes, version from rating.item_stats").fetchall() == [
        {"votes": 0, "version": 0}
    ]
    assert db.execute("select count(*) as n from rating.voters").fetchone() == {"n": 0}
    assert db.execute("select period from rating.populations").fetchone() == {"period": 2}


def test_ratings_reset_queues_pending_events_once(db, gallery):
    other = organization(db)
    ingest(db, gallery, vote(), slider())
    ingest(db, other, vote())

    assert restart(db, gallery) == {"events": 2, "items": 2}
    assert restart(db, gallery) == {"events": 2, "items": 2}

    assert db.execute("select count(*) as n from rating.inbox").fetchone() == {"n": 5}


def test_status_counts_queued_leased_failing_and_held_back_items(db, gallery):
    mark(db, gallery, "waits", priority=5, at=NOW - timedelta(seconds=90))
    mark(db, gallery, "works", priority=15)
    mark(db, gallery, "fails", priority=10)
    mark(db, gallery, "held")
    claimed = {row["item_id"]: row for row in claim(db)}
    fail(db, [claimed["fails"]])
    finish(db, [claimed["held"]], publish_at=[NOW + timedelta(hours=1)])
    db.execute("update rating.dirty_items set lease_until = null where item_id = 'waits'")

    found = status(db, gallery)

    assert {name: found[name] for name in ("queued", "high_priority", "in_work", "failing", "held_back")} == {
        "queued": 3, "high_priority": 2, "in_work": 1, "failing": 1, "held_back": 1,
    }  # fmt: skip
    assert found["oldest_seconds"] == 90
    assert status(db, organization(db))["queued"] == 0
    assert status(db)["queued"] == 3


def test_status_reports_events_batches_and_the_last_calibration(db, gallery):
    ingest(db, gallery, vote(), slider(), fire())
    db.execute("insert into ops.job_runs (job, succeeded, finished_at, result) values"
               " ('process_ratings', true, clock_timestamp() + interval '2 s', '{\"items\": 7}'),"
               " ('another', true, clock_timestamp(), '{}')")  # fmt: skip
    db.execute(
        "insert into rating.calibrations"
        " (organization_id, began_at, items, votes, applied, before, after, mean_difference, largest_difference)"
        " values (%s, now(), 5, 6, 4, '{}', '{}', 1.5, 3)",
        [gallery],
    )
    known(db, gallery, "scored", "unscored")
    publish(db, gallery, {"scored": 70})
    publish(db, organization(db), {"another": 70, "and another": 30})
    now = datetime.now(UTC) + timedelta(seconds=1)

    found = status(db, gallery, at=now)

    assert (found["published"], status(db)["published"]) == (1, 3)
    assert found["events_last_minute"] == 3
    assert status(db, gallery, at=now + timedelta(minutes=1))["events_last_minute"] == 0
    assert [(round(run["seconds"]), run["result"]) for run in found["batches"]] == [(2, {"items": 7})]
    assert (found["last_calibration"]["items"], found["last_calibration"]["mean_difference"]) == (5, 1.5)
    become(db, person(db, gallery, "viewer"))
    assert set(status(db, gallery, at=now)["batches"][0]) == {"started_at", "seconds", "succeeded"}


def test_status_is_for_members_and_the_total_for_the_service(db, gallery):
    become(db, person(db, gallery, "viewer"))
    assert status(db, gallery)["queued"] == 0
    assert refusal(lambda: status(db)) == ("PT403", "forbidden")

    become(db, person(db))
    assert refusal(lambda: status(db, gallery)) == ("PT403", "forbidden")


def test_recent_events_are_read_in_index_order_without_a_sort(db, gallery):
    ingest(db, gallery, vote("a", "b"), slider("c", 72.5), fire("d"))

    rows = db.execute("select * from rating.recent_events order by event_id").fetchall()
    plan = db.execute(
        "explain select * from rating.recent_events where organization_id = %s"
        " order by received_at desc, event_id desc limit 5",
        [gallery],
    ).fetchall()

    assert [(row["type"], row["item_a"], row["winner"], row["item_id"], row["value"]) for row in rows] == [
        ("vote", "a", "a", None, None),
        ("slider", None, None, "c", 72.5),
        ("fire", None, None, "d", None),
    ]
    shown = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Merge Append" in shown
    assert "Sort  " not in shown


@pytest.mark.parametrize("model", ["bayes", "elo"])
def test_ratings_after_a_reset_equal_the_ratings_before_it(db, gallery, model):
    events = [vote(f"i{n % 7}", f"i{n % 5 + 7}", f"v{n % 9}", kind=("normal", "super")[n % 2]) for n in range(120)]
    events += [slider(f"i{n % 12}", n % 101, f"v{n % 9}") for n in range(80)] + [fire(f"i{n}") for n in range(5)]
    change(db, gallery, model=model)
    ingest(db, gallery, *events)

    def count():
        processing.process_batch()
        items = db.execute("select to_jsonb(i) as i from rating.item_stats as i order by item_id").fetchall()
        voters = db.execute("select to_jsonb(v) as v from rating.voters as v order by voter_id").fetchall()
        scores = db.execute("select to_jsonb(s) as s from rating.item_scores as s order by item_id").fetchall()
        drifting = {"period", "created_at", "updated_at", "published_at"}
        return [
            {name: value for name, value in next(iter(row.values())).items() if name not in drifting}
            for row in [*items, *voters, *scores]
        ]

    once = count()
    restart(db, gallery)

    assert count() == once
    assert sum(row.get("votes", 0) for row in once if "opponents" in row) == 240
