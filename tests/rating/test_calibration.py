"""The nightly fit of all votes finds the truth and is applied only to ratings that did not change meanwhile."""

import threading

import numpy as np
import psycopg
import pytest

from marquee.core import database
from marquee.rating import calibration, calibration_input, reliability
from tests.kit import rating_tournament, routines, stages


@pytest.fixture
def played(db):
    return rating_tournament.play(db, items=40, votes_per_item=60, raters=60, random_share=0.3, sliders_per_item=10)


def run(played, done):
    done.append(calibration.calibrate(played.organization_id))
    database.disconnect()


def spread(values):
    return values - values.mean()


def test_calibration_brings_ratings_close_to_the_truth(played):
    assert played.column("mean").std() == 0

    done = calibration.calibrate(played.organization_id)

    strength, means = played.truth.strength, played.column("mean")
    assert (done.applied, done.items, done.votes) == (40, 40, 1200)
    assert rating_tournament.rank_correlation(means, strength) > 0.85
    assert np.sqrt(np.mean((spread(means) - spread(strength)) ** 2)) < 90
    assert played.marked() == set(played.items)


def test_calibration_finds_random_clickers(played):
    calibration.calibrate(played.organization_id)

    [after] = played.db.execute("select * from rating.populations").fetchall()
    honest = reliability.share(played.column("log_odds", "voters", "voter_id"), after["honest_share"])
    random = played.truth.random
    assert np.mean(honest[~random][:, None] > honest[random][None, :]) > 0.9
    assert 0.55 < after["honest_share"] < 0.85


def test_calibration_estimates_the_population_and_reports_the_old_values(played):
    calibration.calibrate(played.organization_id)

    [after] = played.db.execute("select * from rating.populations").fetchall()
    [report] = played.reports()
    assert (after["period"], after["items"], after["prior_mean"]) == (2, 40, 1500)
    assert after["prior_deviation"] == pytest.approx(played.truth.strength.std(), rel=0.25)
    assert after["slider_mean"] == pytest.approx(50, abs=5)
    assert after["slider_deviation"] == pytest.approx(15, rel=0.3)
    assert after["rater_deviation"] == pytest.approx(10, rel=0.4)
    assert after["noise_deviation"] == pytest.approx(15, rel=0.3)
    assert after["estimated_at"] is not None
    assert (report["before"]["prior_deviation"], report["after"]["prior_deviation"]) == (350, after["prior_deviation"])


def test_report_states_how_far_the_running_ratings_were_off(played):
    calibration.calibrate(played.organization_id)

    [report] = played.reports()
    moved = np.abs(played.column("mean") - 1500)
    assert report["mean_difference"] == pytest.approx(moved.mean())
    assert report["largest_difference"] == pytest.approx(moved.max())
    assert (report["items"], report["applied"], report["touched"], report["incomplete"]) == (40, 40, 0, 0)
    assert (report["model"], report["voters"], report["votes"], report["votes_left_out"]) == ("bayes", 60, 1200, 0)


def test_next_batch_starts_from_the_fit(played):
    """The period is advanced, so the mean of an item becomes its base."""
    calibration.calibrate(played.organization_id)

    [after] = played.db.execute("select period from rating.populations").fetchall()
    assert (played.column("period") < after["period"]).all()
    assert (played.column("period", "voters", "voter_id") < after["period"]).all()


def test_item_counted_during_the_fit_is_calibrated_by_the_next_run(played, monkeypatch):
    apply = calibration._taken_over

    def count_meanwhile(*arguments):
        played.db.execute("update rating.item_stats set version = 2, mean = 1777 where item_id = 'item-0003'")
        played.db.execute("update rating.voters set version = 2, log_odds = 0.77 where voter_id = 'voter-0005'")
        return apply(*arguments)

    monkeypatch.setattr(calibration, "_taken_over", count_meanwhile)
    done = calibration.calibrate(played.organization_id)

    assert done.applied == 39
    assert played.reports()[0]["touched"] == 1
    assert played.row(3)["mean"] == 1777
    assert played.column("log_odds", "voters", "voter_id")[5] == 0.77

    monkeypatch.setattr(calibration, "_taken_over", apply)
    assert calibration.calibrate(played.organization_id).applied == 40
    assert played.row(3)["mean"] != 1777


