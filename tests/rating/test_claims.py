"""The queue of dirty items: the order of claims, leases, retries, and marks that are never lost."""

from datetime import timedelta

import pytest

from tests.kit.rating_events import NOW, claim, fail, finish, mark, names, organization, release


def dirty(db, item="a"):
    return db.execute("select * from rating.dirty_items where item_id = %s", [item]).fetchone()


def seconds(number):
    return timedelta(seconds=number)


def event(db, organization_id, item, event_id, kind="slider"):
    db.execute(
        "insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, score, received_at)"
        " values (%s, %s, %s, %s, 'ana', 1, %s)",
        [organization_id, item, event_id, kind, NOW],
    )


def test_oldest_items_are_claimed_first_and_once(db):
    gallery = organization(db)
    for place, item in enumerate("dbca"):
        mark(db, gallery, item, at=NOW - seconds(10 - place))

    assert names(claim(db, most=2)) == ["b", "d"]  # the oldest two, in the order of the items
    assert names(claim(db)) == ["a", "c"]
    assert claim(db) == []


def test_point_of_priority_is_worth_twenty_seconds(db):
    gallery = organization(db)
    mark(db, gallery, "old", at=NOW - seconds(301))
    mark(db, gallery, "young", at=NOW - seconds(299))
    mark(db, gallery, "lit", priority=15)

    assert [names(claim(db, most=1)) for _ in range(3)] == [["old"], ["lit"], ["young"]]


def test_plain_vote_is_not_starved_by_fires(db):
    gallery = organization(db)
    mark(db, gallery, "voted")

    for minute in range(1, 30):
        at = NOW + seconds(60 * minute)
        mark(db, gallery, *(f"lit-{minute}-{n}" for n in range(3)), priority=15, at=at)
        if "voted" in names(claim(db, most=2, at=at)):
            break

    assert minute <= 15


@pytest.mark.parametrize(("kind", "weight", "priority"), [("fire", 1, 15), ("vote", 2, 10), ("slider", 1, 5)])
def test_item_has_the_priority_of_its_most_urgent_event(db, kind, weight, priority):
    gallery = organization(db)
    db.execute(
        "insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, opponent_id, score, weight)"
        " values (%(gallery)s, 'a', 1, 'vote', 'ana', 'b', 1, 1), (%(gallery)s, 'b', 1, 'vote', 'ana', 'a', 0, 1),"
        " (%(gallery)s, 'a', 2, %(kind)s::text::rating.event_kind, 'ana', case when %(kind)s = 'vote' then 'b' end, 1,"
        " %(weight)s::smallint)",
        {"gallery": gallery, "kind": kind, "weight": weight},
    )

    assert {item: dirty(db, item)["priority"] for item in "ab"} == {"a": priority, "b": 0}
    assert dirty(db)["available_at"] == dirty(db)["marked_at"] - seconds(20 * priority)


def test_remarked_item_keeps_its_age_and_gets_the_higher_priority(db):
    gallery = organization(db)
    mark(db, gallery, "a", priority=5, at=NOW - seconds(60))
    mark(db, gallery, "a", priority=0)
    assert (dirty(db)["marked_at"], dirty(db)["priority"]) == (NOW - seconds(60), 5)

    mark(db, gallery, "a", priority=15)
    assert dirty(db)["priority"] == 15
    assert dirty(db)["available_at"] == NOW - seconds(300)


def test_new_event_of_a_marked_item_changes_only_its_priority(db):
    gallery = organization(db)
    mark(db, gallery, "a", priority=10, at=NOW - seconds(60))
    event(db, gallery, "a", 1)
    assert (dirty(db)["marked_at"], dirty(db)["priority"]) == (NOW - seconds(60), 10)
    assert dirty(db)["available_at"] == NOW - seconds(260)

    event(db, gallery, "a", 2, "fire")
    assert (dirty(db)["marked_at"], dirty(db)["priority"]) == (NOW - seconds(60), 15)
    assert dirty(db)["available_at"] == NOW - seconds(300)

    claimed = claim(db, lease_seconds=120)
    event(db, gallery, "a", 3, "fire")
    assert claim(db, at=NOW + seconds(119)) == []

    fail(db, claimed)
    event(db, gallery, "a", 4, "fire")
    assert claim(db, at=NOW + seconds(9)) == []
    assert names(claim(db, at=NOW + seconds(10))) == ["a"]


def test_claim_of_a_crashed_worker_expires_and_loses_no_event(db):
    gallery = organization(db)
    event(db, gallery, "a", 1)
    claimed = claim(db, lease_seconds=120)
    assert names(claimed) == ["a"]

    # The worker has crashed: nothing else happens.
    assert db.execute("select count(*) as n from rating.inbox").fetchone() == {"n": 1}
    assert claim(db, at=NOW + seconds(119)) == []
    assert claim(db, at=NOW + seconds(120)) == claimed


