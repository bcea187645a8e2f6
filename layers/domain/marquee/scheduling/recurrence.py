"""The occurrences of a series: its rule, start and zone become local starts and instants.

Occurrences are computed in the series' wall-clock time and then converted to instants, so that 09:00 stays 09:00 when
daylight saving changes. A skipped local time takes the offset before the change (02:30 becomes 03:30). A local time
that occurs twice means the first (RFC 5545, 3.3.5). COUNT always counts from the start of the series.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rruleset, rrulestr

from marquee.core import timestamps
from marquee.scheduling import rules
from marquee.scheduling.rules import Recurrence, invalid

HORIZON_DAYS = 120
OCCURRENCES_A_DAY_MAX = 20
OCCURRENCES_MAX = 2000

LAST_CALENDAR_YEAR = 9999 - 250
_CYCLE_YEARS = 400
_YEAR = timedelta(days=366)
_YEARS_MAX = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """The parts that determine when a series occurs. `end_date` is the last local date, None for no end."""

    recurrence: str
    time_zone: str
    start_date: date
    end_date: date | None
    local_start_time: time


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence: its wall-clock start in the series' zone, and its instant."""

    local_start: datetime
    starts_at: datetime


def checked(schedule: Schedule) -> Schedule:
    """Return the schedule with its recurrence in stored form, after a check that it occurs, and not too often.

    Refuses: 422 invalid_request, with the place and the reason.
    """
    if not timestamps.FIRST_YEAR <= schedule.start_date.year <= timestamps.LAST_YEAR:
        raise invalid(
            f"The year must be from {timestamps.FIRST_YEAR} to {timestamps.LAST_YEAR}.", "start_date", "range"
        )
    if schedule.end_date is not None and schedule.end_date < schedule.start_date:
        raise invalid("The end date must not be before the start date.", "end_date", "range")
    recurrence = _read(schedule)
    first = next(_local_starts(schedule, recurrence), None)
    if first is None:
        raise invalid("The recurrence never occurs between the start and the end of the series.")
    year = occurrences(schedule, first.date(), (first + _YEAR).date(), most=None)
    for earlier, later in zip(year, year[OCCURRENCES_MAX:], strict=False):
        if (later.local_start - earlier.local_start).days <= HORIZON_DAYS:
            raise invalid(f"This occurs more than {OCCURRENCES_MAX} times in {HORIZON_DAYS} days. Choose a rarer rule.")
    return replace(schedule, recurrence=recurrence.text)


def check_near(day: date, today: date, place: str) -> None:
    """Check that a date is within five years of today, which bounds the computation.

    Refuses: 422 invalid_request.
    """
    if abs(day.year - today.year) > _YEARS_MAX:
        raise invalid(f"This date must be within {_YEARS_MAX} years of today.", place, "range")


def occurrences(schedule: Schedule, first: date, until: date, most: int | None = OCCURRENCES_MAX) -> list[Occurrence]:
    """Return the occurrences from the local date `first` to `until`, both included, in order, each instant once.

    Refuses: 422 invalid_request for a recurrence that cannot be read or is too dense (20 a day, `most` in all).
    """
    zone = rules.zone(schedule.time_zone)
    a_day: Counter[date] = Counter()
    found: dict[datetime, Occurrence] = {}
    for local_start in _local_starts(schedule, _read(schedule)):
        day = local_start.date()
        if day > until:
            break
        if day < first:
            continue
        a_day[day] += 1
        if a_day[day] > OCCURRENCES_A_DAY_MAX:
            raise invalid(f"This occurs more than {OCCURRENCES_A_DAY_MAX} times on {day}. Choose a rarer rule.")
        starts_at = instant(local_start, zone)
        found.setdefault(starts_at, Occurrence(local_start, starts_at))
        if most is not None and len(found) > most:
            raise invalid(f"This occurs more than {most} times from {first} to {until}. Choose a rarer rule.")
    return list(found.values())


def next_date(schedule: Schedule, first: date) -> date | None:
    """Return the first local date of an occurrence from `first` on, or None."""
    starts = (start.date() for start in _local_starts(schedule, _read(schedule)))
    return next((day for day in starts if day >= first), None)


def from_date(schedule: Schedule, first: date) -> Schedule:
    """Return the rest of a schedule from the occurrence on the local date `first`, for the new series of a split.

    A COUNT becomes the remaining count; an INTERVAL continues from there.
    """
    recurrence = _read(schedule)
    if "COUNT" in recurrence.parts:
        passed = itertools.takewhile(lambda start: start.date() < first, _of_rule(schedule, recurrence))
        left = int(recurrence.parts["COUNT"]) - sum(1 for _ in passed)
        recurrence = recurrence.counted(max(1, left))
    return replace(schedule, recurrence=recurrence.text, start_date=first)


def instant(local_start: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time, in UTC."""
    return local_start.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _read(schedule: Schedule) -> Recurrence:
    return rules.read(schedule.recurrence, rules.zone(schedule.time_zone), schedule.local_start_time)


def _local_starts(schedule: Schedule, recurrence: Recurrence) -> Iterator[datetime]:
    """Yield all local starts in order, from the start date to the end date."""
    later = _later(schedule.start_date)
    merged = rruleset()
    if recurrence.parts:
        merged.rrule(_rule(schedule, recurrence, later))
    for moment in recurrence.dates:
        merged.rdate(_moved(moment, later))
    for moment in recurrence.dates_out:
        merged.exdate(_moved(moment, later))
    for moved in merged:
        moment = _moved(moved, -later)
        if moment.date() < schedule.start_date or moment.date() in recurrence.days_out:
            continue
        if schedule.end_date is not None and moment.date() > schedule.end_date:
            return
        yield moment


def _of_rule(schedule: Schedule, recurrence: Recurrence) -> Iterator[datetime]:
    """Return the occurrences of the RRULE alone, which COUNT counts."""
    later = _later(schedule.start_date)
    return (_moved(moved, -later) for moved in _rule(schedule, recurrence, later))


def _rule(schedule: Schedule, recurrence: Recurrence, later: int) -> rrule:
    """Return the RRULE from the start date on, at the local start time unless the rule has its own times."""
    at = schedule.local_start_time
    parts = {"BYHOUR": str(at.hour), "BYMINUTE": str(at.minute), "BYSECOND": str(at.second), **recurrence.parts}
    if recurrence.until is not None:
        parts["UNTIL"] = _moved(recurrence.until, later).strftime("%Y%m%dT%H%M%S")
    start = _moved(datetime.combine(schedule.start_date, time.min), later)
    return cast(rrule, rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start))


def _later(start: date) -> int:
    """Return the number of years by which a schedule is shifted for the computation.

    The calendar repeats every 400 years. In the last possible cycle, a rule that never occurs (a 30th of
    February) ends within that cycle and not after 8,000 years, which would take seconds.
    """
    return (LAST_CALENDAR_YEAR - start.year) // _CYCLE_YEARS * _CYCLE_YEARS


def _moved(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)
