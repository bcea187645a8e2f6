"""Model the bookings of one event in plain Python. The database must return the same results.

    life = Life(capacity=2, staff={owner})
    life.book(ana, seats=2)          # the number of the booking
    life.join(ben, 1)                # the number of the entry
    life.book(ben, seats=1)          # raises Refusal("sold_out")

Time is in whole minutes from the start. A time that is reached counts as past. Bookings, holds and entries are
numbered in the order of their creation. A refusal changes nothing.

`on_sale` counts the seats that newcomers can take. While nobody waits, these are all free seats. While somebody waits,
it only shrinks: seats that become free then are set aside for the waitlist.
"""

import copy
import functools
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

STARTS, ENDS, SALES_CLOSE, LAST_OFFER, LATE_FROM, DOORS_OPEN = 180, 240, 150, 120, 60, 120
UNLIMITED = 10**9
ONLINE_HOLD, DESK_HOLD, OFFER, OFFERS_MOST = 15, 5, 15, 2

LIVE_BOOKING = ("confirmed", "attended", "no_show")
LIVE_ENTRY = ("waiting", "offered")

Person = Hashable


class Refusal(Exception):
    """The rules refuse the operation. The argument is the code."""


@dataclass
class Booking:
    """The seats that a customer booked."""

    customer: Person
    seats: int
    guest: bool
    status: str = "confirmed"
    late: bool = False


@dataclass
class Hold:
    """The seats that are held for a customer."""

    customer: Person
    seats: int
    purpose: str
    expires: int
    status: str = "active"


@dataclass
class Entry:
    """A waitlist entry."""

    customer: Person
    seats: int
    place: int
    status: str = "waiting"
    lapses: int = 0
    hold: Hold | None = None
    booking: int | None = None


def all_or_nothing(action: Callable[..., Any]) -> Callable[..., Any]:
    """Restore the state after a refusal."""

    @functools.wraps(action)
    def tried(life: "Life", *args: Any, **kwargs: Any) -> Any:
        before = copy.deepcopy(life.__dict__)
        try:
            return action(life, *args, **kwargs)
        except Refusal:
            life.__dict__ = before
            raise

    return tried


