"""Test with generated series: rules against a second computation, splits at any date, and exceptions that stay."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marquee.core.errors import Refused
from marquee.scheduling import exceptions, recurrence
from marquee.scheduling.recurrence import Schedule

pytestmark = pytest.mark.usefixtures("sockets_off")

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ZONES = ["Europe/Zurich", "America/New_York", "Pacific/Auckland", "Pacific/Pago_Pago", "Australia/Lord_Howe", "UTC"]
LENGTH = timedelta(days=500)

starts = st.dates(date(2026, 1, 1), date(2028, 12, 31))
clocks = st.sampled_from([time(0), time(7, 15), time(9), time(18, 30), time(23, 45)])
own_clocks = st.sampled_from([time(6, 7), time(13, 7)])

Parts = dict[str, Any]


def subset(items: list[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(items), min_size=1, max_size=most, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> Parts:
    """Generate the parts of an RRULE of every form, without the weeks of a year and without an end."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts: Parts = {"FREQ": frequency, "INTERVAL": draw(st.sampled_from([1, 1, 2, 2, 3, 4, 7]))}
    if draw(st.booleans()):
        # The library reads a mixture of weekdays with and without a number as their intersection.
        is_numbered = frequency in ("MONTHLY", "YEARLY") and draw(st.booleans())
        parts["BYDAY"] = draw(
            subset([f"{number}{day}" for number in (1, 2, 5, -1) for day in DAYS] if is_numbered else DAYS)
        )
    if frequency != "WEEKLY" and draw(st.integers(0, 3)) == 0:
        parts["BYMONTHDAY"] = draw(subset([1, 2, 14, 15, 28, 29, 30, 31, -1, -2]))
    if draw(st.integers(0, 3)) == 0:
        parts["BYMONTH"] = draw(subset(list(range(1, 13)), 6))
    if frequency == "YEARLY" and draw(st.integers(0, 3)) == 0:
        parts["BYYEARDAY"] = draw(subset([1, 45, 59, 60, 200, 365, 366, -1, -100]))
    if draw(st.integers(0, 3)) == 0:
        parts["BYHOUR"] = draw(subset([0, 8, 9, 12, 22]))
    if draw(st.booleans()) and any(name.startswith("BY") for name in parts):
        parts["BYSETPOS"] = draw(subset([1, 2, 3, -1, -2]))
    if draw(st.booleans()):
        parts["WKST"] = draw(st.sampled_from(DAYS))
    return parts


def text(parts: Parts) -> str:
    """Return the line of an RRULE."""
    values = ((name, content if isinstance(content, list) else [content]) for name, content in parts.items())
    return "RRULE:" + ";".join(f"{name}={','.join(map(str, content))}" for name, content in values)


def readable(schedule: Schedule) -> Schedule:
    try:
        return recurrence.checked(schedule)
    except Refused:
        assume(False)
        raise


def walls(schedule: Schedule) -> list[datetime]:
    """Return the local starts of the first 500 days, or as many as may be listed at once."""
    first = schedule.start_date
    return [one.local_start for one in recurrence.occurrences(schedule, first, first + LENGTH, most=None)]


