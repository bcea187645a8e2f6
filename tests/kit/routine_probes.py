"""Call every routine that callers may execute, with arguments that identify rows of an organization.

The routines and their parameters come from the catalog, so that new ones are called too. A value is chosen by the
parameter's name, or by routine and parameter name if a name is ambiguous. A parameter without a value fails with
instructions. The rows are those of the row-security walk (tests/database/walk/rows). Each call is rolled back.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from tests.kit.walk import catalog, world
from tests.kit.walk.world import ORGANIZATIONS, PEOPLE, named

OURS = ORGANIZATIONS["ours"]
CUSTOMER = PEOPLE["customer"]
OWNER = PEOPLE["owner"]
STRANGER = named("stranger")
"""A person with a profile and no relation to any organization."""
RIVAL = named("rival")
"""The owner of a third organization without other people."""
ADDRESS = "192.0.2.99"

OF_EVENT = {"event": "%(event)s", "hidden": "%(hidden_event)s"}

VALUES: dict[str, tuple[str, ...]] = {
    "account_id": (
        "(select a.id from payments.accounts as a where a.owner_id = %(customer)s and a.organization_id = %(ours)s)",
    ),
    "address": (f"'{ADDRESS}'",),
    "after": ("'00000000-0000-0000-0000-000000000000'",),
    "after_event_id": ("'00000000-0000-0000-0000-000000000000'",),
    "after_id": ("'00000000-0000-0000-0000-000000000000'",),
    "after_rank": ("1",),
    "after_starts_at": ("now()",),
    "amount": ("5",),
    "amount_cents": ("5",),
    "at": ("now()",),
    "archived": ("true", "false"),
    "answer": ("'withdrawn'", "'accepted'"),
    "attended": ("true", "false"),
    "bonus": ("0",),
    "before_at": ("now()",),
    "begins_at": ("'-infinity'", "now() - interval '30 days'"),
    "before_id": ("'ffffffff-ffff-ffff-ffff-ffffffffffff'",),
    "booking_id": tuple(
        f"(select b.id from events.bookings as b where b.event_id = {event} and b.customer_id = %(customer)s)"
        for event in OF_EVENT.values()
    ),
    "capacity": ("10",),
    "categories": ("'{}'",),
    "category": ("'music'",),
    "city": ("'Zurich'",),
    "code": ("'PROBE'",),
    "counted_cents": ("0",),
    "currency": ("'CHF'",),
    "customer_id": ("%(customer)s",),
    "day": ("current_date",),
    "decimal_places": ("2",),
    "deposited_cents": ("0",),
    "first": ("now()",),
    "delivery_id": ("%(webhook_delivery)s",),
    "description": ("'probe'",),
    "destination": ("'original'", "'wallet'"),
    "ends_at": ("now() + interval '2 days'",),
    "email": ("'probe@example.org'",),
    "endpoint_id": ("%(webhook_endpoint)s",),
    "entry_id": (
        "(select w.id from events.waitlist_entries as w where w.event_id = %(event)s and w.customer_id = %(customer)s)",
    ),
    "event_id": ("%(unbooked_event)s", "%(event)s", "%(hidden_event)s"),
    "expires_at": ("now() + interval '1 day'",),
    "fee_cents": ("5",),
    "fee_id": ("(select f.id from payments.fees as f where f.customer_id = %(customer)s limit 1)",),
    "first_date": ("current_date + 7",),
    "first_day": ("current_date",),
    "for_staff": ("true", "false"),
    "guest": ("false", "true"),
    "hash": ("'\\x00'",),
    "hold_id": ("(select h.id from events.holds as h where h.event_id = %(event)s and h.customer_id = %(customer)s)",),
    "idempotency_key": ("'probe'",),
    "instructor_id": ("%(instructor)s", "%(unlinked_instructor)s"),
    "inventory": ("(select i from events.inventory as i where i.event_id = %(event)s)",),
    "invitation_id": ("%(invitation)s",),
    "invitation_status": ("null", "'pending'"),
    "invoice_id": (
        """(select i.id from payments.invoices as i
        where i.organization_id = %(ours)s and i.customer_id = %(customer)s limit 1)""",
    ),
    "is_first_answer": ("false", "true"),
    "item_ids": ("'{dawn}'",),
    "kind": ("'wallet'",),
    "language": ("'de'",),
    "last_day": ("current_date + 7",),
    "local_time": ("'2031-01-06T09:00:00'",),
    "location_id": ("null",),
    "method": ("'cash'", "'terminal'"),
    "methods": ("null",),
    "most": ("50",),
    "name": ("'probe'",),
    "names": ("array['probe']",),
    "notification_id": (
        """(select n.id from messaging.notifications as n
        where n.user_id = %(customer)s and n.organization_id = %(ours)s limit 1)""",
    ),
    "newest_first": ("false", "true"),
    "note": ("'probe'",),
    "offer": ("(select f from organizations.ownership_offers as f where f.id = %(ownership_offer)s)",),
    "offer_id": ("%(ownership_offer)s",),
    "operation": ("'book'",),
    "organization_id": ("%(ours)s",),
    "outcome": ("'paid'", "'forgiven'"),
    "package_id": ("%(package)s",),
    "payment_method": ("null", "'card'", "'comp'"),
    "percent_bps": ("null",),
    "price": ("'free'",),
    "price_cents": ("0",),
    "priority": ("0",),
    "promo_code": ("null", "'SPRING'"),
    "purchase_id": (
        """(select p.id from payments.purchases as p
        where p.organization_id = %(ours)s and p.customer_id = %(customer)s)""",
    ),
    "q": ("'class'",),
    "reason": ("'probe'",),
    "recurrence": ("'RRULE:FREQ=WEEKLY'",),
    "refund_id": (
        """(select r.id from payments.refunds as r
        where r.organization_id = %(ours)s and r.customer_id = %(customer)s limit 1)""",
    ),
    "role": ("'editor'",),
    "roles": ("'{viewer,editor,admin,owner,instructor,front_desk,accountant}'",),
    "access_hash": ("sha256('probe')",),
    "code_hash": ("sha256('code')",),
    "link_id": (
        """(select l.id from events.access_links as l
        where l.event_id in (%(unbooked_event)s, %(event)s) order by l.id limit 1)""",
    ),
    "secret_hash": ("sha256('probe')",),
    "sealed_secret": ("'v1.k1.' || repeat('A', 120)",),
    "seats": ("1",),
    "seats_left": ("3",),
    "series_id": ("%(series)s", "%(hidden_series)s"),
    "stays_as": ("'admin'",),
    "starts_at": ("now() + interval '1 day'",),
    "starts_before": ("now() + interval '30 days'",),
    "starts_from": ("now()",),
    "statuses": ("null",),
    "terms": ("(select t from events.terms as t where t.event_id = %(event)s)",),
    "title": ("'probe'",),
    "topics": ("null",),
    "token": ("messaging.unsubscribe_token(%(customer)s, 'credits')",),
    "total_cents": ("null", "5"),
    "up_to_id": ("null",),
    "unpaid": ("null", "false"),
    "until": ("'2031-12-31'",),
    "url": ("'https://example.org/probe'",),
    "user_id": ("%(customer)s",),
    "uses_most": ("5",),
    "uses_most_per_customer": ("1",),
    "valid_days": ("30",),
    "valid_from": ("now()",),
    "valid_until": ("now() + interval '1 day'",),
    "time_zone": ("'Europe/Zurich'",),
    "visibility": ("null",),
    "waive": ("true", "false"),
    "words": ("null",),
}
"""SQL values for each parameter name. Call number n takes the value number n, or the last one."""

SPECIAL: dict[tuple[str, str], tuple[str, ...]] = {
    ("events.create_event", "details"): (
        """jsonb_build_object('organization_id', %(ours)s::uuid, 'title', 'probe', 'capacity', 5,
        'starts_at', now() + interval '1 day', 'ends_at', now() + interval '2 days')""",
    ),
    ("organizations.create_organization", "details"): (
        """'{"slug": "probe", "name": "probe", "country": "CH", "currency": "CHF", "time_zone": "Europe/Zurich"}'""",
    ),
    ("organizations.save_instructor", "changes"): ("""'{"name": "probe"}'""",),
    ("organizations.save_instructor", "instructor_id"): ("%(instructor)s", "null"),
    ("organizations.save_location", "changes"): ("""'{"name": "probe", "city": "probe"}'""",),
    ("organizations.save_location", "location_id"): ("%(location)s", "null"),
    ("organizations.save_policy", "changes"): ("""'{"name": "probe"}'""",),
    ("organizations.save_policy", "policy_id"): ("%(policy)s", "null"),
    ("organizations.save_resource", "changes"): ("""'{"name": "probe"}'""",),
    ("organizations.save_resource", "resource_id"): (
        "(select r.id from organizations.resources as r where r.organization_id = %(ours)s)",
        "null",
    ),
    ("organizations.save_room", "changes"): (
        """jsonb_build_object('name', 'probe', 'location_id', %(location)s::uuid)""",
    ),
    ("organizations.save_room", "room_id"): (
        "(select r.id from organizations.rooms as r where r.organization_id = %(ours)s)",
        "null",
    ),
    ("organizations.set_platform_terms", "changes"): ("""'{"fee_bps": 1}'""",),
    ("organizations.update_organization", "changes"): ("""'{"name": "probe", "double_booking": "refuse"}'""",),
    ("events.create_series", "details"): (
        """jsonb_build_object('organization_id', %(ours)s::uuid, 'title', 'probe', 'capacity', 5,
        'recurrence', 'RRULE:FREQ=WEEKLY', 'local_start_time', '09:00', 'start_date', current_date,
        'duration_minutes', 60)""",
    ),
    ("events.edit_series", "changes"): ("""'{"title": "probe"}'""",),
    ("events.edit_series", "occurrences"): ("null",),
    ("events.edit_series", "confirmed"): ("'true'", "null"),
    ("events.edit_series", "slots"): ("null",),
    ("events.mark_attendance", "marks"): (
        f"""(select jsonb_agg(jsonb_build_object(
            'key', 'probe', 'booking_id', b.id, 'attended', true, 'at', now()
        )) from events.bookings as b where b.event_id = {OF_EVENT["event"]})""",
    ),
    ("events.organization_bookings", "event_id"): ("null", OF_EVENT["event"]),
    ("events.organization_bookings", "after_starts_at"): ("'infinity'",),
    ("events.organization_events", "after_starts_at"): ("'-infinity'",),
    ("events.organization_events", "instructor_id"): ("null",),
    ("events.organization_events", "series_id"): ("null",),
    ("payments.list_closings", "after"): ("'ffffffff-ffff-ffff-ffff-ffffffffffff'",),
    ("payments.close_till", "day"): ("current_date",),
    ("events.record_occurrences", "slice"): (
        """jsonb_build_array(jsonb_build_object('series_id', %(series)s::uuid, 'occurrences',
        '[{"local_start": "2031-01-06T09:00:00", "starts_at": "2031-01-06T08:00:00Z"}]'::jsonb))""",
    ),
    ("events.search_listings", "availability"): ("'available'",),
    ("events.set_series_status", "status"): ("'paused'", "'archived'"),
    ("events.update_event", "changes"): ("""'{"title": "probe", "capacity": 900}'""",),
    ("events.update_event", "confirmed"): ("'true'", "null"),
    ("events.waitlist_roster", "after"): ("0",),
    ("messaging.update_webhook_endpoint", "changes"): (
        """'{"enabled": false}'""",
        """'{"url": "https://example.org/probe"}'""",
    ),
    ("messaging.set_preferences", "changes"): ("""'[{"family": "credits", "channel": "email", "delivery": "off"}]'""",),
    ("messaging.create_webhook_endpoint", "id"): ("'00000000-0000-7000-8000-00000000e11d'",),
    ("ops.list_accesses", "person"): ("%(customer)s::text",),
    ("ops.record_access", "read"): (
        "jsonb_build_array(jsonb_build_object('organization_id', %(ours)s::uuid, 'person', %(customer)s, 'rows', 1))",
    ),
    ("ops.record_samples", "metrics"): (
        """'[{"name": "request_errors", "unit": "requests", "value": 1, "tags": {}}]'""",
    ),
    ("organizations.accept_invitation", "secret_hash"): ("sha256(convert_to('ours', 'UTF8'))",),
    ("organizations.change_member_role", "user_id"): (f"'{PEOPLE['viewer']}'",),
    ("organizations.decline_invitation", "secret_hash"): ("sha256(convert_to('ours', 'UTF8'))",),
    ("organizations.offer_ownership", "user_id"): (f"'{PEOPLE['viewer']}'",),
    ("organizations.remove_member", "user_id"): (f"'{PEOPLE['viewer']}'",),
    ("payments.canonical_entry", "account"): ("null",),
    ("payments.canonical_entry", "entry"): ("null",),
    ("payments.canonical_entry", "transaction"): ("null",),
    ("payments.hash_chain", "entry"): ("'\\x00'",),
    ("payments.create_package", "kind"): ("'pass'",),
    ("payments.create_package", "price_cents"): ("500",),
    ("payments.create_promo_code", "kind"): ("'amount'",),
    ("payments.refund_debt_status", "refund"): ("(select r from payments.refunds as r limit 1)",),
    ("payments.grant_credits", "categories"): ("null",),
    ("payments.hash_link", "entry"): ("'\\x00'",),
    ("payments.normal_side", "type"): ("'cash'",),
    ("payments.replay_inbox", "event_id"): ("'evt_ours'",),
    ("rating.change_settings", "changes"): ("""'{"votes_least": 7}'""",),
    ("rating.ingest", "events"): (
        """'[{"type": "slider", "key": "probe", "item_id": "dawn", "value": 5}]'""",
        """jsonb_build_array(jsonb_build_object('type', 'slider', 'key', 'probe', 'item_id', 'dawn', 'value', 5,
        'voter_id', %(customer)s::uuid))""",
    ),
}

_CATALOG = f"""
select
    format('%%I.%%I', n.nspname, p.proname),
    p.oid::regprocedure::text,
    p.provolatile::text,
    coalesce(
        (
            select jsonb_agg(
                jsonb_build_array(a.name, format_type(a.type, null), coalesce(a.mode, 'i')) order by a.place
            )
            from unnest(p.proargnames, coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes)
                with ordinality as a (name, type, mode, place)
            where a.type <> 0 and coalesce(a.mode, 'i') in ('i', 'b', 'v')
        ),
        '[]'
    ),
    array(
        select r from unnest(array['anon', 'authenticated', 'service_role']) as r
        where has_function_privilege(r, p.oid, 'execute')
    )
