"""A process that posts votes to the handler of functions/ingest, and returns their number and its start and end."""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import barrier
from bench.booking import processes as work
from bench.ratings import dataset
from bench.runs import MeasurementFailed
from marquee.core import identity
from tests.kit import gateway

ITEMS = 5000
VOTERS = 10_000


@dataclass(frozen=True, slots=True)
class Posted:
    """The votes of one process, and its start and end by the shared time.monotonic."""

    votes: int
    began: float
    ended: float


def post(
    environment: dict[str, str], *, sizes: list[int], warm_up: int, name: str, folder: Path, processes: int
) -> Posted:
    """Post requests with these numbers of votes from a separate process. The first `warm_up` are not measured.

    Raises MeasurementFailed when a vote is not accepted, or when one of the other `processes` is not ready in time.
    """
    question = {"sizes": sizes, "warm_up": warm_up, "name": name, "folder": str(folder), "processes": processes}
    return Posted(**work.call(__name__, question, **environment))


def _work(question: dict[str, Any]) -> dict[str, Any]:
    name, sizes, warm_up = question["name"], question["sizes"], question["warm_up"]
    requests = [_request(size, f"{name}-{number}") for number, size in enumerate(sizes)]
    handler = gateway.load("ingest").lambda_handler
    context = gateway.Context(function_name="ingest")
    answers = [handler(request, context) for request in requests[:warm_up]]
    barrier.wait(Path(question["folder"]), int(name.rpartition("-")[2]), question["processes"])
    began = time.monotonic()
    answers += [handler(request, context) for request in requests[warm_up:]]
    ended = time.monotonic()
    accepted = 0
    for answer in answers:
        if answer["statusCode"] != 200:
            raise MeasurementFailed(f"{answer['statusCode']}: {answer['body']}")
        accepted += json.loads(answer["body"])["accepted"]
    if accepted != sum(sizes):
        raise MeasurementFailed(f"Only {accepted} of {sum(sizes)} votes were accepted.")
    return {"votes": sum(sizes[warm_up:]), "began": began, "ended": ended}


def _request(size: int, name: str) -> dict[str, Any]:
    """Return a request with different votes of many voters on many items."""
    chance = random.Random(name)
    events = []
    for number in range(size):
        winner, loser = chance.sample(range(ITEMS), 2)
        events.append(
            {
                "type": "vote",
                "key": f"{name}-{number}",
                "voter_id": f"voter-{chance.randrange(VOTERS)}",
                "item_a": f"item-{winner}",
                "item_b": f"item-{loser}",
                "winner": f"item-{winner}",
            }
        )
    body = {"organization_id": dataset.ORGANIZATION, "events": events}
    return gateway.event("POST", "/ratings/events", body, caller=identity.service())


if __name__ == "__main__":
    work.serve(_work)
