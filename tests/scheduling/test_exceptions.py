"""Exceptions of a series keep their meaning over any sequence of edits: the way back brings back what was there."""

import itertools
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from marquee.scheduling import exceptions, recurrence
from marquee.scheduling.recurrence import Schedule

MONDAY = date(2026, 12, 7)
OUT = date(2026, 12, 14)
RULES = [
    "FREQ=WEEKLY;BYDAY=MO",
    "FREQ=WEEKLY;BYDAY=TU",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,18",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,12,18",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10,18",
    "FREQ=WEEKLY;BYDAY=MO;BYHOUR=8",
    "FREQ=WEEKLY;BYDAY=TU;BYHOUR=10,19",
    "FREQ=DAILY",
    "FREQ=DAILY;BYHOUR=10,19",
]
DATES = ["EXDATE:20261214T090000", "EXDATE:20261214T180000", "EXDATE;VALUE=DATE:20261214", "RDATE:20261216T140000"]


def series(text: str, at: int = 9) -> Schedule:
    return recurrence.checked(Schedule(text, "Europe/Zurich", MONDAY, None, time(at)))


def edited(schedule: Schedule, *rules: str) -> Schedule:
    """Return a schedule after several rules, each sent alone."""
    for rule in rules:
        new = exceptions.follow(schedule, replace(schedule, recurrence=f"RRULE:{rule}"))
        schedule = recurrence.checked(recurrence.reanchored(schedule, new))
    return schedule


def at_time(schedule: Schedule, *hours: int) -> Schedule:
    """Return a schedule after several new times."""
    for hour in hours:
        schedule = recurrence.checked(exceptions.follow(schedule, replace(schedule, local_start_time=time(hour))))
    return schedule


def starts(schedule: Schedule) -> list[datetime]:
    until = MONDAY + timedelta(weeks=8)
    return [found.local_start for found in recurrence.occurrences(schedule, MONDAY, until)]


def hours(schedule: Schedule, day: date) -> list[int]:
    return [start.hour for start in starts(schedule) if start.date() == day]


@pytest.mark.parametrize(
    ("out", "rules", "left"),
    [
        (9, ["FREQ=WEEKLY;BYDAY=TU;BYHOUR=9,18", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=10,18"], [18]),
        (9, ["FREQ=WEEKLY;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=18,20"], [18]),
        (18, ["FREQ=WEEKLY;BYDAY=MO"], [9]),
        (18, ["FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,18"], [9]),
        (18, ["FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,18"], [9]),
        (9, ["FREQ=WEEKLY;BYDAY=MO"], []),
        (9, ["FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,18"], [18]),
        (9, ["FREQ=WEEKLY;BYDAY=MO;BYHOUR=10,18", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,10"], [9]),
    ],
)
def test_time_left_out_stays_out_alone_over_several_rules(out: int, rules: list[str], left: list[int]) -> None:
    schedule = series(f"RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9,18\nEXDATE:20261214T{out:02}0000")

    assert hours(edited(schedule, *rules), OUT) == left


@pytest.mark.parametrize("line", DATES)
def test_way_back_to_a_rule_brings_back_its_occurrences(line: str) -> None:
    wrong = []
    for first, other in itertools.permutations(RULES, 2):
        schedule = series(f"RRULE:{first}\n{line}")
        back = edited(schedule, other, first)
        if starts(back) != starts(schedule):
            wrong.append((first, other, back.recurrence))
    assert wrong == []


def test_dates_that_a_rule_lost_are_removed_with_the_others() -> None:
    schedule = edited(series(f"RRULE:{RULES[2]}\nEXDATE:20261214T180000"), RULES[0])

    cleared = edited(schedule, RULES[0], RULES[2])

    assert hours(cleared, OUT) == [9, 18]


@pytest.mark.parametrize("path", [[14, 8], [14, 14, 9, 8], [8, 14, 10], [14, 10]])
@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;BYDAY=MO", "FREQ=DAILY"])
def test_added_date_keeps_its_own_time_when_the_series_passes_it(rule: str, path: list[int]) -> None:
    day = date(2026, 12, 16)
    dates = "RDATE:20261216T140000\nRDATE;VALUE=DATE:20261216"

    moved = at_time(series(f"RRULE:{rule}\n{dates}", at=10), *path)

    assert hours(moved, day) == sorted({14, path[-1]})


@pytest.mark.parametrize(
    ("rule", "out", "new_rule", "left"),
    [
        ("FREQ=DAILY;BYHOUR=8,9", 8, "FREQ=WEEKLY;BYDAY=MO", [18]),
        ("FREQ=DAILY;BYHOUR=8,9", 9, "FREQ=WEEKLY;BYDAY=MO", []),
        ("FREQ=DAILY;BYHOUR=8;COUNT=3", 9, "FREQ=DAILY;BYHOUR=8,10", []),
        ("FREQ=DAILY;BYHOUR=8;UNTIL=20261210", 9, "FREQ=DAILY;BYHOUR=8,10", []),
        ("FREQ=DAILY;BYHOUR=8;COUNT=30", 9, "FREQ=DAILY;BYHOUR=8,10", [8, 10]),
    ],
)
def test_added_date_stays_on_sale_or_excluded_at_the_new_time_of_the_series(
    rule: str, out: int, new_rule: str, left: list[int]
) -> None:
    """A date among the times of a rule is not confused with them, nor with those that the rule has no longer."""
    schedule = series(f"RRULE:{rule}\nRDATE;VALUE=DATE:20261216\nEXDATE:20261216T{out:02}0000")
    changed = replace(schedule, recurrence=f"RRULE:{new_rule}", local_start_time=time(18))

    followed = recurrence.checked(recurrence.reanchored(schedule, exceptions.follow(schedule, changed)))

    assert hours(followed, date(2026, 12, 16)) == left
