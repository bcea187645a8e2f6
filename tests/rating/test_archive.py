"""Old events are archived by month once they are counted, stay available for a reset, and are deleted on schedule."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from marquee.core.settings import LOGINS
from tests.kit.rating_events import NOW, become, claim, fail, fire, ingest, mark, organization, slider, vote

TABLES = ("votes", "sliders", "fires")


@pytest.fixture
def gallery(db):
    """Create an organization with events of March and April 2029; those of April are still pending."""
    made = organization(db)
    become(db)
    for table in TABLES:
        for month in (3, 4):
            db.execute("select ops.create_partition(%s, %s)", [f"rating.{table}", f"2029-{month:02d}-01"])
    ingest(db, made, vote("a", "b"), slider("a"), fire("b"))
    received(db, 3)
    db.execute("delete from rating.inbox")
    ingest(db, made, vote("a", "b"), slider("b"), fire("a"))
    received(db, 4)
    return made


def received(db, month):
    """Move the events that were just received into the given month."""
    for table in (*TABLES, "inbox"):
        db.execute(
            f"update rating.{table} set received_at = make_timestamptz(2029, %s, 15, 0, 0, 0, 'UTC')"
            " where received_at < '2029-01-01'",
            [month],
        )


def archive(db, before=NOW, at=NOW):
    row = db.execute("select rating.archive_events(before => %s, at => %s) as done", [before, at]).fetchone()
    return row["done"]


def archived_at(month):
    return [f"rating.{table}_2029_{month:02d}" for table in sorted(TABLES, key=TABLES.index)]


def old(names):
    return [name for name in names if "_2029_" in name]


def test_month_is_archived_once_all_its_events_are_counted(db, gallery):
    done = archive(db)
    assert sorted(old(done["archived"])) == sorted(archived_at(3))
    assert sorted(old(done["kept"])) == sorted(archived_at(4))
    assert db.execute("select count(*) as n from rating.votes").fetchone() == {"n": 1}

    db.execute("delete from rating.inbox")

    assert sorted(old(archive(db)["archived"])) == sorted(archived_at(4))
    assert db.execute("select count(*) as n from rating_archive.votes_2029_03").fetchone() == {"n": 1}
    assert db.execute("select count(*) as n from rating.votes").fetchone() == {"n": 0}


def test_uncounted_event_keeps_its_month_and_later_ones_out_of_the_archive(db, gallery):
    db.execute("update rating.inbox set received_at = '2029-03-31T23:59:59Z' where item_id = 'a' and kind = 'fire'")

    done = archive(db)

    assert old(done["archived"]) == []
    assert len(old(done["kept"])) == 6


def test_month_is_archived_only_after_its_end(db, gallery):
    db.execute("delete from rating.inbox")

    done = archive(db, before=datetime(2029, 4, 30, 23, tzinfo=UTC))
    assert sorted(old(done["archived"])) == sorted(archived_at(3))
    future = datetime(2999, 1, 1, tzinfo=UTC)
    assert archive(db, before=future, at=datetime(2029, 4, 30, 23, tzinfo=UTC)) == {"archived": [], "kept": []}


def test_uncommitted_event_keeps_the_months_of_its_table(db, gallery, connect):
    db.execute("delete from rating.inbox")
    writer = connect(autocommit=False)
    become(writer)
    writer.execute(
        "insert into rating.fires (event_id, organization_id, key, voter_id, item_id, received_at)"
        " values (9999, %s, 'late', 'ana', 'a', '2029-03-20Z')",
        [gallery],
    )

    done = archive(db)
    writer.rollback()

    assert old(done["kept"]) == ["rating.fires_2029_03", "rating.fires_2029_04"]
    assert len(old(done["archived"])) == 4


def test_event_that_commits_during_archiving_keeps_its_month(db, gallery, connect):
    db.execute("delete from rating.inbox")
    archive(db, before=datetime(2029, 1, 1, tzinfo=UTC))  # March is now the first month to archive
    writer = connect(autocommit=False)
    become(writer)
    row = [gallery, datetime(2029, 3, 20, tzinfo=UTC)]
    writer.execute(
        "insert into rating.fires (event_id, organization_id, key, voter_id, item_id, received_at)"
        " values (9999, %s, 'late', 'ana', 'a', %s)",
        row,
    )
    writer.execute(
        "insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, score, received_at)"
        " values (%s, 'a', 9999, 'fire', 'ana', 1, %s)",
        row,
    )

    with ThreadPoolExecutor(1) as pool:
        archiving = pool.submit(archive, db)
        wait([archiving], timeout=0.5)
        writer.commit()
        done = archiving.result(timeout=30)

    assert "rating.fires_2029_03" in done["kept"]


def test_archive_is_not_readable_by_api_roles(db, gallery, connect):
    archive(db)
    for role in ("anon", "authenticated", "service_role"):
        api = connect(LOGINS[role])
        with pytest.raises(psycopg.errors.InsufficientPrivilege), api.transaction():
            api.execute("select ops.act_as(%s)", [Jsonb({"role": role, "sub": str(uuid4())})])
            api.execute("select * from rating_archive.votes_2029_03")


def test_ratings_reset_includes_archived_months(db, gallery):
    archive(db)

    done = db.execute("select rating.reset_ratings(%s) as done", [gallery]).fetchone()["done"]
    assert done == {"events": 6, "items": 2}
    assert db.execute("select count(*) as n from rating.inbox").fetchone() == {"n": 8}


def clean(db, at=NOW):
    return db.execute("select ops.clean_up(at => %s) as done", [at]).fetchone()["done"]


def test_event_keys_are_kept_90_days_and_request_results_a_week(db, gallery):
    db.execute("delete from rating.event_keys")
    for days in (89, 91):
        db.execute(
            "insert into rating.event_keys (organization_id, key, content, received_at) values (%s, %s, 0, %s)",
            [gallery, str(days), NOW - timedelta(days=days)],
        )
    for days in (6, 8):
        db.execute(
            "insert into rating.requests (request_id, part, parts, organization_id, results, finished_at)"
            " values (%s, 1, 1, %s, %s, %s)",
            [uuid4(), gallery, Jsonb([days]), NOW - timedelta(days=days)],
        )
        db.execute("insert into ops.job_runs (job, started_at) values ('process_ratings', %s), ('clean_up', %s)",
                   [NOW - timedelta(days=days)] * 2)  # fmt: skip

    done = clean(db)

    assert (done["rating_keys"], done["rating_requests"], done["rating_runs"]) == (1, 1, 1)
    assert db.execute("select key from rating.event_keys").fetchall() == [{"key": "89"}]
    assert db.execute("select results from rating.requests").fetchall() == [{"results": [6]}]
    assert db.execute("select count(*) as n from ops.job_runs where job = 'clean_up'").fetchone() == {"n": 2}


def figures(db, at=NOW):
    rows = db.execute("select * from rating.queue_figures(%s)", [at]).fetchall()
    return {row["name"]: (row["value"], row["status"]) for row in rows}


def test_queue_figures_report_the_oldest_item_and_failing_items(db):
    made = organization(db)
    assert figures(db) == {"rating_queue_age_seconds": (0, "healthy"), "rating_items_failing": (0, "healthy")}
    mark(db, made, "a", "b", at=NOW - timedelta(seconds=300))
    mark(db, made, "held", at=NOW + timedelta(hours=1))

    claimed = claim(db)
    assert figures(db)["rating_queue_age_seconds"] == (300, "warning")
    assert figures(db, NOW + timedelta(seconds=300))["rating_queue_age_seconds"] == (600, "critical")
    fail(db, claimed)

    assert figures(db) == {"rating_queue_age_seconds": (0, "healthy"), "rating_items_failing": (2, "warning")}
