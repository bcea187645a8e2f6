"""Conversion of database rows to the arrays of a model, for one organization's share of a batch at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from marquee.rating import models
from marquee.rating.storage import STATE, Columns, Events, Item, Organization
from marquee.rating.types import (
    Batch,
    Booleans,
    Fires,
    Integers,
    Items,
    Published,
    Sliders,
    Voters,
    Votes,
)

_RATING = ("mean", "deviation", "period", "base_mean", "base_deviation")


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a batch for one organization: its items, their events, and the opponents and voters of these.

    The first of `item_ids` are those of `items`, the others are opponents'. `item`, `opponent` and `voter` are the
    events' places in `item_ids` and `voter_ids`; a missing opponent has place 0.
    """

    organization_id: UUID
    items: Sequence[Item]
    item_ids: list[str]
    voter_ids: list[str]
    events: Events
    item: Integers
    opponent: Integers
    voter: Integers

    @property
    def opponents(self) -> list[tuple[UUID, str]]:
        """Opponents that are not items of the share, with the organization."""
        return [(self.organization_id, item_id) for item_id in self.item_ids[len(self.items) :]]

    @property
    def voters(self) -> list[tuple[UUID, str]]:
        """Voters, with the organization."""
        return [(self.organization_id, voter_id) for voter_id in self.voter_ids]


@dataclass(frozen=True, slots=True)
class Work:
    """A share with its known data: a model's input, the published scores, and which items are new."""

    share: Share
    batch: Batch
    published: Published
    is_new: Booleans
    read_at: float


def shares(items: Sequence[Item], events: Events) -> list[Share]:
    """Split a batch by organization.

    The items are in the order of their organizations; events refer to places in them.
    """
    organizations = np.array([item.organization_id.int for item in items], dtype=object)
    bounds = [0, *(np.flatnonzero(organizations[1:] != organizations[:-1]) + 1).tolist(), len(items)]
    parts = []
    for begin, end in pairwise(bounds):
        places = np.flatnonzero((events.item >= begin) & (events.item < end)) if len(bounds) > 2 else None
        parts.append(_share(items[begin:end], events if places is None else events.at(places), begin))
    return parts


def works(
    parts: Sequence[Share], rows: Columns, voter_rows: Columns, organizations: Mapping[UUID, Organization]
) -> Iterator[Work]:
    """Yield the input of a model for each share; the rows are those of all shares, one after the other."""
    own = others = voters = 0
    for part in parts:
        organization = organizations[part.organization_id]
        here = slice(own, own := own + len(part.items))
        there = slice(others, others := others + len(part.item_ids) - len(part.items))
        them = slice(voters, voters := voters + len(part.voter_ids))
        known = Voters(ids=part.voter_ids, **{name: column[them] for name, column in voter_rows.items()})
        yield Work(
            share=part,
            batch=_batch(part, _items(part, rows, here, there, organization), known, organization),
            published=Published(**{name: rows[column][here] for name, column in _PUBLISHED.items()}),
            is_new=rows["version"][here] == 0,
            read_at=organization.read_at,
        )


_PUBLISHED = {
    "score": "published_score",
    "confidence": "published_confidence",
    "deviation": "published_deviation",
    "published_at": "published_at",
}


def _share(items: Sequence[Item], events: Events, first: int) -> Share:
    places = {item.item_id: place for place, item in enumerate(items)}
    opponent = [0 if each is None else places.setdefault(each, len(places)) for each in events.opponent]
    voters: dict[str, int] = {}
    voter = [voters.setdefault(each, len(voters)) for each in events.voter]
    return Share(
        organization_id=items[0].organization_id,
        items=items,
        item_ids=list(places),
        voter_ids=list(voters),
        events=events,
        item=events.item - first,
        opponent=np.array(opponent, np.int64),
        voter=np.array(voter, np.int64),
    )


def _items(part: Share, rows: Columns, own: slice, others: slice, organization: Organization) -> Items:
    """Return the rows of items and opponents; new ones start with the initial values of the model."""
    count, length = len(part.items), len(part.item_ids)
    initial = models.model(organization.settings.model).initial(organization.population)
    columns: dict[str, Any] = {}
    for name in STATE:
        column = np.zeros(length, rows[name].dtype)
        column[:count] = rows[name][own]
        columns[name] = column
    for name in _RATING:
        columns[name][count:] = rows[f"opponent_{name}"][others]
    is_new = np.concatenate([rows["version"][own] == 0, rows["opponent_version"][others] == 0])
    columns["mean"][is_new] = columns["base_mean"][is_new] = initial[0]
    columns["deviation"][is_new] = columns["base_deviation"][is_new] = initial[1]
    nobody: list[list[str]] = [[] for _ in range(length - count)]
    for name in ("opponents", "slider_voters"):
        columns[name] = [*rows[name][own], *nobody]
    return Items(ids=part.item_ids, count=count, **columns)


def _batch(part: Share, items: Items, voters: Voters, organization: Organization) -> Batch:
    events = part.events
    vote, slider, fire = (np.flatnonzero(events.kind == kind) for kind in ("vote", "slider", "fire"))
    return Batch(
        items=items,
        voters=voters,
        votes=Votes(
            item=part.item[vote],
            opponent=part.opponent[vote],
            voter=part.voter[vote],
            score=events.score[vote],
            weight=events.weight[vote],
            first=events.first[vote],
            event_id=events.event_id[vote],
        ),
        sliders=Sliders(
            item=part.item[slider],
            voter=part.voter[slider],
            value=events.score[slider],
            event_id=events.event_id[slider],
        ),
        fires=Fires(item=part.item[fire], voter=part.voter[fire]),
        population=organization.population,
        settings=organization.settings,
    )
