"""Test ops.retention: every column that can hold text, documents or people's ids has a rule that can be applied."""

import re

import pytest

from marquee.core.settings import LOGINS
from tests.kit import routines, stages
from tests.kit.databases import Connection
from tests.kit.retention import rules

COLUMNS = """
select n.nspname || '.' || c.relname as table_name, a.attname::text as column_name,
    coalesce(e.typname, b.typname, t.typname)::text as type_name
from pg_catalog.pg_attribute as a
inner join pg_catalog.pg_class as c on c.oid = a.attrelid
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
inner join pg_catalog.pg_type as t on t.oid = a.atttypid
left join pg_catalog.pg_type as b on b.oid = nullif(t.typbasetype, 0)
left join pg_catalog.pg_type as e on e.oid = nullif(coalesce(b.typelem, t.typelem), 0) and t.typcategory = 'A'
where
    c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    and n.nspname not in ('pg_catalog', 'information_schema', 'rating_archive') and n.nspname !~ '^pg_(toast|temp)'
"""
HOLDING = {"text", "varchar", "citext", "json", "jsonb", "bytea", "xml", "inet", "cidr", "hstore", "name"}
"""Types that can hold texts of people. char(2) and char(3) hold codes of languages, countries and currencies."""
THINGS = {
    "id", "account_id", "booking_id", "continues_series_id", "corrects_id", "debt_transaction_id", "delivery_id",
    "endpoint_id", "event_id", "hold_id", "instructor_id", "intent_id", "invoice_id", "location_id", "lot_id",
    "organization_id", "package_id", "payment_transaction_id", "policy_id", "promo_code_id", "purchase_id",
    "reference_id", "refund_id", "request_id", "resource_id", "reverses_id", "room_id", "series_id", "subject_id",
    "transaction_id",
}  # fmt: skip
"""Ids of things. Any other column of ids may be a person's and needs a rule."""


def columns(db: Connection) -> dict[tuple[str, str], str]:
    return {(row["table_name"], row["column_name"]): row["type_name"] for row in db.execute(COLUMNS).fetchall()}


def missing(db: Connection) -> list[str]:
    known = {(row["table_name"], row["column_name"]) for row in rules(db)}
    return sorted(
        f"{table}.{column}"
        for (table, column), type_name in columns(db).items()
        if (table, column) not in known and (type_name in HOLDING or (type_name == "uuid" and column not in THINGS))
    )


def test_every_column_that_can_hold_personal_data_has_a_rule(rolled_back):
    assert missing(rolled_back) == []


@pytest.mark.parametrize("definition", ["remark text", "facts jsonb", "tags text[]", "picture bytea", "seen_by uuid"])
def test_new_column_without_a_rule_is_found(rolled_back, definition):
    rolled_back.execute(f"alter table events.bookings add column {definition}")

    assert missing(rolled_back) == [f"events.bookings.{definition.split()[0]}"]


def test_new_table_without_a_rule_is_found(rolled_back):
    rolled_back.execute("create table events.remarks (booking_id uuid, remark text)")

    assert missing(rolled_back) == ["events.remarks.remark"]


def test_every_rule_names_a_column_that_exists(rolled_back):
    there = columns(rolled_back)
    tables = {table for table, _ in there}

    assert [
        (row["table_name"], row["column_name"])
        for row in rules(rolled_back)
        if row["table_name"] not in tables
        or (row["column_name"] != "*" and (row["table_name"], row["column_name"]) not in there)
    ] == []


def test_every_foreign_key_to_a_profile_has_a_person_rule(rolled_back):
    keys = rolled_back.execute(
        """
        select k.conrelid::regclass::text as table_name, a.attname::text as column_name
        from pg_catalog.pg_constraint as k
        inner join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        inner join pg_catalog.pg_class as c on c.oid = k.conrelid and not c.relispartition
        where k.confrelid = 'users.profiles'::regclass and k.contype = 'f'
        """
    ).fetchall()
    people = {(row["table_name"], row["column_name"]) for row in rules(rolled_back, kind="person")}

    assert {(row["table_name"], row["column_name"]) for row in keys} - people == set()


