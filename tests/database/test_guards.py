"""Test that NULL passes no guard: call every routine as anonymous callers and strangers about other people's rows.

Callers are anonymous, authenticated without a subject, with an empty subject, and strangers. Each routine gets all its
arguments, then one or two of them NULL in turn, then all of them NULL. No row may change, except the strangers' own
rows that the table below lists.
"""

import itertools
import json
from dataclasses import dataclass

import psycopg
import pytest

from tests.kit import routine_probes, routines, stages
from tests.kit.routine_probes import ADDRESS, CUSTOMER, OWNER, RIVAL, STRANGER, person

NOBODIES = (
    person("anonymous", None, "anon"),
    person("no subject", None),
    person("an empty subject", ""),
    person("an empty subject for no organization", "", org_id=""),
)
STRANGERS = (person("a stranger", STRANGER), person("the owner of another organization", RIVAL))
GRANT = "select payments.grant_credits(%s, %s, 'wallet', 5000, 'gift', 'CHF')"
RIGHTFUL = (
    person("the owner", OWNER),
    person("the customer", CUSTOMER),
    person("the service", None, "service_role"),
)


@dataclass(frozen=True, slots=True)
class Own:
    """The rows that a stranger may change: rows with their id, related counters, and rows without a person."""

    reason: str
    tables: frozenset[str] = frozenset()
    counters: frozenset[str] = frozenset()
    figures: frozenset[str] = frozenset()


PROFILE = frozenset({"users.profiles"})
CUSTOMER_ROWS = frozenset({"organizations.customers", "organizations.customer_words"})
SEATS = frozenset({"events.inventory"})
STRANGERS_MAY = {
    "events.book": Own(
        "take a seat at a public event",
        PROFILE
        | CUSTOMER_ROWS
        | {"events.bookings", "ops.idempotency_keys", "public.outbox", "events.holds", "payments.intents"},
        SEATS,
    ),
    "events.hold_seats": Own("hold seats of a public event", PROFILE | CUSTOMER_ROWS | {"events.holds"}, SEATS),
    "events.join_waitlist": Own(
        "join the waitlist of a public event",
        PROFILE | CUSTOMER_ROWS | {"events.waitlist_entries", "public.outbox"},
        SEATS,
    ),
    "messaging.set_preferences": Own("change their own preferences", PROFILE | {"messaging.preferences"}),
    "messaging.unsubscribe": Own(
        "stop e-mails by a signed token, which only they contain", figures=frozenset({"messaging.preferences"})
    ),
    "ops.record_samples": Own(
        "record the duration of a request, without a person", figures=frozenset({"ops.performance_metrics"})
    ),
    "ops.take_tokens": Own("take tokens of their own bucket", frozenset({"ops.rate_limits"})),
    "organizations.create_organization": Own(
        "create an organization, whose owner they become",
        PROFILE | {"organizations.memberships", "organizations.changes", "ops.idempotency_keys"},
        figures=frozenset({"organizations.organizations", "organizations.business_details", "organizations.slugs"}),
    ),
    "payments.buy_package": Own(
        "buy a package that is on sale",
        PROFILE | CUSTOMER_ROWS | {"payments.purchases", "payments.intents", "ops.idempotency_keys"},
    ),
    "rating.ingest": Own(
        "rate as themselves where ratings are public",
        frozenset({"rating.sliders", "rating.inbox", "rating.voter_days"}),
        frozenset({"rating.event_keys", "rating.dirty_items"}),
    ),
    "users.set_consent": Own("decide about marketing", PROFILE | {"users.consents"}),
    "users.request_export": Own("request their own data", PROFILE | {"users.exports"}),
    "users.request_erasure": Own("request their own erasure", PROFILE | {"users.erasure_requests", "public.outbox"}),
    "users.create_calendar_address": Own("give their own calendar an address", PROFILE | {"users.calendar_addresses"}),
    "users.edit_profile": Own("change their own profile", PROFILE),
}


def argument_sets(routine, probe):
    """Yield all sets of arguments: each variant, with one or two arguments NULL in turn, and all NULL."""
    for arguments in probe.arguments(routine):
        yield "all", arguments
        for one, two in itertools.combinations_with_replacement(arguments, 2):
            yield f"without {one} and {two}", {**arguments, one: None, two: None}
    yield "none", {parameter.name: None for parameter in routine.parameters}


def is_own(who, table, row, own):
    if own is None:
        return False
    if table in own.figures:
        return True
    if table in own.counters:
        return who.id is not None
    return table in own.tables and ((who.id is not None and who.id in row) or ADDRESS in row)


def faults(probe, who, routines):
    """Yield each forbidden change and each fault of the calls."""
    for routine in routines:
        own = STRANGERS_MAY.get(routine.name)
        for what, arguments in argument_sets(routine, probe):
            outcome = probe.call(who, routine, arguments)
            changed = sorted({table for table, row in outcome.changes if not is_own(who, table, row, own)})
            if changed:
                yield f"{routine.signature}, {what}, as {who.name}: changed {', '.join(changed)}"
            if outcome.refusal is not None and not outcome.refusal[0].startswith(("PT4", "42501")):
                yield f"{routine.signature}, {what}, as {who.name}: fault {outcome.refusal}"


