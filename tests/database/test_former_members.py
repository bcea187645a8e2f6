"""Test that an erased person, or one whose membership ended, has only a stranger's rights at once.

For each role there is a former member with no other data at the organization. They lead events by their instructor's
page. An erased member still has the membership and the page, as after a fault. A removed member still has the page.
Each routine, table and view must then return the same as for a stranger.
"""

import json
import re

import pytest
from psycopg import sql

from tests.kit import gateway, routines, stages
from tests.kit.routine_probes import OURS, STRANGER, person
from tests.kit.walk import catalog
from tests.kit.walk.world import named

ROLES = ("viewer", "editor", "admin", "owner", "instructor", "front_desk", "accountant")
FORMER = named("former member")
PAGE = named("ours instructor")

MEMBER = """
insert into users.profiles (id, name, email) values ({former}, 'stranger', 'stranger@example.org');
insert into organizations.memberships (organization_id, user_id, role) values ({ours}, {former}, {role});
update organizations.instructors set user_id = {former} where id = {page};
update events.events set instructor_id = {page} where id in ({event}, {hidden});
"""
ENDS = {
    "active": "select",
    "erased": "update users.profiles set name = null, email = null, erased_at = now() where id = {former}",
    "removed": "delete from organizations.memberships where user_id = {former}",
}
READERS = {
    "messaging.recipients": "also reads the profile, and excludes erased people",
    "organizations.accept_invitation": "adds the caller's own membership, and refuses erased people",
    "organizations.answer_ownership_offer": "changes memberships after organizations.is_party_of_offer",
    "organizations.caller_is": "excludes erased people",
    "organizations.change_member_role": "changes a membership after events.require_organization",
    "organizations.create_organization": "counts what the caller owns and adds them as owner; refuses erased people",
    "organizations.has_customer": "checks whether a person is a customer, not the caller's rights",
    "organizations.invite_member": "compares addresses after events.require_organization",
    "organizations.keep_owner": "a trigger; an erased owner does not count",
    "organizations.leave_organization": "ends the caller's own membership, and refuses erased people",
    "organizations.list_members": "lists members after events.require_organization, and omits erased people",
    "organizations.list_memberships": "lists the caller's own memberships, and refuses erased people",
    "organizations.lock_members": "locks, and returns nothing",
    "organizations.offer_ownership": "reads the member after events.require_organization",
    "organizations.orgs_as": "excludes erased people",
    "organizations.remove_member": "ends a membership after events.require_organization",
    "organizations.save_instructor": "reads the linked person after organizations.lock_organization",
    "public.current_org_id": "excludes erased people",
    "public.user_orgs": "excludes erased people",
    "rating.runs_ratings": "excludes erased people",
    "users.erase_profile": "ends the memberships",
    "users.visited_organizations": "lists the organizations of an erased person, for messages",
    "users.erase_due": "leaves out the last owner of an organization, whose erasure would be refused",
}
"""Routines that read memberships directly. All others call one of these."""


def change_membership(role, state):
    """Return the SQL that creates a member of a role and then changes their membership."""
    names = {
        "former": FORMER,
        "ours": OURS,
        "role": role,
        "page": PAGE,
        "event": named("ours event"),
        "hidden": named("ours hidden_event"),
    }
    return sql.SQL(MEMBER + ENDS[state]).format(**{name: sql.Literal(value) for name, value in names.items()})


def plain(text, who):
    """Replace the parts of a text that differ between calls: the caller's id, new ids and times."""
    text = text.replace(str(who.id), "(caller)")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "(new id)", text)
    text = re.sub(r'"event_id": \d+', '"event_id": (number)', text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.]+(\+[0-9:]+)?", "(time)", text)


def shown(outcome, who):
    if outcome.refusal is not None:
        return tuple(plain(text, who) for text in outcome.refusal)
    return tuple(plain(row, who) for row in outcome.rows)


def is_refused_as_erased(outcome):
    return outcome.refusal is not None and (outcome.refusal[0], json.loads(outcome.refusal[2] or "{}")) == (
        "PT403",
        {"detail": "This account was erased. Sign up with a new account."},
    )


