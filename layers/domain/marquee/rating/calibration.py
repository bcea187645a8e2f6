"""The nightly calibration: fit all votes of an organization at once, and correct the running ratings by the fit.

The running ratings count each vote once, against the state just before it; a fit sees all of them together. An item or
a voter takes the fit over if the fit saw all of its counted votes and nothing was counted since. Only the model bayes
does, because the fit uses its terms; an organization with another model gets only the report.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

import numpy as np

from marquee.core import database
from marquee.core.database import Session
from marquee.rating import bradley_terry, populations
from marquee.rating.bradley_terry import Ballots, Fit
from marquee.rating.calibration_input import Counted, Read, Standings, counted, read_sliders, standings
from marquee.rating.event_counts import counts
from marquee.rating.populations import Readings
from marquee.rating.types import Booleans, Floats, Integers, Population

ORGANIZATIONS_PER_TURN = 100
TURNS_MAX = 3
SETTLED = 0.01

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The result of a calibration. Differences are those of the running means from the fit's, in points."""

    items: int = 0
    voters: int = 0
    votes: int = 0
    applied: int = 0
    marked: int = 0
    incomplete: int = 0
    votes_left_out: int = 0
    mean_difference: float = 0.0
    largest_difference: float = 0.0
    superseded: bool = False

    def report(self) -> dict[str, Any]:
        """Return the result as a dict, for the log."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fit and its consequences: the items and voters that take it over, and the new estimates."""

    fit: Fit
    items: Booleans
    voters: Booleans
    log_odds: Floats
    population: Population
    differences: Floats


def due(session: Session, after: UUID | None, most: int = ORGANIZATIONS_PER_TURN) -> list[UUID]:
    """Return the next organizations, by id after `after`, whose ratings may be off."""
    rows = session.all(
        "select o.id from rating.organizations_to_calibrate(after => %s, most => %s) as o (id)", [after, most]
    )
    return [row["id"] for row in rows]


def calibrate(organization_id: UUID) -> Calibrated:
    """Read, fit, and write the result. Each step is a separate transaction, and only the last one writes.

    A run that stops earlier changes nothing. A repeated run makes the fit again, which differs by the events counted
    since. Of two concurrent runs the later one changes nothing and returns `superseded`.
    """
    known = standings(organization_id)
    if not known.item_ids:
        return Calibrated()
    votes, sliders = counted(known), read_sliders(known)
    return _taken_over(known, votes, calibration_of(known, votes, sliders))


def calibration_of(known: Standings, votes: Counted, sliders: Read) -> Calibration:
    """Fit an organization's votes and estimate its population, by arithmetic alone.

    The votes show which raters' sliders to trust, and the sliders show which raters' votes to trust. So both are
    estimated in turn until neither changes. The start values are the defaults and not last night's estimates, so that
    the same events always give the same result.
    """
    assumed, start, items, voters = known.population, Population(), len(known.item_ids), len(known.voter_ids)
    voted, slid = counts(votes.voter, voters), counts(sliders.voter, voters)
    heard = np.flatnonzero(voted + slid)
    place = np.zeros(voters, dtype=np.int64)
    place[heard] = np.arange(len(heard))
    ballots = Ballots(votes.winner, votes.loser, place[votes.voter], votes.weight, items, len(heard))
    honest = np.full(voters, start.honest_share)
    for _turn in range(TURNS_MAX):
        readings = Readings(sliders.item, sliders.voter, sliders.value, honest[sliders.voter], items, voters)
        scale = populations.scale_of(readings)
        by_sliders = populations.log_odds_of_readings(readings, scale)
        fit = bradley_terry.fit(
            ballots,
            prior_mean=assumed.prior_mean,
            prior_deviation=start.prior_deviation,
            honest_share=start.honest_share,
            other_log_odds=by_sliders[heard],
        )
        before, honest = honest, honest.copy()
        honest[heard] = fit.honest
        if not len(sliders.voter) or float(np.abs(honest - before).max(initial=0.0)) < SETTLED:
            break
    log_odds = by_sliders.copy()
    log_odds[heard] += fit.log_odds
    complete = counts(votes.winner, items) + counts(votes.loser, items) == known.item_votes
    return Calibration(
        fit=fit,
        items=complete,
        voters=(voted == known.voter_votes) & (slid == known.voter_sliders),
        log_odds=log_odds,
        population=replace(
            assumed,
            prior_deviation=fit.prior_deviation,
            honest_share=fit.honest_share,
            slider_mean=scale.mean,
            slider_deviation=scale.item_deviation,
            rater_deviation=scale.rater_deviation,
            noise_deviation=scale.noise_deviation,
            fires_half=populations.fires_half_of(known.fires),
        ),
        differences=_differences(known, fit, complete & (known.item_votes > 0)),
    )


def _differences(known: Standings, fit: Fit, compared: Booleans) -> Floats:
    """Return how far the running means are from the fit's, in points.

    For another model than bayes they are compared around their own mean.
    """
    apart = known.means[compared] - fit.mean[compared]
    return np.abs(apart if known.model == "bayes" or not len(apart) else apart - apart.mean())


def _taken_over(known: Standings, votes: Counted, found: Calibration) -> Calibrated:
    takes = known.model == "bayes"
    items = np.flatnonzero(found.items) if takes else np.zeros(0, dtype=np.int64)
    voters = np.flatnonzero(found.voters) if takes else np.zeros(0, dtype=np.int64)
    read = len(votes.voter)
    done = Calibrated(
        items=len(known.item_ids),
        voters=len(known.voter_ids),
        votes=read,
        incomplete=int((~found.items).sum()) + known.items_left_out,
        votes_left_out=max(0, int(known.item_votes.sum()) // 2 - read),
        mean_difference=float(found.differences.mean()) if len(found.differences) else 0.0,
        largest_difference=float(found.differences.max(initial=0.0)),
    )
    arguments = {
        "organization_id": known.organization_id,
        "began_at": known.began_at,
        "calibration_id": known.calibration_id,
        "item_ids": _chosen(known.item_ids, items),
        "item_versions": _chosen(known.item_versions, items),
        "means": found.fit.mean[items].tolist(),
        "deviations": found.fit.deviation[items].tolist(),
        "voter_ids": _chosen(known.voter_ids, voters),
        "voter_versions": _chosen(known.voter_versions, voters),
        "log_odds": found.log_odds[voters].tolist(),
        "population": asdict(found.population) if takes else None,
        "report": {**done.report(), "model": known.model},
    }
    with database.single(database.service()) as session:
        written = session.value(APPLY, arguments)
    return replace(done, **{name: written[name] for name in ("applied", "marked", "superseded")})


def _chosen(values: Sequence[Kind], places: Integers) -> list[Kind]:
    return [values[place] for place in places.tolist()]


APPLY = """
select rating.apply_calibration(
    organization_id => %(organization_id)s,
    began_at => %(began_at)s,
    calibration_id => %(calibration_id)s,
    item_ids => %(item_ids)s::text[],
    item_versions => %(item_versions)s::bigint[],
    means => %(means)s::double precision[],
    deviations => %(deviations)s::double precision[],
    voter_ids => %(voter_ids)s::text[],
    voter_versions => %(voter_versions)s::bigint[],
    log_odds => %(log_odds)s::double precision[],
    population => %(population)s,
    report => %(report)s
)
"""
