"""Compare an event in the database with the same event in the model: each step runs in both."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg

from tests.kit import booking_model as rules
from tests.kit import routines, stages
from tests.kit.booking_model import Life, Refusal

POLICY = {**stages.POLICY, "cancel_hours_before": 2}

NOW = """
select json_build_object(
    'status', t.status, 'capacity', i.capacity, 'taken', i.taken, 'held', i.held, 'waitlisted', i.waitlisted,
    'set_aside', i.set_aside,
    'offering', t.status = 'scheduled' and statement_timestamp() < least(t.last_offer_at, t.closes_at),
    'bookings', (
        select coalesce(
            json_agg(json_build_array(b.customer_id, b.seats, b.guest, b.status, b.late) order by b.n), '[]'
        )
        from (select *, array_position(%(bookings)s, id) as n from events.bookings) as b where b.event_id = t.event_id
    ),
    'holds', (
        select coalesce(json_agg(json_build_array(h.customer_id, h.seats, h.purpose, h.status)), '[]')
        from events.holds as h where h.event_id = t.event_id
    ),
    'entries', (
        select coalesce(json_agg(json_build_array(w.customer_id, w.seats, w.status, w.place) order by w.n), '[]')
        from (select *, array_position(%(entries)s, id) as n from events.waitlist_entries) as w
        where w.event_id = t.event_id
    ),
    'told', (
        select coalesce(json_agg(json_build_array(o.topic, o.payload ->> 'customer_id') order by o.id), '[]')
        from public.outbox as o where o.id > %(told_until)s
    )
)
from events.terms as t
inner join events.inventory as i on i.event_id = t.event_id
where t.event_id = %(event)s
"""

LATER = """
update events.holds set expires_at = expires_at - %(by)s::interval where event_id = %(event)s;
update events.waitlist_entries
set
    joined_at = joined_at - %(by)s::interval,
    offered_at = offered_at - %(by)s::interval,
    offer_expires_at = offer_expires_at - %(by)s::interval
where event_id = %(event)s;
update events.events
set starts_at = starts_at - %(by)s::interval, ends_at = ends_at - %(by)s::interval
where id = %(event)s
"""
"""Moves the times of one event into the past.

