"""The picture of scripts.rate_compare."""

from pathlib import Path

import numpy as np

from marquee.rating.types import Floats, Scores


def plot(path: Path, title: str, elo: Scores, bayes: Scores, truth: Floats | None) -> None:
    """Plot both models' scores against each other, their differences, and the truth if it is known."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    panels = 2 if truth is None else 3
    figure, axes = pyplot.subplots(1, panels, figsize=(5.2 * panels, 5), layout="constrained")
    figure.suptitle(title)
    difference = bayes.score - elo.score
    axes[0].plot([0, 100], [0, 100], color="lightgrey", zorder=0)
    dots = axes[0].scatter(elo.score, bayes.score, c=bayes.confidence, s=14, cmap="viridis", vmin=0, vmax=100)
    axes[0].set(xlabel="score by elo", ylabel="score by bayes", xlim=(0, 100), ylim=(0, 100), title="The same items")
    figure.colorbar(dots, ax=axes[0], label="confidence by bayes")
    order = np.argsort(difference)
    colours = np.where(difference[order] < 0, "tab:red", "tab:blue")
    axes[1].bar(np.arange(len(order)), difference[order], color=colours, width=1.0)
    axes[1].axhline(0, color="black", linewidth=0.8)
    axes[1].set(xlabel="items, by difference", ylabel="bayes less elo", title="How far apart")
    if truth is not None:
        for name, scores, colour in (("elo", elo, "tab:orange"), ("bayes", bayes, "tab:blue")):
            axes[2].scatter(truth, (scores.mean - scores.mean.mean()), s=10, color=colour, label=name, alpha=0.7)
        axes[2].plot([truth.min(), truth.max()], [truth.min(), truth.max()], color="lightgrey", zorder=0)
        axes[2].set(xlabel="true strength (points)", ylabel="rating, about its middle", title="Against the truth")
        axes[2].legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
