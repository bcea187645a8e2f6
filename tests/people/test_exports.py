"""People receive a file with everything about them, made once, by a worker, and nobody else receives it."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from marquee.core.identity import Caller
from marquee.people import exports
from tests.kit import gateway, routines, stages
from tests.kit.concurrency import delay_statements, run_together
from tests.kit.lives import MARKER, TABLES, Life
from tests.kit.retention import PERSONAL, rules

CLAIM = "select to_jsonb(c) from users.claim_export(lease_seconds => 0) as c"


@pytest.fixture
def stage(db, aws):
    return stages.create(db)


def request(caller):
    return gateway.post("profile", "/profile/export", caller=caller)


def read(caller):
    return gateway.get("profile", "/profile/export", caller=caller)


def make():
    return gateway.invoke("maintain", {"job": "make_exports"}, gateway.Context(milliseconds_left=300_000))


def archive_of(aws, answer):
    """Return the files of a ready export by name."""
    content = aws.stored(f"exports/{answer.body['id']}.zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def export(aws, caller):
    assert request(caller).status == 202
    make()
    return archive_of(aws, read(caller))


def test_export_is_requested_made_and_linked_for_24_hours(db, aws, stage):
    customer = stage.customer()
    event_id = stage.event(title="Evening yoga")
    routines.book(db, event_id, customer, 2)

    asked = request(customer)
    waiting = read(customer)
    done = make()
    ready = read(customer)

    assert (asked.status, asked.body["status"], asked.body["url"]) == (202, "requested", None)
    assert waiting.body == asked.body
    assert done["done"] == 1
    assert ready.body["status"] == "ready"
    assert ready.body["size_bytes"] == len(aws.stored(f"exports/{ready.body['id']}.zip"))
    times = [datetime.fromisoformat(ready.body[name]) for name in ("ready_at", "expires_at")]
    assert times[1] - times[0] == timedelta(hours=24)
    link = parse_qs(urlsplit(ready.body["url"]).query)
    assert 86_000 < int(link["X-Amz-Expires"][0]) <= 86_400
    (booking,) = json.loads(archive_of(aws, ready)["events.bookings.json"])
    assert (booking["event_title"], booking["seats"], booking["event_id"]) == ("Evening yoga", 2, str(event_id))


def test_second_request_within_a_day_returns_the_first_export(db, stage):
    customer = stage.customer()
    first = request(customer).body["id"]
    make()

    again = request(customer)

    assert (again.status, again.body["id"], again.body["status"]) == (202, first, "ready")
    db.execute("update users.exports set requested_at = requested_at - interval '25 hours'")
    assert request(customer).body["id"] != first


def test_concurrent_requests_create_one_export(db, connect, stage):
    delay_statements(db, schema="users")
    customer = stage.customer()

    results = run_together(
        connect, range(4), lambda connection, _: routines.call(connection, customer, "select users.request_export()")
    )

    assert results == [""] * 4
    assert db.execute("select count(*) as n from users.exports").fetchone()["n"] == 1


def test_link_ends_after_24_hours(db, stage):
    customer = stage.customer()
    request(customer)
    make()
    db.execute("update users.exports set ready_at = now() - interval '25 hours', expires_at = now()")

    answer = read(customer)

    assert (answer.body["status"], answer.body["url"]) == ("expired", None)


def test_nobody_reads_the_export_of_another_person(stage):
    request(stage.customer())
    make()

    answer = read(stage.owner)

    assert (answer.status, answer.body["code"]) == (404, "export_not_found")


def test_export_is_refused_to_services_and_erased_people(db, stage):
    customer = stage.customer()
    request(customer)
    routines.call(db, customer, "select users.erase_profile(%s)", [customer])

    assert request(customer).status == 403
    assert read(customer).status == 404
    assert make()["done"] == 0
    assert request(Caller(None, "service_role")).status == 403


def test_killed_worker_leaves_the_export_to_the_next_one(db, stage):
    customer = stage.customer()
    request(customer)

    def kill(_name, _content):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        exports.make_next(kill)
    made_early = make()["done"]
    db.execute("update users.exports set lease_until = now()")

    assert made_early == 0
    assert make()["done"] == 1
    assert read(customer).body["status"] == "ready"


def test_result_of_a_worker_whose_lease_ended_does_not_count(db, stage):
    customer = stage.customer()
    request(customer)
    first, second = [routines.call(db, None, CLAIM) for _ in range(2)]

    counted = [
        routines.call(db, None, "select users.finish_export(%s, %s, 1)", [claim["id"], claim["attempt"]])
        for claim in (first, second, second)
    ]

    assert counted == [False, True, False]


def test_export_that_fails_five_times_can_be_requested_again(db, stage):
    customer = stage.customer()
    first = request(customer).body["id"]
    for _ in range(6):
        routines.call(db, None, CLAIM)

    assert read(customer).body["status"] == "failed"
    assert request(customer).body["id"] != first


def test_csv_of_an_export_contains_no_formula(db, aws, stage):
    customer = stage.customer("=HYPERLINK(1)")

    files = export(aws, customer)

    (row,) = csv.DictReader(io.StringIO(files["users.profiles.csv"]))
    assert row["name"] == "'=HYPERLINK(1)"
    assert json.loads(files["users.profiles.json"])[0]["name"] == "=HYPERLINK(1)"


def about(life: Life) -> set[str]:
    """Return the tables with rows that contain the person's id, address or name."""
    tables = [row["name"] for row in life.db.execute(TABLES).fetchall()]
    partitions = (
        "select i.inhrelid::regclass::text as name, i.inhparent::regclass::text as parent from pg_inherits as i"
    )
    parents = {row["name"]: row["parent"] for row in life.db.execute(partitions).fetchall()}
    found = set()
    for table in tables:
        query = f"select from {table} as t where t::text ilike any (%s) limit 1"
        if life.db.execute(query, [[f"%{life.person}%", f"%{MARKER}%"]]).fetchall():
            name = parents.get(table, table)
            found.add(name if "." in name else f"public.{name}")
    return found


