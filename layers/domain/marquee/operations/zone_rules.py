"""Compare the two databases of time zones, the server's and the pinned tzdata, and act on changed rules.

The server computes all local times, so that a stored instant and its display agree. tzdata reads times in recurrence
rules. Where the two differ, one of them is out of date.
"""

from datetime import datetime, timedelta
from typing import Any

from marquee.core import database, time_zones

DAYS = 580
"""The compared days, about 19 months: all events that are usually planned."""
EVENTS_MOST = 2000


def compare(now: datetime) -> dict[str, str]:
    """Return the zones in use whose offsets differ in the coming months, each with the first such instant."""
    with database.single(database.service()) as session:
        names: list[str] = session.value("select ops.zones_in_use()")
    days = time_zones.days_from(now, DAYS)
    unknown = {name: now.isoformat() for name in names if not _is_known(name)}
    known = [name for name in names if name not in unknown]
    changes = {at for name in known for at in time_zones.transitions(name, days)}
    instants = sorted({*days, *changes, *(at - timedelta(seconds=1) for at in changes)})
    with database.single(database.service()) as session:
        rows = session.all("select z.* from ops.zone_offsets(time_zones => %s, instants => %s) as z", [known, instants])
    return unknown | {row["time_zone"]: at.isoformat() for row in rows if (at := _first_difference(row, instants))}


def realign() -> tuple[int, bool]:
    """Move events to their local start by changed rules. Returns their number, and whether there may be more."""
    with database.single(database.service()) as session:
        done: dict[str, Any] = session.value("select events.realign_events(most => %s)", [EVENTS_MOST])
    return done["moved"], done["more"]


def _is_known(name: str) -> bool:
    try:
        time_zones.zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _first_difference(row: dict[str, Any], instants: list[datetime]) -> datetime | None:
    pairs = zip(instants, row["offsets"], strict=True)
    return next((at for at, offset in pairs if offset != time_zones.offset_seconds(row["time_zone"], at)), None)