from pg_proc as p
inner join {catalog.OURS} as n on n.oid = p.pronamespace
where
    p.prokind = 'f'
    and p.prorettype <> 'trigger'::regtype
    and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
    and (has_function_privilege('anon', p.oid, 'execute') or has_function_privilege('authenticated', p.oid, 'execute'))
order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the catalog."""

    name: str
    type: str
    mode: str


@dataclass(frozen=True, slots=True)
class Routine:
    """A routine that at least one caller may execute."""

    name: str
    signature: str
    volatile: bool
    parameters: tuple[Parameter, ...]
    roles: tuple[str, ...]

    def call(self, arguments: Mapping[str, str | None]) -> sql.Composed:
        """Build a statement that calls the routine with named arguments."""
        given = [
            sql.SQL("{}{} => {}::{}").format(
                sql.SQL("variadic " if one.mode == "v" else ""),
                sql.Identifier(one.name),
                sql.Literal(arguments[one.name]),
                sql.SQL(one.type),  # type: ignore[arg-type]
            )
            for one in self.parameters
        ]
        name = sql.SQL(".").join(map(sql.Identifier, self.name.split(".")))
        return sql.SQL("select to_jsonb(answer)::text from {}({}) as answer").format(name, sql.SQL(", ").join(given))


@dataclass(frozen=True, slots=True)
class Person:
    """A caller with the claims of a session. They are set directly, without the checks of ops.act_as."""

    name: str
    role: str
    claims: dict[str, str]

    @property
    def id(self) -> str | None:
        """Return the subject, if there is one."""
        return self.claims.get("sub") or None


def person(name: str, subject: UUID | str | None, role: str = "authenticated", org_id: UUID | str = OURS) -> Person:
    """Create a caller whose token claims our organization, unless another one is given."""
    claims = {"role": role, "org_id": str(org_id)}
    return Person(name, role, claims if subject is None else {**claims, "sub": str(subject)})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a call: rows as JSON, or the SQLSTATE, message and detail of a refusal, and the changed rows."""

    rows: tuple[str, ...] = ()
    refusal: tuple[str, str, str] | None = None
    changes: tuple[tuple[str, str], ...] = ()
    """A table and a row as JSON, for each row that exists in only one of the two states."""


