"""Concurrent changes of members: an owner always remains, and an invitation makes one member, whatever the order."""

import json

import pytest

from tests.kit import members, routines, stages
from tests.kit.concurrency import InBackground, delay_statements, run_together, wait_for_a_lock
from tests.kit.members import changes, invited, role_of, sent_codes

LEAVE = "select organizations.leave_organization(%s)"
ACCEPT = "select organizations.accept_invitation(sha256(%s::bytea))"
DECIDE = "select organizations.answer_ownership_offer(%s, %s)"


def owners(stage):
    rows = stage.db.execute(
        "select user_id from organizations.memberships where organization_id = %s and role = 'owner'",
        [stage.organization_id],
    ).fetchall()
    return [row["user_id"] for row in rows]


def offer(stage, member, caller=None):
    query = "select organizations.offer_ownership(%s, %s)"
    return routines.call(stage.db, caller or stage.owner, query, [stage.organization_id, member])["id"]


def accept_as(connection, caller, code):
    with connection.transaction():
        connection.execute("select ops.act_as(%s)", [json.dumps({**caller.claims, "sub": str(caller.id)})])
        row = connection.execute(ACCEPT, [code]).fetchone()
    return next(iter(row.values()))


@pytest.mark.parametrize("number", [2, 4])
def test_one_of_the_owners_who_leave_at_once_remains(db, connect, number):
    delay_statements(db, schema="organizations")
    stage = stages.create(db)
    people = [stage.owner, *(stage.member("owner") for _ in range(number - 1))]

    results = run_together(
        connect, people, lambda connection, person: routines.call(connection, person, LEAVE, [stage.organization_id])
    )

    assert results.count("last_owner") == 1
    assert len(owners(stage)) == 1


def test_owners_deleted_past_the_routines_at_once_leave_one(db, connect):
    """The trigger is the second line of defence: it holds without the locks of the routines."""
    stage = stages.create(db)
    second = stage.member("owner")
    first = connect(autocommit=False)
    first.execute("delete from organizations.memberships where user_id = %s", [stage.owner])

    late = InBackground(lambda: connect().execute("delete from organizations.memberships where user_id = %s", [second]))
    wait_for_a_lock(db, "%delete from organizations.memberships%")
    first.commit()

    assert late.got() == "last_owner"
    assert owners(stage) == [second]


def test_owner_who_leaves_while_the_other_is_erased_remains(db, connect):
    stage = stages.create(db)
    second = stage.member("owner")
    eraser = connect(autocommit=False)
    routines.call(eraser, second, "select users.erase_profile(%s)", [second])

    late = InBackground(lambda: routines.call(connect(), stage.owner, LEAVE, [stage.organization_id]))
    wait_for_a_lock(db, "%leave_organization%")
    eraser.commit()

    assert late.got() == "last_owner"
    assert owners(stage) == [stage.owner]


def test_admin_who_is_removed_while_waiting_changes_nothing(db, connect):
    stage = stages.create(db)
    admin, member = stage.member("admin"), stage.member("viewer")
    remover = connect(autocommit=False)
    remove = "select organizations.remove_member(%s, %s)"
    routines.call(remover, stage.owner, remove, [stage.organization_id, admin])

    late = InBackground(lambda: routines.call(connect(), admin, remove, [stage.organization_id, member]))
    wait_for_a_lock(db, "%remove_member%")
    remover.commit()

    assert late.got() == "forbidden"
    assert role_of(db, stage.organization_id, member) == "viewer"


def test_two_acceptances_of_one_invitation_make_one_member(db, connect, aws):
    stage = stages.create(db)
    members.invite(stage)
    code, ana = sent_codes(db, aws)["ana@example.org"], invited("ana@example.org")
    delay_statements(db, schema="organizations")

    results = run_together(connect, [ana, ana], lambda connection, person: accept_as(connection, person, code))

    assert results[0] == results[1]
    kinds = [kind for kind, *_ in changes(db, stage.organization_id)]
    assert (kinds.count("member.added"), kinds.count("invitation.accepted")) == (2, 1)  # the owner is the other one


def test_two_people_with_the_invited_address_do_not_both_become_members(db, connect, aws):
    stage = stages.create(db)
    members.invite(stage)
    code = sent_codes(db, aws)["ana@example.org"]
    people = [invited("ana@example.org"), invited("ANA@example.org")]
    delay_statements(db, schema="organizations")

    results = run_together(connect, people, lambda connection, person: accept_as(connection, person, code))

    assert results.count("invitation_closed") == 1
    assert sum(role_of(db, stage.organization_id, person.id) is not None for person in people) == 1


