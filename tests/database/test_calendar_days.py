"""Days are calendar days of a named time zone, or a number of hours: never days of the session's time zone.

The scan finds each place in SQL and Python that computes with days, months, dates or times of day, and requires a
reason for it. The other tests run routines under several session time zones and compare the results.
"""

import ast
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.kit import routines, scheduling

ROOT = Path(__file__).resolve().parents[2]
SESSION_ZONES = ["UTC", "America/St_Johns", "Pacific/Auckland", "Europe/Zurich"]

LOCAL = "a local time of a named zone, without an offset"
DATE = "a date that is written as text"
UTC_DAY = "a day of UTC, as the documentation says"

SQL_REASONS = {
    "routines/events/closures/close_period.sql": LOCAL,
    "routines/events/closures/end_closure.sql": UTC_DAY,
    "routines/events/copies/copy_event.sql": LOCAL,
    "routines/events/desk/organization_day.sql": LOCAL,
    "routines/events/insights/event_summary.sql": LOCAL,
    "routines/events/insights/instructor_schedule_v2.sql": LOCAL,
    "routines/events/search/match_listings.sql": "seconds since 1970",
    "routines/events/series/record_occurrences.sql": LOCAL,
    "routines/events/series/reschedule_occurrences.sql": LOCAL,
    "routines/messaging/endpoints/endpoint_payload.sql": "a text in UTC, which it names",
    "routines/messaging/notifications/recipients.sql": LOCAL,
    "routines/ops/days/day_end.sql": LOCAL,
    "routines/ops/days/move_days.sql": LOCAL,
    "routines/organizations/policies/set_tax_rate.sql": LOCAL,
    "routines/payments/desk/close_till.sql": LOCAL,
    "routines/payments/invoices/issue_invoice.sql": LOCAL,
    "routines/payments/payouts/apply_payout.sql": DATE,
    "routines/payments/quotes/quote.sql": LOCAL,
    "routines/payments/till/till_day.sql": LOCAL,
    "routines/rating/ingest/write_events.sql": UTC_DAY,
    "routines/rating/ingest/write_vote.sql": UTC_DAY,
    "routines/users/accounts/token_issued_at.sql": "seconds since 1970",
    "routines/users/erasure/scheduled_erasure_payload.sql": DATE,
    "views/payments/invoice_states.sql": LOCAL,
    "views/payments/overdue_invoices.sql": LOCAL,
    "views/public/org_analytics_mv.sql": LOCAL,
    "views/staging/parsed_templates.sql": DATE,
}
"""The files that may compute with days. A routine in UTC needs no line, because its days have 24 hours."""

PYTHON_REASONS = {
    "catalog/calendars.py": "how far back a calendar reaches, in hours",
    "operations/legacy_import.py": "the month of a partition, in UTC",
    "payments/backfill.py": "how far back Stripe lists events, in hours",
    "payments/payouts.py": "a date that Stripe states in UTC",
    "rating/activity.py": "how far back statistics look, in hours",
    "scheduling/edits.py": LOCAL,
    "scheduling/exceptions.py": LOCAL,
    "scheduling/generation.py": LOCAL,
    "scheduling/recurrence.py": LOCAL,
    "scheduling/rules.py": LOCAL,
    "scheduling/series.py": "the current year, for a limit of five years",
    "messaging/languages.py": LOCAL,
}

_DAYS_IN_SQL = re.compile(
    r"interval '[^']*(?:day|week|month|year)|\b(?:days|weeks|months|years) =>|date_trunc\(|date_part\(|date_bin\("
    r"|current_date|current_time\b|localtimestamp|localtime\b|::date\b|::time\b|as date\)|as time\)|to_char\(|\bage\("
    r"|extract\((?!epoch )|make_date\(|make_timestamp|to_timestamp\(",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"--[^\n]*")


def places_in_sql():
    """Return the files of SQL that compute with days in the time zone of the session, below sql/."""
    sql = ROOT / "sql"
    files = [*sql.joinpath("routines").rglob("*.sql"), *sql.joinpath("views").rglob("*.sql")]
    texts = {file.relative_to(sql).as_posix(): _COMMENT.sub("", file.read_text()) for file in files}
    return {name for name, text in texts.items() if _DAYS_IN_SQL.search(text) and "set timezone = 'UTC'" not in text}


def places_in_python():
    """Return the modules of the domain that compute with days or dates."""
    domain = ROOT / "layers/domain/marquee"
    return {
        module.relative_to(domain).as_posix()
        for module in domain.rglob("*.py")
        if any(_is_about_days(node) for node in ast.walk(ast.parse(module.read_text())))
    }


