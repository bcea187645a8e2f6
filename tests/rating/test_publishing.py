"""Publishing of scores: its times, the settings of each organization, and the base ratings of a period."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from marquee.core import database
from marquee.rating import models, processing
from tests.kit import rating_inbox, stages


@pytest.fixture
def box(db):
    return rating_inbox.Inbox(db, stages.create(db).organization_id)


def wait_for_a_lock(db):
    for _look in range(1000):
        if db.execute("select count(*) as n from pg_locks where not granted").fetchone()["n"]:
            return
        db.execute("select pg_sleep(0.01)")
    raise AssertionError("No session waits for a lock.")


def test_held_back_score_is_published_when_its_pause_ends(box, db):
    box.choose(pause_seconds=2)
    box.tournament(10, 10)
    box.put()
    assert processing.process_batch().published == 10
    first = box.state()
    for voter in range(30):
        box.vote(f"voter-{voter}", "item-00009", "item-00000")
    box.put()

    held = processing.process_batch()

    assert (held.events, held.published, held.held) == (60, 0, 2)
    assert [row["item_id"] for row in rating_inbox.dirty(db)] == ["item-00000", "item-00009"]
    assert all(0 < row["seconds"] <= 2 for row in rating_inbox.dirty(db))
    assert box.state()["item-00009"]["score"] == first["item-00009"]["score"]
    assert processing.process_batch().items == 0

    db.execute("select pg_sleep_until((select max(available_at) from rating.dirty_items))")
    due = processing.process_batch()
    assert (due.items, due.events, due.published, due.held) == (2, 0, 2, 0)
    assert box.state()["item-00009"]["score"] > first["item-00009"]["score"] + 5
    assert box.left() == (0, 0)


def test_published_score_stays_within_half_a_point_of_the_current_score(box, db, monkeypatch):
    rate, scores = models.rate, {}

    def rate_and_record(name, batch):
        outcome = rate(name, batch)
        scores.update(zip(batch.items.ids, outcome.scores.score.tolist(), strict=False))
        return outcome

    monkeypatch.setattr(models, "rate", rate_and_record)
    box.tournament(10, 10)
    box.put()
    processing.process_batch()
    first = box.state()["item-00005"]["score"]
    for number in range(12):
        for voter in range(4):
            box.vote(f"fan-{number}-{voter}", "item-00005", f"item-0000{voter}")
            box.slider(f"fan-{number}-{voter}", "item-00005", 90)
        box.put()
        db.execute("update rating.populations set period_began_at = '-infinity'")
        processing.begin_periods()
        processing.process_batch()

        for name, row in box.state().items():
            assert abs(row["score"] - scores[name]) < 0.5
            assert int(row["score"] // 10) == int(scores[name] // 10) or not 20 <= scores[name] < 90

    last = box.state()["item-00005"]["score"]
    assert last > first + 16
    history = db.execute(
        "select array_agg(score order by published_at) as scores from rating.score_history where item_id = 'item-00005'"
    ).fetchone()["scores"]
    assert (history[0], history[-1]) == (first, last)


@pytest.mark.parametrize("model", ["bayes", "elo"])
def test_published_mean_and_deviation_are_those_of_the_rating(box, db, model):
    box.choose(model=model)
    box.tournament(10, 10)
    box.put()
    processing.process_batch()

    rows = db.execute(
        "select s.*, array[i.mean, i.deviation] as known, array[h.mean, h.deviation] as past"
        " from rating.item_scores as s inner join rating.item_stats as i using (organization_id, item_id)"
        " inner join rating.score_history as h using (organization_id, item_id)"
    ).fetchall()

    assert len(rows) == 10
    for row in rows:
        assert [row["mean"], row["deviation"]] == row["known"] == row["past"]
        assert row["mean"] > 800
        assert row["deviation"] > 50
        whole = 0.4 * row["rating_component"] + 0.3 * row["slider_component"] + 0.3 * row["fire_component"]
        assert row["score"] == pytest.approx(whole * (row["reliability"] if model == "elo" else 1))


def test_organization_is_rated_by_its_own_model_and_settings(box, db):
    other = rating_inbox.Inbox(db, stages.create(db).organization_id)
    other.choose(model="elo", paused_until="2999-01-01")
    for each in (box, other):
        each.tournament(10, 10)
        each.put()

    report = processing.process_batch()

    assert (report.items, report.published, report.held, report.statements) == (20, 10, 10, 8)
    assert {row["model"] for row in box.state().values()} == {"bayes"}
    assert {row["model"] for row in other.state().values()} == {"elo"}
    assert [row["organization_id"] for row in rating_inbox.dirty(db)] == [other.organization_id] * 10


def test_base_ratings_of_a_period_are_those_before_it(box, db):
    box.tournament(10, 10)
    box.put()
    processing.process_batch()
    known = box.state()
    box.vote("ana", "item-00001", "item-00002")
    box.put()
    assert processing.begin_periods() == 0

    db.execute("update rating.populations set period_began_at = now() - interval '61 seconds'")
    assert processing.begin_periods() == 1
    assert processing.begin_periods() == 0
    processing.process_batch()

    rows = db.execute(
        "select item_id, period, base_mean from rating.item_stats where item_id in ('item-00001', 'item-00002')"
    ).fetchall()
    assert {row["item_id"]: (row["period"], row["base_mean"]) for row in rows} == {
        name: (2, known[name]["mean"]) for name in ("item-00001", "item-00002")
    }


def test_period_starts_only_after_the_running_batch(box, connect, db):
    box.tournament(4, 4)
    box.put()
    processing.process_batch()
    box.vote("ana", "item-00001", "item-00002")
    box.put()
    db.execute("update rating.populations set period_began_at = '-infinity'")
    with connect(autocommit=False) as other, ThreadPoolExecutor(1) as pool:
        other.execute("select * from rating.take_events(%s::uuid[], %s)", [[box.organization_id], ["item-00001"]])
        begun = pool.submit(lambda: (processing.begin_periods(), database.disconnect())[0])
        wait_for_a_lock(db)
        assert not begun.done()
        other.rollback()
        assert begun.result(timeout=10) == 1


def test_period_start_is_skipped_when_the_lock_times_out(box, connect, db):
    box.tournament(4, 4)
    box.put()
    processing.process_batch()
    box.vote("ana", "item-00001", "item-00002")
    box.put()
    db.execute("update rating.populations set period_began_at = '-infinity'")
    begin = "select rating.begin_period() as begun"
    with connect(autocommit=False) as other:
        other.execute("select * from rating.take_events(%s::uuid[], %s)", [[box.organization_id], ["item-00001"]])
        db.execute("set lock_timeout = '50ms'")
        assert db.execute(begin).fetchone()["begun"] == 0
        other.rollback()
    assert db.execute(begin).fetchone()["begun"] == 1
