"""Rating batches take a bounded number of statements, and each event counts exactly once."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest

from marquee.core import database, settings
from marquee.core.errors import Unavailable
from marquee.rating import models, processing, storage
from tests.kit import rating_inbox, stages
from tests.kit.tcp_proxy import wire


@pytest.fixture
def box(db):
    return rating_inbox.Inbox(db, stages.create(db).organization_id)


@pytest.fixture
def line(db, monkeypatch):
    """Return a proxy between the worker and its database."""
    parts = urlsplit(settings.current().require("database_url"))
    with wire(lambda: socket.create_connection(("127.0.0.1", parts.port))) as the_line:
        login = parts.netloc.rpartition("@")[0]
        url = urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{the_line.port}"))
        monkeypatch.setenv("DATABASE_URL", url)
        with database.single(database.service()) as session:
            session.value("select 1")
        the_line.reset()
        yield the_line
        database.disconnect()


def process_all(most=500):
    """Process batches until nothing is left to claim, and return their reports."""
    reports = []
    while not reports or reports[-1].full:
        reports.append(processing.process_batch(most))
        assert len(reports) < 100
    return reports


@pytest.mark.parametrize(("items", "batches"), [(20, 1), (500, 2), (5000, 11)])
def test_batch_takes_at_most_nine_round_trips_at_any_size(box, line, items, batches):
    box.tournament(items, 4)
    box.put()

    reports = []
    for _batch in range(batches):
        line.reset()
        reports.append(processing.process_batch(500))
        assert line.round_trips <= 9
        assert reports[-1].statements <= 8

    assert sum(report.items for report in reports) == items
    assert {report.statements for report in reports if report.items} == {8}
    assert box.left() == (0, 0)


def test_replayed_batch_counts_no_event_twice(box, db, monkeypatch):
    box.tournament(30, 10)
    box.put()
    claimed = storage.claim(500)
    monkeypatch.setattr(storage, "claim", lambda most: claimed)
    first = processing.process_batch()
    state, voters = box.state(), db.execute("select * from rating.voters order by voter_id").fetchall()

    second = processing.process_batch()

    assert (first.events, second.events) == (360, 0)
    assert box.state() == state
    assert db.execute("select * from rating.voters order by voter_id").fetchall() == voters


@pytest.mark.parametrize(("ending", "counted"), [("commit", 0), ("rollback", 44)])
def test_second_worker_waits_for_the_first_and_counts_the_remaining_events(box, connect, db, ending, counted):
    box.tournament(2, 20)
    box.put()
    names = ["item-00000", "item-00001"]
    with connect(autocommit=False) as other, ThreadPoolExecutor(1) as pool:
        other.execute("select * from rating.take_events(%s::uuid[], %s)", [[box.organization_id] * 2, names])
        worker = pool.submit(lambda: (processing.process_batch(), database.disconnect())[0])
        wait_for_a_lock(db)
        other.execute(ending)
        report = worker.result(timeout=10)

    assert report.events == counted
    assert box.left() == (0, 0)


@pytest.mark.parametrize("votes", [10, 0])
def test_overlapping_workers_keep_each_others_results(box, db, votes, monkeypatch):
    box.tournament(4, 10)
    box.put()
    process_all()
    rate, reached, go_on = models.rate, threading.Event(), threading.Event()

    def rate_after_the_signal(name, batch):
        if not reached.is_set():
            reached.set()
            assert go_on.wait(10)
        return rate(name, batch)

    monkeypatch.setattr(models, "rate", rate_after_the_signal)
    with ThreadPoolExecutor(2) as pool:
        if votes:
            box.tournament(4, votes, seed=2)
            box.put()
        db.execute("select rating.mark_dirty(%s, %s)", [box.organization_id, list(box.state())])
        slow = pool.submit(lambda: (processing.process_batch(), database.disconnect())[0])
        assert reached.wait(10)
        db.execute("update rating.dirty_items set available_at = now()")  # its lease expires
        box.tournament(4, 10, seed=3)
        box.put()
        quick = pool.submit(lambda: (processing.process_batch(), database.disconnect())[0])
        wait_for_a_lock(db)
        go_on.set()
        assert [each.result(timeout=10).events for each in (slow, quick)] == [48 if votes else 0, 48]

    assert sum(row["votes"] + row["sliders"] for row in box.state().values()) == (3 if votes else 2) * 48
    process_all()
    assert box.left() == (0, 0)


def wait_for_a_lock(db):
    for _look in range(300):
        if db.execute("select count(*) as n from pg_locks where not granted").fetchone()["n"]:
            return
        db.execute("select pg_sleep(0.01)")
    raise AssertionError("No session waits for a lock.")


def test_item_marked_during_its_batch_stays_queued(box, monkeypatch):
    box.tournament(10, 10)
    box.put()
    rate = models.rate

    def rate_while_events_come(name, batch):
        box.vote("late", "item-00003", "item-00004")
        box.put()
        return rate(name, batch)

    monkeypatch.setattr(models, "rate", rate_while_events_come)
    processing.process_batch()
    assert box.left() == (2, 2)

    monkeypatch.setattr(models, "rate", rate)
    assert processing.process_batch().events == 2
    assert box.left() == (0, 0)


def test_item_that_cannot_be_written_is_set_aside_alone(box, db):
    box.tournament(500, 4)
    box.put()
    processing.process_batch()
    db.execute("update rating.item_stats set votes = 9223372036854775807 where item_id = 'item-00123'")
    box.tournament(500, 4, seed=2)
    box.put()
    before = box.state()

    report = processing.process_batch()

    assert (report.items, report.failed) == (500, 1)
    (left,) = rating_inbox.dirty(db)
    assert (left["item_id"], left["attempts"], left["lease_until"]) == ("item-00123", 1, None)
    assert "counters_count" in left["last_error"]
    assert 5 < left["seconds"] <= 10
    after = box.state()
    assert [name for name in before if before[name] == after[name]] == ["item-00123"]
    events = db.execute("select count(*) as n, count(distinct item_id) as items from rating.inbox").fetchone()
    assert (events["n"] + report.events, events["items"]) == (500 * 6, 1)

    db.execute("update rating.item_stats set votes = 100 where item_id = 'item-00123'")
    db.execute("update rating.dirty_items set available_at = now()")
    assert processing.process_batch().events == events["n"]
    assert box.left() == (0, 0)


def test_items_that_the_model_cannot_rate_are_set_aside(box, db, monkeypatch):
    box.tournament(100, 10)
    box.put()
    rate, bad = models.rate, {"item-00000", "item-00050", "item-00051", "item-00099"}

    def rate_but_some(name, batch):
        if bad & set(batch.items.ids[: batch.items.count]):
            raise ArithmeticError("A rating is not a finite number.")
        return rate(name, batch)

    monkeypatch.setattr(models, "rate", rate_but_some)
    report = processing.process_batch()

    assert (report.items, report.failed) == (100, 4)
    assert {row["item_id"]: row["last_error"] for row in rating_inbox.dirty(db)} == dict.fromkeys(
        bad, "ArithmeticError: A rating is not a finite number."
    )
    assert {row["attempts"] for row in rating_inbox.dirty(db)} == {1}
    assert box.state().keys() == {f"item-{number:05}" for number in range(100)} - bad
    (run,) = db.execute("select succeeded, result from ops.job_runs").fetchall()
    assert (run["succeeded"], run["result"]["failed"], run["result"]["events"]) == (True, 4, report.events)


def test_fault_that_no_item_causes_is_raised_and_changes_nothing(box, db, monkeypatch):
    box.tournament(10, 4)
    box.put()

    def fail(name, batch):
        raise KeyError(name)

    monkeypatch.setattr(models, "rate", fail)
    with pytest.raises(KeyError):
        processing.process_batch()

    assert box.left() == (60, 10)
    assert box.state() == {}
    assert [row["attempts"] for row in rating_inbox.dirty(db)] == [0] * 10
    (run,) = db.execute("select succeeded, error from ops.job_runs").fetchall()
    assert (run["succeeded"], run["error"]) == (False, "KeyError: 'bayes'")


@pytest.mark.parametrize("after_answer", [False, True])
@pytest.mark.parametrize("statement", [b"take_events", b"write_items", b"finish_items", b"commit"])
def test_lost_connection_blames_no_item_and_loses_no_event(box, line, db, statement, after_answer):
    box.tournament(20, 10)
    box.put()
    line.cut_after_answer = after_answer
    line.cut_when = lambda data: statement in data

    report = processing.process_batch()

    assert (report.items, report.failed) == (20, 0)
    assert box.left() == (0, 0)
    assert sum(row["votes"] + row["sliders"] for row in box.state().values()) == 240
    assert db.execute("select sum(votes) as n from rating.voters").fetchone()["n"] == 100


def test_items_are_released_when_the_database_stays_busy(box, db, monkeypatch):
    box.tournament(20, 4)
    box.put()
    attempts = []

    def fail(session, items):
        attempts.append(len(items))
        raise Unavailable("The database is busy.")

    monkeypatch.setattr(storage, "take_events", fail)
    with pytest.raises(Unavailable):
        processing.process_batch()

    assert attempts == [20, 20, 20]
    assert box.left() == (120, 20)
    assert {(row["attempts"], row["lease_until"], row["seconds"] <= 0) for row in rating_inbox.dirty(db)} == {
        (0, None, True)
    }


def test_item_with_5000_votes_is_rated_from_all_of_them(box):
    for number in range(5000):
        box.vote(f"voter-{number % 70}", *(("a", "b") if number % 3 else ("b", "a")))
    box.put()

    reports = process_all()

    assert sum(report.events for report in reports) == 10_000
    state = box.state()
    assert [state[name]["votes"] for name in "ab"] == [5000, 5000]
    assert state["a"]["wins"] == 3333
    assert box.left() == (0, 0)


def test_events_above_the_batch_limit_are_left_to_the_next_batch(box, monkeypatch):
    monkeypatch.setattr(storage, "EVENTS_MOST", 300)
    for number in range(500):
        box.vote(f"voter-{number % 70}", "a", f"opponent-{number % 4}")
    box.put()

    reports = process_all()

    assert [report.events for report in reports] == [300, 300, 300, 100]
    assert box.state()["a"]["votes"] == 500
    assert box.left() == (0, 0)


@pytest.mark.parametrize("model", ["bayes", "elo"])
def test_results_do_not_depend_on_the_order_of_items_and_events(box, db, model, monkeypatch):
    box.choose(model=model)
    box.tournament(60, 20)
    box.put()
    db.execute("create table aside as select * from rating.inbox")
    processing.process_batch()
    straight, voters = box.state(), known_voters(db)

    db.execute("truncate rating.item_stats, rating.voters, rating.item_scores")
    db.execute("insert into rating.inbox select * from aside order by md5(item_id || event_id)")
    claim = storage.claim
    monkeypatch.setattr(storage, "claim", lambda most: (claim(most)[0][::-1], 1))
    processing.process_batch()

    assert_equal(box.state(), straight)
    assert_equal(known_voters(db), voters)


@pytest.mark.parametrize("most", [1, 7, 50])
def test_results_of_a_period_do_not_depend_on_the_batch_size(box, db, most):
    box.tournament(60, 20)
    box.put()
    db.execute("create table aside as select * from rating.inbox")
    processing.process_batch()
    straight, voters = box.state(), known_voters(db)

    db.execute("truncate rating.item_stats, rating.voters, rating.item_scores")
    db.execute("insert into rating.inbox select * from aside")
    process_all(most)

    assert_equal(box.state(), straight)
    assert_equal(known_voters(db), voters)


def known_voters(db):
    rows = db.execute("select voter_id, votes, agreed, log_odds, sliders, residual_sum, fires from rating.voters")
    return {row.pop("voter_id"): row for row in rows.fetchall()}


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert found[name] == pytest.approx(row, abs=1e-8) if not_lists(row) else found[name] == row, name


def not_lists(row):
    return not any(isinstance(value, list) for value in row.values())


def test_unknown_item_is_finished_without_results(box, db):
    db.execute("select rating.mark_dirty(%s, array['nobody'])", [box.organization_id])

    report = processing.process_batch()

    assert (report.items, report.events, report.failed, report.statements) == (1, 0, 0, 3)
    assert box.state() == {}
    assert box.left() == (0, 0)


def test_items_of_a_deleted_organization_do_not_block_the_batch(box, db):
    box.tournament(4, 4)
    gone = rating_inbox.Inbox(db, uuid4(), list(box.events))
    box.put()
    gone.put()

    report = processing.process_batch()

    assert (report.items, report.failed, report.events) == (8, 0, 24)
    assert len(box.state()) == 4
    assert rating_inbox.dirty(db) == []


def test_ids_may_hold_any_character(box):
    odd = ["{a,b}", '"', "\\", "a b", "null", "NULL", "''", "%s", "ä€🙂", "{", ","]
    for name in odd:
        for other in odd:
            if other != name:
                box.vote(name, name, other)
        box.slider(name, name, 50)
        box.fire(name, name)
    box.put()

    processing.process_batch()

    state = box.state()
    assert sorted(state) == sorted(odd)
    assert all(sorted(row["opponents"]) == sorted(set(odd) - {name}) for name, row in state.items())
    assert state["null"]["slider_voters"] == ["null"]
