"""Test sql/schema.sql: it shows no bodies of routines, and any other structural change makes it out of date."""

import psycopg
import pytest

from scripts import schema

SUM = """
create function events.sum(a integer, b integer) returns integer language plpgsql immutable
set search_path = pg_catalog, pg_temp as {quote}
begin
    {body}
end;
{quote};
"""

CHANGES = {
    "a parameter": "create function events.lock_person(person_id uuid, more integer) returns integer"
    " language sql return 1",
    "a default of a parameter": "create or replace function ops.health_status(value float8, warning float8,"
    " critical float8 default 1) returns text language sql immutable parallel safe return 'healthy'",
    "a routine's name": "alter function events.lock_person(uuid) rename to lock_anyone",
    "a routine's rights": "alter function events.lock_person(uuid) security definer",
    "a routine's search path": "alter function events.book set search_path = public",
    "a routine's volatility": "alter function events.book immutable",
    "a new routine": "create function events.anything() returns integer language sql return 1",
    "a comment on a routine": "comment on function events.book is 'Another sentence.'",
    "a comment on a table": "comment on table events.bookings is 'Another sentence.'",
    "a grant of a routine": "grant execute on function events.book to anon",
    "a grant that is taken back": "revoke execute on function events.book from authenticated",
    "a grant of a table": "grant insert on events.bookings to authenticated",
    "a grant of a column": "grant update (seats) on events.bookings to authenticated",
    "a table": "create table events.anything (id integer)",
    "a column": "alter table events.bookings add column anything integer",
    "a default": "alter table events.bookings alter column seats set default 2",
    "a constraint": "alter table events.inventory drop constraint seats_never_oversold",
    "an index": "create index anything on events.bookings (seats)",
    "row security": "alter table events.bookings disable row level security",
    "a policy": "create policy anything on events.bookings using (true)",
    "a policy that is dropped": "drop policy own on events.bookings",
    "a trigger": "create trigger anything before insert on events.bookings execute function events.copy_terms()",
    "a trigger that is dropped": "drop trigger count_inserted on events.bookings",
    "a trigger that is switched off": "alter table events.bookings disable trigger count_inserted",
    "a view": "create view ops.anything as select 1 as anything",
}


@pytest.fixture
def dump(server, database_name):
    """Return a function that runs statements and returns the page."""

    def dump_after(*statements):
        with psycopg.connect(server.url(database_name), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)
        return schema.dump(server.url(database_name))

    return dump_after


@pytest.mark.parametrize("change", CHANGES)
def test_page_is_out_of_date_after_a_change_of(change, dump, capsys):
    assert schema.differs(schema.TARGET, dump(CHANGES[change])) == 1
    assert "run `make schema`" in capsys.readouterr().out


def test_page_of_an_unchanged_copy_is_up_to_date(dump):
    assert schema.differs(schema.TARGET, dump()) == 0


def test_page_stays_the_same_when_only_a_body_changes(dump):
    before = dump(SUM.format(quote="$$", body="return a + b;"))
    after = dump(
        "drop function events.sum(integer, integer)",
        SUM.format(quote="$x$", body="perform $$ ;\n\n create table events_2026_01 $$;\n\n    return a + b + 1;"),
    )

    assert "CREATE FUNCTION events.sum(a integer, b integer) RETURNS integer" in before
    assert before == after
    assert schema.differs(schema.TARGET, before) == 1


def test_page_shows_no_body_of_a_routine(server):
    page = schema.TARGET.read_text()
    with psycopg.connect(server.url("marquee_template")) as connection:
        rows = connection.execute(
            """
            select p.oid::regprocedure::text, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)
            from pg_proc as p
            inner join pg_language as l on p.prolang = l.oid and l.lanname in ('sql', 'plpgsql')
            where p.oid >= 16384
            """
        ).fetchall()

    assert len(rows) > 300
    assert [routine for routine, body in rows if body.strip() in page] == []


FORMS = {
    "text": "    AS $$\nbegin\n    perform 1;\n\n    return 'AS $_$';\nend;\n$$;",
    "quoted text": "    AS $_$\nselect $$ x; $$;\n\n$_$;",
    "expression": "    RETURN (a ||\n  'b; c');",
    "statements": "    BEGIN ATOMIC\n SELECT CASE WHEN true THEN 1\n    END;\n\n SELECT 2;\nEND;",
}


@pytest.mark.parametrize("form", FORMS)
def test_body_is_omitted_in_each_form(form):
    signature = (
        "CREATE FUNCTION x.f(a text DEFAULT ';'::text) RETURNS text\n    LANGUAGE sql STABLE\n    SET role TO 'x'"
    )
    around = "CREATE SCHEMA x;\n\n{};\n\nCOMMENT ON FUNCTION x.f(a text) IS 'It returns.';\n"

    assert schema.without_bodies(around.format(f"{signature}\n{FORMS[form]}"[:-1])) == around.format(signature)
