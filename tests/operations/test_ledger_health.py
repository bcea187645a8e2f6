"""GET /health/details reports the ledger status of the last check, and GET /health does not."""

import pytest

from marquee.core.identity import service
from tests.kit import gateway, routines


def ledger_status():
    return gateway.get("health", "/health/details", caller=service()).body["books"]


def check_health(db, hours=0):
    routines.call(db, None, "select ops.check_health(at => now() - make_interval(hours => %s))", [hours])


def test_public_health_response_contains_no_ledger_status(db):
    check_health(db)
    db.execute("update ops.health_checks set status = 'critical'")

    assert gateway.get("health", "/health").body == {"live": True, "ready": True}


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_only_the_service_may_read_the_ledger_status(rolled_back, role):
    row = rolled_back.execute(
        "select has_function_privilege(%s, 'payments.ledger_status(timestamptz)', 'execute') as may", [role]
    ).fetchone()

    assert row == {"may": False}


def test_ledger_status_is_unknown_before_the_first_check(db):
    assert ledger_status() == "unknown"


def test_balanced_ledger_is_sound(db):
    check_health(db)

    assert ledger_status() == "sound"


@pytest.mark.parametrize("name", ["ledger_unbalanced_currencies", "ledger_findings"])
def test_ledger_with_a_critical_check_is_unsound(db, name):
    check_health(db)
    db.execute("update ops.health_checks set status = 'critical' where name = %s", [name])

    assert ledger_status() == "unsound"


def test_ledger_status_is_unknown_after_an_old_check(db):
    check_health(db)
    db.execute("update ops.health_checks set checked_at = now() - interval '6 minutes'")

    assert ledger_status() == "unknown"
