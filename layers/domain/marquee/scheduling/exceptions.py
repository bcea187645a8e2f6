"""Exceptions of a series: dates added (RDATE) and left out (EXDATE), and the last day of its rule (UNTIL).

An exception belongs to its day. When the time, the time zone or the rule of the series changes, it stays on this day
and takes the new time of the occurrence that it names.
"""

import itertools
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

    followed = replace(sent, until=_until(old, new, before, known, sent))
    kept_dates = [_new_time(old, new, before, sent, moment) for moment in known.dates if moment in before.dates]
    own_dates = [own for moment, own in zip(known.dates, sent.dates, strict=True) if moment not in before.dates]
    kept_out = sorted({moment for moment in known.dates_out if moment in before.dates_out})
    own_out = [own for moment, own in zip(known.dates_out, sent.dates_out, strict=True) if moment not in kept_out]
    left_out = _left_out(old, new, before, replace(followed, dates=tuple(kept_dates)), kept_out)
    followed = replace(
        followed,
        dates=tuple(sorted({*kept_dates, *own_dates})),
        dates_out=tuple(sorted({*left_out, *own_out})),
    )
    return replace(new, recurrence=followed.written(new.local_start_time))


def previous_starts(old: Schedule, new: Schedule, day: date) -> dict[datetime, datetime]:
    """Return the old local start of each new one that replaces it on a day."""
    earlier = recurrence.starts_of_day(old, recurrence.read(old), day)
    later = recurrence.starts_of_day(new, recurrence.read(new), day)
    return {new_start: start for start, new_start in _pairs(earlier, later)}


def _clock(schedule: Schedule) -> tuple[str, time]:
    return schedule.time_zone, schedule.local_start_time


def _new_time(old: Schedule, new: Schedule, before: Recurrence, sent: Recurrence, moment: datetime) -> datetime:
    """Return the new time of an RDATE: that of the same occurrence of the rule, or of the series, or its own."""
    day = moment.date()
    earlier, later = recurrence.rule_of_day(old, before, day), recurrence.rule_of_day(new, sent, day)
    usual = new.local_start_time if moment.time() == old.local_start_time else moment.time()
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


def _left_out(
    old: Schedule, new: Schedule, before: Recurrence, after: Recurrence, moments: Sequence[datetime]
) -> Iterator[datetime]:
    """Yield the moments of EXDATE lines at the new times of the occurrences that they leave out."""
    for day, of_day in itertools.groupby(moments, datetime.date):
        excluded = list(of_day)
        earlier, later = recurrence.starts_of_day(old, before, day), recurrence.starts_of_day(new, after, day)
        named = recurrence.excluded(earlier, before.dates, excluded)
        if not named or not later:
            yield from sorted(named) or excluded
        elif len(named) == len(earlier):
            yield from later
        else:
            yield from (later_start for start, later_start in _pairs(earlier, later) if start in named)


def _pairs(earlier: Sequence[datetime], later: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield the occurrences of a day with their new times: the same time, or else the same place among the others."""
    yield from ((start, start) for start in earlier if start in later)
    yield from zip(
        (start for start in earlier if start not in later),
        (start for start in later if start not in earlier),
        strict=False,
    )
