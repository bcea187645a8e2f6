"""Seconds from posting a vote to reading the new score, over HTTP through the local stack, against 5 seconds."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any, LiteralString

from psycopg import sql

from bench import databases, stack
from bench.figures import Row, against, percentile
from bench.ratings import dataset
from bench.runs import MeasurementFailed, Run, log, step

TARGET_SECONDS = 5
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 60
VOTES_AROUND = 20
# One vote is enough to be published.
_SETTINGS: LiteralString = """
insert into rating.settings (organization_id, votes_least, opponents_least, sliders_least, slider_voters_least)
values ({organization}, 1, 1, 0, 0)
"""


def rows(run: Run, factory: databases.Factory) -> Iterator[Row]:
    """Yield `end_to_end_p95_s`, of new items among other votes. Only messages trigger the worker, no schedule does."""
    runs, samples = 3, run.pick(15, 8)
    database = dataset.create_database(factory, "end", items=20)
    database.run(sql.SQL(_SETTINGS).format(organization=sql.Literal(dataset.ORGANIZATION)))
    slow = []
    with stack.start(run.folder / "rating-stack", database.api) as system:
        client = Client(system.port, system.token("service", role="service_role"))
        with step("end_to_end_p95_s: warming up"):
            client.until_readable("warm-up")
        with step(f"end_to_end_p95_s: {runs} times {samples} items"):
            for number in range(runs):
                taken = [client.until_readable(f"{number}-{sample}") for sample in range(samples)]
                slow.append(percentile(taken, 0.95))
    log("end_to_end_p95_s: " + ", ".join(f"{late:.2f} s" for late in slow))
    yield against("end_to_end_p95_s", "s", slow, TARGET_SECONDS)
    factory.drop(database)


class Client:
    """Posts votes and reads scores as the service of an organization."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._token = token

    def until_readable(self, name: str) -> float:
        """Post votes on a new item and return the seconds until its score is readable. Raises MeasurementFailed."""
        item = f"item-{name}"
        events = [_vote(item, "item-0", f"{name}-0")]
        events += [_vote(f"item-{n}", f"item-{n + 1}", f"{name}-{n + 1}") for n in range(VOTES_AROUND)]
        began = time.perf_counter()
        status, answer = self._ask(
            "POST", "/ratings/events", {"organization_id": dataset.ORGANIZATION, "events": events}
        )
        if status != 200 or answer["accepted"] != len(events):
            raise MeasurementFailed(f"{status}: {answer}")
        while time.perf_counter() - began < PATIENCE_SECONDS:
            status, answer = self._ask("GET", f"/ratings/items/{item}?organization_id={dataset.ORGANIZATION}")
            if status == 200 and answer.get("score") is not None:
                return time.perf_counter() - began
            if status not in (200, 404):
                raise MeasurementFailed(f"{status}: {answer}")
            time.sleep(POLL_SECONDS)
        raise MeasurementFailed(f"The score of {item} was not readable after {PATIENCE_SECONDS} s.")

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())


def _vote(winner: str, loser: str, key: str) -> dict[str, str]:
    return {"type": "vote", "key": key, "voter_id": f"voter-{key}", "item_a": winner, "item_b": loser, "winner": winner}