def reference(parts: Parts, anchor: date, first: date, until: date, at: time) -> Iterator[datetime]:
    """Compute a rule day by day: the days of each period that match, then the positions in it (RFC 5545, 3.3.10)."""
    frequency, first_weekday = parts["FREQ"], DAYS.index(parts.get("WKST", "MO"))
    named = {"BYDAY", "BYMONTHDAY", "BYYEARDAY"} & parts.keys()

    def period(day: date) -> int:
        numbers = {
            "DAILY": day.toordinal(),
            "WEEKLY": (day.toordinal() - 1 - first_weekday) // 7,
            "MONTHLY": day.year * 12 + day.month,
            "YEARLY": day.year,
        }
        return numbers[frequency]

    def matches(day: date) -> bool:
        month_end = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
        year_end = date(day.year, 12, 31).timetuple().tm_yday
        place, end = day.timetuple().tm_yday, year_end
        if frequency == "MONTHLY" or "BYMONTH" in parts:
            place, end = day.day, month_end
        weekdays = {DAYS[day.weekday()]}
        if frequency in ("MONTHLY", "YEARLY"):
            weekdays |= {
                f"{(place - 1) // 7 + 1}{DAYS[day.weekday()]}",
                f"{-((end - place) // 7 + 1)}{DAYS[day.weekday()]}",
            }
        by_default = {
            "DAILY": True,
            "WEEKLY": day.weekday() == anchor.weekday(),
            "MONTHLY": day.day == anchor.day,
            "YEARLY": day.day == anchor.day and (day.month == anchor.month or "BYMONTH" in parts),
        }
        return (
            day.month in parts.get("BYMONTH", [day.month])
            and bool(weekdays & set(parts.get("BYDAY", weekdays)))
            and bool({day.day, day.day - month_end - 1} & set(parts.get("BYMONTHDAY", [day.day])))
            and bool(
                {place_of_year(day), place_of_year(day) - year_end - 1}
                & set(parts.get("BYYEARDAY", [place_of_year(day)]))
            )
            and (bool(named) or by_default[frequency])
        )

    days = (date.fromordinal(number) for number in range(first.toordinal() - 366, until.toordinal() + 367))
    for number, of_period in itertools.groupby(days, period):
        if (number - period(anchor)) % parts["INTERVAL"]:
            continue
        hours = sorted(parts.get("BYHOUR", [at.hour]))
        moments = [datetime.combine(day, at.replace(hour=hour)) for day in of_period if matches(day) for hour in hours]
        if "BYSETPOS" in parts:
            places = {place if place < 0 else place - 1 for place in parts["BYSETPOS"]}
            chosen = {moments[place] for place in places if -len(moments) <= place < len(moments)}
            moments = sorted(chosen)
        yield from (moment for moment in moments if first <= moment.date() <= until)


def place_of_year(day: date) -> int:
    return day.timetuple().tm_yday


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rules(), starts, st.integers(0, 400), clocks)
def test_rule_matches_a_computation_by_whole_periods(parts: Parts, start: date, earlier: int, at: time) -> None:
    anchor = start - timedelta(days=earlier)
    schedule = readable(Schedule(text(parts), "Europe/Zurich", start, None, at, anchor))

    expected = list(reference(parts, anchor, start, start + LENGTH, at))

    assert sorted(walls(schedule)) == [
        wall for wall in expected if is_first_at_its_instant(wall, expected, ZoneInfo("Europe/Zurich"))
    ]


