"""Test properties of every recurrence with generated rules, time zones and windows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marquee.core.errors import Refused
from marquee.scheduling import recurrence
from marquee.scheduling.recurrence import Schedule

pytestmark = pytest.mark.usefixtures("sockets_off")

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ZONES = [
    "Europe/Zurich", "Europe/London", "America/New_York", "America/Sao_Paulo", "Pacific/Auckland", "Pacific/Kiritimati",
    "Pacific/Pago_Pago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns", "UTC",
]  # fmt: skip

dates = st.dates(date(2024, 1, 1), date(2028, 12, 31))
times = st.times().map(lambda at: at.replace(microsecond=0))
weekday_sets = st.sets(st.sampled_from(range(7)), min_size=1)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Generate a rule as people write it."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    if draw(st.booleans()):
        parts.append("BYDAY=" + ",".join(WEEKDAYS[day] for day in sorted(draw(weekday_sets))))
    if frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={draw(st.integers(1, 31))}")
    if draw(st.booleans()):
        parts.append("BYHOUR=" + ",".join(map(str, sorted(draw(st.sets(st.integers(0, 23), min_size=1, max_size=4))))))
    ending = draw(st.sampled_from(["", "COUNT", "UNTIL"]))
    if ending == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    if ending == "UNTIL":
        parts.append(f"UNTIL={draw(dates):%Y%m%d}")
    return "RRULE:" + ";".join(parts)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Generate a schedule with at least one occurrence."""
    drawn = Schedule(draw(rules()), draw(st.sampled_from(ZONES)), draw(dates), None, draw(times))
    try:
        return recurrence.checked(drawn)
    except Refused:
        assume(False)
        raise


windows = st.tuples(dates, st.integers(0, 200))


@given(schedules(), windows, st.integers(0, 200))
def test_window_has_the_occurrences_of_its_halves(schedule: Schedule, window: tuple[date, int], cut: int) -> None:
    first, length = window
    until, middle = first + timedelta(days=length), first + timedelta(days=min(cut, length))

    halves = recurrence.occurrences(schedule, first, middle) + recurrence.occurrences(
        schedule, middle + timedelta(days=1), until
    )

    assert {one.starts_at for one in halves} == {
        one.starts_at for one in recurrence.occurrences(schedule, first, until)
    }


@given(schedules(), windows)
def test_occurrences_are_unique_in_the_window_and_at_their_local_time(
    schedule: Schedule, window: tuple[date, int]
) -> None:
    first, until = window[0], window[0] + timedelta(days=window[1])
    zone = ZoneInfo(schedule.time_zone)

    found = recurrence.occurrences(schedule, first, until)

    instants = [one.starts_at for one in found]
    assert len(set(instants)) == len(instants)
    for one in found:
        assert first <= one.local_start.date() <= until
        assert one.local_start.date() >= schedule.start_date
        wall = one.starts_at.astimezone(zone).replace(tzinfo=None)
        is_left_out = one.local_start.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(
            tzinfo=None
        ) != one.local_start.replace(fold=0)
        assert wall == one.local_start or (is_left_out and wall > one.local_start)


@given(weekday_sets, st.integers(1, 4), dates, times, st.sampled_from(ZONES), windows)
def test_weekly_rule_matches_counting_weeks(
    weekdays: set[int], interval: int, start: date, at: time, zone: str, window: tuple[date, int]
) -> None:
    names = ",".join(WEEKDAYS[day] for day in sorted(weekdays))
    schedule = Schedule(f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={names}", zone, start, None, at)
    first, until = window[0], window[0] + timedelta(days=window[1])
    week_of_start = start - timedelta(days=start.weekday())

    expected = [
        day
        for day in (first + timedelta(days=number) for number in range(window[1] + 1))
        if day >= start and day.weekday() in weekdays and (day - week_of_start).days // 7 % interval == 0
    ]

    assert [one.local_start for one in recurrence.occurrences(schedule, first, until)] == [
        datetime.combine(day, at) for day in expected
    ]


@given(schedules(), st.data())
def test_exdate_removes_only_the_named_occurrence(schedule: Schedule, data: st.DataObject) -> None:
    first, until = schedule.start_date, schedule.start_date + timedelta(days=120)
    whole = recurrence.occurrences(schedule, first, until)
    assume(whole)
    out = data.draw(st.sampled_from(whole)).local_start

    rest = recurrence.occurrences(
        Schedule(
            f"{schedule.recurrence}\nEXDATE:{out:%Y%m%dT%H%M%S}",
            schedule.time_zone,
            first,
            None,
            schedule.local_start_time,
        ),
        first,
        until,
    )

    assert {one.local_start for one in whole} - {one.local_start for one in rest} >= {out}
    assert {one.local_start for one in rest if one.local_start != out} >= {
        one.local_start for one in whole if one.local_start != out
    }


@given(schedules(), st.integers(0, 100))
def test_split_assigns_each_occurrence_to_one_series(schedule: Schedule, after: int) -> None:
    first = recurrence.next_date(schedule, schedule.start_date + timedelta(days=after))
    assume(first is not None)
    assert first is not None
    until = schedule.start_date + timedelta(days=300)
    before = Schedule(
        schedule.recurrence,
        schedule.time_zone,
        schedule.start_date,
        first - timedelta(days=1),
        schedule.local_start_time,
    )
    rest = recurrence.from_date(schedule, first)

    both = recurrence.occurrences(before, schedule.start_date, until) if first > schedule.start_date else []
    both += recurrence.occurrences(rest, schedule.start_date, until)

    assert both == recurrence.occurrences(schedule, schedule.start_date, until)


@settings(max_examples=300)
@given(st.text(max_size=200) | st.text("FREQ=;:BYDAMOTWKLUNIRSTC0123456789,-+\n ", max_size=80))
def test_any_rule_text_is_parsed_or_refused(text: str) -> None:
    assert outcome(text) in ("read", "invalid_request")


def outcome(text: str) -> str:
    try:
        recurrence.checked(Schedule(text, "Europe/Zurich", date(2026, 1, 5), None, time(9)))
    except Refused as refusal:
        return refusal.code
    return "read"