def test_mark_during_processing_is_not_lost(db):
    gallery = organization(db)
    mark(db, gallery, "a", "b")
    claimed = claim(db)
    mark(db, gallery, "a", at=NOW + seconds(1))
    assert claim(db, at=NOW + seconds(1)) == []  # the lease has not expired

    assert finish(db, claimed, at=NOW + seconds(2)) == 1

    again = claim(db, at=NOW + seconds(2))
    assert names(again) == ["a"]
    assert again[0]["generation"] != claimed[0]["generation"]
    assert finish(db, again) == 1
    assert claim(db, at=NOW + timedelta(days=1)) == []


def test_late_worker_does_not_finish_a_newer_mark(db):
    gallery = organization(db)
    mark(db, gallery, "a")
    slow = claim(db)
    quick = claim(db, at=NOW + seconds(120))
    assert finish(db, quick) == 1
    mark(db, gallery, "a", at=NOW + seconds(130))

    assert finish(db, slow) == 0

    assert names(claim(db, at=NOW + seconds(130))) == ["a"]


def test_age_of_a_busy_item_starts_at_its_last_batch(db):
    gallery = organization(db)
    mark(db, gallery, "hot")
    for turn in range(1, 4):
        claimed = claim(db, at=NOW + seconds(turn))
        mark(db, gallery, "hot", at=NOW + seconds(turn))
        finish(db, claimed, at=NOW + seconds(turn))

    assert dirty(db, "hot")["marked_at"] == NOW + seconds(3)


def test_held_back_item_is_due_when_its_pause_ends(db):
    gallery = organization(db)
    mark(db, gallery, "a", "b", priority=15)
    due = NOW + seconds(600)

    assert finish(db, claim(db), publish_at=[due, None]) == 1

    assert claim(db, at=due - seconds(1)) == []
    assert names(claim(db, at=due)) == ["a"]


def test_event_during_the_pause_makes_its_item_due_at_once(db):
    gallery = organization(db)
    mark(db, gallery, "a")
    finish(db, claim(db), publish_at=[NOW + seconds(600)])

    mark(db, gallery, "a", at=NOW + seconds(5))

    assert names(claim(db, at=NOW + seconds(5))) == ["a"]
    assert dirty(db)["marked_at"] == NOW + seconds(5)


def test_failing_item_backs_off_and_keeps_its_error_and_events(db):
    gallery = organization(db)
    event(db, gallery, "a", 1)
    at, pauses = NOW, []
    for _attempt in range(11):
        claimed = claim(db, at=at)
        assert names(claimed) == ["a"]
        fail(db, claimed, "division by zero", at=at)
        pauses.append((dirty(db)["available_at"] - at).total_seconds())
        at = dirty(db)["available_at"]

    assert pauses == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert (dirty(db)["attempts"], dirty(db)["last_error"]) == (11, "division by zero")
    assert db.execute("select count(*) as n from rating.inbox").fetchone() == {"n": 1}


def test_mark_does_not_shorten_backoff_and_success_clears_failures(db):
    gallery = organization(db)
    mark(db, gallery, "a")
    fail(db, claim(db))
    mark(db, gallery, "a", priority=15, at=NOW + seconds(1))
    assert claim(db, at=NOW + seconds(9)) == []

    claimed = claim(db, at=NOW + seconds(10))
    mark(db, gallery, "a")
    finish(db, claimed)

    assert (dirty(db)["attempts"], dirty(db)["last_error"]) == (0, None)


def test_other_items_are_finished_while_one_fails(db):
    gallery = organization(db)
    mark(db, gallery, "a", "b", "c")
    claimed = claim(db)
    fail(db, claimed[1:2])
    finish(db, [claimed[0], claimed[2]])

    assert [row["item_id"] for row in db.execute("select item_id from rating.dirty_items").fetchall()] == ["b"]


def test_released_item_keeps_its_place_in_the_queue(db):
    gallery = organization(db)
    mark(db, gallery, "a", priority=5)
    before = dirty(db)
    release(db, claim(db))

    assert dirty(db) == before


def test_late_failure_or_release_of_a_finished_item_changes_nothing(db):
    gallery = organization(db)
    mark(db, gallery, "a")
    slow = claim(db)
    finish(db, claim(db, at=NOW + seconds(120)))
    mark(db, gallery, "a", at=NOW + seconds(130))
    before = dirty(db)

    fail(db, slow)
    release(db, slow)

    assert dirty(db) == before


def test_effective_settings_are_the_column_defaults_until_changed(db):
    gallery = organization(db)
    columns = "to_jsonb(s) - '{organization_id,updated_at}'::text[] as settings"
    said_nothing = db.execute(f"select {columns} from rating.effective_settings(%s) as s", [gallery]).fetchone()
    db.execute("insert into rating.settings (organization_id) values (%s)", [gallery])

    assert db.execute(f"select {columns} from rating.settings as s").fetchone() == said_nothing
    assert db.execute(f"select {columns} from rating.effective_settings(%s) as s", [gallery]).fetchone() == said_nothing
