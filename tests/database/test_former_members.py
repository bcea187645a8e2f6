"""A person who was erased, or whose membership ended, is a stranger at once: to every routine, table and view.

For each role there is a former member who has nothing else at the organization and leads events by their instructor's
page. Erased, their membership and page are still there, as after a fault; removed, the page is. Each routine that
callers may execute and each table and view that they may read then shows and does what it does for a stranger.
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
    "messaging.recipients": "reads the profile beside it, and leaves out who was erased",
    "organizations.caller_is": "leaves out who was erased",
    "organizations.has_customer": "asks whether a person came, not what the caller may do",
    "organizations.orgs_as": "leaves out who was erased",
    "public.current_org_id": "leaves out who was erased",
    "public.user_orgs": "leaves out who was erased",
    "rating.runs_ratings": "leaves out who was erased",
    "users.erase_profile": "ends the memberships",
    "users.visited_organizations": "lists the organizations that an erased person came to, for messages",
}
"""Routines that read memberships by themselves. All others ask one of these."""


def became(role, state):
    """A member of a role, and what became of their membership."""
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
    """A text without what differs from call to call: the caller's own id, ids made just now, times."""
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
    """Each call and each relation in which a former member differs from a stranger."""
    former, stranger = person(role, FORMER), person("a stranger", STRANGER)
    relations = probe.relations()
    with probe.after(became(role, state)):
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
    """A row that is theirs by who they are: their profile, and a membership that is still there."""
    return relation in ("users.profiles", "organizations.memberships") and str(who.id) in row


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("state", ["erased", "removed"])
def test_former_member_is_a_stranger(probe, role, state):
    assert list(differences(probe, role, state)) == []


@pytest.mark.parametrize("role", ROLES)
def test_member_is_no_stranger(probe, role):
    """Without a role that gives rights, the test above would prove nothing."""
    differing = {what for what, *_ in differences(probe, role, "active")}

    assert {"events.series", "events.own_series"} <= differing
    assert any("(" in what for what in differing)


def test_every_role_is_tried(probe):
    found = catalog.rows(probe._connection, "select unnest(enum_range(null::organizations.member_role))::text")
    probe._connection.rollback()

    assert sorted(role for (role,) in found) == sorted(ROLES)


def test_memberships_are_read_in_the_routines_that_leave_out_who_was_erased(rolled_back):
    """A routine that reads them by itself is named here with its reason; policies and views ask these routines."""
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


def test_erased_front_desk_reads_no_roster_and_books_for_nobody(db):
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