def _is_about_days(node):
    match node:
        case ast.Call(func=ast.Name(id="timedelta") | ast.Attribute(attr="timedelta")):
            return bool(node.args) or any(given.arg in ("days", "weeks") for given in node.keywords)
        case ast.Call(func=ast.Attribute(attr="today" | "utcnow" | "date" | "now")):
            return node.func.attr != "now" or (not node.args and _is_named(node.func.value, "datetime"))
    return False


def _is_named(node, name):
    return isinstance(node, ast.Name) and node.id == name


def test_each_place_that_computes_with_days_in_sql_has_a_reason():
    assert places_in_sql() == set(SQL_REASONS)


def test_each_place_that_computes_with_days_in_python_has_a_reason():
    assert places_in_python() == set(PYTHON_REASONS)


@pytest.mark.parametrize(
    "statement",
    ["select now() + interval '7 days'", "select make_interval(days => n)", "select at::date", "select current_date"],
)
def test_scan_finds_a_day_of_the_session(statement):
    assert _DAYS_IN_SQL.search(statement)


# (local time, zone, instant in UTC)
LOCAL_TIMES = [
    ("2027-01-15 09:00", "Europe/Zurich", "2027-01-15 08:00"),
    ("2027-03-28 02:30", "Europe/Zurich", "2027-03-28 01:30"),  # skipped: it becomes 03:30
    ("2027-10-31 02:30", "Europe/Zurich", "2027-10-31 00:30"),  # twice: the first
    ("2027-10-31 03:00", "Europe/Zurich", "2027-10-31 02:00"),
    ("2027-11-07 00:30", "America/Havana", "2027-11-07 04:30"),  # twice, at midnight
    ("2027-04-04 01:45", "Australia/Lord_Howe", "2027-04-03 14:45"),  # twice, by half an hour
    ("2027-10-03 02:15", "Australia/Lord_Howe", "2027-10-02 15:45"),  # skipped, by half an hour
    ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 22:00"),  # a skipped day
]


@pytest.mark.parametrize("session_zone", SESSION_ZONES)
@pytest.mark.parametrize(("local_time", "zone", "expected"), LOCAL_TIMES)
def test_local_time_has_one_instant(rolled_back, session_zone, local_time, zone, expected):
    rolled_back.execute("select set_config('timezone', %s, true)", [session_zone])

    row = rolled_back.execute("select ops.local_instant(%s, %s) as at", [local_time, zone]).fetchone()

    assert row["at"].astimezone(UTC) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


# (start, opens 7 days before)
OPENINGS = [
    ("2027-03-31T18:00:00+02:00", "2027-03-24T18:00:00+01:00"),
    ("2027-11-03T18:00:00+01:00", "2027-10-27T18:00:00+02:00"),
    ("2027-07-14T18:00:00+02:00", "2027-07-07T18:00:00+02:00"),
    ("2027-04-04T02:30:00+02:00", "2027-03-28T03:30:00+02:00"),
    ("2027-11-07T02:30:00+01:00", "2027-10-31T02:30:00+02:00"),
]


@pytest.mark.parametrize("session_zone", SESSION_ZONES)
@pytest.mark.parametrize(("starts_at", "opens_at"), OPENINGS)
def test_booking_opens_at_the_same_local_time_days_before(db, session_zone, starts_at, opens_at):
    world = scheduling.world(db)
    db.execute("select set_config('timezone', %s, false)", [session_zone])
    db.execute("update organizations.policies set opens_days_before = 7")
    db.execute(
        """
        insert into events.events (
            starts_at, ends_at, organization_id, title, language, time_zone, price_cents, currency, policy, status
        )
        values (%s, %s::timestamptz + interval '1 hour', %s, 'Class', 'en', 'Europe/Zurich', 0, 'CHF',
            events.policy_snapshot(%s), 'scheduled')
        """,
        [starts_at, starts_at, world.organization_id, world.policy_id],
    )

    row = db.execute("select t.opens_at from events.terms as t").fetchone()

    assert row["opens_at"].astimezone(UTC) == datetime.fromisoformat(opens_at)


def test_booking_opens_later_when_only_the_time_zone_of_the_event_changes(db):
    world = scheduling.world(db)
    event = scheduling.make_event(
        world, starts_at="2027-03-31T16:00:00Z", ends_at="2027-03-31T17:00:00Z", policy_id=str(world.policy_id)
    )
    db.execute("update organizations.policies set opens_days_before = 7")
    db.execute("update events.events set policy = events.policy_snapshot(%s)", [world.policy_id])

    db.execute("update events.events set time_zone = 'UTC' where id = %s", [event["id"]])

    row = db.execute("select t.opens_at from events.terms as t").fetchone()
    assert row["opens_at"] == datetime(2027, 3, 24, 16, tzinfo=UTC)


