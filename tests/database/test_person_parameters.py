"""Test that staff can act only for people known to their organization. Others get customer_not_found, existing or not.

The first test checks each parameter in the catalog that may name a person. It fails for one that is missing in the
tables below.
"""

import re

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import tuple_row

from tests.kit import routines, stages
from tests.kit.routine_probes import CUSTOMER, OURS, OWNER, RIVAL, STRANGER, person
from tests.kit.walk import catalog
from tests.kit.walk.world import PEOPLE, named

NOBODY = named("nobody at all")
ERASED = PEOPLE["somebody"]
"""A customer of the organization who was erased."""

PERSON = re.compile(
    r"(customer|user|person|people|voter|profile|member|subject|recipient|guest|buyer|payer|attendee|owner|caller|email)"
    r"s?(_?ids?)?$"
)
BY_STAFF = {
    ("events.book", "customer_id"),
    ("events.hold_seats", "customer_id"),
    ("events.join_waitlist", "customer_id"),
    ("events.leave_waitlist", "customer_id"),
    ("payments.grant_credits", "customer_id"),
    ("payments.sell_package", "customer_id"),
}
"""Parameters with which staff name a person."""

_LISTED = "names a customer of the list; anyone else is customer_not_found"

NOT_BY_STAFF = {
    ("users.erase_profile", "user_id"): "for the person and the service",
    ("events.close_period", "confirmed"): "has numbers",
    ("events.close_period", "details"): "names a place and times",
    ("events.copy_event", "details"): "names a public page of an instructor of the organization, and no person",
    ("events.create_event", "details"): "names a public page of an instructor of the organization, and no person",
    ("events.create_series", "details"): "names a public page of an instructor of the organization, and no person",
    ("events.edit_series", "changes"): "names a public page of an instructor of the organization, and no person",
    ("events.edit_series", "confirmed"): "has numbers",
    ("events.edit_series", "slots"): "has ids of events",
    ("events.edit_series", "occurrences"): "names times",
    ("events.record_occurrences", "slice"): "names series",
    ("events.update_event", "confirmed"): "has numbers",
    ("events.update_event", "changes"): "names a public page of an instructor of the organization, and no person",
    ("messaging.set_preferences", "changes"): "names families and channels of the caller",
    ("events.mark_attendance", "marks"): "names bookings of the event",
    ("events.organization_bookings", "customer_id"): "filters a list of the organization, without looking up a person",
    ("messaging.update_webhook_endpoint", "changes"): "names a URL and topics",
    ("organizations.import_customers", "rows"): "names new people, and addresses that link to no account",
    ("organizations.update_customer", "changes"): "names tags, and details of a walk-in",
    ("organizations.add_customer_note", "customer_id"): _LISTED,
    ("organizations.block_customer", "customer_id"): _LISTED,
    ("organizations.delete_customer_note", "customer_id"): _LISTED,
    ("organizations.show_customer", "customer_id"): _LISTED,
    ("organizations.unblock_customer", "customer_id"): _LISTED,
    ("organizations.update_customer", "customer_id"): _LISTED,
    ("organizations.create_customer", "details"): "names a new person, and an address that links to no account",
    ("organizations.create_organization", "details"): "names an owner for the service alone",
    ("organizations.save_instructor", "changes"): "names a member; anyone else is refused like an unknown id",
    ("organizations.save_location", "changes"): "names a place",
    ("organizations.save_policy", "changes"): "names terms",
    ("organizations.save_resource", "changes"): "names a thing",
    ("organizations.save_room", "changes"): "names a place",
    ("organizations.update_organization", "changes"): "names settings",
    ("ops.list_accesses", "person"): "filters the log of the caller's organization, without looking up a person",
    ("ops.record_access", "read"): "records whom the caller read, without looking up a person",
    ("ops.record_samples", "metrics"): "names figures",
    ("organizations.change_member_role", "user_id"): "names a member; anyone else is member_not_found",
    ("organizations.invite_member", "email"): "compared with the members' addresses only",
    ("organizations.offer_ownership", "user_id"): "names a member; anyone else is member_not_found",
    ("organizations.remove_member", "user_id"): "names a member; anyone else is member_not_found",
    ("payments.spending_at", "customer_id"): "reads only sales of the caller's organization, and zero without any",
    ("rating.change_settings", "changes"): "names weights",
    ("rating.ingest", "events"): "a voter is the client's own text, which identifies no person",
}
"""Parameters that name no person, or that staff cannot use, with the reason."""

