"""The time zones of the pinned tzdata, and only these.

Python would prefer the zone files of the machine, whose age nobody knows. PYTHONTZPATH is empty wherever Marquee runs;
the reset covers programs that were started in another way.
"""

import itertools
import zoneinfo
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(())


def zone(name: str) -> ZoneInfo:
    """Return a time zone. Raises ZoneInfoNotFoundError, ValueError or OSError for a name that is unknown."""
    return ZoneInfo(name)


def transitions(name: str, days: list[datetime]) -> list[datetime]:
    """Return the instants between the given ones, in order, at which the offset of a time zone changes."""
    pairs = itertools.pairwise(days)
    return [
        _change(name, first, last) for first, last in pairs if offset_seconds(name, first) != offset_seconds(name, last)
    ]


def offset_seconds(name: str, at: datetime) -> int:
    """Return the offset of a time zone from UTC at an instant, in seconds."""
    offset = at.astimezone(zone(name)).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _change(name: str, first: datetime, last: datetime) -> datetime:
    """Return the first whole second in UTC with the later offset; the offset changes once between the instants."""
    early, late = int(first.timestamp()), int(last.timestamp())
    later_offset = offset_seconds(name, last)
    while late - early > 1:
        middle = (early + late) // 2
        if offset_seconds(name, datetime.fromtimestamp(middle, UTC)) == later_offset:
            late = middle
        else:
            early = middle
    return datetime.fromtimestamp(late, UTC)


def days_from(at: datetime, number: int) -> list[datetime]:
    """Return the instants at intervals of 24 hours, from the midnight in UTC before an instant."""
    first = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [first + timedelta(hours=24 * day) for day in range(number + 1)]
