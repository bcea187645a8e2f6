"""The slots of a day keep their identity over any rules: generated days, changes and exceptions."""

from dataclasses import replace
from datetime import date, datetime, time
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from marquee.scheduling import exceptions, recurrence
from marquee.scheduling.recurrence import Schedule
from marquee.scheduling.slots import Row

pytestmark = pytest.mark.usefixtures("sockets_off")

FIRST = date(2026, 12, 7)
DAY = date(2026, 12, 9)
ZONES = ["Europe/Zurich", "America/New_York", "Pacific/Auckland"]

Times = list[int]


def times(most: int = 4) -> st.SearchStrategy[Times]:
    """Generate the hours of a rule; none means that the rule does not have the day."""
    return st.lists(st.integers(6, 21), max_size=most, unique=True).map(sorted)


def paths(number: int) -> st.SearchStrategy[list[Times]]:
    """Generate the hours of several rules, of which the first has `number` times, and no other has more."""
    whole = st.lists(st.integers(6, 21), min_size=number, max_size=number, unique=True).map(sorted)
    return st.tuples(whole, st.lists(times(number), min_size=1, max_size=6), whole).map(
        lambda drawn: [drawn[0], *drawn[1], drawn[2]]
    )


def rule(hours: Times, step: int = 0) -> str:
    """Return a daily rule, or one of another weekday. The minutes differ by step, so that no two rules share a time."""
    if not hours:
        return f"RRULE:FREQ=WEEKLY;BYDAY=SU;BYMINUTE={step}"
    return f"RRULE:FREQ=DAILY;BYHOUR={','.join(map(str, hours))};BYMINUTE={step}"


def checked(text: str, zone: str = "Europe/Zurich") -> Schedule:
    return recurrence.checked(Schedule(text, zone, FIRST, None, time(9)))


def starts(schedule: Schedule) -> list[datetime]:
    return [found.local_start for found in recurrence.occurrences(schedule, DAY, DAY)]


def changed(schedule: Schedule, text: str, rows: list[Row], zone: str | None = None) -> tuple[Schedule, list[Row]]:
    """Return a schedule and the rows of individual events after a rule that is sent alone."""
    new = replace(schedule, recurrence=text, time_zone=zone or schedule.time_zone)
    plan = exceptions.plan(schedule, recurrence.reanchored(schedule, new), rows)
    after = [replace(row, local_start=(at := plan.placed[row.event_id])[0], place=at[1]) for row in rows]
    return recurrence.checked(plan.schedule), after


def live(schedule: Schedule, rows: list[Row]) -> list[datetime]:
    """Return the starts of the day that are on sale: neither excluded nor those of an individual event."""
    held = {row.local_start for row in rows if row.place is None}
    return [start for start in starts(schedule) if start not in held]


def state(path: list[Times], places: set[int], held: set[int]) -> tuple[Schedule, list[Row]]:
    """Return a series whose slots at `places` are excluded, and whose slots at `held` have individual events."""
    whole = [datetime.combine(DAY, time(hour)) for hour in path[0]]
    out = "".join(f"\nEXDATE:{whole[place]:%Y%m%dT%H%M%S}" for place in sorted(places))
    return checked(rule(path[0]) + out), [Row(str(place), whole[place], None, True) for place in sorted(held)]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), st.integers(2, 4), st.sampled_from(ZONES))
def test_exceptions_have_the_same_places_when_all_slots_have_times_again(
    data: st.DataObject, number: int, zone: str
) -> None:
    """No two rules share a time, so only the order of the day decides."""
    path = data.draw(paths(number))
    places = data.draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=number - 1))
    held = data.draw(st.sets(st.sampled_from(sorted(places))))
    schedule, rows = state(path, places - held, held)
    for step, hours in enumerate(path[1:], start=1):
        schedule, rows = changed(schedule, rule(hours, step), rows, zone if step == 1 else None)

        if len(hours) == number:
            expected = [hour for place, hour in enumerate(hours) if place not in places]
            assert [start.hour for start in live(schedule, rows)] == expected


@pytest.mark.parametrize("path", [[[6, 7], [7], [6, 7]], [[6, 7], [9], [], [8], [9, 10]]])
@pytest.mark.parametrize(("place", "held"), [(0, False), (1, False), (0, True), (1, True)])
def test_slot_moved_to_the_time_of_another_stays_before_it(path: list[Times], place: int, held: bool) -> None:
    schedule, rows = state(path, set() if held else {place}, {place} if held else set())
    for step, hours in enumerate(path[1:], start=1):
        schedule, rows = changed(schedule, rule(hours, step), rows)

    assert [start.hour for start in live(schedule, rows)] == [path[-1][1 - place]]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 4))
def test_number_of_exceptions_stays_when_rules_share_times(data: st.DataObject, number: int) -> None:
    path = data.draw(paths(number))
    assume(all(earlier != later for earlier, later in pairwise(path)))
    places = data.draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=number))
    held = data.draw(st.sets(st.sampled_from(sorted(places))))
    assume(number > 1 or not places - held or not held)
    schedule, rows = state(path, places - held, held)
    for hours in path[1:]:
        schedule, rows = changed(schedule, rule(hours), rows)

        assert len({(row.local_start, row.place) for row in rows}) == len(rows)
        assert all(row.place is not None or row.local_start.hour in hours for row in rows)
        assert len(live(schedule, rows)) >= len(hours) - len(places)
        if len(hours) == number:
            assert len(live(schedule, rows)) == number - len(places)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(times(4), times(4), st.data())
@example([9, 12, 15], [9, 15], None)
def test_way_back_brings_back_the_occurrences_of_a_day(first: Times, other: Times, data: st.DataObject | None) -> None:
    assume(first and first != other)
    places = data.draw(st.sets(st.integers(0, len(first) - 1))) if data else {1}
    held = data.draw(st.sets(st.sampled_from(sorted(places)))) if data and places else set()
    schedule, rows = state([first], places - held, held)

    there, rows_there = changed(schedule, rule(other), rows)
    back, rows_back = changed(there, rule(first), rows_there)

    assert starts(back) == starts(schedule)
    assert rows_back == rows


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.data(), st.integers(2, 4))
def test_other_edits_change_no_slot(data: st.DataObject, number: int) -> None:
    """Add a date of another time, and remove it: individual events keep their slots."""
    path = data.draw(paths(number))
    held = data.draw(st.sets(st.integers(0, number - 1), min_size=1))
    schedule, rows = state(path, set(), held)
    for hours in path[1:]:
        schedule, rows = changed(schedule, rule(hours), rows)
        assume(starts(schedule))
        added, rows_added = changed(schedule, f"{schedule.recurrence}\nRDATE:20261209T233000", rows)

        assert len(live(added, rows_added)) == len(live(schedule, rows)) + 1
        removed, rows_removed = changed(added, schedule.recurrence, rows_added)
        assert (removed.recurrence, rows_removed) == (schedule.recurrence, rows)
