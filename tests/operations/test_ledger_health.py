"""GET /health/details says whether the books are sound, as the last check found them; GET /health does not."""

import pytest

from marquee.core.identity import service
from tests.kit import gateway, routines


def books():
    return gateway.get("health", "/health/details", caller=service()).body["books"]


def look(db, hours=0):
    routines.call(db, None, "select ops.check_health(at => now() - make_interval(hours => %s))", [hours])


def test_public_answer_says_only_that_marquee_is_up(db):
    look(db)
    db.execute("update ops.health_checks set status = 'critical'")

    assert gateway.get("health", "/health").body == {"live": True, "ready": True}


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_only_the_service_may_ask_the_database(rolled_back, role):
    row = rolled_back.execute(
        "select has_function_privilege(%s, 'payments.ledger_status(timestamptz)', 'execute') as may", [role]
    ).fetchone()

    assert row == {"may": False}


def test_without_a_look_nothing_is_known_of_the_books(db):
    assert books() == "unknown"


def test_books_that_come_to_zero_are_sound(db):
    look(db)

    assert books() == "sound"


@pytest.mark.parametrize("name", ["ledger_unbalanced_currencies", "ledger_findings"])
def test_books_in_which_a_look_found_something_are_unsound(db, name):
    look(db)
    db.execute("update ops.health_checks set status = 'critical' where name = %s", [name])

    assert books() == "unsound"


def test_an_old_look_says_nothing(db):
    look(db)
    db.execute("update ops.health_checks set checked_at = now() - interval '6 minutes'")

    assert books() == "unknown"
