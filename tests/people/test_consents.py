"""People consent to marketing for each organization and purpose, and every decision is kept."""

import psycopg
import pytest

from marquee.core.identity import Caller
from tests.kit import gateway, routines, stages
from tests.kit.concurrency import delay_statements, run_together


@pytest.fixture
def stage(db):
    return stages.create(db)


def decide(stage, caller, granted=True, purpose="newsletter", **more):
    body = {"organization_id": str(stage.organization_id), "purpose": purpose, "granted": granted, **more}
    return gateway.request("profile", "PUT", "/profile/consents", body, caller=caller)


def consent(stage, caller, wording="2030-05", **more):
    return decide(stage, caller, wording=wording, **more)


def listed(caller, **query):
    return gateway.get("profile", "/profile/consents", caller=caller, query=query).body


def unsubscribe(stage, person, family):
    token = routines.call(stage.db, None, "select messaging.unsubscribe_token(%s, %s)", [person, family])
    return gateway.post("people", f"/unsubscribe/{token}")


def marketing(stage):
    return f"marketing_{stage.organization_id.hex}"


def test_consent_is_recorded_with_time_wording_and_source(stage):
    customer = stage.customer()

    assert consent(stage, customer).status == 204

    (row,) = listed(customer)["items"]
    assert row.pop("decided_at")
    assert row.pop("organization_name")
    assert row == {
        "organization_id": str(stage.organization_id), "purpose": "newsletter", "granted": True,
        "wording": "2030-05", "source": "profile", "is_current": True,
    }  # fmt: skip


def test_every_decision_is_kept_and_the_latest_one_of_a_purpose_is_current(stage):
    customer = stage.customer()
    consent(stage, customer)
    consent(stage, customer, purpose="offers")
    consent(stage, customer, wording="2030-06")
    decide(stage, customer, granted=False)

    first = listed(customer, limit=2)
    second = listed(customer, limit=2, cursor=first["next_cursor"])

    rows = [(row["purpose"], row["granted"], row["wording"], row["is_current"])
            for row in first["items"] + second["items"]]  # fmt: skip
    assert rows == [
        ("newsletter", False, None, True),
        ("newsletter", True, "2030-06", False),
        ("offers", True, "2030-05", True),
        ("newsletter", True, "2030-05", False),
    ]


def test_repeated_decision_is_recorded_once(stage):
    customer = stage.customer()
    for _ in range(2):
        consent(stage, customer)
    for _ in range(2):
        decide(stage, customer, granted=False)

    assert [row["granted"] for row in listed(customer)["items"]] == [False, True]


def test_withdrawal_without_a_consent_is_not_recorded(stage):
    customer = stage.customer()

    assert decide(stage, customer, granted=False).status == 204
    assert listed(customer)["items"] == []


def test_concurrent_consents_are_recorded_once(db, connect, stage):
    delay_statements(db, schema="users")
    customer = stage.customer()
    query = "select users.set_consent(%s, 'offers', true, '2030-05')"

    run_together(
        connect, range(4), lambda connection, _: routines.call(connection, customer, query, [stage.organization_id])
    )

    assert len(listed(customer)["items"]) == 1


@pytest.mark.parametrize("body", [{}, {"wording": None}, {"wording": "<script>"}, {"wording": "x", "purpose": "spam"}])
def test_consent_without_a_known_purpose_and_wording_is_refused(stage, body):
    customer = stage.customer()

    answer = decide(stage, customer, **body)

    assert (answer.status, answer.body["code"]) == (422, "invalid_request")
    assert listed(customer)["items"] == []


def test_consent_to_an_unknown_organization_is_refused(db, stage):
    body = {"organization_id": str(stage.event()), "purpose": "offers", "granted": True, "wording": "1"}

    answer = gateway.request("profile", "PUT", "/profile/consents", body, caller=stage.customer())

    assert (answer.status, answer.body["code"]) == (404, "organization_not_found")


def test_consents_are_the_callers_own(stage):
    consent(stage, stage.customer())

    assert listed(stage.owner)["items"] == []
    assert consent(stage, Caller(None, "service_role")).status == 403


def test_link_in_a_marketing_email_withdraws_the_consents_of_its_organization_only(db, stage):
    customer, other = stage.customer(), stages.create(db)
    for each, purpose in ((stage, "newsletter"), (stage, "surveys"), (other, "newsletter")):
        consent(each, customer, purpose=purpose)

    answers = [unsubscribe(stage, customer, marketing(stage)) for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(200, {"family": "marketing"})] * 2
    current = [row for row in listed(customer)["items"] if row["is_current"]]
    assert sorted((row["organization_id"] == str(stage.organization_id), row["granted"], row["source"])
                  for row in current) == [
        (False, True, "profile"), (True, False, "unsubscribe_link"), (True, False, "unsubscribe_link"),
    ]  # fmt: skip


def test_link_of_another_family_leaves_consents(stage):
    customer = stage.customer()
    consent(stage, customer)

    unsubscribe(stage, customer, "reminders")

    assert [row["granted"] for row in listed(customer)["items"]] == [True]


def test_link_with_a_changed_organization_is_refused(db, stage):
    customer, other = stage.customer(), stages.create(db)
    consent(other, customer)
    token = routines.call(db, None, "select messaging.unsubscribe_token(%s, %s)", [customer, marketing(stage)])

    answer = gateway.post(
        "people", f"/unsubscribe/{token.replace(stage.organization_id.hex, other.organization_id.hex)}"
    )

    assert (answer.status, answer.body["code"]) == (404, "unsubscribe_link_not_found")
    assert [row["granted"] for row in listed(customer)["items"]] == [True]


def test_consent_cannot_be_changed_and_ends_with_the_person(db, stage):
    customer = stage.customer()
    consent(stage, customer)

    with pytest.raises(psycopg.errors.IntegrityConstraintViolation):
        db.execute("update users.consents set granted = false")
    routines.call(db, customer, "select users.erase_profile(%s)", [customer])

    assert db.execute("select count(*) as n from users.consents").fetchone()["n"] == 0
    assert consent(stage, customer).status == 403
