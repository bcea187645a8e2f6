"""Posts votes to the handler of functions/ingest in this process, and says from when to when."""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.barrier import meet
from bench.booking import processes as work
from bench.ratings import datasets
from bench.runs import Broken
from marquee.core import identity
from tests.kit import gateway

ITEMS = 5000
VOTERS = 10_000


@dataclass(frozen=True, slots=True)
class Posted:
    """How many votes one process posted, from when to when (by time.monotonic, which all share)."""

    votes: int
    began: float
    ended: float


def posted(
    environment: dict[str, str], *, sizes: list[int], warm_up: int, name: str, folder: Path, processes: int
) -> Posted:
    """Have a process of its own post a request of each of these sizes, the first so many to warm up.

    Raises Broken when a vote is not accepted, or the others, of whom there are to be so many `processes`, do not come.
    """
    question = {"sizes": sizes, "warm_up": warm_up, "name": name, "folder": str(folder), "processes": processes}
    return Posted(**work.ask(__name__, question, **environment))


def _work(question: dict[str, Any]) -> dict[str, Any]:
    name, sizes, warm_up = question["name"], question["sizes"], question["warm_up"]
    requests = [_request(size, f"{name}-{number}") for number, size in enumerate(sizes)]
    handler = gateway.load("ingest").lambda_handler
    context = gateway.Context(function_name="ingest")
    answers = [handler(request, context) for request in requests[:warm_up]]
    meet(Path(question["folder"]), int(name.rpartition("-")[2]), question["processes"])
    began = time.monotonic()
    answers += [handler(request, context) for request in requests[warm_up:]]
    ended = time.monotonic()
    accepted = 0
    for answer in answers:
        if answer["statusCode"] != 200:
            raise Broken(f"{answer['statusCode']}: {answer['body']}")
        accepted += json.loads(answer["body"])["accepted"]
    if accepted != sum(sizes):
        raise Broken(f"Of the votes only {accepted} were accepted.")
    return {"votes": sum(sizes[warm_up:]), "began": began, "ended": ended}


def _request(size: int, name: str) -> dict[str, Any]:
    """Votes of many people on many items, none like the other."""
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
    body = {"organization_id": datasets.ORGANIZATION, "events": events}
    return gateway.event("POST", "/ratings/events", body, caller=identity.service())


if __name__ == "__main__":
    work.answer(_work)