def is_first_at_its_instant(wall: datetime, all_walls: list[datetime], zone: ZoneInfo) -> bool:
    """Return whether no earlier wall-clock time is the same instant, as in the hour that spring skips."""
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    same_day = (other for other in all_walls if other.date() == wall.date() and other < wall)
    return all(other.replace(tzinfo=zone).astimezone(UTC) != instant for other in same_day)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Generate a series with every part of a rule, an end, dates in all notations, and dates left out."""
    parts, start, at = draw(rules()), draw(starts), draw(clocks)
    zone = draw(st.sampled_from(ZONES))
    if parts["FREQ"] == "YEARLY" and "BYYEARDAY" not in parts and draw(st.integers(0, 3)) == 0:
        parts["BYWEEKNO"] = draw(subset([1, 2, 20, 52, 53, -1]))
        parts["BYDAY"] = draw(subset(DAYS))
    ending = draw(st.sampled_from(["", "", "COUNT", "UNTIL"]))
    if ending == "COUNT":
        parts["COUNT"] = draw(st.integers(1, 40))
    if ending == "UNTIL":
        last = start + timedelta(days=draw(st.integers(0, 500)))
        moment = datetime.combine(last, draw(clocks))
        written = [f"{last:%Y%m%d}", f"{moment:%Y%m%dT%H%M%S}", f"{moment:%Y%m%dT%H%M%S}Z"]
        parts["UNTIL"] = draw(st.sampled_from(written))
    added = draw(st.lists(st.integers(-20, 400), max_size=4, unique=True))
    lines = [text(parts)]
    for number in added:
        day, own = start + timedelta(days=number), draw(own_clocks)
        moments = [f":{day:%Y%m%d}T{own:%H%M%S}", f";VALUE=DATE:{day:%Y%m%d}", f":{day:%Y%m%d}T{at:%H%M%S}"]
        moments.append(f";TZID=Asia/Tokyo:{day:%Y%m%d}T{own:%H%M%S}")
        lines.append("RDATE" + draw(st.sampled_from(moments)))
    schedule = readable(Schedule("\n".join(lines), zone, start, None, at))
    whole = walls(schedule)
    for start_out in draw(st.lists(st.sampled_from(whole), max_size=5, unique=True)) if whole else []:
        instant = start_out.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        back = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        forms = [f":{start_out:%Y%m%dT%H%M%S}", f";VALUE=DATE:{start_out:%Y%m%d}"]
        forms += [f":{instant:%Y%m%dT%H%M%S}Z"] if back == start_out else []
        lines.append("EXDATE" + draw(st.sampled_from(forms)))
    return readable(replace(schedule, recurrence="\n".join(lines)))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(schedules(), st.lists(st.integers(1, 450), min_size=1, max_size=3))
def test_split_series_occur_as_the_whole(schedule: Schedule, cuts: list[int]) -> None:
    """Split at several dates, also within an interval: all parts together equal the whole."""
    whole = walls(schedule)
    until = schedule.start_date + LENGTH
    found: list[datetime] = []
    rest = schedule
    for cut in sorted(cuts):
        first = recurrence.next_date(rest, schedule.start_date + timedelta(days=cut))
        if first is None or first == recurrence.next_date(rest, rest.start_date):
            continue
        before = replace(rest, end_date=first - timedelta(days=1))
        found += [one.local_start for one in recurrence.occurrences(before, rest.start_date, until, most=None)]
        rest = recurrence.checked(recurrence.from_date(rest, first))
    found += [one.local_start for one in recurrence.occurrences(rest, rest.start_date, until, most=None)]

    assert found == whole


@settings(max_examples=60, deadline=None, derandomize=True)
@given(schedules(), clocks, st.sampled_from(ZONES))
def test_occurrences_keep_their_days_at_a_new_time_in_a_new_zone(schedule: Schedule, at: time, zone: str) -> None:
    changed = replace(schedule, local_start_time=at, time_zone=zone)

    followed = recurrence.checked(exceptions.follow(schedule, changed))

    before, after = Counter(wall.date() for wall in walls(schedule)), Counter(wall.date() for wall in walls(followed))
    assert set(after) == set(before)
    assert all(number <= before[day] for day, number in after.items())
    assert "BYHOUR" in schedule.recurrence or after == before
    back = exceptions.follow(followed, replace(followed, local_start_time=schedule.local_start_time))
    assert {wall.date() for wall in walls(back)} == set(before)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(schedules(), rules(), clocks, st.sampled_from(ZONES))
def test_exceptions_keep_their_days_under_a_new_rule(schedule: Schedule, parts: Parts, at: time, zone: str) -> None:
    before = recurrence.read(schedule)
    assume(before.dates or before.dates_out or before.days_out)
    assume(recurrence.read(replace(schedule, recurrence=text(parts))).parts != before.parts)
    changed = replace(schedule, recurrence=text(parts), local_start_time=at, time_zone=zone)
    whole = set(walls(schedule))
    occurring = {wall.date() for wall in whole}
    days_out = {
        day
        for day in {moment.date() for moment in before.dates_out} | set(before.days_out)
        if day >= schedule.start_date and day not in occurring
    }
    followed = readable(recurrence.reanchored(schedule, exceptions.follow(schedule, changed)))

    days = {wall.date() for wall in walls(followed)}
    assert not days & days_out
    assert {moment.date() for moment in before.dates if moment in whole} <= days


@settings(max_examples=60, deadline=None, derandomize=True)
@given(schedules(), st.integers(1, 450))
def test_end_of_a_rule_keeps_the_phase(schedule: Schedule, length: int) -> None:
    """Shorten a series that continues another: the remaining occurrences are the same."""
    first = recurrence.next_date(schedule, schedule.start_date + timedelta(days=60))
    assume(first is not None and "COUNT" not in schedule.recurrence and "UNTIL" not in schedule.recurrence)
    assert first is not None
    rest = recurrence.from_date(schedule, first)
    last = first + timedelta(days=length)
    rule, *dates = rest.recurrence.split("\n")
    shorter = replace(rest, recurrence="\n".join([f"{rule};UNTIL={last:%Y%m%d}", *dates]))

    edited = recurrence.reanchored(rest, exceptions.follow(rest, shorter))

    of_rule = set(walls(replace(rest, recurrence=rule))) - set(recurrence.read(rest).dates)
    expected = {wall for wall in walls(rest) if wall.date() <= last or wall not in of_rule}
    assert set(walls(edited)) == expected
