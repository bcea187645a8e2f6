"""Public scores: ranks that hold across pages, items with any id, and no scores of private organizations."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from marquee.core.identity import service
from tests.kit import gateway, stages
from tests.kit.rating_requests import keep_private, publish

LEADERBOARD, MEMBERS = "/ratings/leaderboard", "/ratings/members/leaderboard"


@pytest.fixture
def stage(db):
    return stages.create(db)


def leaderboard(stage, **query):
    return gateway.get("ratings", LEADERBOARD, query={"organization_id": stage.organization_id, **query})


def item_of(stage, item, **options):
    path = f"/ratings/items/{quote(item, safe='')}"
    return gateway.get("ratings", path, query={"organization_id": stage.organization_id}, **options)


def pages(stage, limit):
    """Return all rows of the leaderboard, read page by page, and the number of pages."""
    rows, cursor, number = [], None, 0
    while number == 0 or cursor:
        page = leaderboard(stage, limit=limit, cursor=cursor).body
        rows, cursor, number = rows + page["items"], page["next_cursor"], number + 1
    return rows, number


def test_leaderboard_shows_the_best_first_with_score_components(db, stage):
    publish(db, stage.organization_id, {"dusk": 30, "dawn": 71.5})

    answer = leaderboard(stage)

    assert answer.status == 200
    assert [(row["rank"], row["item_id"], row["score"]) for row in answer.body["items"]] == [
        (1, "dawn", 71.5),
        (2, "dusk", 30),
    ]
    first = answer.body["items"][0]
    assert (first["rating_component"], first["slider_component"], first["fire_component"]) == (71.5, 50, 10)
    assert (first["model"], first["model_version"], first["votes"], first["provisional"]) == ("bayes", "1", 12, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_ranks_do_not_depend_on_pages_and_equal_scores_share_one(db, stage, limit):
    scores = {"a": 90, "b": 80, "c": 80, "d": 80, "e": 70.25, "f": 70.25, "g": 0}
    publish(db, stage.organization_id, scores)
    publish(db, stages.create(db).organization_id, {"z": 100})

    rows, number = pages(stage, limit)

    assert [(row["item_id"], row["rank"]) for row in rows] == [
        ("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 5), ("f", 5), ("g", 7),
    ]  # fmt: skip
    assert number == -(-7 // limit)


def test_leaderboard_is_empty_without_scores_and_404_without_organization(db, stage):
    assert leaderboard(stage).body == {"items": [], "next_cursor": None}

    answer = gateway.get("ratings", LEADERBOARD, query={"organization_id": uuid4()})

    assert (answer.status, answer.body["code"]) == (404, "leaderboard_not_found")


@pytest.mark.parametrize("cursor", ["none", "WzFd", "WzEsMiwzLDRd"])
def test_cursor_of_another_list_is_refused(db, stage, cursor):
    assert leaderboard(stage, cursor=cursor).status == 422


def test_unchanged_response_is_304(db, stage):
    publish(db, stage.organization_id, {"dawn": 71.5})

    for path in ("/ratings/items/dawn", "/ratings/items/dawn/history", LEADERBOARD):
        query = {"organization_id": stage.organization_id}
        first = gateway.get("ratings", path, query=query)
        again = gateway.get("ratings", path, query=query, headers={"If-None-Match": first.headers["etag"]})

        assert first.headers["cache-control"] == "public, max-age=5"
        assert (again.status, again.text) == (304, "")


def test_item_shows_its_rank_and_its_latest_history(db, stage):
    for number in range(35):
        moment = f"2030-01-01T00:{number:02}:00Z"
        publish(db, stage.organization_id, {"dawn": number}, published_at=moment)
    publish(db, stage.organization_id, {"dusk": 50, "noon": 34})

    body = item_of(stage, "dawn").body

    assert (body["score"], body["rank"], body["of"]) == (34, 2, 3)
    assert [past["score"] for past in body["history"]] == list(range(34, 4, -1))


def test_history_is_paged(db, stage):
    for number in range(5):
        publish(db, stage.organization_id, {"dawn": number}, published_at=f"2030-01-01T00:0{number}:00Z")
    path, query = "/ratings/items/dawn/history", {"organization_id": stage.organization_id, "limit": 3}

    first = gateway.get("ratings", path, query=query).body
    second = gateway.get("ratings", path, query={**query, "cursor": first["next_cursor"]}).body

    assert [past["score"] for past in first["items"] + second["items"]] == [4, 3, 2, 1, 0]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "item",
    ["art/2030/dawn 1", "Zürich ☃ 日の出", "100%", "a%2Fb", "a+b", "q?x=1&y=2#z", "..", "dirty", ":", "0198/history"],
)
def test_item_id_survives_the_url(db, stage, item):
    publish(db, stage.organization_id, {item: 40, "another": 60})

    answer = item_of(stage, item)

    assert (answer.status, answer.body.get("item_id"), answer.body.get("rank")) == (200, item, 2)


@pytest.mark.parametrize("path", ["%00", "%FF", "a" * 129])
def test_invalid_item_id_is_refused(db, stage, path):
    answer = gateway.get("ratings", f"/ratings/items/{path}", query={"organization_id": stage.organization_id})

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")


def test_item_without_a_score_is_not_found(db, stage):
    answer = item_of(stage, "nothing")

    assert (answer.status, answer.body["code"]) == (404, "item_not_found")


def test_private_scores_are_for_members(db, stage):
    publish(db, stage.organization_id, {"dawn": 71.5})
    keep_private(db, stage)
    query = {"organization_id": stage.organization_id}

    assert leaderboard(stage).status == 404
    assert item_of(stage, "dawn").status == 404
    assert gateway.get("ratings", "/ratings/items/dawn/history", query=query).body["items"] == []
    for caller, status in ((stage.member("viewer"), 200), (service(), 200), (stage.customer(), 404)):
        shown = gateway.get("ratings", MEMBERS, query=query, caller=caller)
        item = gateway.get("ratings", "/ratings/members/items/dawn", query=query, caller=caller)
        assert (shown.status, item.status) == (status, status)
        assert (shown.body.get("items") or [{}])[0].get("item_id") == ("dawn" if status == 200 else None)
