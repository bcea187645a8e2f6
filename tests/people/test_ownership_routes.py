"""Ownership is transferred only with the consent of both: an owner offers it, and the member accepts."""

from uuid import uuid4

import pytest

from tests.kit import gateway, members, routines, stages
from tests.kit.members import changes, role_of
from tests.kit.message_worker import deliver, notifications, plain


@pytest.fixture
def stage(db):
    return stages.create(db)


def path(stage):
    return f"/organizations/{stage.organization_id}/ownership-offers"


def offer(stage, member, caller=None, **options):
    body = {"user_id": str(member), **options}
    return gateway.post("people", path(stage), body, caller=caller or stage.owner)


def decide(offer_id, what, caller):
    return gateway.post("people", f"/ownership-offers/{offer_id}/{what}", caller=caller)


def roles(stage, *people):
    return [role_of(stage.db, stage.organization_id, person) for person in people]


def test_member_who_accepts_becomes_the_owner_and_the_former_one_an_admin(stage):
    member = stage.member("editor")
    made = offer(stage, member)

    before = roles(stage, stage.owner, member)
    answer = decide(made.body["id"], "accept", member)

    assert (made.status, made.body["status"]) == (201, "offered")
    assert before == ["owner", "editor"]
    assert (answer.status, answer.body["status"]) == (200, "accepted")
    assert roles(stage, stage.owner, member) == ["admin", "owner"]
    assert decide(made.body["id"], "accept", member).body == answer.body
    kinds = [(kind, actor) for kind, actor, *_ in changes(stage.db, stage.organization_id)]
    assert kinds[2:] == [
        ("ownership_offer.created", stage.owner), ("member.changed", member), ("member.changed", member),
        ("ownership_offer.accepted", member),
    ]  # fmt: skip


def test_shared_ownership_keeps_the_former_owner(stage):
    member = stage.member("admin")

    decide(offer(stage, member, stays_as="owner").body["id"], "accept", member)

    assert roles(stage, stage.owner, member) == ["owner", "owner"]


def test_member_is_notified_of_the_offer(stage, aws):
    member = stage.member("editor")
    made = offer(stage, member).body

    deliver(*members.pending_messages(stage.db, "ownership.offered"))

    (notification,) = notifications(stage)
    assert (notification["user_id"], notification["subject"]) == (member, "Ownership of Studio")
    (message,) = aws.mailed()
    assert "owner offers you the ownership of Studio." in plain(message)
    assert made["id"] in plain(message)


def test_declined_and_withdrawn_offers_change_nothing_and_are_closed(stage):
    member = stage.member("editor")
    declined = offer(stage, member).body["id"]
    assert decide(declined, "decline", member).body["status"] == "declined"
    withdrawn = offer(stage, member).body["id"]
    assert decide(withdrawn, "withdraw", stage.owner).body["status"] == "withdrawn"

    answers = [decide(declined, "accept", member), decide(withdrawn, "accept", member)]

    assert [(answer.status, answer.body["code"]) for answer in answers] == [(409, "ownership_offer_closed")] * 2
    assert roles(stage, stage.owner, member) == ["owner", "editor"]


def test_offer_expires_after_seven_days(stage, db):
    member = stage.member("editor")
    made = offer(stage, member).body
    db.execute("update organizations.ownership_offers set expires_at = now() - interval '1 second'")

    late = decide(made["id"], "accept", member)
    listed = gateway.get("people", path(stage), caller=stage.owner).body["items"]
    again = offer(stage, member)

    assert (late.status, late.body["code"]) == (409, "ownership_offer_closed")
    assert [row["status"] for row in listed] == ["expired"]
    assert again.status == 201
    assert roles(stage, stage.owner, member) == ["owner", "editor"]


def test_only_the_member_accepts_and_only_owners_withdraw(stage, db):
    member, admin, stranger = stage.member("editor"), stage.member("admin"), stages.create(db).owner
    made = offer(stage, member).body["id"]

    answers = [
        decide(made, "accept", stage.owner),
        decide(made, "decline", stage.owner),
        decide(made, "withdraw", member),
        decide(made, "accept", admin),
        decide(made, "accept", stranger),
        decide(uuid4(), "accept", member),
    ]

    assert [answer.status for answer in answers] == [403, 403, 403, 404, 404, 404]
    assert roles(stage, stage.owner, member, admin) == ["owner", "editor", "admin"]


def test_only_owners_offer_and_only_to_members_who_are_no_owners(stage, db):
    member, second = stage.member("editor"), stage.member("owner")

    refused = [
        offer(stage, member, stage.member("admin")),
        offer(stage, stage.stranger()),
        offer(stage, second),
        offer(stage, stage.owner),
        offer(stage, member, stays_as="viewer"),
    ]

    assert [(answer.status, answer.body["code"]) for answer in refused] == [
        (403, "forbidden"), (404, "member_not_found"), (409, "already_owner"), (409, "already_owner"),
        (422, "invalid_request"),
    ]  # fmt: skip


def test_organization_has_one_open_offer(stage):
    made = offer(stage, stage.member("editor")).body["id"]

    answer = offer(stage, stage.member("admin"))

    assert (answer.status, answer.body["code"], answer.body["offer_id"]) == (409, "ownership_offered", made)


@pytest.mark.parametrize("who", ["offering", "offered"])
def test_offer_ends_with_the_membership_of_either(stage, db, who):
    second, member = stage.member("owner"), stage.member("editor")
    made = offer(stage, member, second).body["id"]

    leaving = second if who == "offering" else member
    assert gateway.delete("people", f"/memberships/{stage.organization_id}", caller=leaving).status == 204

    answer = decide(made, "accept", member)
    assert (answer.status, answer.body["code"]) == (
        (409, "ownership_offer_closed") if who == "offering" else (404, "ownership_offer_not_found")
    )
    assert changes(db, stage.organization_id)[-2][0] == "ownership_offer.withdrawn"


def test_offer_of_a_person_who_is_no_owner_any_more_cannot_be_accepted(stage, db):
    second, member = stage.member("owner"), stage.member("editor")
    made = offer(stage, member, second).body["id"]
    db.execute("update organizations.memberships set role = 'viewer' where user_id = %s", [second])

    answer = decide(made, "accept", member)

    assert (answer.status, answer.body["code"]) == (409, "ownership_offer_closed")
    assert roles(stage, member) == ["editor"]


def test_offers_are_listed_to_owners_and_their_two_people(stage, db):
    member, other = stage.member("editor"), stage.member("admin")
    made = offer(stage, member).body
    decide(made["id"], "decline", member)
    later = offer(stage, other).body

    def listed(caller):
        return [row["id"] for row in gateway.get("people", path(stage), caller=caller).body["items"]]

    assert listed(stage.owner) == [later["id"], made["id"]]
    assert listed(member) == [made["id"]]
    assert listed(other) == [later["id"]]
    assert listed(stage.member("viewer")) == listed(stages.create(db).owner) == []


def test_erasure_of_the_member_ends_the_offer(stage, db):
    member = stage.member("editor")
    offer(stage, member)

    routines.call(db, None, "select users.erase_profile(%s)", [member])

    assert db.execute("select from organizations.ownership_offers").fetchall() == []
    assert offer(stage, stage.member("viewer")).status == 201
