"""Members: owners and admins list, change and remove them by their role, members leave, and an owner always remains."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.members import changes, role_of

OTHERS = ("viewer", "editor", "instructor", "front_desk", "accountant")
"""Roles that neither owner nor admin has."""


@pytest.fixture
def stage(db):
    return stages.create(db)


def path(stage, what="members"):
    return f"/organizations/{stage.organization_id}/{what}"


def change(stage, member, role, caller):
    return gateway.patch("people", f"{path(stage)}/{member}", {"role": role}, caller=caller)


def remove(stage, member, caller):
    return gateway.delete("people", f"{path(stage)}/{member}", caller=caller)


def leave(stage, caller):
    return gateway.delete("people", f"/memberships/{stage.organization_id}", caller=caller)


def roles(stage):
    rows = stage.db.execute(
        "select user_id, role::text as role from organizations.memberships where organization_id = %s",
        [stage.organization_id],
    ).fetchall()
    return {row["user_id"]: row["role"] for row in rows}


def test_owner_and_admin_see_members_with_names_and_verified_addresses(stage, db):
    admin, editor = stage.member("admin"), stage.member("editor")
    db.execute("update users.profiles set email_verified_at = null where id = %s", [admin])

    answers = [gateway.get("people", path(stage), caller=caller) for caller in (stage.owner, admin)]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body
    seen = {row["user_id"]: (row["name"], row["email"], row["role"]) for row in answers[0].body["items"]}
    assert seen == {
        str(stage.owner): ("owner", None, "owner"),
        str(admin): ("admin", None, "admin"),
        str(editor): ("editor", f"{editor.hex[:12]}@example.org", "editor"),
    }


def test_members_are_listed_in_pages_and_the_read_is_recorded(stage, db):
    people = {stage.owner, *(stage.member("viewer") for _ in range(4))}
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = gateway.get("people", path(stage), caller=stage.owner, query=query).body
        seen += [row["user_id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == sorted(str(person) for person in people)
    rows = db.execute("select operation, people from ops.access_log").fetchall()
    assert {row["operation"] for row in rows} == {"members"}
    assert {person for row in rows for person in row["people"]} == {str(each) for each in people - {stage.owner}}


@pytest.mark.parametrize("what", ["members", "audit"])
def test_lists_are_closed_to_other_roles(stage, db, what):
    stranger = stages.create(db).owner
    callers = [*(stage.member(role) for role in OTHERS), stranger]
    if what == "audit":
        callers.append(stage.member("admin"))

    answers = [gateway.get("people", path(stage, what), caller=caller) for caller in callers]

    assert {(answer.status, answer.body["code"]) for answer in answers} == {(403, "forbidden")}


def test_owner_changes_every_role_but_owner(stage):
    member = stage.member("viewer")

    for role in (*OTHERS, "admin", "viewer"):
        answer = change(stage, member, role, stage.owner)
        assert (answer.status, answer.body["role"]) == (200, role)
        assert role_of(stage.db, stage.organization_id, member) == role

    assert change(stage, member, "owner", stage.owner).status == 422


def test_admin_changes_and_removes_members_below_admin_only(stage):
    admin, other, member = stage.member("admin"), stage.member("admin"), stage.member("viewer")

    for role in OTHERS:
        assert change(stage, member, role, admin).status == 200
    refused = [
        change(stage, member, "admin", admin),
        change(stage, other, "viewer", admin),
        change(stage, stage.owner, "viewer", admin),
        change(stage, admin, "viewer", admin),
        remove(stage, other, admin),
        remove(stage, stage.owner, admin),
    ]
    assert remove(stage, member, admin).status == 204

    assert [(answer.status, answer.body["code"]) for answer in refused] == [(403, "forbidden")] * 6
    assert roles(stage) == {stage.owner: "owner", admin: "admin", other: "admin"}


def test_other_roles_change_and_remove_nobody(stage):
    member, callers = stage.member("viewer"), [stage.member(role) for role in OTHERS]
    before = roles(stage)

    for caller in callers:
        answers = [
            change(stage, member, "editor", caller),
            change(stage, caller, "editor", caller),
            remove(stage, member, caller),
        ]
        assert [answer.status for answer in answers] == [403] * 3

    assert roles(stage) == before


def test_unknown_member_is_not_found(stage, db):
    stranger = stages.create(db).owner

    answers = [change(stage, stranger, "viewer", stage.owner), remove(stage, stranger, stage.owner)]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(404, "member_not_found")] * 2


def test_next_request_of_a_removed_member_is_refused_with_the_same_token(stage):
    admin = stage.member("admin")
    token = Caller(admin, "authenticated", stage.organization_id)
    starts_at = datetime.now(UTC) + timedelta(days=30)
    event = {
        "organization_id": str(stage.organization_id), "title": "Yoga", "capacity": 5,
        "starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
    }  # fmt: skip

    def ask():
        return [
            gateway.get("people", path(stage), caller=token),
            gateway.post("manage-events", "/events", event, caller=token),
            gateway.get("insights", "/access-log", caller=token),
            gateway.post(
                "webhook-endpoints", "/webhook-endpoints", {"url": "https://hooks.example.com/x"}, caller=token
            ),
        ]

    before = [answer.status for answer in ask()]
    assert remove(stage, admin, stage.owner).status == 204
    after = [answer.status for answer in ask()]

    assert before == [200, 201, 200, 201]
    assert after == [403] * 4
    assert gateway.get("people", "/memberships", caller=token).body["items"] == []


def test_member_leaves_and_cannot_leave_twice(stage):
    member = stage.member("editor")

    answers = [leave(stage, member), leave(stage, member)]

    assert [answer.status for answer in answers] == [204, 404]
    assert answers[1].body["code"] == "member_not_found"
    assert roles(stage) == {stage.owner: "owner"}


def test_only_owner_neither_leaves_nor_takes_a_lower_role(stage):
    stage.member("admin")

    answers = [leave(stage, stage.owner), change(stage, stage.owner, "admin", stage.owner)]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(409, "last_owner")] * 2
    assert answers[0].body["organization_ids"] == [str(stage.organization_id)]
    assert role_of(stage.db, stage.organization_id, stage.owner) == "owner"


def test_owner_leaves_or_takes_a_lower_role_while_another_owner_remains(stage):
    second, third = stage.member("owner"), stage.member("owner")

    assert change(stage, second, "editor", second).status == 200
    assert leave(stage, third).status == 204
    assert leave(stage, stage.owner).body["code"] == "last_owner"


def test_owner_does_not_remove_another_owner(stage):
    second = stage.member("owner")

    answer = remove(stage, second, stage.owner)

    assert (answer.status, answer.body["code"]) == (403, "forbidden")


def test_erased_owner_does_not_count_as_the_remaining_owner(stage, db):
    second = stage.member("owner")
    db.execute("update users.profiles set name = null, email = null, email_verified_at = null, erased_at = now()"
               " where id = %s", [second])  # fmt: skip

    assert leave(stage, stage.owner).body["code"] == "last_owner"


@pytest.mark.parametrize(
    "statement",
    [
        "delete from organizations.memberships where user_id = %s",
        "update organizations.memberships set role = 'admin' where user_id = %s",
        """
        update organizations.memberships as m
        set organization_id = o.id
        from organizations.organizations as o
        where o.name = 'Other' and m.user_id = %s
        """,
    ],
)
def test_database_refuses_every_statement_that_removes_the_last_owner(stage, db, statement):
    stages.organization(db, name="Other")

    with pytest.raises(psycopg.Error) as refused:
        db.execute(statement, [stage.owner])

    assert routines.code_of(refused.value) == "last_owner"


def test_organization_with_its_members_can_be_deleted(stage, db):
    db.execute("delete from organizations.organizations where id = %s", [stage.organization_id])

    assert roles(stage) == {}


def test_service_can_still_erase_the_last_owner(stage, db):
    answer = routines.call(db, None, "select users.erase_profile(%s)", [stage.owner])

    assert answer["organizations_without_owner"] == [str(stage.organization_id)]
    assert roles(stage) == {}


def test_service_does_not_remove_the_last_owner_otherwise(stage, db):
    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, None, "select organizations.remove_member(%s, %s)", [stage.organization_id, stage.owner])

    assert routines.code_of(refused.value) == "forbidden"


def test_memberships_are_the_callers_own_with_the_role_in_each(stage, db):
    person, other = stage.member("editor"), stages.create(db, name="Other")
    stage.member("viewer")
    db.execute(
        "insert into organizations.memberships (organization_id, user_id, role) values (%s, %s, 'owner')",
        [other.organization_id, person],
    )

    first = gateway.get("people", "/memberships", caller=person, query={"limit": 1}).body
    second = gateway.get("people", "/memberships", caller=person, query={"cursor": first["next_cursor"]}).body

    found = {row["organization_id"]: (row["name"], row["role"]) for row in first["items"] + second["items"]}
    assert found == {str(stage.organization_id): ("Studio", "editor"), str(other.organization_id): ("Other", "owner")}
    assert second["next_cursor"] is None


def test_owners_of_an_admins_organizations_are_not_among_their_memberships(stage):
    items = gateway.get("people", "/memberships", caller=stage.member("admin")).body["items"]

    assert [row["role"] for row in items] == ["admin"]


def test_audit_shows_each_change_of_members_with_actor_time_and_both_values(stage, db):
    admin, member = stage.member("admin"), stage.member("viewer")
    change(stage, member, "editor", admin)
    change(stage, member, "editor", admin)  # changes nothing
    remove(stage, member, stage.owner)

    page = gateway.get("people", path(stage, "audit"), caller=stage.owner, query={"limit": 2}).body

    assert [
        (row["kind"], row["subject_id"], row["actor_id"], row["actor_name"], row["before"], row["after"])
        for row in page["items"]
    ] == [
        ("member.removed", str(member), str(stage.owner), "owner", {"role": "editor"}, None),
        ("member.changed", str(member), str(admin), "admin", {"role": "viewer"}, {"role": "editor"}),
    ]
    times = [row["created_at"] for row in page["items"]]
    assert times == sorted(times, reverse=True)
    rest = gateway.get("people", path(stage, "audit"), caller=stage.owner, query={"cursor": page["next_cursor"]}).body
    assert [row["kind"] for row in rest["items"]] == ["member.added"] * 3
    assert rest["next_cursor"] is None


def test_audit_records_the_end_of_a_membership_by_erasure(stage, db):
    member = stage.member("viewer")

    routines.call(db, None, "select users.erase_profile(%s)", [member])

    assert changes(db, stage.organization_id)[-1] == ("member.removed", None, {"role": "viewer"}, None)
