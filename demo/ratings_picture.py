"""The picture of the third chapter: the way to the top, the distance from the truth, and the random raters."""

from pathlib import Path
from typing import Any

from demo.tournament import Tournament

PICTURE = Path(".local/ratings.png")
FOLLOWED = 10


def draw(
    tournament: Tournament,
    scores: list[dict[str, float]],
    correlations: list[float],
    last: list[dict[str, Any]],
    reliability: dict[str, float],
) -> None:
    """Draw the picture.

    `scores` and `correlations` are per round, the last one of the night; `last` is the final leaderboard.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, ((way, near), (truth, trust)) = pyplot.subplots(2, 2, figsize=(13, 9), layout="constrained")
    rounds = [*(str(number) for number in range(1, len(scores))), "night"]
    best = sorted(tournament.strengths, key=lambda item: -tournament.strengths[item])

    for item in best[:FOLLOWED]:
        places = [
            sorted(each, key=each.__getitem__, reverse=True).index(item) + 1 if item in each else None
            for each in scores
        ]
        way.plot(rounds, places, marker="o", label=f"{best.index(item) + 1}. {item.partition('-')[2]}")
    way.set(xlabel="round", ylabel="place on the leaderboard", title=f"The {FOLLOWED} that are truly best")
    way.invert_yaxis()
    way.legend(fontsize=8, loc="lower right")

    near.plot(rounds, correlations, marker="o")
    near.set(
        xlabel="round", ylabel="rank correlation", ylim=(min(0.5, *correlations), 1.0), title="Leaderboard and truth"
    )
    near.grid(alpha=0.3)

    strengths = [tournament.strengths[each["item_id"]] for each in last]
    means = [each["mean"] for each in last]
    middle = sum(means) / len(means) - sum(strengths) / len(strengths)
    truth.errorbar(
        strengths, [mean - middle for mean in means], yerr=[2 * each["deviation"] for each in last], fmt="o",
        markersize=4, elinewidth=0.8, capsize=2,
    )  # fmt: skip
    truth.axline((0, 0), slope=1, color="lightgrey", zorder=0)
    truth.set(xlabel="true strength (points)", ylabel="rating, ± 2 deviations", title="Ratings and truth")

    groups = [
        [share for rater, share in reliability.items() if tournament.clickers[rater] == clicks]
        for clicks in (False, True)
    ]
    trust.hist(groups, bins=[step / 20 for step in range(21)], stacked=True, label=["rate honestly", "click at random"])
    trust.set(xlabel="reliability", ylabel="raters", title="Whom the system believes")
    trust.legend()

    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)
    pyplot.close(figure)
