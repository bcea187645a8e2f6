"""Invitations: owners and admins invite by e-mail, and only the invited person becomes a member, once."""

from uuid import uuid4

import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, members, stages
from tests.kit.members import accept, changes, invited, role_of, sent_codes
from tests.kit.message_worker import deliver, deliveries, plain

ROLES = ("viewer", "editor", "admin", "instructor", "front_desk", "accountant")


@pytest.fixture
def stage(db):
    return stages.create(db)


def ask(stage, caller, email="ana@example.org", role="editor"):
    path = f"/organizations/{stage.organization_id}/invitations"
    return gateway.post("people", path, {"email": email, "role": role}, caller=caller)


def listed(stage, **query):
    path = f"/organizations/{stage.organization_id}/invitations"
    return gateway.get("people", path, caller=stage.owner, query=query).body["items"]


def resend(stage, invitation, caller=None):
    return gateway.post("people", f"/invitations/{invitation['id']}/resend", caller=caller or stage.owner)


def revoke(stage, invitation, caller=None):
    return gateway.delete("people", f"/invitations/{invitation['id']}", caller=caller or stage.owner)


def expire(db, invitation):
    db.execute(
        "update organizations.invitations set sent_at = now() - interval '8 days', expires_at = now() - interval '1 s'"
        " where id = %s",
        [invitation["id"]],
    )


def test_invited_person_becomes_a_member_by_the_code_in_the_email(stage, aws):
    invitation = members.invite(stage, role="front_desk")
    code = sent_codes(stage.db, aws)["ana@example.org"]
    ana = invited("Ana@Example.org")

    answer = accept(code, ana)

    assert answer.status == 200
    assert (answer.body["organization_id"], answer.body["role"]) == (str(stage.organization_id), "front_desk")
    assert role_of(stage.db, stage.organization_id, ana.id) == "front_desk"
    assert [(row["status"], row["accepted_by"]) for row in listed(stage)] == [("accepted", str(ana.id))]
    kinds = [(kind, actor) for kind, actor, *_ in changes(stage.db, stage.organization_id)]
    assert kinds[-3:] == [
        ("invitation.created", stage.owner), ("member.added", ana.id), ("invitation.accepted", ana.id),
    ]  # fmt: skip
    assert invitation["status"] == "pending"