SETTINGS = {
    "erased": sql.Literal(ERASED),
    "stranger": sql.Literal(STRANGER),
    "nobody": sql.Literal(NOBODY),
    "ours": sql.Literal(OURS),
    "event": sql.Literal(named("ours unbooked_event")),
}
ERASE = sql.SQL(
    "update users.profiles set name = null, email = null, erased_at = now() where id = {erased};"
    # An existing stranger has data at the other organizations.
    """
    insert into payments.accounts (owner_kind, owner_id, type, currency, organization_id)
    select 'user', {stranger}, 'credits', 'CHF', o.id from organizations.organizations as o where o.id <> {ours};
    """
).format(**SETTINGS)
MEMBER = named("a member of our staff")
STAFF = ("viewer", "editor", "admin", "owner", "instructor", "front_desk", "accountant")


def names_people(parameter):
    return (parameter.type in ("uuid", "uuid[]", "text", "text[]") and PERSON.match(parameter.name)) or (
        parameter.type in ("json", "jsonb")
    )


def test_every_parameter_that_may_name_a_person_is_listed(probe):
    found = {
        (routine.name, parameter.name)
        for routine in probe.routines
        for parameter in routine.parameters
        if names_people(parameter)
    }

    assert found == BY_STAFF | NOT_BY_STAFF.keys()


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize(("name", "parameter"), sorted(BY_STAFF | {("users.erase_profile", "user_id")}))
def test_staff_get_the_same_refusal_for_stranger_erased_and_unknown_person(probe, name, parameter, role):
    staff, routine = person(role, MEMBER), probe.routine(name)
    first = sql.SQL(
        "insert into users.profiles (id) values ({0}); insert into organizations.memberships values ({1}, {0}, {2})"
    ).format(sql.Literal(MEMBER), sql.Literal(OURS), sql.Literal(role))

    with probe.after(sql.Composed([ERASE, first])):
        for arguments in probe.arguments(routine):
            answers = {
                probe.call(staff, routine, {**arguments, parameter: str(one)}).refusal
                for one in (STRANGER, RIVAL, ERASED, NOBODY)
            }
            assert len(answers) == 1
            assert answers <= {
                ("PT404", "customer_not_found", ""),
                ("PT404", "event_not_found", ""),
                ("PT404", "package_not_found", ""),
                ("PT404", "waitlist_entry_not_found", ""),
            } or next(iter(answers))[:2] == ("PT403", "forbidden")


@pytest.mark.parametrize(("name", "parameter"), sorted(BY_STAFF))
def test_owner_can_act_only_for_people_known_to_the_organization(probe, name, parameter):
    owner, routine = person("the owner", OWNER), probe.routine(name)

    with probe.after(ERASE):
        for arguments in probe.arguments(routine):
            answers = {
                one: probe.call(owner, routine, {**arguments, parameter: str(one)}).refusal
                for one in (CUSTOMER, STRANGER, RIVAL, ERASED, NOBODY)
            }
            came = answers.pop(CUSTOMER)
            assert came is None or came[1] != "customer_not_found"
            assert set(answers.values()) == {("PT404", "customer_not_found", "")}


@pytest.mark.parametrize(("name", "parameter"), sorted(BY_STAFF - {("events.leave_waitlist", "customer_id")}))
def test_service_can_act_for_every_existing_person(probe, name, parameter):
    service, routine = person("the service", OWNER, "service_role"), probe.routine(name)

    with probe.after(ERASE):
        arguments = {**probe.arguments(routine)[0], "hold_id": None, "idempotency_key": "probe"}
        answers = {
            one: probe.call(service, routine, {**arguments, parameter: str(one)}).refusal
            for one in (STRANGER, ERASED, NOBODY)
        }

    assert answers[ERASED] == answers[NOBODY] == ("PT404", "customer_not_found", "")
    assert answers[STRANGER] is None or answers[STRANGER][1] == "seats_available"


def test_service_call_without_a_customer_is_refused(db):
    stage = stages.create(db)
    event_id = stage.event()

    for query in ("events.book(event_id => %s)", "events.hold_seats(event_id => %s)"):
        with pytest.raises(psycopg.Error) as refused:
            routines.call(db, None, f"select {query}", [event_id])
        assert routines.code_of(refused.value) == "customer_not_found"


WAYS = {
    "a booking": """
        insert into events.bookings
            (event_id, organization_id, customer_id, seats, status, payment_method, price_cents, currency, policy)
        values ({event}, {ours}, {stranger}, 1, 'cancelled', 'none', 0, 'CHF', '{{}}')
    """,
    "a hold": """
        insert into events.holds (event_id, customer_id, seats, purpose, status, expires_at)
        values ({event}, {stranger}, 1, 'online', 'expired', now())
    """,
    "a waitlist entry": """
        insert into events.waitlist_entries (event_id, customer_id, seats, place, status)
        values ({event}, {stranger}, 1, 90, 'left')
    """,
    "a wallet": """
        insert into payments.accounts (owner_kind, owner_id, type, currency, organization_id)
        values ('user', {stranger}, 'credits', 'CHF', {ours})
    """,
    "a pass": """
        insert into payments.credit_lots (kind, source, organization_id, customer_id, amount, remaining)
        values ('pass', 'grant', {ours}, {stranger}, 1, 0)
    """,
    "a purchase": """
        insert into payments.purchases (
            id, package_id, organization_id, customer_id, method, kind, credits, bonus, net_cents, tax_cents, tax_bps,
            tax_country, amount_cents, currency
        )
        select gen_random_uuid(), p.id, {ours}, {stranger}, 'card', 'pass', 10, 0, 500, 0, 0, 'CH', 500, 'CHF'
        from payments.packages as p where p.organization_id = {ours} limit 1
    """,
    "a membership": "insert into organizations.memberships values ({ours}, {stranger}, 'viewer')",
}
"""Rows that make a person known to an organization. Each suffices alone, also after it has ended."""


