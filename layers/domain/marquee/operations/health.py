"""The health of the system: whether the database is reachable, and the state of every check, queue and job."""

from marquee.core.database import Session


def is_ready(session: Session) -> bool:
    """Return whether the database responds. Raises Unavailable if it cannot be reached."""
    ready: bool = session.value("select true")
    return ready


def read_details(session: Session) -> str:
    """Return the state of every check, queue and job, and of the ledger, as JSON. For the service role."""
    details: str = session.value("select ops.get_system_health_summary()::text")
    return details
