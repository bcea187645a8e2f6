"""Test that an instructor sees the attendees of the events that they lead, and no other event or customer.

First the instructor leads no event. They call each routine that callers may execute and read each table and view of
their organization. The results must name no person. Then they lead an event.
"""

import pytest
from psycopg import sql

from tests.kit.routine_probes import OURS, person
from tests.kit.walk import catalog
from tests.kit.walk.world import PEOPLE, named

INSTRUCTOR = named("an instructor")
PAGE = named("ours instructor")
LED = named("ours hidden_event")
OTHERS = {str(one) for one in PEOPLE.values()}

NAMED_TO_MEMBERS = {
    "organizations.instructors": "public pages, which name the person who is linked",
    "rating.fires": "the organization's ratings, for all its members",
    "rating.recent_events": "the organization's ratings, for all its members",
    "rating.sliders": "the organization's ratings, for all its members",
    "rating.voters": "the organization's ratings, for all its members",
    "rating.votes": "the organization's ratings, for all its members",
}
"""Tables and views that name people to an instructor, with the reason."""

TOLD_TO_MEMBERS = {
    "organizations.list_places(uuid)": "public pages of instructors, which name the person who is linked"
}
"""Routines that name people to an instructor, with the reason."""

ASSIGN = """
insert into users.profiles (id, name) values ({person}, 'Felix');
insert into organizations.memberships (organization_id, user_id, role) values ({ours}, {person}, 'instructor');
"""
LEAD = """
update organizations.instructors set user_id = {person} where id = {page};
insert into organizations.instructors (id, organization_id, name) values ({colleague}, {ours}, 'Colleague');
update events.events set instructor_id = {colleague} where id = {other};
update events.events set instructor_id = {page} where id = {led};
update events.events
set starts_at = now() + interval '10 minutes', ends_at = now() + interval '2 hours'
where id in ({led}, {other});
"""
NAMES = {
    "person": sql.Literal(INSTRUCTOR),
    "ours": sql.Literal(OURS),
    "page": sql.Literal(PAGE),
    "colleague": sql.Literal(named("ours colleague")),
    "led": sql.Literal(LED),
    "other": sql.Literal(named("ours event")),
}
WHO = person("an instructor", INSTRUCTOR)
ATTENDEE_ROUTINES = ("events.roster_v2", "events.waitlist_roster", "events.record_attendance")
"""Routines that show attendees to the instructor who leads the event."""


def named_people(texts):
    return {one for text in texts for one in OTHERS if one in text}


def test_instructor_sees_no_people_of_events_that_they_do_not_lead(probe):
    relations, told = probe.relations(), []
    with probe.after(sql.SQL(ASSIGN).format(**NAMES)):
        for routine in probe.routines:
            for arguments in probe.arguments(routine):
                # The instructor already knows a person whose id they passed.
                if named_people(probe.call(WHO, routine, arguments).rows) - {*arguments.values()}:
                    told.append(routine.signature)
        seen = probe.visible(WHO, relations)

    assert set(told) == TOLD_TO_MEMBERS.keys()
    assert {name for name, rows in seen.items() if named_people(rows)} == NAMED_TO_MEMBERS.keys()


def with_event(probe, name, event):
    """Return a routine that shows attendees, with arguments for an event."""
    routine = probe.routine(name)
    first, second, *_ = probe.arguments(routine)
    if "event_id" in first:
        return routine, {**first, "event_id": str(named(f"ours {event}"))}
    return routine, {"event": first, "hidden_event": second}[event]


@pytest.mark.parametrize("name", ATTENDEE_ROUTINES)
def test_instructor_sees_attendees_of_their_own_event_only(probe, name):
    with probe.after(sql.SQL(ASSIGN + LEAD).format(**NAMES)):
        led, other = (probe.call(WHO, *with_event(probe, name, event)) for event in ("hidden_event", "event"))

    assert led.refusal is None
    assert other.refusal is not None
    assert other.refusal[:2] in (("PT403", "forbidden"), ("PT404", "booking_not_found"))


@pytest.mark.parametrize("name", ATTENDEE_ROUTINES)
def test_event_leader_without_the_role_is_refused(probe, name):
    unlinked = "delete from organizations.memberships where user_id = {person}"

    with probe.after(sql.SQL(ASSIGN + LEAD + unlinked).format(**NAMES)):
        assert probe.call(WHO, *with_event(probe, name, "hidden_event")).refusal is not None


def test_instructor_role_is_checked_only_together_with_the_event(rolled_back):
    """Find any routine or policy that admits instructors by their role alone."""
    routines = catalog.rows(
        rolled_back,
        f"""
        select format('%%I.%%I', n.nspname, p.proname)
        from pg_proc as p
        inner join {catalog.OURS} as n on n.oid = p.pronamespace
        where p.prokind = 'f' and pg_get_functiondef(p.oid) ~ '''instructor'''
        """,
    )
    policies = catalog.rows(
        rolled_back,
        "select p.polname from pg_policy as p where pg_get_expr(p.polqual, p.polrelid) ~ '''instructor'''",
    )

    # The audience "instructor" of a topic is the person who leads the event.
    audiences = {"messaging.topic_audience", "messaging.recipients"}
    # A search filter of this name compares ids, and admits nobody.
    filters = {"events.search_listings", "events.write_listings"}
    staff = {"events.is_door_staff", "events.require_door_staff"}
    # The desk's day has numbers for an instructor, and no customers.
    numbers = {"events.organization_day"}
    assert {name for (name,) in routines} == staff | audiences | filters | numbers
    assert policies == []
