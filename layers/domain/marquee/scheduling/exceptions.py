"""Exceptions of a series: dates added (RDATE) and left out (EXDATE), individual events, and the end of a rule (UNTIL).

An exception belongs to its day, and to its slot in the day. When the time, the time zone or the rule of the series
changes, it stays on this day and takes the new time of its slot (marquee.scheduling.slots). The slots of a day with an
exception that lose their time are remembered, so that the way back, and the way over other rules, leave out the same
occurrences.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from marquee.core.timestamps import LAST_YEAR
from marquee.scheduling import recurrence, slots
from marquee.scheduling.recurrence import Schedule
from marquee.scheduling.rules import Former, Recurrence
from marquee.scheduling.slots import Row, Slot

_Item = TypeVar("_Item")

Placed = tuple[datetime, int | None]
"""The new local start of an occurrence, and its place in the day if the rule has no time for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A changed schedule whose exceptions stay on their days, and what becomes of each occurrence with an event."""

    schedule: Schedule
    placed: Mapping[str, Placed]


def follow(old: Schedule, new: Schedule) -> Schedule:
    """Return a changed schedule whose exceptions stay on their days."""
    return plan(old, new, ()).schedule


def plan(old: Schedule, new: Schedule, rows: Collection[Row]) -> Plan:
    """Return a changed schedule whose exceptions stay on their days, and the new times of occurrences with events.

    A changed RRULE that is sent without dates keeps the dates of the series. Otherwise, the recurrence that was sent
    decides which dates there are, and those that the series had before stay on their days.
    """
    before = recurrence.read(old)
    sent = recurrence.read(new)
    if before.parts and sent.parts and before.parts != sent.parts and not sent.has_dates:
        sent = sent.with_dates_of(before)
    # The recurrence as it was meant before: an exception of the series has the same time in both.
    known = recurrence.read(replace(new, time_zone=old.time_zone, local_start_time=old.local_start_time))
    if sent.has_dates and not known.has_dates:
        known = known.with_dates_of(before)
    if _clock(old) == _clock(new) and before.parts == sent.parts:
        days = _Days(old, before, new, sent, known, rows, set(sent.dates) - set(before.dates), {})
        return Plan(new, days.placed())

    kept_dates: set[tuple[datetime, bool]] = set()
    own_dates: set[tuple[datetime, bool]] = set()
    moved: dict[datetime, tuple[datetime, bool]] = {}
    for moment, is_own, sent_moment, sent_own in zip(
        known.dates, known.own_times, sent.dates, sent.own_times, strict=True
    ):
        if moment in before.dates:
            new_time, is_of_rule, is_paired = _new_time(old, new, before, sent, moment, is_own=is_own)
            if not is_paired and new_time != moment:
                moved[moment] = new_time, is_of_rule
            kept_dates.add((new_time, is_own or new_time.time() != new.local_start_time))
        else:
            own_dates.add((sent_moment, sent_own))
    kept_out = sorted({moment for moment in known.dates_out if moment in before.dates_out})
    own_out = [own for moment, own in zip(known.dates_out, sent.dates_out, strict=True) if moment not in kept_out]
    dates = sorted(kept_dates | own_dates)
    followed = replace(
        sent,
        until=_until(old, new, before, known, sent),
        dates=tuple(moment for moment, _ in dates),
        own_times=tuple(is_own for _, is_own in dates),
        former_out=(),
        former_in=(),
    )
    known = replace(known, dates_out=tuple(kept_out))
    added = {moment for moment, _ in own_dates - kept_dates}
    days = _Days(old, before, new, followed, known, rows, added, moved)
    left_out = days.left_out(followed)
    followed = replace(left_out, dates_out=tuple(sorted({*left_out.dates_out, *own_out})))
    return Plan(replace(new, recurrence=followed.written(new.local_start_time)), days.placed())


class _Days:
    """The days of a series that have an exception or an event, before and after a change.

    A day before the change has its times as if the rule had no end, so that an exception keeps its slot when the rule
    is extended. A day on which the rule does not occur, and whose dates are all excluded, has only its dates.

    `known` has the exceptions as they were before. `added` are the dates that the change adds. `moved` has the new
    times of the other dates, and whether the new rule has these times too.
    """

    def __init__(
        self,
        old: Schedule,
        before: Recurrence,
        new: Schedule,
        later: Recurrence,
        known: Recurrence,
        rows: Collection[Row],
        added: Collection[datetime],
        moved: Mapping[datetime, tuple[datetime, bool]],
    ) -> None:
        self.known = known
        self.rows = _by_day((row.local_start, row) for row in rows)
        self.out = _by_day((moment, moment) for moment in known.dates_out)
        self.former_out = _by_day((former[0], former) for former in known.former_out)
        self.former_in = _by_day((former[0], former) for former in known.former_in)
        self.exceptional = self.out.keys() | self.former_out.keys()
        self.exceptional |= {day for day, of_day in self.rows.items() if any(row.is_exception for row in of_day)}
        everything = sorted(self.exceptional | self.rows.keys())
        self.before = recurrence.starts_of_days(old, before, everything)
        self.later = recurrence.starts_of_days(new, later, everything)
        self.dates = before.dates
        for day, moments in self.out.items():
            dates = {moment for moment in before.dates if moment.date() == day}
            if dates and dates == set(moments) and not recurrence.has_rule_on(old, before, day):
                self.before[day] = sorted(dates)
        self.added = added
        self.moved = moved

    def placed(self) -> dict[str, Placed]:
        """Return the new local start of each occurrence with an event, or its place."""
        found: dict[str, Placed] = {}
        for day in self.rows:
            of_day = self._slots(day)
            matched = self._matched(day, of_day)
            order = slots.after(of_day, matched, self.later[day])
            for place, slot in enumerate(order):
                if isinstance(slot, Slot) and slot.row is not None:
                    moment = matched.get(slot)
                    found[slot.row.event_id] = (moment, None) if moment else (slot.row.local_start, place)
        return found

    def left_out(self, after: Recurrence) -> Recurrence:
        """Return the changed recurrence with the EXDATE moments at the new times of their slots."""
        dates_out: list[datetime] = []
        former_out: list[Former] = []
        former_in: list[Former] = []
        for day in sorted(self.exceptional):
            of_day, times = self._slots(day), self.later[day]
            matched = self._matched(day, of_day)
            order = slots.after(of_day, matched, times)
            out = {matched[slot] for slot in of_day if slot.is_out and slot in matched}
            if all(slot.is_out for slot in of_day) and not self._is_exact(day):
                out.update(moment for moment in order if not isinstance(moment, Slot))
            dates_out += out
            if not out and not any(slot.is_out or slot.is_held for slot in of_day):
                continue
            lost = [slot for slot in order if isinstance(slot, Slot) and slot not in matched]
            written = [slot for slot in lost if slot.is_out or not slot.is_held]
            is_explicit = len(written) < len(lost) or not _is_by_time(order, matched)
            for slot in written:
                if slot.is_out and not times and not is_explicit:
                    dates_out.append(slot.moment)
                else:
                    place = order.index(slot) if is_explicit else None
                    (former_out if slot.is_out else former_in).append((slot.moment, place))
        return replace(
            after,
            dates_out=tuple(sorted(dates_out)),
            former_out=tuple(former_out),
            former_in=tuple(former_in),
        )

    def _slots(self, day: date) -> list[Slot]:
        starts, excluded = self.before[day], self.out.get(day, [])
        named = recurrence.excluded(starts, self.dates, excluded)
        unnamed = [] if named else excluded
        return slots.of_day(
            starts,
            named,
            [*self.former_out.get(day, []), *((moment, None) for moment in ([] if starts else unnamed))],
            self.former_in.get(day, []),
            unnamed if starts else [],
            self.rows.get(day, []),
        )

    def _matched(self, day: date, of_day: Sequence[Slot]) -> dict[Slot, datetime]:
        """Return the new times of slots. A date on sale has its own; an exception has it if no other slot does."""
        times = self.later[day]
        dates: dict[Slot, datetime] = {}
        for slot in sorted(of_day, key=lambda slot: slot.is_out or slot.is_held):
            new_time, is_of_rule = self.moved.get(slot.moment, (None, False)) if slot.has_time else (None, False)
            if new_time is None or new_time not in times or new_time in dates.values():
                continue
            is_shared = is_of_rule or any(
                other.moment == new_time for other in of_day if other.has_time and other is not slot
            )
            if not is_shared or not (slot.is_out or slot.is_held):
                dates[slot] = new_time
        return slots.match(of_day, times, self.added, dates)

    def _is_exact(self, day: date) -> bool:
        """Return whether an EXDATE of a day that had no occurrence names one of its new times."""
        return not self.before[day] and any(moment in self.later[day] for moment in self.out.get(day, []))


def _by_day(items: Iterable[tuple[datetime, _Item]]) -> dict[date, list[_Item]]:
    found: dict[date, list[_Item]] = {}
    for moment, item in items:
        found.setdefault(moment.date(), []).append(item)
    return found


def _is_by_time(order: Sequence[Slot | datetime], matched: Mapping[Slot, datetime]) -> bool:
    """Return whether the slots without a time are in their places if they are put in the order of their times.

    `matched` are the new times of the other slots.
    """
    keys = [
        (matched.get(slot, slot.moment), slot not in matched) if isinstance(slot, Slot) else (slot, False)
        for slot in order
    ]
    return len(set(keys)) == len(keys) and keys == sorted(keys)


def _clock(schedule: Schedule) -> tuple[str, time]:
    return schedule.time_zone, schedule.local_start_time


def _new_time(
    old: Schedule, new: Schedule, before: Recurrence, sent: Recurrence, moment: datetime, *, is_own: bool
) -> tuple[datetime, bool, bool]:
    """Return the new time of an RDATE: that of the same occurrence of the rule, or of the series, or its own.

    Also returns whether the new rule has this time, and whether it is that of the same occurrence.
    """
    day = moment.date()
    earlier, later = recurrence.rule_of_day(old, before, day), recurrence.rule_of_day(new, sent, day)
    paired = dict(_pairs(earlier, later)).get(moment)
    if paired is not None and not (is_own and moment.time() == old.local_start_time):
        return paired, True, True
    new_time = datetime.combine(day, moment.time() if is_own else new.local_start_time)
    return new_time, new_time in later, False


def _until(old: Schedule, new: Schedule, before: Recurrence, known: Recurrence, sent: Recurrence) -> datetime | None:
    """Return the end of the rule, after as many occurrences of its last day as before."""
    end = before.until
    if end is None or known.until != end or end.time() == time.max or end.year >= LAST_YEAR:
        return sent.until
    day = end.date()
    earlier, later = recurrence.rule_of_day(old, before, day), recurrence.rule_of_day(new, sent, day)
    number = sum(1 for start in earlier if start <= end)
    if not earlier:
        return end
    if number == 0:
        return datetime.combine(day - timedelta(days=1), time.max)
    return later[number - 1] if number < min(len(earlier), len(later) + 1) else datetime.combine(day, time.max)


def _pairs(earlier: Sequence[datetime], later: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the occurrences of a day with their new times: the same time, or else the same place among the others."""
    yield from ((start, start) for start in earlier if start in later)
    yield from zip(
        (start for start in earlier if start not in later),
        (start for start in later if start not in earlier),
        strict=False,
    )