def differences(probe, role, state):
    """Yield each call and each relation in which a former member differs from a stranger."""
    former, stranger = person(role, FORMER), person("a stranger", STRANGER)
    relations = probe.relations()
    with probe.after(change_membership(role, state)):
        for routine in probe.routines:
            for arguments in probe.arguments(routine):
                theirs, strangers = (probe.call(who, routine, arguments) for who in (former, stranger))
                if state == "erased" and is_refused_as_erased(theirs):
                    continue
                if shown(theirs, former) != shown(strangers, stranger):
                    yield routine.signature, shown(theirs, former), shown(strangers, stranger)
        seen, strange = (probe.visible(who, relations) for who in (former, stranger))
    for relation in seen.keys() | strange.keys():
        theirs = {plain(row, former) for row in seen.get(relation, ("denied",)) if not is_own(relation, row, former)}
        strangers = {
            plain(row, stranger) for row in strange.get(relation, ("denied",)) if not is_own(relation, row, stranger)
        }
        if theirs != {row.replace(str(FORMER), "(caller)") for row in strangers}:
            yield relation, theirs - strangers, strangers - theirs


def is_own(relation, row, who):
    """Return whether a row is the person's own profile or remaining membership."""
    return relation in ("users.profiles", "organizations.memberships") and str(who.id) in row


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", ["erased", "removed"])
def test_former_member_has_only_a_strangers_rights(probe, role, state):
    assert list(differences(probe, role, state)) == []


@pytest.mark.parametrize("role", ROLES)
def test_member_has_more_rights_than_a_stranger(probe, role):
    """Check that the role gives rights. Otherwise, the test above would prove nothing."""
    differing = {what for what, *_ in differences(probe, role, "active")}

    assert {"events.series", "events.own_series"} <= differing
    assert any("(" in what for what in differing)


def test_every_member_role_is_tested(probe):
    found = catalog.rows(probe._connection, "select unnest(enum_range(null::organizations.member_role))::text")
    probe._connection.rollback()

    assert sorted(role for (role,) in found) == sorted(ROLES)


def test_only_listed_routines_read_memberships(rolled_back):
    """List each routine that reads memberships with its reason. Policies and views must call these routines."""
    routines = catalog.rows(
        rolled_back,
        f"""
        select format('%%I.%%I', n.nspname, p.proname)
        from pg_proc as p
        inner join {catalog.OURS} as n on n.oid = p.pronamespace
        where pg_get_functiondef(p.oid) ~ 'organizations\\.memberships' and p.prokind = 'f'
        """,
    )
    views = catalog.rows(
        rolled_back,
        f"""
        select c.oid::regclass::text
        from pg_class as c
        inner join {catalog.OURS} as n on n.oid = c.relnamespace
        where c.relkind in ('v', 'm') and pg_get_viewdef(c.oid) ~ 'memberships'
        """,
    )
    policies = catalog.rows(
        rolled_back,
        "select p.polrelid::regclass::text from pg_policy as p"
        " where concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~ 'memberships'",
    )

    assert {name for (name,) in routines} - READERS.keys() == set()
    assert views == []
    assert policies == []


def test_erased_front_desk_reads_no_roster_and_books_for_no_customer(db):
    stage = stages.create(db)
    event_id, customer, front_desk = stage.event(), stage.customer(), stage.member("front_desk")
    asked = [
        ("get", "attendance", f"/events/{event_id}/roster", None),
        ("post", "book", "/bookings", {"event_id": str(event_id), "customer_id": str(customer), "guest": True}),
    ]

    def ask():
        return [
            gateway.request(name, method.upper(), path, body, caller=front_desk) for method, name, path, body in asked
        ]

    before = [answer.status for answer in ask()]
    routines.call(db, front_desk, "select users.erase_profile(%s)", [front_desk])
    after = [(answer.status, answer.body["code"]) for answer in ask()]

    assert before == [200, 201]
    assert after == [(403, "forbidden"), (403, "forbidden")]