def missing(life: Life, files: dict[str, str]) -> list[str]:
    """Return the tables about the person that the export has neither rows of, nor a reason to leave out."""
    reasons = {
        row["table_name"]
        for row in life.db.execute("select r.table_name from ops.export_rules as r where r.reason is not null")
    }
    return sorted(table for table in about(life) if table not in reasons and f"{table}.json" not in files)


def test_export_has_rows_of_every_table_that_names_the_person(life):
    files = export(life.aws, life.person)

    assert missing(life, files) == []
    assert len(files) > 50


def test_table_that_the_export_leaves_out_without_a_reason_is_found(life):
    life.db.execute("delete from ops.export_rules where table_name in ('payments.fees', 'public.outbox')")

    assert missing(life, export(life.aws, life.person)) == ["payments.fees", "public.outbox"]


def test_export_has_no_secret_and_no_id_of_another_person(life):
    owner = str(life.desk.stage.owner)

    text = "".join(export(life.aws, life.person).values())

    assert f"{MARKER}_secret" not in text
    assert "secret_hash" not in text
    people = {str(row["id"]) for row in life.db.execute("select id from users.profiles where id <> %s", [life.person])}
    assert owner in people
    assert sorted(person for person in people if person in text) == []


def test_every_table_with_personal_data_is_exported_or_has_a_reason(rolled_back):
    personal = {row["table_name"] for row in rules(rolled_back) if row["kind"] in PERSONAL}
    ruled = {row["table_name"] for row in rolled_back.execute("select table_name from ops.export_rules").fetchall()}

    assert sorted(personal - ruled) == []


def test_each_condition_of_an_export_can_be_applied(rolled_back):
    tables = rolled_back.execute("select table_name from ops.export_rules where found_by is not null").fetchall()
    person = uuid4()
    rolled_back.execute("insert into users.profiles (id) values (%s)", [person])

    for row in tables:
        rolled_back.execute("select users.export_rows(%s, %s)", [person, row["table_name"]])


def test_export_is_kept_for_seven_days(db, stage):
    request(stage.customer())

    routines.call(db, None, "select ops.clean_up(at => %s)", [datetime.now(UTC) + timedelta(days=8)])

    assert db.execute("select count(*) as n from users.exports").fetchone()["n"] == 0