@pytest.mark.parametrize("way", WAYS)
def test_person_becomes_known_to_an_organization_by(probe, way):
    has_customer = "select organizations.has_customer(%s, %s)"
    with probe.after(sql.SQL(WAYS[way]).format(**SETTINGS)):
        came = [
            probe._connection.execute(has_customer, [organization, STRANGER]).fetchone()
            for organization in (OURS, named("theirs organization"), named("third organization"))
        ]

    assert came == [(True,), (False,), (False,)]


def test_every_table_that_relates_a_person_to_an_organization_is_listed(rolled_back):
    """Check that each table with both columns makes a person known, or follows from one that does."""
    follows = {
        "messaging.notifications": "a message about one of the others",
        "organizations.customer_notes": "of a row of organizations.customers",
        "organizations.customers": "written when one of the others is, or for a person whom staff enter",
        "organizations.invitations": "names members and former members, and the invited person only after accepting",
        "organizations.ownership_offers": "between members",
        "payments.fees": "of a booking",
        "payments.intents": "of a booking or a purchase",
        "payments.invoices": "of a booking",
        "payments.quotes": "of a booking",
        "payments.refunds": "of a booking or a purchase",
        "payments.sales": "of a booking",
        "users.consents": "a decision of the person, which staff do not read",
    }
    ways = {"events.bookings", "payments.credit_lots", "payments.purchases", "organizations.memberships"}
    found = catalog.rows(
        rolled_back,
        f"""
        select format('%%I.%%I', n.nspname, c.relname)
        from pg_class as c
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where
            c.relkind in ('r', 'p')
            and not c.relispartition
            and exists (
                select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'organization_id'
            )
            and exists (
                select from pg_constraint as f
                where
                    f.conrelid = c.oid
                    and f.contype = 'f'
                    and f.confrelid = 'users.profiles'::regclass
            )
        """,
    )
    found = {name for (name,) in found} - {"organizations.instructors"}  # a page that staff create

    assert found == ways | follows.keys()


def test_customer_lookup_reads_only_the_index_of_bookings(rolled_back):
    """Keep the look-up as cheap for a stranger with many bookings elsewhere as for an unknown id."""
    rolled_back.execute("set local enable_seqscan = off; set local enable_bitmapscan = off")
    plan = rolled_back.cursor(row_factory=tuple_row).execute(
        "explain select from events.bookings as b where b.customer_id = %s and b.organization_id = %s",
        [STRANGER, OURS],
    )

    assert "Index Only Scan using bookings_of_customer_by_id" in "\n".join(line for (line,) in plan.fetchall())


def test_staff_cannot_turn_a_stranger_into_a_customer(db):
    stage = stages.create(db)
    event_id, stranger = stage.event(), stage.stranger()
    tries = [
        ("events.book(event_id => %s, customer_id => %s)", [event_id, stranger]),
        ("events.book(event_id => %s, customer_id => %s, guest => true)", [event_id, stranger]),
        (
            "events.book(event_id => %s, customer_id => %s, payment_method => 'comp', idempotency_key => 'tap')",
            [event_id, stranger],
        ),
        ("events.hold_seats(event_id => %s, customer_id => %s)", [event_id, stranger]),
        ("events.join_waitlist(event_id => %s, customer_id => %s)", [event_id, stranger]),
        ("payments.grant_credits(%s, %s, 'pass', 1, 'tap')", [stage.organization_id, stranger]),
    ]

    for query, parameters in tries:
        with pytest.raises(psycopg.Error) as refused:
            routines.call(db, stage.owner, f"select {query}", parameters)
        assert routines.code_of(refused.value) == "customer_not_found"

    query = "select organizations.has_customer(%s, %s) as came"
    assert db.execute(query, [stage.organization_id, stranger]).fetchone() == {"came": False}
    routines.book(db, event_id, stranger)
    assert db.execute(query, [stage.organization_id, stranger]).fetchone() == {"came": True}
    routines.call(db, stage.owner, f"select {tries[-1][0]}", tries[-1][1])
