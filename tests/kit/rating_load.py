"""Generate rating events from a seed, send them over many connections, and count the expected results.

The expected counts come from the events by additions only, and share no code with the tested product.
"""

import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import psycopg

from tests.kit import routines
from tests.kit.concurrency import run_together

Event = dict[str, Any]
Counts = dict[str, dict[str, int]]

EVENTS = int(os.environ.get("MARQUEE_RATING_EVENTS", "4000"))
"""The number of events that the tests send. With 100,000 they are full load tests and take minutes."""

INGEST = "select rating.ingest(organization_id => %s, events => %s::json)"


def made_up(
    number: int, *, items: int = 60, voters: int = 40, seed: int = 1, prefix: str = "", name: str = "item"
) -> list[Event]:
    """Generate events of some items and voters: votes, some of them super, sliders, and fires that may repeat."""
    dice = random.Random(seed)
    return [
        {"key": f"{prefix}{place}", "voter_id": f"voter-{dice.randrange(voters)}", **_content(dice, items, name)}
        for place in range(number)
    ]


def _content(dice: random.Random, items: int, name: str) -> Event:
    """Return the content of an event. Low item numbers are rated more often, so that many events share an item."""
    names = [f"{name}-{min(dice.randrange(items), dice.randrange(items))}" for _ in range(2)]
    roll = dice.random()
    if roll < 0.7 and names[0] != names[1]:
        kind = "super" if dice.random() < 0.15 else "normal"
        return {
            "type": "vote", "item_a": names[0], "item_b": names[1], "winner": dice.choice(names), "kind": kind,
        }  # fmt: skip
    if roll < 0.9:
        return {"type": "slider", "item_id": names[0], "value": dice.randint(0, 100)}
    return {"type": "fire", "item_id": names[0]}


def counted(events: Sequence[Event]) -> tuple[Counts, Counts]:
    """Return the expected counters of each item and voter, however often each event was sent."""
    items: Counts = defaultdict(lambda: dict.fromkeys(("votes", "super_votes", "wins", "sliders", "fires"), 0))
    voters: Counts = defaultdict(lambda: dict.fromkeys(("votes", "sliders", "slider_sum", "slider_square_sum"), 0))
    lit = set()
    for event in {event["key"]: event for event in events}.values():
        voter = voters[event["voter_id"]]
        match event["type"]:
            case "vote":
                voter["votes"] += 1
                for name in (event["item_a"], event["item_b"]):
                    items[name]["votes"] += 1
                    items[name]["super_votes"] += event["kind"] == "super"
                    items[name]["wins"] += event["winner"] == name
            case "slider":
                items[event["item_id"]]["sliders"] += 1
                voter["sliders"] += 1
                voter["slider_sum"] += event["value"] - 50
                voter["slider_square_sum"] += (event["value"] - 50) ** 2
            case "fire":
                lit.add((event["item_id"], event["voter_id"]))
    for item, voter_id in lit:
        items[item]["fires"] += 1
        voters[voter_id]["fires"] = voters[voter_id].get("fires", 0) + 1
    for voter in voters.values():
        voter.setdefault("fires", 0)
    return dict(items), dict(voters)


def requests(events: Sequence[Event], size: int) -> Iterator[Sequence[Event]]:
    """Split the events into requests of a size."""
    return (events[start : start + size] for start in range(0, len(events), size))


def ingest(connection: psycopg.Connection[Any], organization_id: UUID, events: Sequence[Event]) -> list[dict[str, Any]]:
    """Send one request as the service and return the results, none of which may be a refusal."""
    answers = routines.call(connection, None, INGEST, [organization_id, json.dumps(events)])
    answers = json.loads(answers) if isinstance(answers, str) else answers
    assert len(answers) == len(events)
    assert {answer["status"] for answer in answers} <= {"accepted", "duplicate"}, answers
    return list(answers)


def produce(
    connect: Any, organization_id: UUID, events: Sequence[Event], *, connections: int = 24, size: int = 20,
    pause_seconds_max: float = 0.004, again: float = 0.1, seed: int = 1,
) -> None:  # fmt: skip
    """Send all events over many connections, and commit each request a random time after its insert.

    Ids are therefore not committed in their order. A share of the requests is sent `again` by another connection at
    about the same time. Any database error is raised, including a deadlock.
    """
    dice = random.Random(seed)
    shares: list[list[Sequence[Event]]] = [[] for _ in range(connections)]
    for number, request in enumerate(requests(events, size)):
        shares[number % connections].append(request)
        if dice.random() < again:
            shares[dice.randrange(connections)].append(request)

    def send(connection: psycopg.Connection[Any], numbered: tuple[int, list[Sequence[Event]]]) -> int:
        dice = random.Random(f"{seed} {numbered[0]}")
        accepted = 0
        for request in numbered[1]:
            with connection.transaction():
                answers = ingest(connection, organization_id, request)
                time.sleep(dice.uniform(0, pause_seconds_max))
            accepted += sum(
                answer["status"] == "accepted" and event["type"] != "fire"
                for event, answer in zip(request, answers, strict=True)
            )
        return accepted

    accepted = sum(run_together(connect, list(enumerate(shares)), send))
    assert accepted == sum(event["type"] != "fire" for event in events)
