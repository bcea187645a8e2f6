"""The run of each minute: expires holds and offers, and offers free seats to the waitlist."""

from typing import Any

from marquee.booking import waitlist
from marquee.core import database
from marquee.edge import schedules
from marquee.edge.observability import LambdaContext
from marquee.operations import jobs


def expire(_turn: schedules.Turn) -> schedules.Outcome:
    """Expire holds and offers, and offer free seats to waitlists."""
    with database.transaction(database.service()) as session:
        expired = waitlist.expire(session)
        offers = waitlist.promote_all(session)
    return schedules.Outcome(
        expired["holds_expired"] + expired["waits_ended"] + offers, more=expired["more"] or offers > 0
    )


def run(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the schedule's job and record its run."""
    return jobs.recorded("promote_waitlist", lambda: schedules.run(event, context, {"promote_waitlist": expire}))
