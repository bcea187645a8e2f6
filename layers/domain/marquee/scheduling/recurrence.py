"""The occurrences of a series: its rule, start and zone become local starts and instants.

Occurrences are computed in the series' wall-clock time and then converted to instants, so that 09:00 stays 09:00 when
daylight saving changes. A skipped local time takes the offset before the change (02:30 becomes 03:30). A local time
that occurs twice means the first (RFC 5545, 3.3.5). COUNT counts from the start date.

The intervals of a rule, and the days that it does not name, are counted from an anchor date. A series that continues
another one keeps its anchor, so that both together occur as one. The library would count from its own start and would
count BYSETPOS in an incomplete first week. Therefore it starts with a whole period, and earlier days are skipped.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from marquee.core import timestamps
from marquee.core.errors import Refused
from marquee.scheduling import rules
from marquee.scheduling.rules import Recurrence, invalid

HORIZON_DAYS = 120
OCCURRENCES_A_DAY_MAX = 20
OCCURRENCES_MAX = 2000

LAST_CALENDAR_YEAR = 9999 - 250
_CYCLE_YEARS = 400
_YEAR = timedelta(days=366)
_YEARS_MAX = 5
_CLOSE = timedelta(days=31)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The parts that determine when a series occurs. `end_date` is the last local date, None for no end.

    Intervals are counted from the day, week, month or year of `anchor_date`, None for the start date.
    """

    recurrence: str
    time_zone: str
    start_date: date
    end_date: date | None
    local_start_time: time
    anchor_date: date | None = None

    @property
    def anchor(self) -> date:
        """The date from which intervals are counted."""
        return self.anchor_date or self.start_date


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
    recurrence = read(schedule)
    if len(recurrence.text) > rules.LENGTH_MAX:
        raise invalid(f"The recurrence has more than {rules.LENGTH_MAX} characters. Use a rule or fewer dates.")
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
    for local_start in _local_starts(schedule, read(schedule)):
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
    starts = (start.date() for start in _local_starts(schedule, read(schedule)))
    return next((day for day in starts if day >= first), None)


def from_date(schedule: Schedule, first: date) -> Schedule:
    """Return the rest of a schedule from the occurrence on the local date `first`, for the new series of a split.

    A COUNT becomes the remaining count, and the anchor stays. The schedule up to the day before and the rest have the
    same occurrences as the whole.
    """
    recurrence = read(schedule)
    if "COUNT" in recurrence.parts:
        passed = itertools.takewhile(lambda start: start.date() < first, _of_rule(schedule, recurrence))
        recurrence = recurrence.counted(int(recurrence.parts["COUNT"]) - sum(1 for _ in passed))
    return replace(schedule, recurrence=recurrence.text, start_date=first, anchor_date=schedule.anchor)


def reanchored(old: Schedule, new: Schedule) -> Schedule:
    """Return a changed schedule with its anchor.

    A new start date becomes the anchor if the rule occurs on it; any other only shortens or extends the series. Of a
    new rule, the intervals keep their anchor while they stay the same.
    """
    before, after = read(old), read(new)
    is_another_rule = before.days != after.days or before.interval != after.interval
    if is_another_rule and (before.interval != after.interval or after.interval[1] == 1):
        return replace(new, anchor_date=None)
    if old.start_date == new.start_date:
        return replace(new, anchor_date=old.anchor_date)
    begun = replace(new, anchor_date=None)
    return begun if rule_of_day(begun, after, new.start_date) else replace(new, anchor_date=old.anchor)


def is_readable(schedule: Schedule) -> bool:
    """Return whether a stored schedule can be computed; not if its time zone was removed, for example."""
    try:
        read(schedule)
    except Refused:
        return False
    return True


def starts_of_day(schedule: Schedule, recurrence: Recurrence, day: date) -> list[datetime]:
    """Return the local starts of a day by RRULE and RDATE, as if the series had no end and no EXDATE."""
    starts = rule_of_day(schedule, recurrence, day)
    return sorted({*starts, *(moment for moment in recurrence.dates if moment.date() == day)})


def starts_of_days(schedule: Schedule, recurrence: Recurrence, days: Sequence[date]) -> dict[date, list[datetime]]:
    """Return the local starts of days, in order, as `starts_of_day` does. Days that are close are computed together."""
    found: dict[date, list[datetime]] = {day: [] for day in days}
    for moment in recurrence.dates:
        if moment.date() in found:
            found[moment.date()].append(moment)
    first = 0
    for place, day in enumerate(days):
        if place + 1 == len(days) or days[place + 1] - day > _CLOSE:
            number_max = rules.DATES_MAX * ((day - days[first]).days + 1)
            for start in itertools.islice(_rule_between(schedule, recurrence, days[first], day), number_max):
                if start.date() in found:
                    found[start.date()].append(start)
            first = place + 1
    return {day: sorted(set(starts)) for day, starts in found.items()}


def rule_of_day(schedule: Schedule, recurrence: Recurrence, day: date) -> list[datetime]:
    """Return the local starts of a day by an RRULE without its end."""
    return list(itertools.islice(_rule_between(schedule, recurrence, day, day), rules.DATES_MAX))


def has_rule_on(schedule: Schedule, recurrence: Recurrence, day: date) -> bool:
    """Return whether an RRULE with its end occurs on a day, whatever the EXDATE moments exclude."""
    if "COUNT" not in recurrence.parts:
        starts = rule_of_day(schedule, recurrence, day)
        return any(recurrence.until is None or start <= recurrence.until for start in starts)
    starts_of_rule = _of_rule(schedule, recurrence)
    return next((start.date() == day for start in starts_of_rule if start.date() >= day), False)


