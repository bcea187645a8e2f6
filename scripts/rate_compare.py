"""Rates the same events by both models, and plots and lists where they differ.

    python -m scripts.rate_compare [--from ORGANIZATION|votes.csv] [--to picture.png]     (or: make rate-compare FROM=…)

ORGANIZATION is an id or a slug in the local database, or in the database of DATABASE_OWNER_URL: its stored votes,
sliders and fires. A CSV file has a header and at least voter_id, item_a, item_b and winner; kind (normal or super) is
optional. Without either, a tournament is generated, with items of known strengths and raters of whom three in ten click
at random. Only the picture is written.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psycopg

from bench.ratings.world import NO_EVENTS, World
from local import state
from local.postgres import ServerError
from marquee.rating.types import Booleans, Floats, Integers, ModelName, Scores
from scripts.rate_events import Given, NothingToRate, given
from scripts.rate_plot import plot

PICTURE = state.FOLDER / "rate-compare.png"
PER_BATCH = 500
MOVERS = 10


@dataclass(frozen=True, slots=True)
class Compared:
    """Both models' scores of the same items."""

    bayes: Scores
    elo: Scores
    votes: Integers


def main() -> int:
    """Compare and plot; the exit status."""
    parser = argparse.ArgumentParser(
        prog="make rate-compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", dest="source", default="", help="an organization, or a CSV file of votes")
    parser.add_argument("--to", type=Path, default=PICTURE, help=f"the file of the picture (default: {PICTURE})")
    arguments = parser.parse_args()
    try:
        found = given(arguments.source)
    except (NothingToRate, ServerError, OSError, psycopg.Error) as problem:
        print(str(problem).strip(), file=sys.stderr)
        return 1
    compared = Compared(_rated("bayes", found), _rated("elo", found), _votes_of(found))
    print("\n".join(told(found, compared)))
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    plot(arguments.to, found.title, compared.elo, compared.bayes, found.truth)
    print(f"\nThe picture: {arguments.to}")
    return 0


def told(given: Given, compared: Compared) -> list[str]:
    """Return the comparison in lines: the agreement of the models, and the items with the largest differences."""
    bayes, elo, events = compared.bayes, compared.elo, given.events
    apart = bayes.score - elo.score
    by_elo, by_bayes = _places(elo.score), _places(bayes.score)
    cast = f"{len(events.vote_id)} votes, {len(events.slider_id)} sliders, {len(events.fire_item)} fires"
    lines = [
        given.title,
        f"{len(given.items)} items, {given.voters} raters: {cast}",
        "",
        f"{'Correlation':36}{'ratings':>9}{'scores':>9}",
        _line("of the models", _correlation(bayes.mean, elo.mean), _correlation(bayes.score, elo.score)),
        _line("of their places", _by_place(bayes.mean, elo.mean), _by_place(bayes.score, elo.score)),
    ]
    if given.truth is not None:
        for name, scores in (("elo", elo), ("bayes", bayes)):
            by_place = _by_place(scores.mean, given.truth), _by_place(scores.score, given.truth)
            lines.append(_line(f"of places by {name} with the truth", *by_place))
    lines += [
        "",
        f"Scores are {np.abs(apart).mean():.2f} apart in the mean, {np.abs(apart).max():.2f} at most.",
        "",
        f"{'Largest movers':28}{'votes':>7}{'elo':>8}{'bayes':>8}{'apart':>8}   place by elo → bayes",
    ]
    for item in np.argsort(-np.abs(by_bayes - by_elo), kind="stable")[:MOVERS].tolist():
        lines.append(
            f"{given.items[item][:27]:28}{compared.votes[item]:7}{elo.score[item]:8.2f}{bayes.score[item]:8.2f}"
            f"{apart[item]:+8.2f}   {by_elo[item]} → {by_bayes[item]}"
        )
    return lines


def _line(name: str, ratings: float, scores: float) -> str:
    return f"  {name:34}{ratings:9.3f}{scores:9.3f}"


def _rated(name: ModelName, given: Given) -> Scores:
    """Rate the events in batches, in their order, each in its own period; fires go with the last batch."""
    world, events = World(name, len(given.items), given.voters), given.events
    world.settings = replace(given.settings, model=name)
    ids = np.sort(np.concatenate([events.vote_id, events.slider_id]))
    outcome = world.count(NO_EVENTS)
    for first in range(0, max(len(ids), 1), PER_BATCH):
        until = ids[first + PER_BATCH] if first + PER_BATCH < len(ids) else np.inf
        since = ids[first] if len(ids) else 0
        votes = _between(events.vote_id, since, until)
        batch = events.votes_at(votes)
        sliders = _between(events.slider_id, since, until)
        names = ("slider_id", "slider_voter", "slider_item", "slider_value")
        batch = replace(batch, **{column: getattr(events, column)[sliders] for column in names})
        if until == np.inf:
            batch = replace(batch, fire_voter=events.fire_voter, fire_item=events.fire_item)
        world.begin_period()
        outcome = world.count(batch)
    return outcome.scores


def _between(ids: Integers, since: float, until: float) -> Booleans:
    return np.asarray((ids >= since) & (ids < until))


def _votes_of(given: Given) -> Integers:
    return np.bincount(np.concatenate([given.events.a, given.events.b]), minlength=len(given.items))


def _correlation(one: Floats, other: Floats) -> float:
    if len(one) < 2 or not one.std() or not other.std():
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _by_place(one: Floats, other: Floats) -> float:
    return _correlation(_places(one).astype(np.float64), _places(other).astype(np.float64))


def _places(values: Floats) -> Integers:
    """Return places from 1, the highest value first."""
    places = np.empty(len(values), dtype=np.int64)
    places[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return places


if __name__ == "__main__":
    raise SystemExit(main())
