"""Onboarding of organizers at Stripe: one account each, a new page on each request, and their capabilities."""

import pytest
from psycopg.types.json import Jsonb

from tests.kit import gateway, routines, stages

PAGES = {"return_url": "https://studio.example.com/done", "refresh_url": "https://studio.example.com/again"}


@pytest.fixture
def stage(db, stripe):
    return stages.create(db)


def path(stage):
    return f"/organizations/{stage.organization_id}/payout-account"


def start_onboarding(stage, caller=None, **changes):
    return gateway.post("payouts", path(stage), PAGES | changes, caller=caller or stage.owner)


def get_account(stage, caller=None):
    return gateway.get("payouts", path(stage), caller=caller or stage.owner)


def record_account(stage, account_id, observed_at, *, enabled):
    """Record Stripe's facts about an account at this moment."""
    facts = {
        "stripe_account_id": account_id,
        "charges_enabled": enabled,
        "payouts_enabled": enabled,
        "details_submitted": enabled,
        "requirements": {},
        "observed_at": observed_at,
    }
    return routines.call(stage.db, None, "select payments.record_payout_account(%s)", [Jsonb(facts)])


def test_organizer_gets_one_account_and_a_new_page_on_each_request(stage, stripe):
    assert get_account(stage).body["stripe_account_id"] is None

    first, again = start_onboarding(stage), start_onboarding(stage, stage.member("admin"))

    assert (first.status, again.status) == (200, 200)
    assert first.body["url"] != again.body["url"]
    (account,) = stripe.v1.accounts.list({}).data
    assert first.body["stripe_account_id"] == again.body["stripe_account_id"] == account.id
    assert account.metadata["organization_id"] == str(stage.organization_id)
    assert (account.type, account.country) == ("express", "CH")
    assert get_account(stage).body["stripe_account_id"] == account.id


def test_account_missing_from_the_database_is_not_created_twice(stage, stripe):
    stripe.fail("drop_after", "POST /v1/accounts$")
    first = start_onboarding(stage)
    stage.db.execute("delete from organizations.payout_accounts")

    again = start_onboarding(stage)

    assert first.body["stripe_account_id"] == again.body["stripe_account_id"]
    assert len(stripe.v1.accounts.list({}).data) == 1


def test_onboarding_is_unavailable_while_stripe_is_down(stage, stripe):
    stripe.fail("unavailable", "POST /v1/accounts$", times=9)

    refused = start_onboarding(stage)

    assert (refused.status, refused.body["code"]) == (503, "unavailable")
    assert get_account(stage).body["stripe_account_id"] is None


def test_account_capabilities_are_shown_once_recorded(stage, stripe):
    account_id = start_onboarding(stage).body["stripe_account_id"]
    stripe.control(f"/accounts/{account_id}/activate")
    record_account(stage, account_id, "2031-01-01T00:00:00Z", enabled=True)

    answer = get_account(stage, stage.member("accountant")).body

    assert (answer["charges_enabled"], answer["payouts_enabled"], answer["details_submitted"]) == (True, True, True)


def test_stale_account_facts_change_nothing(stage, stripe):
    account_id = start_onboarding(stage).body["stripe_account_id"]
    record_account(stage, account_id, "2031-01-02T00:00:00Z", enabled=True)

    is_known = record_account(stage, account_id, "2031-01-01T00:00:00Z", enabled=False)

    assert is_known
    assert get_account(stage).body["charges_enabled"]


@pytest.mark.parametrize(
    ("role", "status", "code"),
    [("accountant", 403, "forbidden"), ("front_desk", 404, "organization_not_found")],
)
def test_other_roles_cannot_start_onboarding(stage, stripe, role, status, code):
    refused = start_onboarding(stage, stage.member(role))

    assert (refused.status, refused.body["code"]) == (status, code)
    assert stripe.v1.accounts.list({}).data == []


def test_payout_account_is_hidden_from_strangers(stage):
    assert get_account(stage, stage.customer()).body["code"] == "organization_not_found"


@pytest.mark.parametrize("name", ["return_url", "refresh_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://studio.example.com/",
        "http://127.0.0.1@evil.example/",
        "http://localhost.evil.example/",
        "https:evil.example",
    ],
)
def test_page_without_https_is_refused(stage, name, url):
    answer = start_onboarding(stage, **{name: url})

    assert (answer.status, [error["path"] for error in answer.body["errors"]]) == (422, [["body", name]])