def _rule_between(schedule: Schedule, recurrence: Recurrence, first: date, last: date) -> Iterator[datetime]:
    """Yield the local starts from a day to another by an RRULE without its end."""
    if not recurrence.parts:
        return iter(())
    of_days = replace(schedule, start_date=first, anchor_date=schedule.anchor)
    bounded = replace(recurrence, parts=recurrence.endless, until=datetime.combine(last, time.max))
    return _of_rule(of_days, bounded)


def excluded(starts: Collection[datetime], dates: Collection[datetime], moments: Collection[datetime]) -> set[datetime]:
    """Return the starts of a day that the EXDATE moments of this day exclude; `dates` are RDATE moments.

    A moment without an occurrence excludes the only one of the rule on its day, so that it stays valid when the time
    changes.
    """
    named = set(starts).intersection(moments)
    of_rule = [start for start in starts if start not in dates]
    return named.union(of_rule) if len(of_rule) == 1 and len(named) < len(set(moments)) else named


def read(schedule: Schedule) -> Recurrence:
    """Return the parsed recurrence of a schedule. Refuses: 422 invalid_request."""
    return rules.read(schedule.recurrence, rules.zone(schedule.time_zone), schedule.local_start_time)


def instant(local_start: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall-clock time, in UTC."""
    return local_start.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _local_starts(schedule: Schedule, recurrence: Recurrence) -> Iterator[datetime]:
    """Yield all local starts in order, from the start date to the end date."""
    left_out: dict[date, list[datetime]] = {}
    for moment in recurrence.dates_out:
        left_out.setdefault(moment.date(), []).append(moment)
    dates = sorted(moment for moment in recurrence.dates if moment.date() >= schedule.start_date)
    merged = heapq.merge(_of_rule(schedule, recurrence) if recurrence.parts else (), dates)
    for day, starts in itertools.groupby(merged, datetime.date):
        if schedule.end_date is not None and day > schedule.end_date:
            return
        if day in recurrence.days_out:
            continue
        each_once = (start for start, _ in itertools.groupby(starts))
        yield from _without(each_once, recurrence, left_out[day]) if day in left_out else each_once


def _without(starts: Iterable[datetime], recurrence: Recurrence, moments: list[datetime]) -> list[datetime]:
    """Return the starts of a day that its EXDATE moments do not exclude."""
    found = list(itertools.islice(starts, rules.DATES_MAX + OCCURRENCES_A_DAY_MAX + 1))
    out = excluded(found, recurrence.dates, moments)
    return [start for start in found if start not in out]


def _of_rule(schedule: Schedule, recurrence: Recurrence) -> Iterator[datetime]:
    """Yield the occurrences of the RRULE alone from the start date on, which COUNT counts."""
    at = schedule.local_start_time
    parts = {
        "BYHOUR": str(at.hour),
        "BYMINUTE": str(at.minute),
        "BYSECOND": str(at.second),
        **_days_of_anchor(schedule.anchor, recurrence),
        **recurrence.endless,
    }
    later = _later(schedule.start_date)
    if recurrence.until is not None:
        parts["UNTIL"] = _moved(recurrence.until, later).strftime("%Y%m%dT%H%M%S")
    period = datetime.combine(_first_period(schedule, recurrence), time.min)
    start = datetime.combine(schedule.start_date, time.min)
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=_moved(period, later))
    coming = itertools.dropwhile(lambda moment: moment < start, (_moved(moment, -later) for moment in rule))
    count = recurrence.parts.get("COUNT")
    return coming if count is None else itertools.islice(coming, int(count))


def _days_of_anchor(anchor: date, recurrence: Recurrence) -> dict[str, str]:
    """Return the days of a rule that names none: those of the anchor (RFC 5545, 3.3.10)."""
    if recurrence.parts.keys() & {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}:
        return {}
    days: dict[str, dict[str, str]] = {
        "DAILY": {},
        "WEEKLY": {"BYDAY": _DAYS[anchor.weekday()]},
        "MONTHLY": {"BYMONTHDAY": str(anchor.day)},
        "YEARLY": {"BYMONTH": str(anchor.month), "BYMONTHDAY": str(anchor.day)},
    }
    return days[recurrence.parts["FREQ"]]


def _first_period(schedule: Schedule, recurrence: Recurrence) -> date:
    """Return the first day of the interval of the start date, or of the last interval before it."""
    anchor, day = schedule.anchor, schedule.start_date
    frequency, interval = recurrence.interval
    if frequency == "DAILY":
        return day - timedelta(days=(day - anchor).days % interval)
    if frequency == "WEEKLY":
        week = anchor - timedelta(days=(anchor.weekday() - _DAYS.index(recurrence.parts.get("WKST", "MO"))) % 7)
        return day - timedelta(days=(day - week).days % (7 * interval))
    months = day.year * 12 + day.month - 1
    passed = months - (anchor.year * 12 + anchor.month - 1)
    if frequency == "MONTHLY":
        return date((months - passed % interval) // 12, (months - passed % interval) % 12 + 1, 1)
    return date(day.year - (day.year - anchor.year) % interval, 1, 1)


def _later(start: date) -> int:
    """Return the number of years by which a schedule is shifted for the computation.

    The calendar repeats every 400 years. In the last possible cycle, a rule that never occurs (a 30th of
    February) ends within that cycle and not after 8,000 years, which would take seconds.
    """
    return (LAST_CALENDAR_YEAR - start.year) // _CYCLE_YEARS * _CYCLE_YEARS


def _moved(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years)
