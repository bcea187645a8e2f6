"""E-mail addresses come from the token and are used only after verification. Only the listed routines read them."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.kit import routines, stages

READERS = {
    "users.verified_address": "returns the address that may be used",
    "users.sync_profile": "stores the token's address",
    "staging.make_people": "stores the addresses of an import",
    "messaging.start_notification": "sends to the given address, which comes from messaging.recipients",
    "events.organization_bookings": "returns users.verified_address under this name",
    "organizations.invite_member": "compares the address that the caller entered with users.verified_address",
    "organizations.customer_answer": "returns the address that staff entered for a walk-in, or users.verified_address",
    "organizations.customer_at_address": "compares an address with a walk-in's, or with users.verified_address",
    "organizations.describe_customer": "indexes a walk-in's address, or users.verified_address",
    "organizations.update_customer": "changes the address that staff entered for a walk-in",
    "messaging.recipients": "reads the addresses of operators in ops.alert_recipients",
}
"""Routines and views that use profiles and read a column `email`, each with its reason."""

CALLS = {
    "book with a key": "select events.book(event_id => %s, idempotency_key => 'tap')",
    "book": "select events.book(event_id => %s)",
    "hold": "select events.hold_seats(event_id => %s)",
    "show the profile": "select users.own_profile() as p, %s::uuid",
    "edit the profile": "select users.edit_profile(language => 'de') as p, %s::uuid",
}


def now():
    return int(datetime.now(UTC).timestamp())


def soon():
    """Return a token time newer than every stored address and within the tolerance for clock skew."""
    return now() + 60


def call_as(db, person, query, params, **claims):
    with db.transaction():
        db.execute("select ops.act_as(%s::jsonb)", [json.dumps({"sub": str(person), **claims})])
        db.execute(query, params)


def address(db, person):
    return db.execute("select users.verified_address(p) as email from users.profiles as p where p.id = %s", [person])


@pytest.mark.parametrize("query", CALLS.values(), ids=CALLS)
def test_changed_address_is_stored_by_the_next_call_of_any_kind(db, query):
    stage = stages.create(db)
    customer, event_id = stage.customer(), stage.event()

    call_as(db, customer, query, [event_id], email="new@example.org", email_verified=True, iat=soon())

    assert address(db, customer).fetchone() == {"email": "new@example.org"}


@pytest.mark.parametrize("query", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "claims", [{}, {"email": "eve@example.org"}, {"email": "eve@example.org", "email_verified": False}]
)
def test_token_without_a_verified_address_keeps_the_stored_one(db, query, claims):
    stage = stages.create(db)
    customer, event_id = stage.customer(), stage.event()
    before = address(db, customer).fetchone()

    call_as(db, customer, query, [event_id], **claims)

    assert address(db, customer).fetchone() == before != {"email": None}


def sign_in(db, person, email, **claims):
    call_as(db, person, "select users.own_profile()", [], email=email, email_verified=True, **claims)
    return address(db, person).fetchone()["email"]


def test_older_token_does_not_restore_a_former_address(db):
    person = uuid4()

    seen = [
        sign_in(db, person, email, iat=now() - 1000 + seconds)
        for email, seconds in (
            ("a@x.ch", 0),
            ("b@x.ch", 10),
            ("a@x.ch", 0),
            ("b@x.ch", 20),
            ("c@x.ch", 15),
            ("a@x.ch", 30),
        )
    ]

    assert seen == ["a@x.ch", "b@x.ch", "b@x.ch", "b@x.ch", "b@x.ch", "a@x.ch"]


def test_token_without_a_time_stores_only_a_missing_address(db):
    person = uuid4()

    assert sign_in(db, person, "a@x.ch") == "a@x.ch"
    assert sign_in(db, person, "b@x.ch") == "a@x.ch"

    db.execute("update users.profiles set email_verified_at = null where id = %s", [person])
    assert sign_in(db, person, "b@x.ch") == "b@x.ch"


@pytest.mark.parametrize("iat", [1e300, -1, "1", None, True, [1]])
def test_malformed_time_of_a_token_counts_as_missing(db, iat):
    person = uuid4()
    sign_in(db, person, "a@x.ch", iat=now() - 1000)

    assert sign_in(db, person, "b@x.ch", iat=iat) == "a@x.ch"


def test_first_booking_stores_only_a_verified_address(db):
    stage = stages.create(db)
    event_id, honest, impostor = stage.event(), uuid4(), uuid4()

    call_as(db, honest, CALLS["book"], [event_id], email="ana@example.org", email_verified=True)
    call_as(db, impostor, CALLS["book"], [event_id], email="victim@example.org", email_verified=False)

    assert address(db, honest).fetchone() == {"email": "ana@example.org"}
    assert db.execute("select email from users.profiles where id = %s", [impostor]).fetchone() == {"email": None}


def test_messages_and_rosters_omit_unverified_addresses(db):
    stage = stages.create(db)
    customer, event_id = stage.customer(), stage.event()
    routines.book(db, event_id, customer)
    payload = json.dumps({"customer_id": str(customer), "event_id": str(event_id)})

    def shown():
        told = routines.call(
            db, None, "select array_agg(a.email) from messaging.recipients('event.changed', %s) as a", [payload]
        )
        roster = "select array_agg(r.email) from events.roster_v2(event_id => %s) as r"
        return told, routines.call(db, stage.owner, roster, [event_id])

    verified = address(db, customer).fetchone()["email"]
    assert shown() == ([verified], [verified])

    db.execute("update users.profiles set email_verified_at = null where id = %s", [customer])
    assert shown() == ([None], [None])


def test_addresses_are_read_only_by_the_listed_routines_and_views(rolled_back):
    found = rolled_back.execute(
        """
        select d.name
        from (
            select n.nspname || '.' || p.proname, pg_get_functiondef(p.oid)
            from pg_proc as p
            inner join pg_namespace as n on n.oid = p.pronamespace
            where p.prokind in ('f', 'p') and n.nspname not in ('pg_catalog', 'information_schema')
            union all
            select v.schemaname || '.' || v.viewname, v.definition
            from pg_views as v
            where v.schemaname not in ('pg_catalog', 'information_schema')
        ) as d (name, definition)
        where d.definition ~ 'users\\.profiles' and d.definition ~ '\\.email\\M'
        """
    ).fetchall()

    assert {row["name"] for row in found} == READERS.keys(), (
        "Read addresses with users.verified_address, or list the reader with its reason."
    )