The routines read the clock themselves. Only the schedules take a time as an argument, but with a later time an
offer would stay open longer.
"""

SHOWN = """
select json_build_object(
    'event', json_build_array(d.seats_left, d.availability, d.booking_open, d.waitlist_open), 'capacity', d.capacity,
    'listings', (
        select coalesce(
            json_agg(
                json_build_array(
                    (s.listing).seats_left, (s.listing).availability, (s.listing).booking_open,
                    (s.listing).waitlist_open
                )
            ),
            '[]'
        )
        from events.search_listings(
            organization_id => d.organization_id, availability => d.availability,
            starts_from => d.starts_at, starts_before => d.starts_at + interval '1 microsecond'
        ) as s
        where (s.listing).id = d.id
    )
)
from events.event_details as d
where d.id = %s
"""
JOBS = ("events.expire_holds()", "events.promote_waitlists()", "ops.complete_events()")
TRIALS = {
    "book": "select events.book(event_id => %s, seats => %s, customer_id => %s)",
    "hold": "select events.hold_seats(event_id => %s, seats => %s, customer_id => %s)",
    "join": "select events.join_waitlist(event_id => %s, seats => %s, customer_id => %s)",
    "guests": "select events.book(event_id => %s, seats => %s, customer_id => %s, guest => true)",
}

OVER = """
with let_go as (update events.holds set status = 'released' where event_id = %(event)s and status = 'active')
update events.waitlist_entries set status = 'left' where event_id = %(event)s and status in ('waiting', 'offered')
"""
"""Ends the holds and waitlist entries of an event, so that the schedules of another test ignore it."""


class Comparison:
    """An event with five customers, a staff member and a stranger. Bookings and entries have the model's numbers."""

    def __init__(self, stage: stages.Stage, capacity: int | None, sales_close: int = rules.SALES_CLOSE) -> None:
        self.db = stage.db
        policy = {**POLICY, "closes_minutes_before": rules.STARTS - sales_close}
        self.event = stage.event(capacity=capacity, starts_in=f"{rules.STARTS} minutes", policy=policy)
        self.people = stage.customers(5)
        self.staff, self.stranger = stage.member("editor"), stage.customer("stranger")
        self.life = Life(capacity, {self.staff}, sales_close)
        self.bookings: list[UUID] = []
        self.holds: dict[int, UUID] = {}
        self.entries: list[UUID] = []
        self.keyed: list[dict[str, Any]] = []
        self.answers: dict[int, str] = {}
        self.told_until = self._value("select coalesce(max(id), 0) from public.outbox")

    def book(
        self,
        caller: UUID,
        *,
        seats: int,
        customer: UUID | None = None,
        guest: bool = False,
        key: str | None = None,
        hold: int | None = None,
    ) -> str | None:
        """Book and return the code of a refusal, if any."""
        number, answer, refused = self._do(
            lambda: self.life.book(caller, seats, customer, guest, key, hold),
            caller,
            "select events.book(%s, %s, customer_id => %s, guest => %s, hold_id => %s, idempotency_key => %s)",
            [self.event, seats, customer, guest, None if hold is None else self.holds[hold], key],
        )
        if answer is not None:
            booking = json.loads(answer)
            self._know(number, booking["id"])
            assert self.answers.setdefault(number, answer) == answer, "a retry returned a different response"
            assert (booking["status"], booking["seats"]) == ("confirmed", seats)
        if answer is not None and key is not None:
            request = {"seats": seats, "customer": customer, "guest": guest, "key": key, "hold": hold}
            self.keyed.append({"caller": caller, **request})
        return refused

    def hold(self, caller: UUID, seats: int, customer: UUID | None) -> None:
        """Hold seats."""
        number, answer, _ = self._do(
            lambda: self.life.hold(caller, seats, customer),
            caller,
            "select events.hold_seats(event_id => %s, seats => %s, customer_id => %s)",
            [self.event, seats, customer],
        )
        if answer is not None:
            assert self.holds.setdefault(number, UUID(answer["id"])) == UUID(answer["id"])
            assert (answer["seats"], answer["status"]) == (seats, "active")

    def release(self, caller: UUID, number: int) -> str | None:
        """Release a hold."""
        status, answer, refused = self._do(
            lambda: self.life.release(caller, number), caller, "select events.release_hold(%s)", [self.holds[number]]
        )
        assert answer is None or answer["status"] == status
        return refused

    def cancel(self, caller: UUID, number: int, *, again: bool = False) -> str | None:
        """Cancel a booking. With `again`, cancel it twice and compare the responses."""
        query, params = "select events.cancel_booking(%s)", [self.bookings[number]]
        late, answer, refused = self._do(lambda: self.life.cancel(caller, number), caller, query, params)
        assert answer is None or (answer["status"], answer["late"]) == ("cancelled", late)
        if again and answer is not None:
            assert self._do(lambda: self.life.cancel(caller, number), caller, query, params)[1] == answer
        return refused

    def join(self, caller: UUID, seats: int) -> None:
        """Join the waitlist."""
        query = "select events.join_waitlist(event_id => %s, seats => %s)"
        number, answer, _ = self._do(lambda: self.life.join(caller, seats), caller, query, [self.event, seats])
        if answer is not None:
            self.entries += [UUID(answer["id"])] * (number == len(self.entries))
            assert UUID(answer["id"]) == self.entries[number]
            assert answer["position"] == self.life.position(number)

    def leave(self, caller: UUID) -> None:
        """Leave the waitlist."""
        query = "select events.leave_waitlist(event_id => %s)"
        number, answer, _ = self._do(lambda: self.life.leave(caller), caller, query, [self.event])
        assert answer is None or UUID(answer["id"]) == self.entries[number]

    def accept(self, caller: UUID, number: int) -> str | None:
        """Accept an offer."""
        booking, answer, refused = self._do(
            lambda: self.life.accept(caller, number), caller, "select events.accept_offer(%s)", [self.entries[number]]
        )
        if answer is not None:
            self._know(booking, answer["booking_id"])
            assert answer["status"] == "accepted"
        return refused

    def decline(self, caller: UUID, number: int) -> str | None:
        """Decline an offer, or leave the waitlist."""
        status, answer, refused = self._do(
            lambda: self.life.decline(caller, number), caller, "select events.decline_offer(%s)", [self.entries[number]]
        )
        assert answer is None or answer["status"] == status
        return refused

    def promote(self, caller: UUID) -> str | None:
        """Offer free seats to the waitlist."""
        waiting, answer, refused = self._do(
            lambda: self.life.promote(caller), caller, "select events.promote_waitlist(%s)", [self.event]
        )
        assert answer is None or answer["waiting"] == waiting
        return refused

    def resize(self, caller: UUID, capacity: int | None) -> str | None:
        """Change the event's capacity."""
        query, changes = "select events.update_event(%s, %s::jsonb, 'true')", json.dumps({"capacity": capacity})
        return self._do(lambda: self.life.resize(caller, capacity), caller, query, [self.event, changes])[2]

    def record(self, caller: UUID, number: int, attended: bool) -> str | None:
        """Record attendance."""
        query, params = "select events.record_attendance(%s, %s)", [self.bookings[number], attended]
        status, answer, refused = self._do(lambda: self.life.record(caller, number, attended), caller, query, params)
        assert answer is None or answer["status"] == status
        return refused

    def call_off(self, caller: UUID) -> str | None:
        """Cancel the event."""
        by_id = self.bookings.__getitem__
        return self._do(
            lambda: self.life.call_off(caller, lambda numbers: sorted(numbers, key=by_id)),
            caller,
            "select events.cancel_event(%s)",
            [self.event],
        )[2]

    def erase(self, customer: UUID) -> None:
        """Erase a person."""
        self.life.erase(customer)
        routines.call(self.db, customer, "select users.erase_profile(%s)", [customer])

    def sweep(self) -> None:
        """Run the schedules."""
        self.life.sweep()
        self.life.complete()
        for job in JOBS:
            routines.call(self.db, None, f"select {job}")

    def later(self, minutes: int) -> None:
        """Let time pass."""
        self.life.now += minutes
        with psycopg.ClientCursor(self.db) as cursor:
            cursor.execute(LATER, {"by": f"{minutes} minutes", "event": self.event})

    def look(self, customer: UUID) -> None:
        """Compare the displayed availability with the results of booking, holding and joining. Keeps no effect.

        Until the schedules have run, more seats may be bookable than displayed: those of expired offers and holds.
        """
        with self.db.transaction(force_rollback=True):
            self._compare_shown(customer, exact=False)
            for job in JOBS:
                self.db.execute(f"select {job}")
            self._compare_shown(customer, exact=True)

    def _compare_shown(self, customer: UUID, *, exact: bool) -> None:
        shown = self._try(None, SHOWN, [self.event])[1]
        left, word, booking_open, waitlist_open = shown["event"]
        assert word == availability(shown["capacity"], left)
        is_listed = self.life.status == "scheduled" and self.life.now < rules.STARTS
        assert shown["listings"] == [shown["event"]] * is_listed
        desk_open = self.life.status == "scheduled" and self.life.now < rules.ENDS

        most = 19 if left is None else min(left, 19)
        for seats in sorted({max(most, 1), most + 1}):
            fits = left is None or seats <= left
            for caller, is_open in ((self.stranger, booking_open), (self.staff, desk_open)):
                for trial in ("book", "hold") if exact else ("book",):
                    code = self._trial(trial, caller, seats, self.stranger)
                    if not is_open:
                        assert code in ("booking_window_closed", "event_not_bookable")
                    elif fits:
                        assert code is None
                    elif exact:
                        assert code == "sold_out"
            for trial in ("book", "hold", "guests") if exact else ():
                self._trial(trial, customer, seats, customer)
        assert not exact or waitlist_open == (self._trial("join", self.stranger, 1, self.stranger) is None)

    def _trial(self, trial: str, caller: UUID, seats: int, customer: UUID) -> str | None:
        """Return the code of a refusal. Compare what it says about the waitlist with joining it."""
        params = [self.event, seats, None if customer == caller else customer]
        code, members = self._try(caller, TRIALS[trial], params)
        if code == "sold_out":
            assert members["seats_left"] < seats
            joined = self._try(caller, TRIALS["join"], params)
            # A repeated join returns the first entry, also after the waitlist has ended.
            has_ended = self.life.now >= self.life.offers_end()
            assert members["waitlist"] == (joined[0] is None and not has_ended), (trial, members, joined)
        return code

    def _try(self, caller: UUID | None, query: str, params: list[Any]) -> tuple[str | None, Any]:
        """Run a query as a caller, or anonymously, without effect.

        Return the code and the members of a refusal, or the value.
        """
        claims = {"role": "anon"} if caller is None else {"sub": str(caller)}
        try:
            with self.db.transaction(force_rollback=True):
                self.db.execute("select ops.act_as(%s::jsonb)", [json.dumps(claims)])
                return None, self._value(query, params)
        except psycopg.Error as error:
            return routines.code_of(error), json.loads(error.diag.message_detail or "{}")

    def end(self) -> None:
        """End the scenario, so that another can start."""
        self.db.execute(OVER, {"event": self.event})

    def compare(self) -> None:
        """Compare the database with the model, and check the invariants of the rows."""
        seen = self._value(NOW, {name: getattr(self, name) for name in ("event", "bookings", "entries", "told_until")})
        without_fault(seen)
        life = self.life
        assert seen["status"] == life.status
        assert (seen["capacity"], seen["taken"], seen["held"]) == (life.capacity, life.taken(), life.held())
        assert seen["set_aside"] == life.set_aside()
        assert seen["bookings"] == [[str(b.customer), b.seats, b.guest, b.status, b.late] for b in life.bookings]
        assert sorted(seen["holds"]) == sorted([str(h.customer), h.seats, h.purpose, h.status] for h in life.holds)
        assert [entry[:3] for entry in seen["entries"]] == [[str(e.customer), e.seats, e.status] for e in life.entries]
        assert [entry[0] for entry in in_line(seen["entries"])] == [str(entry.customer) for entry in life.queue()]
        assert seen["told"] == [[topic, customer and str(customer)] for topic, customer in life.told]

    def _do(
        self, expected: Callable[[], Any], caller: UUID, query: str, params: list[Any]
    ) -> tuple[Any, Any, str | None]:
        """Run a step in the database and in the model. Both must succeed or refuse with the same code.

        Return the model's result, the database's result and the code of the refusal.
        """
        answer, refused = None, None
        try:
            answer = routines.call(self.db, caller, query, params)
        except psycopg.Error as error:
            refused = routines.code_of(error)
        try:
            result = expected()
        except Refusal as refusal:
            assert refused == str(refusal)
            return None, None, refused
        assert refused is None
        return result, answer, None

    def _know(self, number: int, booking_id: str) -> None:
        self.bookings += [UUID(booking_id)] * (number == len(self.bookings))
        assert self.bookings[number] == UUID(booking_id)

    def _value(self, query: str, params: Any = None) -> Any:
        with psycopg.ClientCursor(self.db) as cursor:
            cursor.execute(query, params)
            return next(iter(cursor.fetchone().values()))


