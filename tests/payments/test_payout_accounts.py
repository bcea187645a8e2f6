"""Organizers sign up at Stripe: one account each, a page whenever they ask, and what Stripe lets the account do."""

import pytest
from psycopg.types.json import Jsonb

from tests.kit import gateway, routines, stages

PAGES = {"return_url": "https://studio.example.com/done", "refresh_url": "https://studio.example.com/again"}


@pytest.fixture
def stage(db, stripe):
    return stages.create(db)


def path(stage):
    return f"/organizations/{stage.organization_id}/payout-account"


def begin(stage, caller=None, **changes):
    return gateway.post("payouts", path(stage), PAGES | changes, caller=caller or stage.owner)


def known(stage, caller=None):
    return gateway.get("payouts", path(stage), caller=caller or stage.owner)


def say(stage, account_id, observed_at, *, enabled):
    """What Stripe said of an account at some moment is kept."""
    facts = {
        "stripe_account_id": account_id,
        "charges_enabled": enabled,
        "payouts_enabled": enabled,
        "details_submitted": enabled,
        "requirements": {},
        "observed_at": observed_at,
    }
    return routines.call(stage.db, None, "select payments.record_payout_account(%s)", [Jsonb(facts)])


def test_an_organizer_gets_one_account_and_a_page_whenever_they_ask(stage, stripe):
    assert known(stage).body["stripe_account_id"] is None

    first, again = begin(stage), begin(stage, stage.member("admin"))

    assert (first.status, again.status) == (200, 200)
    assert first.body["url"] != again.body["url"]
    (account,) = stripe.v1.accounts.list({}).data
    assert first.body["stripe_account_id"] == again.body["stripe_account_id"] == account.id
    assert account.metadata["organization_id"] == str(stage.organization_id)
    assert (account.type, account.country) == ("express", "CH")
    assert known(stage).body["stripe_account_id"] == account.id


def test_an_account_that_was_made_and_not_written_down_is_not_made_twice(stage, stripe):
    stripe.fail("drop_after", "POST /v1/accounts$")
    first = begin(stage)
    stage.db.execute("delete from organizations.payout_accounts")

    again = begin(stage)

    assert first.body["stripe_account_id"] == again.body["stripe_account_id"]
    assert len(stripe.v1.accounts.list({}).data) == 1


def test_while_stripe_is_not_to_be_had_it_says_so(stage, stripe):
    stripe.fail("unavailable", "POST /v1/accounts$", times=9)

    refused = begin(stage)

    assert (refused.status, refused.body["code"]) == (503, "unavailable")
    assert known(stage).body["stripe_account_id"] is None


def test_what_stripe_lets_the_account_do_is_known_once_stripe_says_so(stage, stripe):
    account_id = begin(stage).body["stripe_account_id"]
    stripe.control(f"/accounts/{account_id}/activate")
    say(stage, account_id, "2031-01-01T00:00:00Z", enabled=True)

    answer = known(stage, stage.member("accountant")).body

    assert (answer["charges_enabled"], answer["payouts_enabled"], answer["details_submitted"]) == (True, True, True)


def test_what_stripe_said_of_an_account_before_what_is_known_changes_nothing(stage, stripe):
    account_id = begin(stage).body["stripe_account_id"]
    say(stage, account_id, "2031-01-02T00:00:00Z", enabled=True)

    is_known = say(stage, account_id, "2031-01-01T00:00:00Z", enabled=False)

    assert is_known
    assert known(stage).body["charges_enabled"]


@pytest.mark.parametrize(
    ("role", "status", "code"),
    [("accountant", 403, "forbidden"), ("front_desk", 404, "organization_not_found")],
)
def test_only_admins_and_owners_sign_up(stage, stripe, role, status, code):
    refused = begin(stage, stage.member(role))

    assert (refused.status, refused.body["code"]) == (status, code)
    assert stripe.v1.accounts.list({}).data == []


def test_a_stranger_learns_nothing_of_an_account(stage):
    assert known(stage, stage.customer()).body["code"] == "organization_not_found"


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
def test_a_page_that_is_not_at_https_is_refused(stage, name, url):
    answer = begin(stage, **{name: url})

    assert (answer.status, [error["path"] for error in answer.body["errors"]]) == (422, [["body", name]])
