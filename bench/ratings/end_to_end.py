"""From a vote that is posted to a score that can be read: over HTTP, through the whole local stack."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import sql

from bench import stack, stage
from bench.measurements import Row, against, percentile
from bench.ratings import datasets
from bench.runs import Broken, Run, say, step

TARGET_SECONDS = 5
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60
VOTES_AROUND = 20
# One vote is enough to be published.
_SETTINGS: LiteralString = """
insert into rating.settings (organization_id, votes_least, opponents_least, sliders_least, slider_voters_least)
values ({organization}, 1, 1, 0, 0)
"""


def rows(run: Run, made: stage.Stage) -> Iterator[Row]:
    """end_to_end_p95_s: items nobody has heard of, among other votes, with the worker triggered by message only."""
    runs, samples = 3, run.pick(15, 8)
    database = datasets.database(made, "end", items=20)
    database.run(sql.SQL(_SETTINGS).format(organization=sql.Literal(datasets.ORGANIZATION)))
    slow = []
    with stack.running(run.folder / "rating-stack", database.api) as system:
        client = Client(system.port, system.token("service", role="service_role"))
        with step("end_to_end_p95_s: warming up"):
            client.until_readable("warm-up")
        with step(f"end_to_end_p95_s: {runs} times {samples} items"):
            for number in range(runs):
                taken = [client.until_readable(f"{number}-{sample}") for sample in range(samples)]
                slow.append(percentile(taken, 0.95))
    say("end_to_end_p95_s: " + ", ".join(f"{late:.2f} s" for late in slow))
    yield against("end_to_end_p95_s", "s", slow, TARGET_SECONDS)
    made.drop(database)


class Client:
    """Posts and reads as the service of an organization does."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._token = token

    def until_readable(self, name: str) -> float:
        """Seconds from posting votes on a new item until its score can be read. Raises Broken when it never can."""
        item = f"item-{name}"
        events = [_vote(item, "item-0", f"{name}-0")]
        events += [_vote(f"item-{n}", f"item-{n + 1}", f"{name}-{n + 1}") for n in range(VOTES_AROUND)]
        began = time.perf_counter()
        status, answer = self._ask(
            "POST", "/ratings/events", {"organization_id": datasets.ORGANIZATION, "events": events}
        )
        if status != 200 or answer["accepted"] != len(events):
            raise Broken(f"{status}: {answer}")
        while time.perf_counter() - began < PATIENCE_SECONDS:
            status, answer = self._ask("GET", f"/ratings/items/{item}?organization_id={datasets.ORGANIZATION}")
            if status == 200 and answer.get("score") is not None:
                return time.perf_counter() - began
            if status not in (200, 404):
                raise Broken(f"{status}: {answer}")
            time.sleep(POLL_SECONDS)
        raise Broken(f"The score of {item} could not be read after {PATIENCE_SECONDS} s.")

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())


def _vote(winner: str, loser: str, key: str) -> dict[str, str]:
    return {"type": "vote", "key": key, "voter_id": f"voter-{key}", "item_a": winner, "item_b": loser, "winner": winner}
