"""A person uses every feature, with a marker in every text, and is erased. Then only invoices contain the marker."""

import json

import psycopg
import pytest

from marquee.core.identity import Caller
from marquee.messaging.topics import CATALOGUE
from tests.kit import gateway, routines, stages
from tests.kit.databases import Connection
from tests.kit.lives import EMAIL, MARKER, TABLES, Life, assert_queues_are_clean
from tests.kit.retention import PERSONAL, rules

KEPT_BY_LAW = {"payments.invoices"}
"""Tables that keep the name: invoices, for ten years."""


def rows_containing(db: Connection, text: str) -> dict[str, int]:
    """Return the number of rows that contain a text, by table, without regard to case."""
    counts = {}
    for table in [row["name"] for row in db.execute(TABLES).fetchall()]:
        row = db.execute(f"select count(*) as n from {table} as t where t::text ilike %s", [f"%{text}%"]).fetchone()
        if row["n"]:
            counts[table] = row["n"]
    return counts


def columns_without_rows(life: Life) -> list[str]:
    """Return the personal columns for which the fixture wrote no row, so that it proves nothing about them."""
    parameters = {"person": life.person, "emails": [EMAIL.lower()], "names": [f"Teacher {MARKER}"]}
    missing = []
    for rule in rules(life.db):
        table, column = rule["table_name"], rule["column_name"]
        if rule["kind"] not in PERSONAL or (rule["on_erasure"] == "keep" and rule["kind"] != "person"):
            continue
        where = rule["found_by"] or "true"
        if rule["on_erasure"] == "delete":
            whole = [one for one in rules(life.db, table_name=table, column_name="*") if one["found_by"]]
            where = whole[0]["found_by"]
        for number, name in (("$1", "%(person)s::uuid"), ("$2", "%(emails)s"), ("$3", "%(names)s")):
            where = where.replace(number, name)
        condition = f"r.{column} is not null"
        if rule["kind"] == "person":
            condition = f"r.{column}::text like '%%' || %(person)s || '%%'"
        if not life.db.execute(
            f"select from {table} as r where ({where}) and {condition} limit 1", parameters
        ).fetchall():
            missing.append(f"{table}.{column}")
    return missing


def test_fixture_writes_to_every_personal_column(life):
    assert columns_without_rows(life) == []
    assert len(rows_containing(life.db, MARKER)) > 15


def test_personal_column_that_the_fixture_does_not_write_is_found(life):
    life.db.execute("alter table events.bookings add column remark text")
    life.db.execute(
        "insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)"
        " values ('events.bookings', 'remark', 'text', 'null', 'r.customer_id = $1')"
    )

    assert columns_without_rows(life) == ["events.bookings.remark"]


def test_column_without_a_retention_rule_keeps_the_marker(life):
    life.db.execute("delete from ops.retention where column_name = 'note'")

    life.erase()

    assert "payments.credit_lots" in rows_containing(life.db, MARKER)


def test_every_message_about_a_customer_has_their_id(life):
    rows = life.db.execute(
        "select distinct topic from public.outbox where topic <> all (%s) and payload ->> 'customer_id' is null",
        [[name for name, topic in CATALOGUE.items() if "customer_id" not in topic.model_class.model_fields]],
    ).fetchall()

    assert rows == []


def test_erasure_removes_the_person_from_tables_queues_and_logs(capsys, caplog, life):
    db = life.db
    life.erase()
    gateway.invoke("relay-outbox", {"job": "relay_outbox"})

    assert set(rows_containing(db, MARKER)) <= KEPT_BY_LAW
    assert rows_containing(db, EMAIL) == {}
    assert_queues_are_clean()
    output = capsys.readouterr()
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert len(records) > 5
    logged = output.out + output.err + "".join(str(vars(record)) for record in records)
    assert MARKER.lower() not in logged.lower()

    # The id remains only in the tables whose rules keep it.
    kept = {row["table_name"] for row in rules(db, on_erasure="keep") if row["kind"] in ("person", "document")}
    there = {table.split("_20")[0].removesuffix("_default") for table in rows_containing(db, str(life.person))}
    kept |= {"public.outbox", "messaging.webhook_deliveries", "ops.state_history"}
    assert there - kept == set()


def test_invoice_keeps_the_name_and_loses_the_address(life):
    life.erase()

    buyers = [row["buyer"] for row in life.db.execute("select buyer from payments.invoices").fetchall()]
    assert {"name": f"Anna {MARKER}"} in buyers
    assert all("email" not in buyer for buyer in buyers)