def availability(capacity: int | None, left: int | None) -> str:
    """Return the word for an event with so many seats left."""
    if capacity is None or left is None:
        return "unlimited"
    return "full" if left == 0 else "filling" if left * 5 <= capacity else "available"


def in_line(entries: list[list[Any]]) -> list[list[Any]]:
    """Return the waiting entries, ordered by place."""
    return sorted((entry for entry in entries if entry[2] == "waiting"), key=lambda entry: entry[3])


def without_fault(seen: dict[str, Any]) -> None:
    """Check the invariants of an event's rows."""
    live = [booking for booking in seen["bookings"] if booking[3] in rules.LIVE_BOOKING]
    assert seen["taken"] == sum(booking[1] for booking in live)
    assert seen["held"] == sum(hold[1] for hold in seen["holds"] if hold[3] == "active")
    assert seen["waitlisted"] == len(in_line(seen["entries"]))
    assert seen["capacity"] is None or 0 <= seen["taken"] + seen["held"] + seen["set_aside"] <= seen["capacity"]

    for_themselves = [booking[0] for booking in live if not booking[2]]
    assert len(for_themselves) == len(set(for_themselves)), "a customer has two active bookings"

    waiting = in_line(seen["entries"])
    offered = [entry[3] for entry in seen["entries"] if entry[2] == "offered"]
    assert not waiting or not offered or max(offered) < waiting[0][3], "somebody was overtaken"
    if waiting and seen["offering"]:
        free = None if seen["capacity"] is None else seen["capacity"] - seen["taken"] - seen["held"]
        assert free is not None and waiting[0][1] > free, "seats are free for the first waiting entry"
