"""Routes for the staff who run ratings: received events, voters, pipeline status, settings, recalculation and reset."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from marquee.core.identity import service
from tests.kit import gateway, stages
from tests.kit.rating_requests import counted, fire, keep_private, known, post, slider, vote

EVENTS, SETTINGS = "/ratings/events", "/ratings/settings"


@pytest.fixture
def stage(db, aws):
    return stages.create(db)


def listed(stage, caller, **query):
    return gateway.get("ratings", EVENTS, query={"organization_id": stage.organization_id, **query}, caller=caller)


def test_event_list_shows_the_newest_event_first(db, stage):
    post(stage, vote("dawn", "dusk", voter_id="eva", key="v", kind="super"), slider("dawn", 72.5, voter_id="eva"))
    post(stage, fire("dusk", voter_id="eva"))

    items = listed(stage, stage.owner).body["items"]

    assert [item["type"] for item in items] == ["fire", "slider", "vote"]
    assert (items[2]["item_a"], items[2]["item_b"], items[2]["winner"], items[2]["kind"], items[2]["key"]) == (
        "dawn", "dusk", "dawn", "super", "v",
    )  # fmt: skip
    assert (items[1]["item_id"], items[1]["value"], items[1]["winner"]) == ("dawn", 72.5, None)


def test_event_list_of_a_voter_covers_31_days_and_that_of_members_all(db, stage):
    """A scan finds a voter's events, so an old `since` must not extend it to all months."""
    voter = stage.customer()
    for days in (30, 32):
        db.execute(
            "insert into rating.votes "
            "(event_id, organization_id, key, voter_id, item_a, item_b, winner, received_at) "
            "values (%(days)s, %(organization_id)s, %(days)s::text, %(voter)s::text, 'a', 'b', 'a', "
            "now() - %(days)s * interval '1 day')",
            {"days": days, "organization_id": stage.organization_id, "voter": voter},
        )

    def keys(caller):
        return [item["key"] for item in listed(stage, caller, since="2020-01-01T00:00:00Z").body["items"]]

    assert (keys(voter), keys(stage.owner), keys(service())) == (["30"], ["30", "32"], ["30", "32"])