class Probe:
    """A database of the walk for calls of routines. `connection` is the owner's. Each call is rolled back."""

    def __init__(self, connection: psycopg.Connection[Any], before: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._before = before
        self.routines = [
            Routine(name, signature, volatile == "v", tuple(Parameter(*p) for p in parameters), tuple(roles))
            for name, signature, volatile, parameters, roles in catalog.rows(connection, _CATALOG)
        ]
        connection.rollback()
        self._values: dict[str, str | None] = {}
        self._undo = "rollback"

    def routine(self, name: str) -> Routine:
        """Return a routine by its name."""
        [found] = [one for one in self.routines if one.name == name]
        return found

    def arguments(self, routine: Routine) -> list[dict[str, str | None]]:
        """Return valid arguments about our organization's rows, one set for each variant of the values."""
        choices = {one.name: _choices(routine.name, one.name) for one in routine.parameters}
        variants = max((len(values) for values in choices.values()), default=1)
        return [
            {name: self._value(values[min(number, len(values) - 1)]) for name, values in choices.items()}
            for number in range(variants)
        ]

    @contextlib.contextmanager
    def after(self, first: sql.Composable) -> Iterator[None]:
        """Run `first` as the owner, allow calls and reads, then roll back. Calls then report no changes."""
        try:
            self._connection.execute(first)
            self._connection.execute("savepoint prepared")
            self._undo = "rollback to savepoint prepared"
            yield
        finally:
            self._undo = "rollback"
            self._connection.rollback()

    def call(self, who: Person, routine: Routine, arguments: Mapping[str, str | None]) -> Outcome:
        """Call a routine as a person and roll back."""
        with psycopg.ClientCursor(self._connection, row_factory=tuple_row) as cursor:
            try:
                _become(cursor, who)
                cursor.execute(routine.call(arguments))
                rows = tuple(str(row) for (row,) in cursor.fetchall())
                cursor.execute("reset role")
                changes = tuple(self._changes(cursor)) if self._undo == "rollback" else ()
                return Outcome(rows, None, changes)
            except psycopg.Error as error:
                message, detail = error.diag.message_primary or "", error.diag.message_detail or ""
                return Outcome(refusal=(str(error.sqlstate), message, detail))
            finally:
                cursor.execute(self._undo)

    def visible(self, who: Person, relations: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return the visible rows of tables and views. Relations without access are omitted."""
        found = {}
        with psycopg.ClientCursor(self._connection, row_factory=tuple_row) as cursor:
            for relation in relations:
                try:
                    _become(cursor, who)
                    cursor.execute(f"select to_jsonb(r)::text from {relation} as r order by 1")
                    found[relation] = tuple(row for (row,) in cursor.fetchall())
                except psycopg.errors.InsufficientPrivilege:
                    pass
                finally:
                    cursor.execute(self._undo)
        return found

    def relations(self) -> list[str]:
        """Return every table and view that at least one caller may read."""
        found = catalog.rows(
            self._connection,
            f"""
            select format('%%I.%%I', n.nspname, c.relname)
            from pg_class as c
            inner join {catalog.OURS} as n on n.oid = c.relnamespace
            where
                c.relkind in ('r', 'p', 'v', 'm')
                and not c.relispartition
                and has_schema_privilege('authenticated', n.oid, 'usage')
                and has_table_privilege('authenticated', c.oid, 'select')
            order by 1
            """,
        )
        self._connection.rollback()
        return [name for (name,) in found]

    def _value(self, expression: str) -> str | None:
        if expression not in self._values:
            with psycopg.ClientCursor(self._before, row_factory=tuple_row) as cursor:
                row = cursor.execute(f"select ({expression})::text", _NAMES).fetchone()
            assert row is not None
            assert row[0] is not None or expression == "null", f"{expression} names nothing"
            self._values[expression] = row[0]
        return self._values[expression]

    def _changes(self, cursor: psycopg.ClientCursor[Any]) -> Iterator[tuple[str, str]]:
        """Yield the rows that the transaction changed. A transaction without an id has written nothing."""
        written = cursor.execute("select pg_current_xact_id_if_assigned() is not null").fetchone()
        if written == (False,):
            return
        tables = cursor.execute(
            "select distinct format('%I.%I', r.relnamespace::regnamespace, r.relname)"
            " from pg_stat_xact_user_tables as s"
            " inner join pg_class as r on r.oid = coalesce(pg_partition_root(s.relid), s.relid)"
            " where s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0 order by 1"
        ).fetchall()
        for (table,) in tables:
            rows = f"select to_jsonb(r)::text from {table} as r"
            before = {row for (row,) in self._before.execute(rows).fetchall()}
            after = {row for (row,) in cursor.execute(rows).fetchall()}
            yield from ((table, row) for row in sorted(before ^ after))


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> UUID:
        return named(f"ours {name}")


_NAMES = _Names(ours=OURS, customer=CUSTOMER)


def _choices(routine: str, parameter: str) -> tuple[str, ...]:
    values = SPECIAL.get((routine, parameter)) or VALUES.get(parameter)
    assert values is not None, (
        f"{routine} has a parameter {parameter} without a value. Add one to VALUES or SPECIAL in"
        f" {__name__}. An id must be one of our organization's rows."
    )
    return values


def _become(cursor: psycopg.ClientCursor[Any], who: Person) -> None:
    cursor.execute(
        "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)",
        [json.dumps(who.claims), who.role],
    )


def fill(connection: psycopg.Connection[Any]) -> None:
    """Insert the rows of the walk, a stranger, a rival, and an instructor page without an account."""
    world.fill(connection)
    with psycopg.ClientCursor(connection) as cursor:
        cursor.execute(
            """
            insert into users.profiles (id, name, email)
            values (%(stranger)s, 'stranger', 'stranger@example.org'), (%(rival)s, 'rival', 'rival@example.org');

            insert into organizations.organizations (id, slug, name, country, currency, time_zone)
            values (%(third)s, 'third', 'Third', 'CH', 'CHF', 'Europe/Zurich');

            insert into organizations.memberships (organization_id, user_id, role)
            values (%(third)s, %(rival)s, 'owner');

            insert into organizations.instructors (id, organization_id, name)
            values (%(unlinked)s, %(ours)s, 'Nobody');

            -- Remove free seats, because the next caller would cause offers to the waiting entries.
            update events.inventory set capacity = taken + held where waitlisted > 0;
            """,
            {
                "stranger": STRANGER,
                "rival": RIVAL,
                "third": named("third organization"),
                "unlinked": _NAMES["unlinked_instructor"],
                "ours": OURS,
            },
        )
