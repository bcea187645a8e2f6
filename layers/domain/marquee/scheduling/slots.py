"""The slots of a day of a series: its classes at 9, 12 and 15 o'clock are three, whatever their times become.

A slot keeps its identity when the rule changes. A change gives each slot of the day a new time, or takes its time away.
A slot that has lost its time keeps its place in the order of the day, and may get a time again. An exception belongs to
a slot: an excluded time, or an event that was cancelled or edited individually.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marquee.scheduling.rules import Former


@dataclass(frozen=True, slots=True)
class Row:
    """An occurrence of a series that has an event.

    `place` is the place of its slot in the day if the rule has no time for it, and else None. With `is_exception`
    no edit of the series changes the event: it was cancelled, edited individually, or has started.
    """

    event_id: str
    local_start: datetime
    place: int | None
    is_exception: bool


@dataclass(eq=False, slots=True)
class Slot:
    """A slot of a day: its present time, or its last one if it has none at present.

    A foreign slot is an EXDATE at a time that the day has never had. It comes last.
    """

    moment: datetime
    has_time: bool = False
    is_out: bool = False
    row: Row | None = None
    place: int | None = None
    is_foreign: bool = False

    @property
    def is_held(self) -> bool:
        """Whether an individual event occupies it."""
        return self.row is not None and self.row.is_exception


def of_day(
    starts: Iterable[datetime],
    excluded: Collection[datetime],
    former_out: Iterable[Former],
    former_in: Iterable[Former],
    foreign: Iterable[datetime],
    rows: Iterable[Row],
) -> list[Slot]:
    """Return the slots of a day in their order: those with the times `starts`, and those without a time."""
    slots = [Slot(start, has_time=True, is_out=start in excluded) for start in starts]
    slots += [Slot(moment, is_out=True, place=place) for moment, place in former_out]
    slots += [Slot(moment, place=place) for moment, place in former_in]
    slots += [Slot(moment, is_out=True, is_foreign=True) for moment in foreign]
    for row in rows:
        of_row = next((slot for slot in slots if slot.row is None and _is_of(row, slot)), None)
        if of_row is None:
            slots.append(of_row := Slot(row.local_start, place=row.place))
        of_row.row = row
    return in_order(slots)


def _is_of(row: Row, slot: Slot) -> bool:
    if row.place is None:
        return slot.moment == row.local_start and slot.has_time
    return slot.place == row.place


def in_order(slots: Iterable[Slot]) -> list[Slot]:
    """Return slots in the order of the day: by time, and at their explicit places."""
    slots = list(slots)
    ordered = sorted((slot for slot in slots if slot.place is None), key=_by_time)
    explicit = [(slot.place, slot) for slot in slots if slot.place is not None]
    for place, slot in sorted(explicit, key=lambda item: item[0]):
        ordered.insert(place, slot)
    return ordered


def _by_time(slot: Slot) -> tuple[bool, datetime, bool]:
    return slot.is_foreign, slot.moment, not slot.has_time


def match(
    slots: Sequence[Slot],
    times: Sequence[datetime],
    added: Collection[datetime],
    dates: Mapping[Slot, datetime],
) -> dict[Slot, datetime]:
    """Return the new times of the slots of a day.

    The slots `dates` have these new times. Any other slot keeps its time where it is free. The others get the remaining
    times in their order, first those between the same neighbours. A slot that has a time at present chooses first. One
    without a time takes its last time where it is free. It never takes one of the times `added`, which are dates that
    the edit adds.
    """
    free = [time for time in sorted(times) if time not in dates.values()]
    kept = {slot: slot.moment for slot in slots if slot.has_time and slot.moment in free and slot not in dates}
    found = {**kept, **dates}
    spare = sum(1 for time in times if time not in found.values() and time not in added)
    spare -= sum(1 for slot in slots if slot.has_time and slot not in found)
    for of_gap, in_gap in _gaps(slots, free, kept):
        spare -= _fill(of_gap, in_gap, found, spare, added)
    _fill(slots, [time for time in sorted(times) if time not in found.values()], found, spare, added)
    return found


def _gaps(
    slots: Sequence[Slot], times: Sequence[datetime], fixed: Mapping[Slot, datetime]
) -> Iterator[tuple[Sequence[Slot], list[datetime]]]:
    """Yield the slots between neighbours that keep their times, with the new times between them."""
    begin, least = 0, datetime.min
    for place, slot in enumerate(slots):
        if slot in fixed:
            yield slots[begin:place], [time for time in times if least < time < fixed[slot]]
            begin, least = place + 1, fixed[slot]
    yield slots[begin:], [time for time in times if time > least]


def _fill(
    slots: Sequence[Slot], free: list[datetime], found: dict[Slot, datetime], spare: int, added: Collection[datetime]
) -> int:
    """Give free times to slots. At most `spare` slots without a time get one; returns their number."""
    moving = [slot for slot in slots if slot.has_time and slot not in found]
    room = [time for time in free if time not in added]
    spare = min(spare, len(room) - len(moving))
    lost = [slot for slot in slots if not slot.has_time and slot not in found] if spare > 0 else []
    number = 0
    for slot in lost:
        if number < spare and slot.moment in room and not (moving and slot.is_foreign):
            found[slot] = slot.moment
            room.remove(slot.moment)
            free = [time for time in free if time != slot.moment]
            number += 1
    returning = [slot for slot in lost if slot not in found][: max(spare - number, 0)]
    queue = [slot for slot in slots if slot in moving or slot in returning]
    found.update(zip(queue, room if returning else free, strict=False))
    return number + len(returning)


def after(slots: Sequence[Slot], found: dict[Slot, datetime], times: Iterable[datetime]) -> list[Slot | datetime]:
    """Return the new order of a day: its slots, and the new times that belong to none of them.

    A slot without a time stays between the same slots.
    """
    owner = {time: slot for slot, time in found.items()}
    waiting: dict[int, list[Slot]] = {}
    number = 0
    for slot in slots:
        if slot in found:
            number += 1
        else:
            waiting.setdefault(number, []).append(slot)
    order: list[Slot | datetime] = [*waiting.get(0, [])]
    number = 0
    for time in sorted(times):
        order.append(owner.get(time, time))
        if time in owner:
            number += 1
            order += waiting.get(number, [])
    return order
