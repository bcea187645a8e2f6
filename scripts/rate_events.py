"""The events that scripts.rate_compare rates: of an organization, of a CSV file, or of a made-up tournament."""

import csv
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from bench.ratings import simulation
from bench.ratings.world import Events
from demo.database import DATABASE
from local import state
from local.postgres import Server
from marquee.core.settings import verified_conninfo
from marquee.rating.types import Floats, Integers, Settings

EVENTS_MOST = 1_000_000
COLUMNS = ("voter_id", "item_a", "item_b", "winner")

Rows = list[tuple[Any, ...]]

WEIGHTS = """
select s.rating_weight, s.slider_weight, s.fire_weight from rating.effective_settings(organization_id => %s) as s
"""
VOTES = """
select v.event_id, v.voter_id, v.item_a, v.item_b, v.winner, v.kind::text
from rating.votes as v
where v.organization_id = %s
order by v.event_id desc
limit %s
"""
SLIDERS = """
select s.event_id, s.voter_id, s.item_id, s.value
from rating.sliders as s
where s.organization_id = %s
order by s.event_id desc
limit %s
"""
FIRES = """
select f.voter_id, f.item_id
from rating.fires as f
where f.organization_id = %s
order by f.event_id desc
limit %s
"""


class NothingToRate(Exception):
    """There are no events in the given source; the message says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """Events to be rated, with their items and voters, their weights, and the truth if it is known."""

    title: str
    items: list[str]
    voters: int
    events: Events
    truth: Floats | None = None
    settings: Settings = field(default_factory=Settings)


def given(source: str) -> Given:
    """Return the events of the given source. Raises NothingToRate, and errors of reading a file or a database."""
    if not source:
        played = simulation.play(
            1,
            items=200,
            votes_per_item=60,
            raters=120,
            random_share=0.3,
            sliders_per_item=10,
            fires_per_item=3,
            unseen=1,
        )
        items = [f"item {number}" for number in range(len(played.strength))]
        return Given(
            "A tournament of 120 raters, 36 of whom click at random", items, 120, played.events, played.strength
        )
    if source.endswith(".csv"):
        return _of_file(Path(source))
    return _of_organization(source)


def _rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise NothingToRate(f"{path} has no column {', '.join(missing)}.")
        return [
            (row["voter_id"], row["item_a"], row["item_b"], row["winner"], row.get("kind") or "normal")
            for row in reader
        ]


def _of_file(path: Path) -> Given:
    try:
        rows = _rows_of(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise NothingToRate(f"{path} is not a CSV file in UTF-8: {error}.") from error
    for number, (voter, a, b, winner, kind) in enumerate(rows, 2):
        if not (voter and a and b) or a == b or winner not in (a, b) or kind not in ("normal", "super"):
            raise NothingToRate(f"{path}, line {number}: no vote between two items, normal or super.")
    return _numbered(f"Votes of {path.name}", [(number, *row) for number, row in enumerate(rows)], [], [])


def _of_organization(name: str) -> Given:
    url = os.environ.get("DATABASE_OWNER_URL")
    if url is None:
        server = Server(state.FOLDER / "postgres", durable=True)
        if server.pid is None:
            raise NothingToRate("Nothing is running here. Start it in another terminal: make up")
        server.start()  # which is there already, and finds its port
        url = server.url(DATABASE)
    with psycopg.connect(verified_conninfo(url)) as connection:
        found = connection.execute(
            "select o.id, o.name from organizations.organizations as o where o.id::text = %s or o.slug = %s",
            [name, name],
        ).fetchone()
        if found is None:
            raise NothingToRate(f"There is no organization {name}. Give an id or a slug.")
        votes, sliders, fires = (
            connection.execute(query, [found[0], EVENTS_MOST]).fetchall() for query in (VOTES, SLIDERS, FIRES)
        )
        [weights] = connection.execute(WEIGHTS, [found[0]]).fetchall()
    settings = Settings(rating_weight=weights[0], slider_weight=weights[1], fire_weight=weights[2])
    return replace(_numbered(f"Events of {found[1]}", votes, sliders, fires), settings=settings)


def _numbered(title: str, votes: Rows, sliders: Rows, fires: Rows) -> Given:
    """Replace ids by numbers."""
    items = sorted({id_ for row in votes for id_ in row[2:4]} | {row[2] for row in sliders} | {row[1] for row in fires})
    voters = sorted({row[1] for row in votes} | {row[1] for row in sliders} | {row[0] for row in fires})
    if not items:
        raise NothingToRate(f"{title}: there are none.")
    item, voter = ({id_: place for place, id_ in enumerate(ids)} for ids in (items, voters))

    def column(values: list[Any]) -> Integers:
        return np.array(values, dtype=np.int64)

    events = Events(
        vote_id=column([row[0] for row in votes]),
        voter=column([voter[row[1]] for row in votes]),
        a=column([item[row[2]] for row in votes]),
        b=column([item[row[3]] for row in votes]),
        a_won=np.array([row[4] == row[2] for row in votes], dtype=bool),
        weight=np.array([2.0 if row[5] == "super" else 1.0 for row in votes]),
        slider_id=column([row[0] for row in sliders]),
        slider_voter=column([voter[row[1]] for row in sliders]),
        slider_item=column([item[row[2]] for row in sliders]),
        slider_value=np.array([row[3] for row in sliders], dtype=np.float64),
        fire_voter=column([voter[row[0]] for row in fires]),
        fire_item=column([item[row[1]] for row in fires]),
    )
    return Given(title, items, len(voters), events)