def test_repeated_erasure_changes_nothing_and_clean_up_deletes_later_rows(life):
    db = life.db
    life.erase()
    before = rows_containing(db, str(life.person))
    again = life.erase()
    assert (again["bookings_cancelled"], again["memberships_ended"], again["credits"]) == (0, 0, [])
    assert rows_containing(db, str(life.person)) == before

    # A late worker writes a delivery after the erasure, and a Stripe event arrives.
    db.execute(
        "insert into messaging.deliveries (outbox_id, channel, recipient, status, user_id)"
        " values (1000001, 'email', %s, 'sending', %s)",
        [EMAIL, life.person],
    )
    db.execute("insert into payments.webhook_inbox (event_id, type, livemode, created_at, payload, received_at,"
               " available_at) values ('evt_9', 'x', false, now(), '{}', now(), now())")  # fmt: skip
    gateway.invoke("maintain", {"job": "clean_up"})

    assert rows_containing(db, EMAIL) == {}


def test_erased_person_gets_no_notification(life):
    life.erase()

    todo = life.call(
        None, "messaging.start_notification", 1, "booking.confirmed", life.person, life.desk.stage.organization_id,
        "Yoga", f"Hello {MARKER}", EMAIL,
    )  # fmt: skip

    assert todo == "done"
    assert set(rows_containing(life.db, MARKER)) <= KEPT_BY_LAW


def test_ledger_is_consistent_after_the_erasure(life):
    life.erase()

    assert life.desk.findings() == []
    wallets = life.db.execute(
        "select coalesce(sum(b.balance_cents), 0) as cents from payments.balances as b"
        " inner join payments.accounts as a on a.id = b.account_id where a.owner_id = %s",
        [life.person],
    ).fetchone()
    assert wallets["cents"] == 0
    open_lots = life.db.execute(
        "select count(*) as n from payments.credit_lots where customer_id = %s and remaining > 0", [life.person]
    ).fetchone()
    assert open_lots["n"] == 0


def test_erasure_sends_one_message_to_each_organization_of_the_person(life):
    ours = "select organization_id as id from organizations.memberships where user_id = %s"
    organization_ids = {str(row["id"]) for row in life.db.execute(ours, [life.person]).fetchall()}
    life.erase()
    life.erase()

    told = life.db.execute("select key, payload from public.outbox where topic = 'person.erased'").fetchall()
    assert len(told) == len(organization_ids) == 2
    assert {row["key"] for row in told} == {str(life.person)}
    assert [set(row["payload"]) for row in told] == [{"customer_id", "organization_id"}] * 2
    assert {row["payload"]["customer_id"] for row in told} == {str(life.person)}
    assert {row["payload"]["organization_id"] for row in told} == organization_ids


def test_erasure_ends_the_memberships_of_the_person(life):
    organization_id = life.desk.stage.organization_id
    staff = Caller(life.person, "authenticated", organization_id)
    path = f"/events/{life.desk.event_id}/roster"
    assert gateway.get("attendance", path, caller=staff).status == 200

    assert life.erase()["memberships_ended"] == 2

    assert gateway.get("attendance", path, caller=staff).status in (403, 404)
    body = {"event_id": str(life.desk.event_id), "customer_id": str(life.desk.customer()), "payment_method": "comp"}
    assert gateway.post("book", "/bookings", body, caller=staff).status in (403, 404)


def test_only_owner_of_an_organization_cannot_be_erased(db):
    stage = stages.create(db)

    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, stage.owner, "select users.erase_profile(%s)", [stage.owner])

    assert routines.code_of(refused.value) == "last_owner"
    assert json.loads(refused.value.diag.message_detail) == {"organization_ids": [str(stage.organization_id)]}
    assert (
        db.execute("select erased_at from users.profiles where id = %s", [stage.owner]).fetchone()["erased_at"] is None
    )

    stage.member("owner")
    routines.call(db, stage.owner, "select users.erase_profile(%s)", [stage.owner])


def test_service_may_erase_the_only_owner_and_gets_the_organizations(db):
    stage = stages.create(db)

    answer = routines.call(db, None, "select users.erase_profile(%s)", [stage.owner])

    assert answer["organizations_without_owner"] == [str(stage.organization_id)]


def test_only_the_service_may_sweep_erased_people(db):
    owner = stages.create(db).owner

    with pytest.raises(psycopg.Error):
        routines.call(db, owner, "select users.sweep_erased()")
