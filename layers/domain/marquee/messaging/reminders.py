"""Reminders of events that start soon, written to the outbox in bounded steps."""

from typing import Any

from marquee.core import database

REMINDERS_MOST = 2000
EVENTS_MOST = 500


def send() -> tuple[int, bool]:
    """Create reminders. Returns their number, and whether there may be more."""
    with database.single(database.service()) as session:
        done: dict[str, Any] = session.value(
            "select messaging.send_reminders(most => %s, events_most => %s)", [REMINDERS_MOST, EVENTS_MOST]
        )
    return done["reminded"], done["more"]
