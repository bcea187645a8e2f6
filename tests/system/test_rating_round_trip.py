"""A rating from end to end: queued, written in a batch, processed by the triggered worker, public by its URL."""

import json
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

from tests.kit.project import Project

SECONDS_MAX = 60
ITEM = "art/2030/Zürich ☃ 100%"

pytestmark = pytest.mark.slow


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def until(found: Any, url: str, project: Project, **headers: str) -> Any:
    """Repeat a request until its response satisfies `found`."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        status, body = ask(url, **headers)
        if found(status, body):
            return body
        assert time.monotonic() < deadline, f"{status} {body}\n{project.said.read_text()}"
        time.sleep(0.2)


def test_queued_vote_becomes_a_public_score(project: Project):
    with project.up():
        api = f"http://127.0.0.1:{project.port}"
        token = project.run("demo.token", "--user", "ana", "--role", "service_role").stdout.strip()
        bearer = {"Authorization": f"Bearer {token}"}
        organization = ask(f"{api}/organizations")[1]["items"][0]["id"]
        asked = f"organization_id={organization}"
        least = {"votes_least": 1, "opponents_least": 1, "sliders_least": 0, "slider_voters_least": 0}
        assert ask(f"{api}/ratings/settings", "PATCH", {"organization_id": organization, **least}, **bearer)[0] == 200
        vote = {"type": "vote", "key": "v", "voter_id": "eva", "item_a": ITEM, "item_b": "other", "winner": ITEM}

        status, queued = ask(
            f"{api}/ratings/events",
            "POST",
            {"organization_id": organization, "events": [vote, {"type": "mega", "key": "m"}]},
            Prefer="respond-async",
            **bearer,
        )
        assert status == 202
        done = until(lambda _, body: body["status"] == "done", api + queued["status_url"], project, **bearer)
        assert (done["taken"]["accepted"], done["taken"]["refused"]) == (1, 1)

        url = f"{api}/ratings/items/{quote(ITEM, safe='')}?{asked}"
        item = until(lambda status, _: status == 200, url, project)
        assert (item["item_id"], item["rank"], item["votes"]) == (ITEM, 1, 1)
        board = until(lambda _, body: len(body["items"]) == 2, f"{api}/ratings/leaderboard?{asked}", project)
        assert [each["item_id"] for each in board["items"]] == [ITEM, "other"]
        assert ask(f"{api}/ratings/voters/eva?{asked}", **bearer)[1]["votes"] == 1
        assert ask(f"{api}/ratings/status?{asked}", **bearer)[1]["published"] == 2