def test_event_list_filters_by_kind_voter_and_time(db, stage):
    post(stage, vote("dawn", "dusk", voter_id="eva"), slider("dawn", 1, voter_id="max"), fire("dusk", voter_id="max"))
    later = datetime(2099, 1, 1, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    earlier = "2020-01-01T00:00:00Z"

    def types(**query):
        return [item["type"] for item in listed(stage, stage.owner, **query).body["items"]]

    assert types(kind="vote") == ["vote"]
    assert types(voter_id="max") == ["fire", "slider"]
    assert types(voter_id="max", kind="fire") == ["fire"]
    assert types(since=later) == []
    assert len(types(since=earlier)) == 3
    db.execute("update rating.votes set received_at = received_at - interval '2 days'")
    assert (types(), types(since=earlier)) == (["fire", "slider"], ["fire", "slider", "vote"])
    assert listed(stage, stage.owner, kind="mega").status == 422


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
def test_event_pages_neither_repeat_nor_skip_events(db, stage, limit):
    for _request in range(3):
        post(stage, vote("dawn", "dusk"), slider("dawn", 1), fire("dusk", voter_id=str(uuid4())), vote("dusk", "noon"))
    seen, cursor, begun = [], None, False
    while cursor or not begun:
        begun = True
        page = listed(stage, stage.owner, limit=limit, cursor=cursor).body
        seen, cursor = seen + [item["event_id"] for item in page["items"]], page["next_cursor"]

    assert len(seen) == 12
    assert seen == sorted(seen, reverse=True)


def test_event_list_of_a_non_member_shows_only_own_events(db, stage):
    known(db, stage, "dawn")
    ana = stage.customer()
    post(stage, fire("dawn", voter_id="eva"), fire("dawn", voter_id=str(ana)))

    assert [item["voter_id"] for item in listed(stage, ana).body["items"]] == [str(ana)]
    assert len(listed(stage, stage.member("viewer")).body["items"]) == 2
    assert len(listed(stage, service()).body["items"]) == 2


def rater(stage, voter_id, caller):
    path = f"/ratings/voters/{voter_id}"
    return gateway.get("ratings", path, query={"organization_id": stage.organization_id}, caller=caller)


def test_voter_reliability_is_shown_to_members_and_to_the_voter(db, stage):
    ana = stage.customer()
    db.execute(
        "insert into rating.voters (organization_id, voter_id, votes, agreed, expected, log_odds, sliders,"
        " slider_sum, slider_square_sum) values (%s, %s, 40, 21, 33.5, -6, 2, 20, 250)",
        [stage.organization_id, str(ana)],
    )

    for caller in (ana, stage.member("viewer"), service()):
        answer = rater(stage, ana, caller)
        assert answer.status == 200
        assert (answer.body["votes"], answer.body["agreed"], answer.body["slider_mean"]) == (40, 21, 60)
        assert answer.body["slider_deviation"] == pytest.approx(50**0.5)
        assert answer.body["reliability"] < 0.1
        assert "21 of 40 votes" in answer.body["explanation"]

    stranger = rater(stage, ana, stage.customer())
    assert (stranger.status, stranger.body["code"]) == (404, "voter_not_found")
    assert rater(stage, "nobody", stage.owner).status == 404


def test_settings_are_the_defaults_until_changed(db, stage):
    query = {"organization_id": stage.organization_id}
    before = gateway.get("ratings", SETTINGS, query=query, caller=stage.customer())
    assert (before.status, before.body["model"], before.body["public"], before.body["votes_least"]) == (
        200, "bayes", True, 5,
    )  # fmt: skip

    changes = {**query, "model": "elo", "votes_least": 2, "tiers": [25, 50.5], "paused_until": "2030-01-01T00:00:00Z"}
    changed = gateway.patch("ratings", SETTINGS, changes, caller=stage.owner)

    assert changed.status == 200
    assert (changed.body["model"], changed.body["votes_least"], changed.body["tiers"]) == ("elo", 2, [25, 50.5])
    assert gateway.get("ratings", SETTINGS, query=query, caller=stage.owner).body == changed.body
    cleared = gateway.patch("ratings", SETTINGS, {**query, "paused_until": None}, caller=stage.member("admin"))
    assert (cleared.body["paused_until"], cleared.body["votes_least"]) == (None, 2)
    assert gateway.get("ratings", SETTINGS, query=query, caller=stage.owner).body == cleared.body


@pytest.mark.parametrize(
    "change",
    [
        {"model": "mega"},
        {"votes_least": -1},
        {"votes_least": None},
        {"rating_weight": 1.5},
        {"rating_weight": 0.9},
        {"tiers": [101]},
        {"tiers": list(range(101))},
        {"pause_seconds": 86401},
        {"paused_until": "tomorrow"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_invalid_settings_are_refused(db, stage, change):
    answer = gateway.patch(
        "ratings", SETTINGS, {"organization_id": stage.organization_id, **change}, caller=stage.owner
    )

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(("role", "status"), [("editor", 403), ("viewer", 403), ("admin", 200), ("owner", 200)])
def test_settings_change_needs_an_admin_or_the_owner(db, stage, role, status):
    change = {"organization_id": stage.organization_id, "pause_seconds": 60}

    assert gateway.patch("ratings", SETTINGS, change, caller=stage.member(role)).status == status
    assert gateway.patch("ratings", SETTINGS, change, caller=stage.customer()).status in (403, 404)


def test_private_settings_are_hidden_from_non_members(db, stage):
    keep_private(db, stage)
    query = {"organization_id": stage.organization_id}

    assert gateway.get("ratings", SETTINGS, query=query, caller=stage.customer()).status == 404
    assert gateway.get("ratings", SETTINGS, query=query, caller=stage.member("viewer")).body["public"] is False
    assert gateway.get("ratings", SETTINGS, query={"organization_id": uuid4()}, caller=service()).status == 404


def mark(stage, caller, **members):
    body = {"organization_id": stage.organization_id, "item_ids": ["dawn", "dusk", "nothing"], **members}
    return gateway.post("ratings", "/ratings/items/dirty", body, caller=caller)


def test_item_recalculation_marks_known_items_and_skips_unknown_ones(db, stage):
    known(db, stage, "dawn", "dusk")

    answer = mark(stage, stage.member("editor"), priority=7)

    assert (answer.status, answer.body) == (200, {"marked": 2})
    rows = db.execute("select item_id, priority from rating.dirty_items order by item_id").fetchall()
    assert [(row["item_id"], row["priority"]) for row in rows] == [("dawn", 7), ("dusk", 7)]


@pytest.mark.parametrize(
    ("who", "status"), [("customer", 403), ("viewer", 403), ("front_desk", 403), ("service", 200), ("anonymous", 401)]
)
def test_item_recalculation_needs_staff_or_the_service(db, stage, who, status):
    callers = {"customer": stage.customer, "service": service, "anonymous": lambda: None}
    caller = callers[who]() if who in callers else stage.member(who)

    assert mark(stage, caller).status == status


@pytest.mark.parametrize(
    "members", [{"item_ids": []}, {"item_ids": ["x"] * 1001}, {"priority": 101}, {"item_ids": [""]}]
)
def test_item_recalculation_refuses_requests_out_of_bounds(db, stage, members):
    assert mark(stage, stage.owner, **members).status == 422


def test_status_counts_queued_items(db, stage):
    post(stage, vote("dawn", "dusk"), fire("noon"))
    query = {"organization_id": stage.organization_id}

    for caller in (stage.owner, service()):
        answer = gateway.get("ratings", "/ratings/status", query=query, caller=caller)
        assert answer.status == 200
        assert answer.body["queued"] == 3
    assert gateway.get("ratings", "/ratings/status", caller=service()).status == 200
    assert gateway.get("ratings", "/ratings/status", query=query, caller=stage.customer()).status == 403
    assert gateway.get("ratings", "/ratings/status", caller=stage.owner).status == 403


def test_ratings_reset_by_the_owner_queues_all_events(db, stage):
    post(stage, vote("dawn", "dusk"), slider("dawn", 70), fire("noon"))
    db.execute("delete from rating.inbox")
    db.execute("delete from rating.dirty_items")
    body = {"organization_id": stage.organization_id}

    assert gateway.post("ratings", "/ratings/restart", body, caller=stage.member("admin")).status == 403
    answer = gateway.post("ratings", "/ratings/restart", body, caller=stage.owner)

    assert answer.status == 202
    assert answer.body["events"] == 3
    assert counted(db) == {"votes": 1, "sliders": 1, "fires": 1, "inbox": 4}
    assert len(db.execute("select * from rating.dirty_items").fetchall()) == 3


def test_ratings_reset_is_rate_limited(db, stage):
    body = {"organization_id": stage.organization_id}

    answers = [gateway.post("ratings", "/ratings/restart", body, caller=stage.owner) for _ in range(3)]

    assert [answer.status for answer in answers] == [202, 202, 429]
