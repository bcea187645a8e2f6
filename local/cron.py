"""EventBridge Scheduler's expressions: rate(…), cron(…) with six fields, at(…), in a time zone.

    Expression.parse("cron(0 9 ? * 2#1 *)", "Europe/Zurich").next_after(now)

Written here because no maintained library reads AWS's dialect (`?`, `L`, `W`, `#`, days of the week from 1 = Sunday,
years). Around daylight saving: a local time that does not exist is skipped, one that comes twice counts once.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNITS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = {
    name: number
    for number, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], start=1
    )
}
DAYS = {name: number for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], start=1)}
YEAR_MAX = 2199

DayRule = Callable[[date], bool]


class ExpressionError(ValueError):
    """EventBridge Scheduler does not accept the schedule's expression or time zone."""


@dataclass(frozen=True, slots=True)
class Expression:
    """The times of a schedule. `text` is the given expression."""

    text: str
    zone: ZoneInfo
    _following: Callable[[datetime, datetime], datetime | None]

    @classmethod
    def parse(cls, text: str, zone_name: str = "UTC") -> "Expression":
        """Parse an expression. Raises ExpressionError."""
        try:
            zone = ZoneInfo(zone_name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ExpressionError(f"There is no time zone {zone_name!r}.") from error
        match = re.fullmatch(r"\s*(rate|cron|at)\((.*)\)\s*", text)
        if match is None:
            raise ExpressionError(f"{text!r} is neither rate(…) nor cron(…) nor at(…).")
        kind, inside = match.groups()
        following = {"rate": _rate, "cron": _cron, "at": _at}[kind](inside.strip(), zone)
        return cls(text, zone, following)

    def next_after(self, moment: datetime, since: datetime | None = None) -> datetime | None:
        """Return the first time after `moment`, in UTC, or None. A rate counts from `since` (or `moment`)."""
        return self._following(moment.astimezone(UTC), (since or moment).astimezone(UTC))


def _rate(inside: str, _zone: ZoneInfo) -> Callable[[datetime, datetime], datetime | None]:
    match = re.fullmatch(r"(\d+)\s+(minute|hour|day)s?", inside)
    if match is None or int(match.group(1)) == 0:
        raise ExpressionError(f"rate({inside}): a positive number and minutes, hours or days are needed.")
    interval = int(match.group(1)) * UNITS[match.group(2)]

    def following(moment: datetime, since: datetime) -> datetime:
        passed = max(0.0, (moment - since).total_seconds())
        return since + timedelta(seconds=(passed // interval + 1) * interval)

    return following


def _at(inside: str, zone: ZoneInfo) -> Callable[[datetime, datetime], datetime | None]:
    try:
        local = datetime.strptime(inside, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=zone)
    except ValueError as error:
        raise ExpressionError(f"at({inside}): a local time like 2030-01-31T09:00:00 is needed.") from error
    when = local.astimezone(UTC)
    return lambda moment, _since: when if when > moment else None


def _cron(inside: str, zone: ZoneInfo) -> Callable[[datetime, datetime], datetime | None]:
    fields = inside.upper().split()
    if len(fields) != 6:
        raise ExpressionError(f"cron({inside}): six fields are needed, minutes to year; there are {len(fields)}.")
    minutes = sorted(_numbers(fields[0], 0, 59, {}))
    hours = sorted(_numbers(fields[1], 0, 23, {}))
    months = _numbers(fields[3], 1, 12, MONTHS)
    years = _numbers(fields[5], 1970, YEAR_MAX, {})
    if (fields[2] == "?") == (fields[4] == "?"):
        raise ExpressionError(f"cron({inside}): one of day of month and day of week must be ?, the other not.")
    matches = _day_of_week(fields[4]) if fields[2] == "?" else _day_of_month(fields[2])

    def days(first: date) -> Iterator[date]:
        for year in range(first.year, YEAR_MAX + 1):
            for month in range(first.month if year == first.year else 1, 13):
                if year in years and month in months:
                    for day in range(1, calendar.monthrange(year, month)[1] + 1):
                        found = date(year, month, day)
                        if found >= first and matches(found):
                            yield found

    def following(moment: datetime, _since: datetime) -> datetime | None:
        # From the day before, because a clock that is set back over midnight can move today's times into yesterday's
        # date.
        for day in days(moment.astimezone(zone).date() - timedelta(days=1)):
            for hour in hours:
                for minute in minutes:
                    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    found = local.astimezone(UTC)
                    if found > moment and found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                        return found
        return None

    return following


def _numbers(field: str, lowest: int, highest: int, names: dict[str, int]) -> frozenset[int]:
    """Return the numbers of a field with lists, ranges, steps and names."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = _number(step_text, 1, highest, {}, field) if slash else 1
        if span == "*":
            first, last = lowest, highest
        elif "-" in span:
            first, last = (_number(end, lowest, highest, names, field) for end in span.split("-", 1))
        else:
            first = _number(span, lowest, highest, names, field)
            last = highest if slash else first
        if first > last:
            raise ExpressionError(f"{field}: {first} is after {last}.")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, lowest: int, highest: int, names: dict[str, int], field: str) -> int:
    value = names.get(text, int(text) if text.isdecimal() else -1)
    if not lowest <= value <= highest:
        raise ExpressionError(f"{field}: {text!r} is not between {lowest} and {highest}.")
    return value


def _day_of_month(field: str) -> DayRule:
    """Return a rule for days by number; L is the last, 15W the weekday nearest to the 15th, LW the last weekday."""
    rules: list[DayRule] = []
    for part in field.split(","):
        if part == "L":
            rules.append(lambda day: day.day == _length(day))
        elif part.endswith("W"):
            wanted = None if part == "LW" else _number(part[:-1], 1, 31, {}, field)
            rules.append(lambda day, wanted=wanted: day == _nearest_weekday(day, wanted))  # type: ignore[misc]
        else:
            numbers = _numbers(part, 1, 31, {})
            rules.append(lambda day, numbers=numbers: day.day in numbers)  # type: ignore[misc]
    return lambda day: any(rule(day) for rule in rules)


def _day_of_week(field: str) -> DayRule:
    """Return a rule for days from 1 = SUN; 6L is the month's last Friday, 6#3 its third, L alone Saturday."""
    rules: list[DayRule] = []
    for part in field.split(","):
        if part == "L":
            rules.append(lambda day: _weekday(day) == 7)
        elif part.endswith("L"):
            wanted = _number(part[:-1], 1, 7, DAYS, field)
            rules.append(lambda day, wanted=wanted: _weekday(day) == wanted and day.day > _length(day) - 7)  # type: ignore[misc]
        elif "#" in part:
            name, _, nth = part.partition("#")
            pair = _number(name, 1, 7, DAYS, field), _number(nth, 1, 5, {}, field)
            rules.append(lambda day, pair=pair: (_weekday(day), (day.day + 6) // 7) == pair)  # type: ignore[misc]
        else:
            numbers = _numbers(part, 1, 7, DAYS)
            rules.append(lambda day, numbers=numbers: _weekday(day) in numbers)  # type: ignore[misc]
    return lambda day: any(rule(day) for rule in rules)


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _length(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _nearest_weekday(day: date, wanted: int | None) -> date | None:
    """Return the weekday nearest to the `wanted` day of this month (None: its last weekday), in the same month."""
    length = _length(day)
    if wanted is not None and wanted > length:
        return None
    target = day.replace(day=wanted or length)
    if target.isoweekday() <= 5:
        return target
    before, after = (1, 2) if target.isoweekday() == 6 else (2, 1)
    if wanted is None or (target.isoweekday() == 6 and target.day > before) or target.day + after > length:
        return target - timedelta(days=before)
    return target + timedelta(days=after)