@pytest.mark.parametrize("session_zone", SESSION_ZONES)
@pytest.mark.parametrize("zone", ["Europe/Zurich", "America/Vancouver", "Pacific/Auckland"])
def test_credits_expire_at_the_end_of_a_day_of_the_organization(db, session_zone, zone):
    world = scheduling.world(db, time_zone=zone)
    db.execute("select set_config('timezone', %s, false)", [session_zone])

    row = db.execute("select now() as at, payments.expiry(%s, 30) as ends_at", [world.organization_id]).fetchone()

    last_day = row["at"].astimezone(ZoneInfo(zone)).date() + timedelta(days=30)
    midnight = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    assert row["ends_at"].astimezone(UTC) == midnight.astimezone(UTC)


# (zone, bought, expires after 1 day)
EXPIRIES = [
    ("Europe/Zurich", "2027-03-26T23:50:00+01:00", "2027-03-28T00:00:00+01:00"),
    ("Europe/Zurich", "2027-03-27T00:10:00+01:00", "2027-03-29T00:00:00+02:00"),
    ("Europe/Zurich", "2027-10-30T12:00:00+02:00", "2027-11-01T00:00:00+01:00"),
    ("America/Havana", "2027-03-12T12:00:00-05:00", "2027-03-14T01:00:00-04:00"),
]


@pytest.mark.parametrize("session_zone", SESSION_ZONES)
@pytest.mark.parametrize(("zone", "bought_at", "ends_at"), EXPIRIES)
def test_period_of_days_ends_with_its_last_day(rolled_back, session_zone, zone, bought_at, ends_at):
    rolled_back.execute("select set_config('timezone', %s, true)", [session_zone])

    row = rolled_back.execute("select ops.day_end(%s, 1, %s) as ends_at", [bought_at, zone]).fetchone()

    assert row["ends_at"].astimezone(UTC) == datetime.fromisoformat(ends_at)


# Reads whose results contain days, months or local times. Each has the world's ids as parameters.
READS = {
    "statement": "select payments.organizer_statement(%(organization)s, current_date - 40, current_date + 40)",
    "statement lines": "select jsonb_agg(s) from payments.organizer_statement_lines(%(organization)s,"
    " current_date - 40, current_date + 40) as s",
    "analytics": "select events.organization_analytics(%(organization)s)",
    "schedule": "select events.instructor_schedule_v2(%(instructor)s, current_date, current_date + 60)",
    "dashboard": "select events.customer_dashboard()",
    "invoices": "select jsonb_agg(i) from payments.invoice_states as i",
    "overdue": "select jsonb_agg(i) from payments.overdue_invoices as i",
    "credits": "select jsonb_agg(c order by c.id) from payments.credits as c",
    "entries": "select jsonb_agg(c order by c.event_id) from events.calendar_entries as c",
    "organizations": "select jsonb_agg(a) from public.org_analytics_mv as a",
    "schedules": "select jsonb_agg(s order by s.event_id) from public.instructor_schedule_mv as s",
    "partitions": "select jsonb_agg(p) from ops.partition_states() as p",
    "maintenance": "select ops.maintain_partitions()",
    "health": "select ops.get_system_health_summary() - 'checked_at'",
    "reminders": "select messaging.send_reminders()",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")


def in_utc(value):
    """Return a JSON value with each of its instants written in UTC."""
    match value:
        case dict():
            return {name: in_utc(member) for name, member in value.items()}
        case list():
            return [in_utc(member) for member in value]
        case str() if _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


def test_reads_return_the_same_in_every_time_zone_of_the_session(db):
    world = scheduling.world(db, time_zone="America/St_Johns")
    series = scheduling.make_series(world, instructor_id=str(world.instructor_id))
    scheduling.book(world, scheduling.events_of(world, series["id"])[0]["id"], world.customer)
    db.execute(
        """
        insert into payments.credit_lots (
            kind, source, organization_id, customer_id, amount, remaining, expires_at
        )
        values ('pass', 'grant', %s, %s, 3, 3, payments.expiry(%s, 30))
        """,
        [world.organization_id, world.customer, world.organization_id],
    )
    ids = {"organization": world.organization_id, "instructor": world.instructor_id}
    results = []
    for session_zone in SESSION_ZONES:
        db.execute("select set_config('timezone', %s, false)", [session_zone])
        with db.transaction(force_rollback=True):
            db.execute("set transaction isolation level repeatable read")
            # One day for all sessions, however late it is: the parameters of the reads are dates.
            today = datetime.now(UTC).date()
            results.append(
                {
                    name: in_utc(read(db, world, name, query.replace("current_date", f"date '{today}'"), ids))
                    for name, query in READS.items()
                }
            )

    for name in READS:
        assert [result[name] for result in results] == [results[0][name]] * len(results), name


def read(db, world, name, query, ids):
    """Return the value of a read, as the person whom it serves, or as the service."""
    caller = {"dashboard": world.customer, "analytics": world.owner, "schedule": world.owner, "statement": world.owner}
    db.execute("reset role")
    return routines.call(db, caller.get(name), query, ids)