def test_columns_deleted_with_their_row_belong_to_a_table_with_a_row_rule(rolled_back):
    whole = {row["table_name"] for row in rules(rolled_back, kind="row", on_erasure="delete")}

    assert {row["table_name"] for row in rules(rolled_back, on_erasure="delete")} - whole == set()


def test_erasure_plans_use_no_sequential_scan(rolled_back):
    rolled_back.execute("set local enable_seqscan = off")
    scanned = set()
    for row in rules(rolled_back):
        if row["found_by"] is None:
            continue
        condition = row["found_by"]
        for number, value in enumerate(
            ("'0199ec00-7c2b-7f0a-9a53-4e0b9f0d2c11'::uuid", "'{a@example.org}'::text[]", "'{Ann}'::text[]"), 1
        ):
            condition = condition.replace(f"${number}", value)
        plan = rolled_back.execute(f"explain select from {row['table_name']} as r where {condition}").fetchall()
        text = "\n".join(line["QUERY PLAN"] for line in plan)
        scanned |= {name for name in re.findall(r"Seq Scan on (\w+)", text) if name != "rate_limit_rules"}

    assert scanned == set()


def test_every_retention_period_can_be_applied(rolled_back):
    done = routines.call(rolled_back, None, "select ops.clean_up()")

    assert done.pop("more") is False
    assert done.keys() == {row["rule"] for row in rules(rolled_back) if row["period"] is not None}


def test_retention_period_is_read_from_the_table(db):
    db.execute("insert into ops.job_runs (job, started_at) values ('x', now() - interval '9 days')")
    assert routines.call(db, None, "select ops.clean_up()")["job_runs"] == 0

    db.execute("update ops.retention set period = '8 days' where rule = 'job_runs'")

    assert routines.call(db, None, "select ops.clean_up()")["job_runs"] == 1


def test_reasons_are_deleted_before_their_rows(db):
    stage = stages.create(db)
    booking = routines.book(db, stage.event(), stage.customer())
    routines.call(
        db, stage.owner, "select events.cancel_booking(booking_id => %s, reason => %s)", [booking["id"], "was ill"]
    )

    done = routines.call(db, None, "select ops.clean_up(at => now() + interval '14 months')")

    assert (done["booking_reasons"], done["history_reasons"], done["state_history"]) == (1, 1, 0)
    assert db.execute("select status::text, status_reason from events.bookings").fetchone() == {
        "status": "cancelled",
        "status_reason": None,
    }
    assert db.execute("select reason from ops.state_history").fetchall() == [{"reason": None}]


@pytest.mark.parametrize(
    "row",
    [
        "('a.b', 'c', '', 'text', null, null, null, 'keep', null, null, null)",
        "('a.b', 'c', '', 'text', null, null, null, 'null', null, null, null)",
        "('a.b', 'c', 'x', 'text', '1 day', null, 'null', 'keep', null, null, 'why')",
        "('a.b', 'c', '', 'text', null, null, null, 'replace', 'true', null, null)",
        "('a.b', '*', '', 'row', null, null, null, 'delete', null, null, null)",
    ],
)
def test_incomplete_retention_rule_is_refused(rolled_back, row):
    with pytest.raises(Exception, match="check constraint"):
        rolled_back.execute(
            "insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure,"
            f" found_by, replacement, reason) values {row}"
        )


def test_only_the_owner_can_write_retention_rules(connect):
    for role, login in LOGINS.items():
        api = connect(login, autocommit=False)
        with pytest.raises(Exception, match="permission denied"), api.transaction():
            api.execute("select ops.act_as(jsonb_build_object('role', %s::text, 'sub', gen_random_uuid()))", [role])
            api.execute("update ops.retention set period = null")