def test_invitation_that_is_revoked_while_the_acceptance_waits_is_not_accepted(db, connect, aws):
    stage = stages.create(db)
    invitation = members.invite(stage)
    code, ana = sent_codes(db, aws)["ana@example.org"], invited("ana@example.org")
    revoker = connect(autocommit=False)
    routines.call(revoker, stage.owner, "select organizations.revoke_invitation(%s)", [invitation["id"]])

    late = InBackground(lambda: accept_as(connect(), ana, code))
    wait_for_a_lock(db, "%accept_invitation%")
    revoker.commit()

    assert late.got() == "invitation_not_found"
    assert role_of(db, stage.organization_id, ana.id) is None


def test_erased_person_does_not_become_a_member_by_a_waiting_acceptance(db, connect, aws):
    stage = stages.create(db)
    members.invite(stage)
    code, ana = sent_codes(db, aws)["ana@example.org"], invited("ana@example.org")
    db.execute("insert into users.profiles (id, email, email_verified_at) values (%s, 'ana@example.org', now())",
               [ana.id])  # fmt: skip
    eraser = connect(autocommit=False)
    routines.call(eraser, ana.id, "select users.erase_profile(%s)", [ana.id])

    late = InBackground(lambda: accept_as(connect(), ana, code))
    wait_for_a_lock(db, "%accept_invitation%")
    eraser.commit()

    assert late.got() == "forbidden"
    assert role_of(db, stage.organization_id, ana.id) is None


def test_simultaneous_invitations_do_not_exceed_the_limit(db, connect):
    stage = stages.create(db)
    db.execute("update ops.limits set value = 1 where name = 'invitations_per_day'")
    delay_statements(db, schema="organizations")
    query = "select organizations.invite_member(%s, %s, 'viewer')"

    results = run_together(
        connect,
        ["ana@example.org", "ben@example.org", "eva@example.org"],
        lambda connection, email: routines.call(connection, stage.owner, query, [stage.organization_id, email]),
    )

    assert results.count("too_many_invitations") == 2


def test_address_is_invited_once_by_simultaneous_requests(db, connect):
    stage = stages.create(db)
    admin = stage.member("admin")
    delay_statements(db, schema="organizations")
    query = "select organizations.invite_member(%s, 'ana@example.org', 'viewer')"

    results = run_together(
        connect,
        [stage.owner, admin],
        lambda connection, person: routines.call(connection, person, query, [stage.organization_id]),
    )

    assert results.count("already_invited") == 1


@pytest.mark.parametrize("other", ["withdrawn", "left"])
def test_offer_is_either_accepted_or_ended(db, connect, other):
    delay_statements(db, schema="organizations")
    stage = stages.create(db)
    second, member = stage.member("owner"), stage.member("editor")
    offer_id = offer(stage, member, second)

    def act(connection, person):
        if person == member:
            return routines.call(connection, member, DECIDE, [offer_id, "accepted"])
        if other == "withdrawn":
            return routines.call(connection, stage.owner, DECIDE, [offer_id, "withdrawn"])
        return routines.call(connection, second, LEAVE, [stage.organization_id])

    results = run_together(connect, [member, second], act)

    row = db.execute("select status from organizations.ownership_offers").fetchone()
    is_accepted = results[0] != "ownership_offer_closed"
    assert row["status"] == ("accepted" if is_accepted else "withdrawn")
    assert (role_of(db, stage.organization_id, member) == "owner") is is_accepted
    assert len(owners(stage)) >= 1


def test_two_acceptances_of_one_offer_transfer_once(db, connect):
    delay_statements(db, schema="organizations")
    stage = stages.create(db)
    member = stage.member("editor")
    offer_id = offer(stage, member)

    results = run_together(
        connect, [member, member], lambda connection, person: routines.call(connection, person, DECIDE,
                                                                            [offer_id, "accepted"])
    )  # fmt: skip

    assert results[0] == results[1]
    assert owners(stage) == [member]
    kinds = [kind for kind, *_ in changes(db, stage.organization_id)]
    assert kinds.count("ownership_offer.accepted") == 1


def test_two_offers_at_once_make_one(db, connect):
    delay_statements(db, schema="organizations")
    stage = stages.create(db)
    people = [stage.member("editor"), stage.member("admin")]
    query = "select organizations.offer_ownership(%s, %s)"

    results = run_together(
        connect,
        people,
        lambda connection, person: routines.call(connection, stage.owner, query, [stage.organization_id, person]),
    )

    assert results.count("ownership_offered") == 1