@dataclass
class Life:
    """One free event that starts in three hours; see the constants for its other times."""

    capacity: int | None
    staff: set[Person]
    sales_close: int = SALES_CLOSE
    now: int = 0
    status: str = "scheduled"
    bookings: list[Booking] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    erased: set[Person] = field(default_factory=set)
    answers: dict[tuple[Person, str], tuple[Any, int]] = field(default_factory=dict)
    told: list[tuple[str, Person | None]] = field(default_factory=list)
    on_sale: int = field(init=False)

    def __post_init__(self) -> None:
        self.on_sale = self.free()

    # Reads

    def taken(self) -> int:
        """Return the number of sold seats."""
        return sum(booking.seats for booking in self.bookings if booking.status in LIVE_BOOKING)

    def held(self) -> int:
        """Return the number of held seats."""
        return sum(hold.seats for hold in self.holds if hold.status == "active")

    def free(self) -> int:
        """Return the number of seats that are neither sold nor held."""
        return UNLIMITED if self.capacity is None else self.capacity - self.taken() - self.held()

    def set_aside(self) -> int:
        """Return the number of free seats that are set aside for the waitlist."""
        return 0 if self.capacity is None else self.free() - self.on_sale

    def offers_end(self) -> int:
        """Return when the waitlist ends."""
        return min(LAST_OFFER, self.sales_close)

    def seats_left(self) -> int:
        """Return the number of seats that a newcomer can take."""
        return self.on_sale if self.now < self.offers_end() else self.free()

    def queue(self) -> list[Entry]:
        """Return the waiting entries in order."""
        return sorted((entry for entry in self.entries if entry.status == "waiting"), key=lambda entry: entry.place)

    def position(self, number: int) -> int | None:
        """Return an entry's position in the queue, starting with 1."""
        entry = self.entries[number]
        return self.queue().index(entry) + 1 if entry.status == "waiting" else None

    # Operations

    @all_or_nothing
    def book(
        self, caller: Person, seats: int, customer: Person = None, guest: bool = False, key: str | None = None,
        hold: int | None = None,
    ) -> int:  # fmt: skip
        """Book seats and return the number of the booking."""
        body = (customer, seats, guest, hold)
        if key is not None and (caller, key) in self.answers:
            first_body, first = self.answers[caller, key]
            self._unless(first_body == body, "idempotency_conflict")
            return first
        self._bookable(caller)
        who = self._customer(caller, customer)
        if any(held.status == "active" and held.expires <= self.now for held in self.holds):
            self._lapse()
        reserved = self._use_reservations(who, None if hold is None else self.holds[hold])
        self._make_room(who, seats, reserved, guest)
        number = self._place(who, seats, guest, reserved)
        self._end_reservations(who, number)
        if key is not None:
            self.answers[caller, key] = (body, number)
        return number

    @all_or_nothing
    def hold(self, caller: Person, seats: int, customer: Person = None) -> int:
        """Hold seats and return the number of the new or existing hold."""
        self._bookable(caller)
        who = self._customer(caller, customer)
        self._lapse()
        own = [hold for hold in self.holds if hold.customer == who and hold.status == "active"]
        own.sort(key=lambda hold: hold.purpose != "offer")
        more = seats - sum(hold.seats for hold in own)
        if more > 0:
            self._make_room(who, more)
            self._take(more)
        if own:
            kept = own[0]
            changed = len(own) > 1 or kept.seats != seats
            latest = min(max(hold.expires for hold in own), self.sales_close)
            kept.expires, kept.seats = max(kept.expires, latest), seats
            for entry in self.entries:
                entry.seats = seats if entry.hold is kept else entry.seats
            for hold in own[1:]:
                hold.status = "consumed"
        else:
            changed = False
            purpose, minutes = ("online", ONLINE_HOLD) if who == caller else ("desk", DESK_HOLD)
            kept = Hold(who, seats, purpose, min(self._sales_end(caller), self.now + minutes))
            self.holds.append(kept)
        self._settle()
        waiting = next((entry for entry in self.queue() if entry.customer == who), None)
        if waiting is not None and more > 0:
            changed = True
            if waiting.seats > more:
                waiting.seats -= more
            else:
                self._close(waiting, "left")
        if changed:
            self._offer()
        return self.holds.index(kept)

    @all_or_nothing
    def release(self, caller: Person, number: int) -> str:
        """Release a hold and return its status."""
        self._unless(caller not in self.erased, "forbidden")
        hold = self.holds[number]
        self._unless(caller == hold.customer or caller in self.staff, "hold_not_found")
        self._unless(hold.status != "consumed", "invalid_transition")
        if hold.status == "active":
            hold.status = "released"
            self._settle()
            self._offer()
        return hold.status

    @all_or_nothing
    def cancel(self, caller: Person, number: int) -> bool:
        """Cancel a booking and return whether it was late."""
        self._unless(caller not in self.erased, "forbidden")
        booking = self.bookings[number]
        self._unless(caller == booking.customer or caller in self.staff, "booking_not_found")
        if booking.status != "cancelled":
            self._unless(self.now < STARTS or caller in self.staff, "event_begun")
            self._unless(booking.status == "confirmed", "invalid_transition")
            booking.status, booking.late = "cancelled", self.now >= LATE_FROM
            self._tell("booking.cancelled", booking.customer)
            self._settle()
            self._offer()
        return booking.late

    @all_or_nothing
    def join(self, caller: Person, seats: int) -> int:
        """Join the waitlist and return the number of the new or existing entry."""
        self._bookable(caller)
        self._customer(caller, None)
        self._lapse()
        entry = self._live_entry(caller)
        if entry is not None:
            return self.entries.index(entry)
        self._unless(not self._has_booking(caller), "already_booked")
        self._unless(self.now < self.offers_end(), "waitlist_closed")
        self._unless(self.capacity is None or seats <= self.capacity, "waitlist_closed")
        self._unless(seats > self.seats_left(), "seats_available")
        holds = (hold for hold in self.holds if hold.customer == caller and hold.purpose != "offer")
        self._unless(all(hold.status != "active" for hold in holds), "already_held")
        self.entries.append(Entry(caller, seats, self._last_place()))
        self._tell("waitlist.joined", caller)
        return len(self.entries) - 1

    @all_or_nothing
    def leave(self, caller: Person) -> int:
        """Leave the waitlist and return the number of the entry."""
        self._unless(caller not in self.erased, "forbidden")
        mine = [entry for entry in self.entries if entry.customer == caller]
        self._unless(bool(mine), "waitlist_entry_not_found")
        number = self.entries.index(self._live_entry(caller) or mine[-1])
        self.decline(caller, number)
        return number

    @all_or_nothing
    def decline(self, caller: Person, number: int) -> str:
        """Decline an offer, or leave the waitlist, and return the entry's status."""
        entry = self._own_entry(caller, number)
        self._unless(caller not in self.erased, "forbidden")
        self._unless(entry.status != "accepted", "invalid_transition")
        if entry.status in LIVE_ENTRY:
            self._close(entry, "left")
            self._offer()
        return entry.status

    @all_or_nothing
    def accept(self, caller: Person, number: int) -> int:
        """Accept an offer and return the number of the booking."""
        self._unless(caller not in self.erased, "forbidden")
        entry = self._own_entry(caller, number)
        if entry.booking is not None:
            return entry.booking
        self._unless(entry.status == "offered", "offer_not_open")
        self._unless(self.status == "scheduled", "event_not_bookable")
        assert entry.hold is not None
        reserved = self._use_reservations(entry.customer, entry.hold)
        booking = self._place(entry.customer, entry.seats, False, reserved)
        self._end_reservations(entry.customer, booking)
        return booking

    @all_or_nothing
    def promote(self, caller: Person) -> int:
        """Offer free seats as staff and return the number of waiting entries."""
        self._unless(caller in self.staff, "forbidden")
        self._lapse()
        return len(self.queue())

    def sweep(self) -> None:
        """Run the schedule of each minute: expire holds, close entries that can get no offer, and offer free seats."""
        if any(hold.status == "active" and hold.expires <= self.now for hold in self.holds):
            self._lapse()
        if self.now >= STARTS or self.status != "scheduled":
            self._end_waits()
        self._offer()

    @all_or_nothing
    def resize(self, caller: Person, capacity: int | None) -> None:
        """Change the event's capacity. None means no limit."""
        self._unless(caller in self.staff, "forbidden")
        self._unless(self.status == "scheduled", "event_not_editable")
        self._unless(self.now < STARTS, "event_begun")
        self._unless(capacity is None or self.taken() + self.held() <= capacity, "capacity_below_sold")
        removed = 0 if self.capacity is None or capacity is None else max(self.capacity - capacity, 0)
        self.on_sale = UNLIMITED if capacity is None else max(self.on_sale - removed, 0)
        self.capacity = capacity
        self._settle()
        self._offer()

    @all_or_nothing
    def record(self, caller: Person, number: int, attended: bool) -> str:
        """Record attendance and return the booking's status."""
        booking, status = self.bookings[number], "attended" if attended else "no_show"
        if caller not in self.staff:
            raise Refusal("forbidden" if caller == booking.customer else "booking_not_found")
        self._unless(self.now >= DOORS_OPEN, "too_early")
        if booking.status != status:
            self._unless(booking.status in LIVE_BOOKING, "invalid_transition")
            booking.status = status
            self._tell(f"booking.{status}", booking.customer)
        return status

    @all_or_nothing
    def call_off(self, caller: Person, in_order: Callable[[Iterable[int]], list[int]]) -> None:
        """Cancel the event as its organizer. `in_order` sorts booking numbers by their ids."""
        self._unless(caller in self.staff, "forbidden")
        if self.status == "cancelled":
            return
        self._unless(self.status == "scheduled" and self.now < ENDS, "event_over")
        self.status = "cancelled"
        for number in in_order(n for n, booking in enumerate(self.bookings) if booking.status == "confirmed"):
            self.bookings[number].status, self.bookings[number].late = "cancelled", False
            self._tell("booking.cancelled", self.bookings[number].customer)
        self._end_waits()
        for hold in self.holds:
            hold.status = "released" if hold.status == "active" else hold.status
        self._settle()
        self._tell("event.cancelled", None)

    def complete(self) -> None:
        """Complete an event that is over, as the schedule does."""
        if self.status == "scheduled" and self.now >= ENDS:
            self.status = "completed"

    def erase(self, caller: Person) -> None:
        """Erase a person. The organization's systems receive the cancellations and, once, the erasure."""
        freed = False
        entry = self._live_entry(caller)
        if entry is not None:
            self._close(entry, "left")
            freed = True
        for hold in self.holds:
            if hold.customer == caller and hold.status == "active":
                hold.status, freed = "released", True
                self._settle()
        for booking in self.bookings:
            if booking.customer == caller and booking.status == "confirmed" and self.now < STARTS:
                booking.status, booking.late, freed = "cancelled", self.now >= LATE_FROM, True
                self._settle()
                self._tell("booking.cancelled", caller)
        if freed:
            self._offer()
        came = any(thing.customer == caller for thing in (*self.bookings, *self.holds, *self.entries))
        if came and caller not in self.erased:
            self._tell("person.erased", caller)
        self.erased.add(caller)
        self.answers = {asked: answer for asked, answer in self.answers.items() if asked[0] != caller}

    # Rules

    @staticmethod
    def _unless(allowed: bool, code: str) -> None:
        if not allowed:
            raise Refusal(code)

    def _tell(self, topic: str, customer: Person | None) -> None:
        self.told.append((topic, customer))

    def _bookable(self, caller: Person) -> None:
        self._unless(self.status == "scheduled", "event_not_bookable")
        self._unless(self.now < self._sales_end(caller), "booking_window_closed")

    def _sales_end(self, caller: Person) -> int:
        return ENDS if caller in self.staff else self.sales_close

    def _settle(self) -> None:
        """Put all free seats on sale if nobody waits. Otherwise none is added."""
        self.on_sale = min(self.on_sale, self.free()) if self.queue() else self.free()

    def _take(self, seats: int) -> None:
        """Take seats that _make_room has found."""
        self.on_sale = max(self.on_sale - seats, 0)

    def _customer(self, caller: Person, customer: Person | None) -> Person:
        who = caller if customer is None else customer
        self._unless(who == caller or caller in self.staff, "forbidden")
        if who in self.erased:
            raise Refusal("forbidden" if who == caller else "customer_not_found")
        return who

    def _own_entry(self, caller: Person, number: int) -> Entry:
        entry = self.entries[number]
        self._unless(caller == entry.customer or caller in self.staff, "waitlist_entry_not_found")
        return entry

    def _live_entry(self, customer: Person) -> Entry | None:
        live = (entry for entry in self.entries if entry.customer == customer and entry.status in LIVE_ENTRY)
        return next(live, None)

    def _has_booking(self, customer: Person) -> bool:
        return any(b.customer == customer and not b.guest and b.status in LIVE_BOOKING for b in self.bookings)

    def _last_place(self) -> int:
        return 1 + max((entry.place for entry in self.entries), default=0)

    def _use_reservations(self, customer: Person, named: Hold | None) -> int:
        own = [h for h in self.holds if h.customer == customer and h.status == "active" and h.expires > self.now]
        self._unless(named is None or any(hold is named for hold in own), "hold_expired")
        for hold in own:
            hold.status = "consumed"
        return sum(hold.seats for hold in own)

    def _end_reservations(self, customer: Person, booking: int) -> None:
        entry = self._live_entry(customer)
        if entry is not None and entry.hold is not None and entry.hold.status == "consumed":
            entry.status, entry.booking = "accepted", booking
        elif entry is not None:
            self._close(entry, "left")
        self._settle()
        self._offer()

    def _make_room(self, customer: Person, seats: int, reserved: int = 0, guest: bool = False) -> None:
        """Refuse unless the seats are on sale, or `reserved`. The first in the waitlist may take all free seats."""
        left = self.on_sale if self.now < self.offers_end() else self.free() - reserved
        if seats - reserved <= left:
            return
        self._lapse()
        queue = self.queue()
        is_first = bool(queue) and queue[0].customer == customer
        left = self.on_sale if self.now < self.offers_end() else self.free() - reserved
        if seats - reserved > left and not (is_first and seats <= self.free()):
            raise Refusal("already_booked" if not guest and self._has_booking(customer) else "sold_out")

    def _place(self, customer: Person, seats: int, guest: bool, reserved: int) -> int:
        """Book seats: the reserved ones first, then others that _make_room has found."""
        self._unless(guest or not self._has_booking(customer), "already_booked")
        self._take(max(seats - reserved, 0))
        self.bookings.append(Booking(customer, seats, guest))
        self._settle()
        self._tell("booking.confirmed", customer)
        return len(self.bookings) - 1

    def _close(self, entry: Entry, status: str) -> None:
        if entry.hold is not None and entry.hold.status == "active":
            entry.hold.status = "released"
            self._settle()
        entry.status = status
        self._settle()

    def _offer(self) -> None:
        for entry in self.queue():
            if self.capacity is not None and entry.seats > self.capacity:
                self._close(entry, "expired")
                self._tell("waitlist.expired", entry.customer)
        while self.status == "scheduled" and self.now < self.offers_end() and self.queue():
            first = self.queue()[0]
            if first.seats > self.free():
                return
            expires = min(self.sales_close, self.now + OFFER)
            first.hold = Hold(first.customer, first.seats, "offer", expires)
            self.holds.append(first.hold)
            self._settle()
            first.status = "offered"
            self._settle()
            self._tell("waitlist.offered", first.customer)

    def _lapse(self) -> None:
        due = [hold for hold in self.holds if hold.status == "active" and hold.expires <= self.now]
        for hold in sorted(due, key=lambda hold: hold.expires):
            hold.status = "expired"
            self._settle()
            for entry in self.entries:
                if entry.hold is hold and entry.status == "offered":
                    entry.lapses += 1
                    entry.status = "expired" if entry.lapses >= OFFERS_MOST else "waiting"
                    entry.place, entry.hold = self._last_place(), None
                    self._settle()
                    self._tell("waitlist.lapsed", entry.customer)
        self._offer()

    def _end_waits(self) -> None:
        for entry in sorted(self.entries, key=lambda entry: entry.place):
            if entry.status in LIVE_ENTRY:
                self._close(entry, "expired")
                self._tell("waitlist.expired", entry.customer)
