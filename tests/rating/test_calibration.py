"""The nightly fit of all votes: it finds the truth, is taken over where nothing changed meanwhile, and nowhere else."""

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


def test_the_ratings_come_to_the_truth(played):
    assert played.column("mean").std() == 0

    done = calibration.calibrate(played.organization_id)

    strength, means = played.truth.strength, played.column("mean")
    assert (done.applied, done.items, done.votes) == (40, 40, 1200)
    assert rating_tournament.rank_correlation(means, strength) > 0.85
    assert np.sqrt(np.mean((spread(means) - spread(strength)) ** 2)) < 90
    assert played.marked() == set(played.items)


def test_those_who_click_at_random_are_found(played):
    calibration.calibrate(played.organization_id)

    [after] = played.db.execute("select * from rating.populations").fetchall()
    honest = reliability.share(played.column("log_odds", "voters", "voter_id"), after["honest_share"])
    random = played.truth.random
    assert np.mean(honest[~random][:, None] > honest[random][None, :]) > 0.9
    assert 0.55 < after["honest_share"] < 0.85


def test_the_population_is_estimated_anew_and_what_was_assumed_is_kept(played):
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


def test_the_report_says_how_far_the_running_ratings_were(played):
    calibration.calibrate(played.organization_id)

    [report] = played.reports()
    moved = np.abs(played.column("mean") - 1500)
    assert report["mean_difference"] == pytest.approx(moved.mean())
    assert report["largest_difference"] == pytest.approx(moved.max())
    assert (report["items"], report["applied"], report["touched"], report["incomplete"]) == (40, 40, 0, 0)
    assert (report["model"], report["voters"], report["votes"], report["votes_left_out"]) == ("bayes", 60, 1200, 0)


def test_the_next_batch_counts_from_the_fit(played):
    """The period is advanced, so what an item has as its mean becomes its base."""
    calibration.calibrate(played.organization_id)

    [after] = played.db.execute("select period from rating.populations").fetchall()
    assert (played.column("period") < after["period"]).all()
    assert (played.column("period", "voters", "voter_id") < after["period"]).all()


def test_an_item_that_was_counted_meanwhile_is_left_alone_and_comes_the_next_night(played, monkeypatch):
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
def test_a_vote_that_waits_for_one_of_its_items_is_not_in_the_fit(played, side):
    """Who has not counted it counts it afterwards; who has keeps the rating in which it is."""
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


def test_a_vote_that_waits_for_both_is_taken_for_not_there(played):
    vote = 17
    for item in (int(played.truth.events.a[vote]), int(played.truth.events.b[vote])):
        played.put_back(item, vote)

    done = calibration.calibrate(played.organization_id)

    assert (done.votes, done.applied, done.incomplete) == (1199, 40, 0)


def test_items_with_archived_votes_keep_their_ratings(played):
    """A fit of half of an item's votes would forget the other half."""
    gone = played.db.execute("delete from rating.votes where key = 'v-3' returning item_a, item_b").fetchone()

    done = calibration.calibrate(played.organization_id)

    assert (done.applied, done.incomplete, done.votes_left_out) == (38, 2, 1)
    kept = {item for item, mean in zip(played.items, played.column("mean"), strict=True) if mean == 1500}
    assert kept == set(gone.values())


def test_votes_are_read_by_pages_each_once(played):
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


def test_what_is_beyond_the_bound_is_left_out_and_said(played, monkeypatch):
    read = calibration_input.counted
    monkeypatch.setattr(calibration, "counted", lambda known: read(known, most=600))

    done = calibration.calibrate(played.organization_id)

    assert (done.votes, done.votes_left_out) == (600, 600)
    assert done.incomplete == 40 - done.applied > 0


def test_a_repeat_changes_nothing(played):
    calibration.calibrate(played.organization_id)
    first = played.column("mean")

    again = calibration.calibrate(played.organization_id)

    assert again.applied == 40
    assert again.largest_difference < 1e-6
    assert np.abs(played.column("mean") - first).max() < 1e-6
    assert len(played.marked()) == 40  # from the first time
    assert len(played.reports()) == 2


def test_of_two_side_by_side_one_is_taken_over(played, monkeypatch):
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


def test_killed_before_the_last_step_nothing_has_happened(played, monkeypatch):
    def die(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(calibration, "_taken_over", die)
    with pytest.raises(KeyboardInterrupt):
        calibration.calibrate(played.organization_id)

    assert (played.column("mean") == 1500).all()
    assert (played.reports(), played.marked()) == ([], set())


def test_a_batch_at_work_is_waited_for(played, connect):
    """A batch shares the period; the fit is taken over when it has committed, and sees what it changed."""
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


def test_elo_is_compared_and_left_as_it_is(db):
    played = rating_tournament.play(db, model="elo", items=10, votes_per_item=20, raters=10)

    done = calibration.calibrate(played.organization_id)

    assert (done.applied, played.marked()) == (0, set())
    assert (played.column("mean") == 1500).all()
    [report] = played.reports()
    assert report["model"] == "elo"
    assert report["mean_difference"] > 10
    assert report["before"] == report["after"]


def test_a_model_that_was_changed_meanwhile_is_left_alone(played, monkeypatch):
    apply = calibration._taken_over

    def change_meanwhile(*arguments):
        query = "insert into rating.settings (organization_id, model) values (%s, 'elo')"
        played.db.execute(query, [played.organization_id])
        return apply(*arguments)

    monkeypatch.setattr(calibration, "_taken_over", change_meanwhile)

    assert calibration.calibrate(played.organization_id).superseded
    assert (played.column("mean") == 1500).all()


def test_an_organization_without_items_has_nothing_to_fit(db):
    stage = stages.create(db)

    assert calibration.calibrate(stage.organization_id) == calibration.Calibrated()
    assert db.execute("select count(*) as n from rating.calibrations").fetchone() == {"n": 0}


def test_one_item_has_the_populations_mean(db):
    stage = stages.create(db)
    db.execute(rating_tournament.ITEM, [stage.organization_id, "alone", "bayes", 0, 0, 3, 3.0])

    assert calibration.calibrate(stage.organization_id).applied == 1
    assert db.execute("select mean from rating.item_stats").fetchone() == {"mean": 1500}


def test_one_voter_is_believed(db):
    played = rating_tournament.play(db, items=12, votes_per_item=40, raters=1, spread=300)

    calibration.calibrate(played.organization_id)

    assert rating_tournament.rank_correlation(played.column("mean"), played.truth.strength) > 0.8


def test_old_reports_are_deleted_but_for_the_last(played):
    for _night in range(3):
        calibration.calibrate(played.organization_id)
    played.db.execute("update rating.calibrations set finished_at = finished_at - interval '14 months'")

    played.db.execute("select ops.clean_up()")

    assert len(played.reports()) == 1
    assert calibration.calibrate(played.organization_id).superseded is False


def test_only_the_service_may_read_and_write_it(played):
    stage = stages.create(played.db)
    for call in (
        "select rating.standings(%s)",
        "select rating.counted_votes(%s)",
        "select rating.counted_sliders(%s)",
        "select rating.organizations_to_calibrate(%s)",
        "select rating.apply_calibration(%s, now(), null, '{}', '{}', '{}', '{}', '{}', '{}', '{}', null, '{}')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            routines.call(played.db, stage.owner, call, [stage.organization_id])
