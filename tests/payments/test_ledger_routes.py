"""Routes of the ledger: statements as totals and as lines, the trial balance, and the ledger's jobs."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from marquee.core import identity
from marquee.payments import statements
from tests.kit import gateway
from tests.kit.payments import CardBookings

DAYS = {
    "from": (datetime.now(UTC) - timedelta(days=1)).date().isoformat(),
    "to": (datetime.now(UTC) + timedelta(days=1)).date().isoformat(),
}


@pytest.fixture
def till(db):
    till = CardBookings(db)
    till.apply_payment(till.book(till.stage.customer()))
    return till


def statement(till, kind="statement", caller=None, query=DAYS):
    path = f"/organizations/{till.stage.organization_id}/{kind}"
    return gateway.get("payouts", path, caller=caller or till.stage.owner, query=query)


def test_statement_shows_the_organizers_balance_and_movements(till):
    answer = statement(till)

    assert answer.status == 200
    assert (answer.body["opening_cents"], answer.body["closing_cents"]) == (0, 9500)
    assert answer.body["movements"] == [{"kind": "sale", "count": 1, "amount_cents": 9500}]


def test_statement_lines_add_up_to_its_movements(till):
    answer = statement(till, "statement.csv")

    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(line["kind"], line["amount_cents"]) for line in lines] == [("sale", "9500")]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 422),
        ({"from": "2026-01-01"}, 422),
        ({"from": "tomorrow", "to": "2026-01-01"}, 422),
        ({"from": "0", "to": "86400"}, 422),
        ({"from": "2026-02-01", "to": "2026-01-01"}, 422),
        ({"from": "2020-01-01", "to": "2026-01-01"}, 422),
        ({**DAYS, "currency": "francs"}, 422),
        ({**DAYS, "currency": "EUR"}, 200),
    ],
)
def test_statement_checks_its_period_and_currency(till, query, status):
    assert statement(till, query=query).status == status


def test_statement_lines_always_name_their_currency(till):
    for query in (DAYS, {**DAYS, "currency": "CHF"}):
        lines = csv.DictReader(io.StringIO(statement(till, "statement.csv", query=query).text))
        assert {line["currency"] for line in lines} == {"CHF"}


def test_statement_with_too_many_lines_is_refused(till, monkeypatch):
    lines = len(statement(till, "statement.csv").text.splitlines()) - 1

    monkeypatch.setattr(statements, "LINES_MOST", lines)
    assert statement(till, "statement.csv").status == 200
    monkeypatch.setattr(statements, "LINES_MOST", lines - 1)
    refused = statement(till, "statement.csv")

    assert (refused.status, refused.body["code"]) == (422, "invalid_request")


def test_statement_of_another_organization_is_not_found(till):
    assert statement(till, caller=till.stage.customer()).body["code"] == "organization_not_found"


def test_trial_balance_sums_to_zero_and_is_for_the_service_only(till):
    answer = gateway.get("payouts", "/ledger/trial-balance", caller=identity.service())

    assert [total["amount_cents"] for total in answer.body["totals"] if total["type"] is None] == [0]
    assert gateway.get("payouts", "/ledger/trial-balance", caller=till.stage.owner).status == 403


@pytest.mark.parametrize("job", ["seal_ledger", "verify_ledger", "reconcile_stripe"])
def test_ledger_job_runs_and_is_recorded(till, job):
    gateway.invoke("ledger", {"job": job})

    run = till.db.execute("select job, succeeded from ops.job_runs").fetchone()
    assert run == {"job": job, "succeeded": True}
