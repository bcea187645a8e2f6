"""Test the occurrences of a series: rules, time zones, daylight saving time and refusals."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from marquee.core.errors import Refused
from marquee.scheduling import recurrence
from marquee.scheduling.recurrence import Schedule

pytestmark = pytest.mark.usefixtures("sockets_off")

FAR_ZONES = ["Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Chatham", "Asia/Kathmandu"]


def schedule(
    rule: str,
    zone: str = "Europe/Zurich",
    start: date = date(2026, 1, 5),
    end: date | None = None,
    at: time = time(9),
) -> Schedule:
    return Schedule(rule, zone, start, end, at)


def days(a_schedule: Schedule, first: date, until: date) -> list[date]:
    return [found.local_start.date() for found in recurrence.occurrences(a_schedule, first, until)]


def refusal_message(a_schedule: Schedule) -> str:
    with pytest.raises(Refused) as refusal:
        recurrence.checked(a_schedule)
    assert (refusal.value.status, refusal.value.code) == (422, "invalid_request")
    return str(refusal.value.extensions["errors"][0]["message"])


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        # The Mondays on which the UTC hour of 09:00 changes. Auckland's Mondays are Sundays in UTC.
        ("Europe/Zurich", [(date(2026, 1, 5), 8), (date(2026, 3, 30), 7), (date(2026, 10, 26), 8)]),
        ("America/New_York", [(date(2026, 1, 5), 14), (date(2026, 3, 9), 13), (date(2026, 11, 2), 14)]),
        ("Pacific/Auckland", [(date(2026, 1, 5), 20), (date(2026, 4, 6), 21), (date(2026, 9, 28), 20)]),
    ],
)
def test_weekly_local_time_stays_the_same_for_a_year(zone: str, changes: list[tuple[date, int]]) -> None:
    found = recurrence.occurrences(schedule("FREQ=WEEKLY", zone), date(2026, 1, 1), date(2026, 12, 31))

    mondays = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(52)]
    assert [one.local_start for one in found] == [datetime.combine(monday, time(9)) for monday in mondays]
    assert all(one.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == one.local_start for one in found)
    hours = [(one.local_start.date(), one.starts_at.astimezone(UTC).hour) for one in found]
    seen = hours[:1] + [later for earlier, later in pairwise(hours) if later[1] != earlier[1]]
    assert seen == changes
    assert len({one.starts_at for one in found}) == 52


def test_occurrences_follow_the_rule() -> None:
    """Repeat a fault of an earlier system: the rule was ignored, and events were daily instead of weekly."""
    first, until = date(2026, 1, 5), date(2026, 2, 1)

    assert days(schedule("FREQ=DAILY"), first, until) == [first + timedelta(days=day) for day in range(28)]
    assert days(schedule("FREQ=WEEKLY"), first, until) == [first + timedelta(weeks=week) for week in range(4)]
    assert [day.weekday() for day in days(schedule("FREQ=WEEKLY;BYDAY=MO,WE,FR"), first, until)] == [0, 2, 4] * 4
    assert days(schedule("FREQ=MONTHLY;BYDAY=-1FR"), first, until) == [date(2026, 1, 30)]
    assert days(schedule("FREQ=MONTHLY;BYDAY=2TU"), first, date(2026, 4, 30)) == [
        date(2026, 1, 13), date(2026, 2, 10), date(2026, 3, 10), date(2026, 4, 14),
    ]  # fmt: skip
    assert days(schedule("FREQ=WEEKLY;INTERVAL=2"), first, until) == [first, date(2026, 1, 19)]
    assert days(schedule("FREQ=MONTHLY;BYMONTHDAY=31"), first, date(2026, 6, 30)) == [
        date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31),
    ]  # fmt: skip


def test_local_times_do_not_shift_with_time_zone_or_dst() -> None:
    """Repeat a fault of an earlier system: times shifted with the time zone and DST."""
    for zone in ("Europe/Zurich", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", *FAR_ZONES):
        found = recurrence.occurrences(
            schedule("FREQ=DAILY", zone, at=time(18, 30)), date(2026, 1, 5), date(2026, 12, 31)
        )
        walls = {one.starts_at.astimezone(ZoneInfo(zone)).time() for one in found}
        assert walls == {time(18, 30)}, zone


@pytest.mark.parametrize("zone", FAR_ZONES)
@pytest.mark.parametrize("at", [time(0, 0), time(0, 30), time(12), time(23, 30)])
def test_far_time_zone_has_each_day_once(zone: str, at: time) -> None:
    """Repeat a fault of an earlier system: far time zones duplicated days."""
    found = recurrence.occurrences(schedule("FREQ=DAILY", zone, at=at), date(2026, 1, 5), date(2026, 12, 31))

    locally = Counter(one.starts_at.astimezone(ZoneInfo(zone)).date() for one in found)
    assert set(locally.values()) == {1}
    assert sorted(locally) == [date(2026, 1, 5) + timedelta(days=day) for day in range(361)]


def test_local_time_skipped_by_dst_takes_the_offset_before_the_change() -> None:
    found = recurrence.occurrences(schedule("FREQ=DAILY", at=time(2, 30)), date(2026, 3, 28), date(2026, 3, 30))

    assert [one.starts_at for one in found] == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # 02:30 does not exist on this day: 03:30 in summer time
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


def test_local_time_repeated_by_dst_is_the_first_instant() -> None:
    found = recurrence.occurrences(schedule("FREQ=DAILY", at=time(2, 30)), date(2026, 10, 25), date(2026, 10, 25))

    assert [one.starts_at for one in found] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_two_local_times_at_one_instant_are_one_occurrence() -> None:
    rule = schedule("FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30")

    assert len(recurrence.occurrences(rule, date(2026, 3, 28), date(2026, 3, 28))) == 2
    assert len(recurrence.occurrences(rule, date(2026, 3, 29), date(2026, 3, 29))) == 1


def test_count_starts_at_the_start_date_for_any_window() -> None:
    five = schedule("FREQ=DAILY;COUNT=5")

    assert len(days(five, date(2026, 1, 1), date(2026, 12, 31))) == 5
    assert days(five, date(2026, 1, 8), date(2026, 12, 31)) == [date(2026, 1, 8), date(2026, 1, 9)]
    assert days(five, date(2026, 2, 1), date(2026, 12, 31)) == []


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260119", date(2026, 1, 19)),
        ("20260119T090000", date(2026, 1, 19)),
        ("20260119T085959", date(2026, 1, 12)),
        ("20260119T080000Z", date(2026, 1, 19)),
        ("20260119T075959Z", date(2026, 1, 12)),
        ("99991231T235959Z", date(2026, 6, 29)),
    ],
)
def test_until_accepts_a_date_a_local_time_or_a_utc_time(until: str, last: date) -> None:
    assert days(schedule(f"FREQ=WEEKLY;UNTIL={until}"), date(2026, 1, 1), date(2026, 7, 5))[-1] == last


def test_rdate_adds_and_exdate_removes_occurrences() -> None:
    rule = "\r\n".join(
        [
            "RRULE:FREQ=WEEKLY;BYDAY=MO",
            "EXDATE:20260112T090000,20260119T090000",
            "EXDATE;VALUE=DATE:20260126",
            "RDATE:20260114T180000",
            "RDATE;VALUE=DATE:20260115",
            "RDATE;TZID=America/New_York:20260116T",
            " 120000",
        ]
    )
    found = recurrence.occurrences(schedule(rule), date(2026, 1, 1), date(2026, 2, 2))

    assert [one.local_start for one in found] == [
        datetime(2026, 1, 5, 9),
        datetime(2026, 1, 14, 18),
        datetime(2026, 1, 15, 9),
        datetime(2026, 1, 16, 18),
        datetime(2026, 2, 2, 9),
    ]


def test_end_date_is_the_last_day() -> None:
    assert days(schedule("FREQ=DAILY", end=date(2026, 1, 7)), date(2026, 1, 1), date(2026, 2, 1))[-1] == date(
        2026, 1, 7
    )


def test_split_series_continues_where_the_old_series_ends() -> None:
    fortnightly = schedule("RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=9\nEXDATE:20260107T090000")
    whole = days(fortnightly, date(2026, 1, 1), date(2026, 12, 31))
    first = recurrence.next_date(fortnightly, date(2026, 1, 20))
    assert first == date(2026, 1, 21)

    rest = recurrence.from_date(fortnightly, first)

    assert "COUNT=6" in rest.recurrence
    assert days(rest, date(2026, 1, 1), date(2026, 12, 31)) == [day for day in whole if day >= first]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "needs an RRULE or an RDATE"),
        ("FREQ", "must start with"),
        ("DTSTART:20260101T090000", "must start with"),
        ("EXDATE:20260101T090000", "needs an RRULE or an RDATE"),
        ("FREQ=SECONDLY", "too frequent"),
        ("FREQ=MINUTELY;INTERVAL=5", "too frequent"),
        ("FREQ=HOURLY", "too frequent"),
        ("FREQ=FORTNIGHTLY", "FREQ must be one of"),
        ("FREQ=WEEKLY\nRRULE:FREQ=DAILY", "Line 2: only one RRULE"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY must be"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY with a number"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "is not allowed with"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "is not allowed with"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be from 1 to 31"),
        ("FREQ=DAILY;BYHOUR=24", "BYHOUR must be from 0 to 23"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be from 1"),
        ("FREQ=DAILY;COUNT=-1", "COUNT must be from 1"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260301", "only one of COUNT and UNTIL"),
        ("FREQ=DAILY;UNTIL=20260231", "is not a valid date"),
        ("FREQ=DAILY;UNTIL=soon", "write a date as"),
        ("FREQ=DAILY;BYEASTER=1", "there is no such part: BYEASTER"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs"),
        ("FREQ=DAILY;FREQ=DAILY", "occurs twice"),
        ("FREQ=DAILY;;", "NAME=VALUE"),
        ("RDATE;VALUE=PERIOD:20260101T090000/PT1H", "is not supported"),
        ("RDATE;TZID=Mars/Olympus:20260101T090000", "no time zone"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never occurs"),
        ("FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1", "never occurs"),
        ("FREQ=DAILY;UNTIL=20251231", "never occurs"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(21))), "more than 20 times on"),
        ("FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(18))), "more than 2000 times in 120 days"),
        ("RDATE:" + ",".join(["20260105"] * 1001), "more than 1000 dates"),
    ],
)
def test_invalid_or_excessive_rule_is_refused_with_its_place(rule: str, message: str) -> None:
    assert message in refusal_message(schedule(rule))


@pytest.mark.parametrize(
    ("a_schedule", "place"),
    [
        (schedule("FREQ=DAILY", "Europe/Zürich"), "time_zone"),
        (schedule("FREQ=DAILY", "../../etc/passwd"), "time_zone"),
        (schedule("FREQ=DAILY", end=date(2026, 1, 4)), "end_date"),
        (schedule("FREQ=DAILY", start=date(1969, 12, 31)), "start_date"),
    ],
)
def test_refusal_names_the_invalid_field(a_schedule: Schedule, place: str) -> None:
    with pytest.raises(Refused) as refusal:
        recurrence.checked(a_schedule)
    assert refusal.value.extensions["errors"][0]["path"] == ["body", place]


def test_rule_is_stored_in_upper_case_with_its_prefix() -> None:
    assert recurrence.checked(schedule("freq=weekly;byday=mo")).recurrence == "RRULE:FREQ=WEEKLY;BYDAY=MO"
