"""The fourth chapter: a tournament. The best items rise to the top, though every fifth rater clicks at random.

Two hundred raters compare sixty pictures whose strengths only the story knows. Their votes and sliders arrive over
HTTP, half of them to be recorded later. The worker counts them by its messages, and at the end the night's fit corrects
the ratings. The course is drawn into .local/ratings.png.
"""

import importlib.util
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from demo.ratings_picture import PICTURE, draw
from demo.system import Stopped, System, say
from demo.tournament import Event, Tournament, rank_correlation

ROUNDS = ((2, 1), (4, 1), (8, 2), (12, 3), (14, 3))
"""The votes and sliders of each rater: few at first, so that the way is visible."""
PER_REQUEST = 500
PAGE = 100
SHOWN = 5
DOUBTED = 0.5
CORRELATION_LEAST = 0.9
CLICKERS_FOUND_LEAST = 0.8
SETTINGS = {
    "model": "bayes",
    "rating_weight": 0.7,
    "slider_weight": 0.3,
    "fire_weight": 0.0,
    "sliders_least": 0,
    "slider_voters_least": 0,
    "period_seconds": 1,
}


@dataclass(slots=True)
class Seen:
    """The observations of the story: each item's score after each round, then the raters' reliability."""

    scores: list[dict[str, float]] = field(default_factory=list)
    correlations: list[float] = field(default_factory=list)
    last: list[dict[str, Any]] = field(default_factory=list)
    reliability: dict[str, float] = field(default_factory=dict)
    events: int = 0


def run(system: System) -> None:
    """Play the tournament, watch the leaderboard, find the clickers, wait for the night."""
    tournament, seen = Tournament(secrets.token_hex(2)), Seen()
    raters, clickers = len(tournament.clickers), sum(tournament.clickers.values())
    say(f"Lakeside shows {len(tournament.strengths)} pictures. Ana has them rated by votes and sliders.")
    system.call("ana", "PATCH", "/ratings/settings", {"organization_id": system.organization_id, **SETTINGS})

    say(f"{raters} raters compare two at a time; {clickers} of them click at random. The system does not know who.")
    for number, (votes, sliders) in enumerate(ROUNDS, 1):
        _play(system, tournament.round(votes, sliders), seen)
        _look(system, tournament, seen, f"after round {number}")

    say("Overnight all votes are fitted at once, and the running ratings are put right.")
    before = _status(system)["last_calibration"]
    system.fire("CalibrateRatingsSchedule")
    night = system.wait("The fit", lambda: _calibration_after(system, before))
    _settle(system)
    print(
        f"    {night['votes']} votes; {night['applied']} of {night['items']} pictures took the fit over, which was"
        f" {night['mean_difference']:.0f} points away in the mean"
    )
    _look(system, tournament, seen, "after the night")

    say("Who rated, and who clicked? Each rater's reliability comes with its reason.")
    _judge(system, tournament, seen)
    print(f"    {seen.events} events. {_picture(tournament, seen)}")
    if seen.correlations[-1] < CORRELATION_LEAST:
        raise Stopped("The leaderboard should have come nearer to the truth.")


def _picture(tournament: Tournament, seen: Seen) -> str:
    """Draw the picture if matplotlib is installed. Returns a sentence about it."""
    if importlib.util.find_spec("matplotlib") is None:
        return "No picture: `make demo` installs matplotlib for it."
    draw(tournament, seen.scores, seen.correlations, seen.last, seen.reliability)
    return f"The picture of all this: {PICTURE}"


def _play(system: System, events: list[Event], seen: Seen) -> None:
    """Send the requests: half are recorded at once, the others when the queue brings them."""
    seen.events += len(events)
    waiting = []
    for number, first in enumerate(range(0, len(events), PER_REQUEST)):
        body = {"organization_id": system.organization_id, "events": events[first : first + PER_REQUEST]}
        if number % 2:
            answer = system.call(
                "ana", "POST", "/ratings/events", body, expect=202, headers={"Prefer": "respond-async"}
            )
            waiting.append(answer["request_id"])
        else:
            answer = system.call("ana", "POST", "/ratings/events", body)
            if answer["accepted"] != len(body["events"]):
                raise Stopped(f"All events should have been taken: {answer}")
    system.wait("The queue's events", lambda: all(_written(system, each) for each in waiting), quietly=True)
    _settle(system)


def _written(system: System, request_id: str) -> bool:
    return bool(system.call("ana", "GET", f"/ratings/requests/{request_id}")["status"] == "done")


def _settle(system: System) -> None:
    """Wait until no item is queued."""
    system.wait("The scores", lambda: not _status(system)["queued"], quietly=True)


def _status(system: System) -> Any:
    return system.call("ana", "GET", f"/ratings/status?organization_id={system.organization_id}")


def _calibration_after(system: System, before: Any) -> Any:
    last = _status(system)["last_calibration"]
    return last if last != before else None


def _look(system: System, tournament: Tournament, seen: Seen, when: str) -> None:
    """Print how near the leaderboard is to the truth, and its leaders."""
    with system.quietly():
        seen.last = [each for each in _leaderboard(system) if each["item_id"] in tournament.strengths]
    scores = {each["item_id"]: each["score"] for each in seen.last}
    seen.scores.append(scores)
    seen.correlations.append(rank_correlation(scores, tournament.strengths))
    truth = sorted(tournament.strengths, key=lambda item: -tournament.strengths[item])
    leaders = ", ".join(
        f"{each['item_id'].partition('-')[2]} ({truth.index(each['item_id']) + 1})" for each in seen.last[:SHOWN]
    )
    print(f"    {when:16} rank correlation with the truth {seen.correlations[-1]:.3f}   {leaders}")


def _leaderboard(system: System) -> list[dict[str, Any]]:
    """Return the whole leaderboard, best first."""
    found, cursor = [], ""
    while True:
        page = system.call(
            None, "GET", f"/ratings/leaderboard?organization_id={system.organization_id}&limit={PAGE}{cursor}"
        )
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={quote(page['next_cursor'])}"


def _judge(system: System, tournament: Tournament, seen: Seen) -> None:
    """Read the reliability of each rater, and compare it with the story's knowledge."""
    raters, began = {}, time.monotonic()
    with system.quietly():
        for rater in tournament.clickers:
            path = f"/ratings/voters/{rater}?organization_id={system.organization_id}"
            raters[rater] = system.call("ana", "GET", path)
    seen.reliability = {rater: answer["reliability"] for rater, answer in raters.items()}
    print(f"    {len(raters)} raters looked up in {time.monotonic() - began:.1f} s")
    for clicks, name in ((False, "rates honestly"), (True, "clicks at random")):
        furthest = min if clicks else max
        rater = furthest(
            (each for each in raters if tournament.clickers[each] == clicks), key=seen.reliability.__getitem__
        )
        print(f"    one who {name}: {raters[rater]['explanation']}")
    found, wronged = (
        [seen.reliability[rater] < DOUBTED for rater, clicks in tournament.clickers.items() if clicks == wanted]
        for wanted in (True, False)
    )
    print(f"    found: {sum(found)} of {len(found)} who click at random", end="; ")
    print(f"wrongly doubted: {sum(wronged)} of {len(wronged)} who do not")
    if sum(found) < CLICKERS_FOUND_LEAST * len(found):
        raise Stopped("More of those who click at random should have been found.")
