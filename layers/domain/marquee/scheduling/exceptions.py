"""Exceptions of a series: dates added (RDATE) and left out (EXDATE), and the last day of its rule (UNTIL).

An exception belongs to its day. When the time, the time zone or the rule of the series changes, it stays on this day
and takes the new time of the occurrence that it names. The times that a day with an EXDATE loses are remembered, so
that the way back, and the way over another rule, leave out the same occurrences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from marquee.core.timestamps import LAST_YEAR
from marquee.scheduling import recurrence
from marquee.scheduling.recurrence import Schedule
from marquee.scheduling.rules import Recurrence


def follow(old: Schedule, new: Schedule) -> Schedule:
    """Return a changed schedule whose exceptions stay on their days.

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
        return new

    kept_dates: set[tuple[datetime, bool]] = set()
    own_dates: set[tuple[datetime, bool]] = set()
    for moment, is_own, sent_moment, sent_own in zip(
        known.dates, known.own_times, sent.dates, sent.own_times, strict=True
    ):
        if moment in before.dates:
            new_time = _new_time(old, new, before, sent, moment, is_own=is_own)
            kept_dates.add((new_time, is_own or new_time.time() != new.local_start_time))
        else:
            own_dates.add((sent_moment, sent_own))
    kept_out = sorted({moment for moment in known.dates_out if moment in before.dates_out})
    own_out = [own for moment, own in zip(known.dates_out, sent.dates_out, strict=True) if moment not in kept_out]
    followed = replace(
        sent,
        until=_until(old, new, before, known, sent),
        dates=tuple(moment for moment, _ in sorted(kept_dates)),
        former_out=(),
        former_in=(),
    )
    left_out = _left_out(old, new, before, followed, replace(known, dates_out=tuple(kept_out)))
    dates = sorted(kept_dates | own_dates)
    followed = replace(
        left_out,
        dates=tuple(moment for moment, _ in dates),
        own_times=tuple(is_own for _, is_own in dates),
        dates_out=tuple(sorted({*left_out.dates_out, *own_out})),
    )
    return replace(new, recurrence=followed.written(new.local_start_time))


def previous_starts(old: Schedule, new: Schedule, day: date) -> dict[datetime, datetime]:
    """Return the old local start of each new one that replaces it on a day."""
    earlier = recurrence.starts_of_day(old, recurrence.read(old), day)
    later = recurrence.starts_of_day(new, recurrence.read(new), day)
    return {new_start: start for start, new_start in _pairs(earlier, later)}


def _clock(schedule: Schedule) -> tuple[str, time]:
    return schedule.time_zone, schedule.local_start_time


def _new_time(
    old: Schedule, new: Schedule, before: Recurrence, sent: Recurrence, moment: datetime, *, is_own: bool
) -> datetime:
    """Return the new time of an RDATE: that of the same occurrence of the rule, or of the series, or its own."""
    if is_own and moment.time() == old.local_start_time:
        return moment
    day = moment.date()
    earlier, later = recurrence.rule_of_day(old, before, day), recurrence.rule_of_day(new, sent, day)
    usual = moment.time() if is_own else new.local_start_time
    return dict(_pairs(earlier, later)).get(moment, datetime.combine(day, usual))


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


def _left_out(old: Schedule, new: Schedule, before: Recurrence, after: Recurrence, known: Recurrence) -> Recurrence:
    """Return the changed recurrence with the EXDATE moments of `known` at the new times of their occurrences."""
    dates_out: list[datetime] = []
    former_out: list[datetime] = []
    former_in: list[datetime] = []
    for day in sorted({moment.date() for moment in (*known.dates_out, *known.former_out)}):
        earlier, later = recurrence.starts_of_day(old, before, day), recurrence.starts_of_day(new, after, day)
        excluded = [moment for moment in known.dates_out if moment.date() == day]
        named = recurrence.excluded(earlier, before.dates, excluded)
        unnamed = () if named else excluded
        former = {moment: False for moment in known.former_in if moment.date() == day}
        former |= {moment: True for moment in (*known.former_out, *unnamed) if moment.date() == day}
        present = {start: start in named for start in earlier}

        moved = dict(_pairs(earlier, later))
        free = [start for start in later if start not in moved.values()]
        returned = dict(_pairs(sorted(former), free))
        out = {moved[start] for start in moved if present[start]} | {returned[was] for was in returned if former[was]}
        is_exact = not earlier and any(moment in later for moment in unnamed)
        if all((*present.values(), *former.values())) and not is_exact:
            out.update(later)

        lost = {start: is_out for start, is_out in present.items() if start not in moved}
        lost |= {moment: is_out for moment, is_out in former.items() if moment not in returned}
        dates_out.extend(out)
        (former_out if later else dates_out).extend(moment for moment, is_out in lost.items() if is_out)
        if out or any(lost.values()):
            former_in.extend(moment for moment, is_out in lost.items() if not is_out)
    return replace(
        after,
        dates_out=tuple(sorted(dates_out)),
        former_out=tuple(sorted(former_out)),
        former_in=tuple(sorted(former_in)),
    )


def _pairs(earlier: Sequence[datetime], later: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the occurrences of a day with their new times: the same time, or else the same place among the others."""
    yield from ((start, start) for start in earlier if start in later)
    yield from zip(
        (start for start in earlier if start not in later),
        (start for start in later if start not in earlier),
        strict=False,
    )