@pytest.mark.parametrize("side", ["a", "b"])
def test_vote_pending_for_one_item_is_left_out_of_the_fit(played, side):
    """The item that has not counted the vote counts it later; the other item keeps its rating, which includes it."""
    vote = 17
    a, b = int(played.truth.events.a[vote]), int(played.truth.events.b[vote])
    waiting, counted = (a, b) if side == "a" else (b, a)
    played.put_back(waiting, vote)

    done = calibration.calibrate(played.organization_id)

    assert (done.votes, done.applied, done.incomplete) == (1199, 39, 1)
    assert played.row(waiting)["mean"] != 1500
    assert played.row(counted)["mean"] == 1500
    voter = int(played.truth.events.voter[vote])
    taken_over = played.column("log_odds", "voters", "voter_id")[voter] != 0
    assert taken_over == (side == "a")


def test_vote_pending_for_both_items_is_ignored(played):
    vote = 17
    for item in (int(played.truth.events.a[vote]), int(played.truth.events.b[vote])):
        played.put_back(item, vote)

    done = calibration.calibrate(played.organization_id)

    assert (done.votes, done.applied, done.incomplete) == (1199, 40, 0)


def test_items_with_archived_votes_keep_their_ratings(played):
    """A fit of half of an item's votes would discard the other half."""
    gone = played.db.execute("delete from rating.votes where key = 'v-3' returning item_a, item_b").fetchone()

    done = calibration.calibrate(played.organization_id)

    assert (done.applied, done.incomplete, done.votes_left_out) == (38, 2, 1)
    kept = {item for item, mean in zip(played.items, played.column("mean"), strict=True) if mean == 1500}
    assert kept == set(gone.values())


def test_votes_and_sliders_are_read_once_in_pages(played):
    known = calibration_input.standings(played.organization_id)
    whole, parts = calibration_input.counted(known), calibration_input.counted(known, page=7)
    sliders, slider_parts = calibration_input.read_sliders(known), calibration_input.read_sliders(known, page=7)

    def votes(read):
        table = np.zeros((40, 40, 60))
        np.add.at(table, (read.winner, read.loser, read.voter), read.weight)
        return table

    assert (votes(whole) == votes(parts)).all()
    assert votes(whole).sum() == 1200
    assert sorted(zip(sliders.item, sliders.voter, sliders.value, strict=True)) == sorted(
        zip(slider_parts.item, slider_parts.voter, slider_parts.value, strict=True)
    )


def test_votes_above_the_limit_are_left_out_and_reported(played, monkeypatch):
    read = calibration_input.counted
    monkeypatch.setattr(calibration, "counted", lambda known: read(known, most=600))

    done = calibration.calibrate(played.organization_id)

    assert (done.votes, done.votes_left_out) == (600, 600)
    assert done.incomplete == 40 - done.applied > 0


def test_repeated_calibration_changes_nothing(played):
    calibration.calibrate(played.organization_id)
    first = played.column("mean")

    again = calibration.calibrate(played.organization_id)

    assert again.applied == 40
    assert again.largest_difference < 1e-6
    assert np.abs(played.column("mean") - first).max() < 1e-6
    assert len(played.marked()) == 40  # all by the first calibration
    assert len(played.reports()) == 2