@pytest.mark.parametrize("who", NOBODIES + STRANGERS, ids=lambda who: who.name)
def test_routines_change_nothing_for_a_caller_without_rights(probe, who):
    assert list(faults(probe, who, probe.routines)) == []


@pytest.fixture(scope="module")
def refused_to_a_stranger(probe):
    """Return the calls that are refused to a stranger."""
    return [
        (routine, what, arguments)
        for routine in probe.routines
        for what, arguments in argument_sets(routine, probe)
        if probe.call(STRANGERS[0], routine, arguments).refusal is not None
    ]


@pytest.mark.parametrize("who", NOBODIES, ids=lambda who: who.name)
def test_routines_refuse_anonymous_callers_as_they_refuse_strangers(probe, refused_to_a_stranger, who):
    """Find guards with `a is distinct from b`, which pass where both are NULL: an instructor without an account."""
    passed = [
        (routine.signature, what)
        for routine, what, arguments in refused_to_a_stranger
        if who.role in routine.roles and probe.call(who, routine, arguments).refusal is None
    ]

    assert passed == []


def test_probe_arguments_pass_for_a_rightful_caller(probe):
    """Check that the owner, the customer or the service passes. A call refused to everyone would prove nothing."""
    refused = []
    for routine in probe.routines:
        outcomes = [probe.call(who, routine, arguments) for arguments in probe.arguments(routine) for who in RIGHTFUL]
        if routine.volatile and not any(
            one.refusal is None or one.refusal[0] in ("PT402", "PT409") for one in outcomes
        ):
            refused.append((routine.signature, {one.refusal for one in outcomes}))

    assert refused == []


def test_listed_exceptions_are_used(probe):
    """Check that each exception is needed, because an unused one would hide a future fault."""
    used = {
        routine.name
        for routine in probe.routines
        for who in STRANGERS
        for _, arguments in argument_sets(routine, probe)
        if probe.call(who, routine, arguments).changes
    }

    assert used == STRANGERS_MAY.keys()


def test_walk_detects_a_guard_that_becomes_null(server, probe):
    """Test the walk itself: create a routine that it must report."""
    with psycopg.connect(server.url("probed"), autocommit=True) as owner:
        owner.execute(
            """
            create function users.novelty(user_id uuid) returns void language plpgsql security definer
            set search_path = pg_catalog, pg_temp as $$
            begin
                if not (novelty.user_id = ops.caller_id()) then
                    raise exception using errcode = 'PT404', message = 'customer_not_found';
                end if;
                update users.profiles as p set name = null where p.id = novelty.user_id;
            end;
            $$;
            grant execute on function users.novelty(uuid) to authenticated;
            """
        )
        try:
            again = routine_probes.Probe(probe._connection, owner)
            found = [list(faults(again, who, [again.routine("users.novelty")])) for who in NOBODIES + STRANGERS]
        finally:
            owner.execute("drop function users.novelty(uuid)")

    assert [len(one) for one in found] == [0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("claims", [{"role": "authenticated"}, {"role": "authenticated", "sub": ""}, {"sub": ""}])
def test_session_of_a_person_requires_a_subject(rolled_back, claims):
    with pytest.raises(psycopg.Error) as refused:
        rolled_back.execute("select ops.act_as(%s)", [psycopg.types.json.Jsonb(claims)])

    assert (refused.value.sqlstate, refused.value.diag.message_primary) == ("PT401", "unauthenticated")


def test_service_has_no_caller_id_even_with_a_subject(rolled_back):
    claims = {"role": "service_role", "sub": str(CUSTOMER)}

    rolled_back.execute("select ops.act_as(%s)", [psycopg.types.json.Jsonb(claims)])

    assert rolled_back.execute("select ops.caller_id() as id, ops.caller_is_service() as service").fetchone() == {
        "id": None,
        "service": True,
    }


@pytest.mark.parametrize("waive", [None, True])
def test_customer_cannot_waive_their_late_fee(db, waive):
    stage = stages.create(db)
    customer = stage.customer()
    event_id = stage.event(starts_in="1 hour", price_cents=2000)
    routines.call(db, stage.owner, GRANT, [stage.organization_id, customer])
    book = "select events.book(event_id => %s, payment_method => 'wallet', idempotency_key => 'tap')"
    booking_id = json.loads(routines.call(db, customer, book, [event_id]))["id"]
    query = "select events.cancel_booking(booking_id => %s, waive => %s) ->> 'fee_cents'"

    if waive:
        with pytest.raises(psycopg.Error) as refused:
            routines.call(db, customer, query, [booking_id, waive])
        assert routines.code_of(refused.value) == "forbidden"
    else:
        assert routines.call(db, customer, query, [booking_id, waive]) == "500"