def test_code_is_stored_as_a_hash_only(stage, aws):
    members.invite(stage)
    code = sent_codes(stage.db, aws)["ana@example.org"]

    tables = stage.db.execute(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    for table in tables:
        found = stage.db.execute(f"select from {table['name']} as t where t::text like %s", [f"%{code}%"]).fetchall()
        assert found == [], table["name"]


def test_email_is_in_the_language_of_the_invitation(stage, aws):
    subjects = {
        "de": "Einladung zu Studio",
        "en": "Invitation to Studio",
        "fr": "Invitation de Studio",
        "it": "Invito di Studio",
    }
    for language in subjects:
        members.invite(stage, f"{language}@example.org", language=language)

    deliver(*members.pending_messages(stage.db, "invitation.sent"))

    mailed = aws.mailed()
    assert {message["To"].partition("@")[0]: message["Subject"] for message in mailed} == subjects
    assert all("owner" in plain(message) for message in mailed)


def test_email_is_in_the_language_of_the_organization_by_default(db, aws):
    stage = stages.create(db, language="it")
    members.invite(stage)

    deliver(*members.pending_messages(db, "invitation.sent"))

    assert aws.mailed()[0]["Subject"] == "Invito di Studio"


def test_code_gives_no_rights_to_a_person_without_the_invited_verified_address(stage, aws):
    members.invite(stage)
    code = sent_codes(stage.db, aws)["ana@example.org"]

    for claims in (
        {"email": "ben@example.org", "email_verified": True},
        {"email": "ana@example.org", "email_verified": False},
        {},
    ):
        other = Caller(uuid4(), "authenticated", claims=claims)
        answers = [accept(code, other), gateway.post("people", "/invitations/decline", {"code": code}, caller=other)]
        assert [(answer.status, answer.body["code"]) for answer in answers] == [(403, "address_not_invited")] * 2
        assert role_of(stage.db, stage.organization_id, other.id) is None
    assert listed(stage)[0]["status"] == "pending"


def test_address_alone_gives_no_rights(stage, aws):
    members.invite(stage)
    sent_codes(stage.db, aws)

    answer = accept("A" * 43, invited("ana@example.org"))

    assert (answer.status, answer.body["code"]) == (404, "invitation_not_found")


def test_repeated_acceptance_returns_the_membership(stage, aws):
    members.invite(stage)
    code, ana = sent_codes(stage.db, aws)["ana@example.org"], invited("ana@example.org")

    first, second = accept(code, ana), accept(code, ana)

    assert first.status == second.status == 200
    assert first.body == second.body
    assert [kind for kind, *_ in changes(stage.db, stage.organization_id)].count("member.added") == 2  # with the owner


def test_removed_member_cannot_return_by_the_old_code(stage, aws):
    members.invite(stage)
    code, ana = sent_codes(stage.db, aws)["ana@example.org"], invited("ana@example.org")
    accept(code, ana)
    gateway.delete("people", f"/organizations/{stage.organization_id}/members/{ana.id}", caller=stage.owner)

    answer = accept(code, ana)

    assert (answer.status, answer.body["code"], answer.body["status"]) == (409, "invitation_closed", 409)
    assert role_of(stage.db, stage.organization_id, ana.id) is None


def test_invitation_expires_after_seven_days_and_can_be_sent_again(stage, aws):
    invitation = members.invite(stage)
    code, ana = sent_codes(stage.db, aws)["ana@example.org"], invited("ana@example.org")
    span = stage.db.execute("select expires_at - sent_at as span from organizations.invitations").fetchone()["span"]
    expire(stage.db, invitation)

    late = accept(code, ana)
    again = resend(stage, invitation)
    new = sent_codes(stage.db, aws)["ana@example.org"]

    assert span.days == 7
    assert (late.status, late.body["code"]) == (409, "invitation_closed")
    assert (again.body["status"], again.body["sends"]) == ("pending", 2)
    assert accept(code, ana).body["code"] == "invitation_not_found"
    assert accept(new, ana).status == 200


def test_message_of_an_invitation_that_was_sent_again_sends_no_old_email(stage, aws):
    invitation = members.invite(stage)
    (old,) = members.pending_messages(stage.db, "invitation.sent")
    resend(stage, invitation)

    deliver(old)

    assert aws.mailed() == []


def test_invitation_that_ends_while_its_email_is_written_gets_no_code(stage, aws, monkeypatch):
    from marquee.messaging import notifications

    invitation = members.invite(stage)
    start = notifications._start

    def started(*arguments):
        revoke(stage, invitation)
        return start(*arguments)

    monkeypatch.setattr(notifications, "_start", started)
    deliver(*members.pending_messages(stage.db, "invitation.sent"))

    assert aws.mailed() == []
    assert [row["status"] for row in deliveries(stage)] == ["failed"]
    assert stage.db.execute("select from organizations.invitation_codes").fetchall() == []


def test_email_that_is_possibly_sent_twice_has_two_valid_codes(stage, aws, monkeypatch):
    from marquee.messaging import notifications

    members.invite(stage)
    finish = notifications._finish
    monkeypatch.setattr(notifications, "_finish", lambda *_arguments, **_values: None)
    first = sent_codes(stage.db, aws)["ana@example.org"]
    monkeypatch.setattr(notifications, "_finish", finish)
    stage.db.execute("update messaging.deliveries set lease_until = now() - interval '1 second'")
    second = sent_codes(stage.db, aws)["ana@example.org"]

    ana = invited("ana@example.org")

    assert first != second
    assert accept(first, ana).status == accept(second, ana).status == 200


def test_revoked_invitation_cannot_be_accepted(stage, aws):
    invitation = members.invite(stage)
    code = sent_codes(stage.db, aws)["ana@example.org"]

    assert revoke(stage, invitation).status == revoke(stage, invitation).status == 204
    answer = accept(code, invited("ana@example.org"))

    assert (answer.status, answer.body["code"]) == (404, "invitation_not_found")
    assert [row["status"] for row in listed(stage)] == ["revoked"]
    assert resend(stage, invitation).body["code"] == "invitation_closed"


def test_declined_invitation_is_closed_and_the_address_can_be_invited_again(stage, aws):
    members.invite(stage)
    code, ana = sent_codes(stage.db, aws)["ana@example.org"], invited("ana@example.org")

    assert gateway.post("people", "/invitations/decline", {"code": code}, caller=ana).status == 204

    assert accept(code, ana).body["code"] == "invitation_not_found"
    assert [row["status"] for row in listed(stage, status="declined")] == ["declined"]
    assert ask(stage, stage.owner).status == 201


def test_pending_invitation_is_listed_without_its_code(stage, aws):
    invitation = members.invite(stage)
    code = sent_codes(stage.db, aws)["ana@example.org"]

    (row,) = listed(stage, status="pending")

    assert row == invitation
    assert code not in str(row)
    assert listed(stage, status="expired") == []
    expire(stage.db, invitation)
    assert [row["status"] for row in listed(stage, status="expired")] == ["expired"]


def test_address_has_one_pending_invitation_of_an_organization(stage, db):
    invitation = members.invite(stage)

    again = ask(stage, stage.owner, "ANA@example.org")
    elsewhere = ask(stages.create(db), stage.owner)
    expire(db, invitation)
    later = ask(stage, stage.owner)

    assert (again.status, again.body["code"], again.body["invitation_id"]) == (409, "already_invited", invitation["id"])
    assert elsewhere.status == 403
    assert later.status == 201
    assert sorted(row["status"] for row in listed(stage)) == ["expired", "pending"]


def test_member_is_not_invited_again(stage, aws):
    members.invite(stage)
    ana = invited("ana@example.org")
    accept(sent_codes(stage.db, aws)["ana@example.org"], ana)

    answer = ask(stage, stage.owner)

    assert (answer.status, answer.body["code"]) == (409, "already_member")


def test_member_cannot_accept_another_invitation(stage, aws):
    ana = invited("ana@example.org")
    members.invite(stage)
    accept(sent_codes(stage.db, aws)["ana@example.org"], ana)
    members.invite(stage, "ana@work.example.org", "admin")
    code = sent_codes(stage.db, aws)["ana@work.example.org"]

    answer = accept(code, invited("ana@work.example.org", ana.id, iat=1_800_000_000))

    assert (answer.status, answer.body["code"]) == (409, "already_member")
    assert role_of(stage.db, stage.organization_id, ana.id) == "editor"


def test_owner_invites_every_role_and_admin_all_but_admin(stage):
    admin = stage.member("admin")

    by_owner = {role: ask(stage, stage.owner, f"{role}@example.org", role).status for role in ROLES}
    by_admin = {role: ask(stage, admin, f"{role}@example.com", role).status for role in ROLES}

    assert by_owner == dict.fromkeys(ROLES, 201)
    assert by_admin == {**by_owner, "admin": 403}


def test_nobody_invites_an_owner(stage):
    answer = ask(stage, stage.owner, role="owner")

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")


def test_others_cannot_invite_list_resend_or_revoke(stage):
    invitation = members.invite(stage)
    path = f"/organizations/{stage.organization_id}/invitations"

    for role in ("stranger", *ROLES):
        if role == "admin":
            continue
        other = stage.stranger() if role == "stranger" else stage.member(role)
        answers = [
            ask(stage, other, "ben@example.org"),
            gateway.get("people", path, caller=other),
            resend(stage, invitation, other),
            revoke(stage, invitation, other),
        ]
        hidden = 404 if role == "stranger" else 403
        assert [answer.status for answer in answers] == [403, 403, hidden, hidden], role

    assert listed(stage)[0]["status"] == "pending"


def test_admin_cannot_revoke_the_invitation_of_an_admin(stage):
    invitation = members.invite(stage, role="admin")

    answer = revoke(stage, invitation, stage.member("admin"))

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_invitations_of_a_day_are_limited_for_organization_and_person(stage, db):
    db.execute("update ops.limits set value = 2 where name = 'invitations_per_day'")
    other = stages.create(db)
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'admin')",
        [other.organization_id, stage.owner],
    )
    first = ask(stage, stage.owner).body
    assert resend(stage, first).status == 200

    answers = [ask(stage, stage.member("admin"), "ben@example.org"), ask(other, stage.owner, "ben@example.org")]

    assert [(each.status, each.body["code"], each.body["most"]) for each in answers] == [
        (409, "too_many_invitations", 2)
    ] * 2
    assert resend(stage, first).body["code"] == "too_many_invitations"


def test_one_invitation_is_sent_five_times(stage):
    invitation = members.invite(stage)

    answers = [resend(stage, invitation) for _ in range(5)]

    assert [answer.status for answer in answers] == [200, 200, 200, 200, 409]
    assert answers[-1].body["code"] == "too_many_invitations"


def test_members_and_invitations_are_limited(stage, db):
    db.execute("update ops.limits set value = 2 where name = 'members_per_organization'")
    assert ask(stage, stage.owner).status == 201

    answer = ask(stage, stage.owner, "ben@example.org")

    assert (answer.status, answer.body["code"], answer.body["most"]) == (409, "too_many_members", 2)


def test_address_that_mailers_cannot_write_is_refused(stage):
    for email in ("ana", "ana@", "a b@example.org", "ana@example.org\n", "=?x?@example.org", ""):
        answer = ask(stage, stage.owner, email)
        assert (answer.status, answer.body["code"]) == (422, "invalid_request"), email


def test_reading_invitations_is_recorded(stage, db):
    members.invite(stage)
    listed(stage)

    rows = db.execute("select operation, caller_id, row_count from ops.access_log").fetchall()
    assert [tuple(row.values()) for row in rows] == [("invitations", stage.owner, 1)]
