"""The benchmark of accuracy: columns with known values, and a small tournament in which bayes wins."""

import numpy as np
import pytest

from bench.ratings import accuracy
from bench.ratings.contenders import CONTENDERS, Rated
from bench.ratings.simulation import play

pytestmark = pytest.mark.usefixtures("sockets_off")


def test_truth_has_no_error_and_full_coverage():
    tournament = play(3, items=80, raters=20, unseen=5000)

    columns = accuracy.judged(Rated(tournament.strength, np.full(80, 1e-6), certain=True), tournament)

    assert columns["rmse"] == columns["rmse_points"] == pytest.approx(0.0, abs=1e-9)
    assert (columns["coverage"], columns["spearman"]) == (1.0, pytest.approx(1.0))
    assert 0.45 < columns["log_loss"] < 0.57


def test_ratings_without_knowledge_predict_like_a_coin():
    tournament = play(3, items=80, raters=20, unseen=5000)

    columns = accuracy.judged(Rated(np.zeros(80), np.full(80, 200.0)), tournament)

    assert columns["log_loss"] == pytest.approx(np.log(2))
    assert columns["rmse_points"] == pytest.approx(tournament.strength.std())
    assert columns["coverage"] == pytest.approx(0.95, abs=0.05)


def test_tournament_is_reproducible_and_has_random_raters():
    left, right = (play(9, items=40, raters=20, random_share=0.3) for _ in range(2))

    assert left.events.a_won.tolist() == right.events.a_won.tolist()
    assert left.random.sum() == 6
    assert (left.events.a != left.events.b).all()
    met = np.bincount(np.concatenate([left.events.a, left.events.b]), minlength=40)
    assert met.min() >= 18


def test_bayes_is_more_accurate_than_elo_with_and_without_clickers():
    for share in (0.0, 0.3):
        tournament = play(21, items=200, raters=80, random_share=share)
        elo, bayes = (
            accuracy.judged(CONTENDERS[name](tournament.events, 200, 80), tournament) for name in ("elo", "bayes")
        )
        assert bayes["log_loss"] < elo["log_loss"]
        assert bayes["rmse"] < elo["rmse"]
        assert bayes["spearman"] > elo["spearman"]
        assert abs(bayes["coverage"] - 0.95) < 0.04


def test_gap_to_the_best_model_is_zero_for_the_best_itself():
    found = {
        name: {column: [value] * 3 for column in accuracy.UNITS}
        for name, value in (("elo", 0.9), ("bayes", 0.7), ("openskill", 0.75))
    }

    gaps = {gap.column: gap for gap in accuracy.gaps(found)}

    assert (gaps["log_loss"].behind, gaps["log_loss"].values) == ("bayes", [0.0, 0.0, 0.0])
    assert (gaps["spearman"].behind, gaps["spearman"].values) == ("elo", pytest.approx([0.2] * 3))
    assert (gaps["coverage"].behind, gaps["coverage"].values) == ("elo", pytest.approx([0.2] * 3))