def test_concurrent_calibrations_apply_one_result(played, monkeypatch):
    together, apply = threading.Barrier(2, timeout=30), calibration._taken_over

    def wait_for_the_other(*arguments):
        together.wait()
        return apply(*arguments)

    monkeypatch.setattr(calibration, "_taken_over", wait_for_the_other)
    done = []

    threads = [threading.Thread(target=run, args=(played, done)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted((each.superseded, each.applied) for each in done) == [(False, 40), (True, 0)]
    assert len(played.reports()) == 1
    assert played.db.execute("select period from rating.populations").fetchone() == {"period": 2}


def test_calibration_killed_before_its_last_step_changes_nothing(played, monkeypatch):
    def die(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "_taken_over", die)
    with pytest.raises(KeyboardInterrupt):
        calibration.calibrate(played.organization_id)

    assert (played.column("mean") == 1500).all()
    assert (played.reports(), played.marked()) == ([], set())


def test_calibration_waits_for_a_running_batch(played, connect):
    """A batch shares the lock on the period. The fit is applied after the batch commits, and sees its changes."""
    with connect() as batch, batch.transaction():
        batch.execute("select rating.lock_periods(array[%s::uuid])", [played.organization_id])
        batch.execute("update rating.item_stats set version = 2, mean = 1666 where item_id = 'item-0000'")
        done = []
        thread = threading.Thread(target=run, args=(played, done))
        thread.start()
        waits = "select count(*) as n from pg_locks where locktype = 'advisory' and not granted"
        while played.db.execute(waits).fetchone() == {"n": 0}:
            assert thread.is_alive()
        assert not done
    thread.join()

    assert done[0].applied == 39
    assert played.row(0)["mean"] == 1666


def test_elo_ratings_are_compared_but_not_changed(db):
    played = rating_tournament.play(db, model="elo", items=10, votes_per_item=20, raters=10)

    done = calibration.calibrate(played.organization_id)

    assert (done.applied, played.marked()) == (0, set())
    assert (played.column("mean") == 1500).all()
    [report] = played.reports()
    assert report["model"] == "elo"
    assert report["mean_difference"] > 10
    assert report["before"] == report["after"]


def test_calibration_is_superseded_when_the_model_changes(played, monkeypatch):
    apply = calibration._taken_over

    def change_meanwhile(*arguments):
        query = "insert into rating.settings (organization_id, model) values (%s, 'elo')"
        played.db.execute(query, [played.organization_id])
        return apply(*arguments)

    monkeypatch.setattr(calibration, "_taken_over", change_meanwhile)

    assert calibration.calibrate(played.organization_id).superseded
    assert (played.column("mean") == 1500).all()


def test_organization_without_items_has_nothing_to_fit(db):
    stage = stages.create(db)

    assert calibration.calibrate(stage.organization_id) == calibration.Calibrated()
    assert db.execute("select count(*) as n from rating.calibrations").fetchone() == {"n": 0}


def test_single_item_has_the_mean_of_the_population(db):
    stage = stages.create(db)
    db.execute(rating_tournament.ITEM, [stage.organization_id, "alone", "bayes", 0, 0, 3, 3.0])

    assert calibration.calibrate(stage.organization_id).applied == 1
    assert db.execute("select mean from rating.item_stats").fetchone() == {"mean": 1500}


def test_single_voter_is_trusted(db):
    played = rating_tournament.play(db, items=12, votes_per_item=40, raters=1, spread=300)

    calibration.calibrate(played.organization_id)

    assert rating_tournament.rank_correlation(played.column("mean"), played.truth.strength) > 0.8


def test_old_reports_are_deleted_except_the_last(played):
    for _night in range(3):
        calibration.calibrate(played.organization_id)
    played.db.execute("update rating.calibrations set finished_at = finished_at - interval '14 months'")

    played.db.execute("select ops.clean_up()")

    assert len(played.reports()) == 1
    assert calibration.calibrate(played.organization_id).superseded is False


def test_calibration_routines_are_for_the_service_alone(played):
    stage = stages.create(played.db)
    for call in (
        "select rating.read_calibration_input(%s)",
        "select rating.counted_votes(%s)",
        "select rating.counted_sliders(%s)",
        "select rating.organizations_to_calibrate(%s)",
        "select rating.apply_calibration(%s, now(), null, '{}', '{}', '{}', '{}', '{}', '{}', '{}', null, '{}')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            routines.call(played.db, stage.owner, call, [stage.organization_id])
