"""Conversion of a model's arrays to rows: item rows, additions to voters, times of publication."""

from collections import defaultdict
from typing import Any

import numpy as np

from marquee.rating import publishing
from marquee.rating.batch_input import Work
from marquee.rating.storage import SCORE, STATE, Item
from marquee.rating.types import Outcome, VoterAdditions


class Results:
    """The results of a batch, collected from its organizations.

    `items` with `columns` are the rows to write. `publish_at` is in seconds since 1970, for all items in their order,
    None if nothing is delayed. `periods` and `additions` are the voters' in their order.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.columns: dict[str, list[Any]] = defaultdict(list)
        self.publish_at: list[float | None] = []
        self.periods: list[int] = []
        self.additions: list[VoterAdditions] = []
        self.published = 0
        self.held = 0

    def add(self, work: Work, outcome: Outcome) -> None:
        """Add an organization's share, with the model's outcome."""
        share, items, scores = work.share, outcome.items, outcome.scores
        decision = publishing.decide(items, scores, work.published, work.batch.settings, work.read_at)
        changed = work.is_new | (np.bincount(share.item, minlength=len(share.items)) > 0)
        rows = np.flatnonzero(changed | decision.publish)
        places = rows.tolist()
        columns = {name: getattr(items, name)[rows].tolist() for name in STATE}
        columns |= {name: getattr(scores, name)[rows].tolist() for name in (*SCORE, "provisional")}
        columns |= {name: [getattr(items, name)[place] for place in places] for name in ("opponents", "slider_voters")}
        columns |= {"changed": changed[rows].tolist(), "published": decision.publish[rows].tolist()}
        columns |= {"model": [outcome.model] * len(places), "model_version": [outcome.version] * len(places)}
        for name, column in columns.items():
            self.columns[name] += column
        self.items += [share.items[place] for place in places]
        self.publish_at += [None if np.isnan(at) else at for at in decision.publish_at.tolist()]
        self.periods += [work.batch.population.period] * len(share.voter_ids)
        self.additions.append(outcome.voters)
        self.published += int(decision.publish.sum())
        self.held += sum(at is not None for at in self.publish_at[-len(share.items) :])
