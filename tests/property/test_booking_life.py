"""The whole booking life of an event, at random: the database answers as the rules say, step by step.

MARQUEE_EXAMPLES=2000 tells how many lives; each has 30 steps. The same lives each time, until the rules here change.
"""

import json
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests import given
from tests.property import life as rules
from tests.property.life import Life, Refusal

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "100"))
STEPS = 30
POLICY = {**given.POLICY, "closes_minutes_before": 30, "cancel_hours_before": 2}

NOW = """
select json_build_object(
    'status', t.status, 'capacity', i.capacity, 'taken', i.taken, 'held', i.held, 'waitlisted', i.waitlisted,
    'offering', t.status = 'scheduled' and statement_timestamp() < t.last_offer_at,
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
        select coalesce(json_agg(
            json_build_array(w.customer_id, w.seats, w.status, w.place, w.offers_lapsed) order by w.n
        ), '[]')
        from (select *, array_position(%(entries)s, id) as n from events.waitlist_entries) as w
        where w.event_id = t.event_id
    ),
    'told', (
        select coalesce(json_agg(json_build_array(o.topic, o.payload ->> 'customer_id', o.id) order by o.id), '[]')
        from public.outbox as o where o.id > %(told)s
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
"""Time passes for one event: its moments come nearer. The routines read the clock themselves (only the schedules take
a moment as an argument, and an offer made by a clock that is ahead would never lapse for the others)."""

OVER = """
with let_go as (update events.holds set status = 'released' where event_id = %(event)s and status = 'active')
update events.waitlist_entries set status = 'left' where event_id = %(event)s and status in ('waiting', 'offered')
"""
"""Nothing is left of an event that a later life's schedules could find."""

people = st.integers(0, 4)
seats = st.sampled_from([1, 1, 1, 2, 2, 3, 4])
which = st.integers(0, 7)
rarely = st.sampled_from([False, False, False, True])
keys = st.sampled_from([None, None, "tap", "swipe"])


class BookingLife(RuleBasedStateMachine):
    """One event, five customers, somebody of the staff, and a stranger; the database beside the model."""

    def __init__(self, db: psycopg.Connection[Any], stage: given.Stage) -> None:
        super().__init__()
        self.db, self.stage = db, stage

    @initialize(capacity=st.sampled_from([1, 2, 2, 3, 4, 6, None]))
    def begin(self, capacity: int | None) -> None:
        self.event = self.stage.event(capacity=capacity, starts_in=f"{rules.STARTS} minutes", policy=POLICY)
        self.people = self.stage.customers(5)
        self.staff, self.stranger = self.stage.member("editor"), self.stage.customer("stranger")
        self.life = Life(capacity, {self.staff})
        self.bookings: list[UUID] = []
        self.holds: dict[int, UUID] = {}
        self.entries: list[UUID] = []
        self.used: list[dict[str, Any]] = []
        self.said: dict[int, str] = {}
        self.told_until = self._value("select coalesce(max(id), 0) from public.outbox")

    def teardown(self) -> None:
        if hasattr(self, "event"):
            self.db.execute(OVER, {"event": self.event})

    # Steps

    @rule(who=people, seats=seats, key=keys, guest=rarely, by=st.sampled_from(["self", "self", "staff", "stranger"]))
    def book(self, who: int, seats: int, key: str | None, guest: bool, by: str) -> None:
        """For oneself, by staff for a customer, or by a stranger for a customer."""
        customer = self.people[who]
        caller = {"self": customer, "staff": self.staff, "stranger": self.stranger}[by]
        self._book(caller, seats=seats, customer=None if by == "self" else customer, guest=guest, key=key)

    @rule(who=people, seats=seats)
    def book_or_wait(self, who: int, seats: int) -> None:
        """What people do."""
        if self._book(self.people[who], seats=seats) == "sold_out":
            self.join(who=who, seats=seats)

    @precondition(lambda self: self.used)
    @rule(which=which, other=st.booleans())
    def retry(self, which: int, other: bool) -> None:
        """The key of a booking comes again, with the same body or another."""
        request = dict(self.used[which % len(self.used)])
        if other:
            request["seats"] = request["seats"] % 4 + 1
        self._book(**request)

    @rule(who=people, seats=seats, by_staff=st.booleans())
    def hold(self, who: int, seats: int, by_staff: bool) -> None:
        customer = self.people[who]
        caller, named = (self.staff, customer) if by_staff else (customer, None)
        number, answer = self._same(
            lambda: self.life.hold(caller, seats, named),
            caller,
            "select events.hold_seats(event_id => %s, seats => %s, customer_id => %s)",
            [self.event, seats, named],
        )
        if answer is not None:
            assert self.holds.setdefault(number, UUID(answer["id"])) == UUID(answer["id"])
            assert (answer["seats"], answer["status"]) == (seats, "active")

    @precondition(lambda self: self.holds)
    @rule(which=which, stranger=rarely)
    def release(self, which: int, stranger: bool) -> None:
        number = self._pick(sorted(self.holds), which)
        caller = self.stranger if stranger else self.life.holds[number].customer
        status, answer = self._same(
            lambda: self.life.release(caller, number), caller, "select events.release_hold(%s)", [self.holds[number]]
        )
        assert answer is None or answer["status"] == status

    @precondition(lambda self: self.holds)
    @rule(which=which, who=st.none() | people)
    def book_what_is_held(self, which: int, who: int | None) -> None:
        """By its holder, or by somebody else who got hold of its id."""
        number = self._pick(sorted(self.holds), which)
        hold = self.life.holds[number]
        self._book(hold.customer if who is None else self.people[who], seats=hold.seats, hold=number)

    @precondition(lambda self: self.bookings)
    @rule(which=which, by=st.sampled_from(["owner", "owner", "owner", "staff", "stranger"]), again=st.booleans())
    def cancel(self, which: int, by: str, again: bool) -> None:
        number = which % len(self.bookings)
        caller = {"owner": self.life.bookings[number].customer, "staff": self.staff, "stranger": self.stranger}[by]
        answers = []
        for _ in range(1 + again):
            late, answer = self._same(
                lambda: self.life.cancel(caller, number),
                caller,
                "select events.cancel_booking(%s)",
                [self.bookings[number]],
            )
            assert answer is None or (answer["status"], answer["late"]) == ("cancelled", late)
            answers.append(answer)
        assert answers[0] == answers[-1]

    @rule(who=people, seats=seats)
    def join(self, who: int, seats: int) -> None:
        number, answer = self._same(
            lambda: self.life.join(self.people[who], seats),
            self.people[who],
            "select events.join_waitlist(event_id => %s, seats => %s)",
            [self.event, seats],
        )
        if answer is not None:
            self.entries += [UUID(answer["id"])] * (number == len(self.entries))
            assert UUID(answer["id"]) == self.entries[number]
            assert answer["position"] == self.life.position(number)

    @precondition(lambda self: self.entries)
    @rule(who=people)
    def leave(self, who: int) -> None:
        number, answer = self._same(
            lambda: self.life.leave(self.people[who]),
            self.people[who],
            "select events.leave_waitlist(event_id => %s)",
            [self.event],
        )
        assert answer is None or UUID(answer["id"]) == self.entries[number]

    @precondition(lambda self: self.entries)
    @rule(which=which, by=st.sampled_from(["owner", "owner", "staff", "stranger"]))
    def accept(self, which: int, by: str) -> None:
        number, caller = self._an_entry(which, by)
        booking, answer = self._same(
            lambda: self.life.accept(caller, number), caller, "select events.accept_offer(%s)", [self.entries[number]]
        )
        if answer is not None:
            self._know(booking, answer["booking_id"])
            assert answer["status"] == "accepted"

    @precondition(lambda self: self.entries)
    @rule(which=which, by=st.sampled_from(["owner", "owner", "staff", "stranger"]))
    def decline(self, which: int, by: str) -> None:
        number, caller = self._an_entry(which, by)
        status, answer = self._same(
            lambda: self.life.decline(caller, number), caller, "select events.decline_offer(%s)", [self.entries[number]]
        )
        assert answer is None or answer["status"] == status

    @rule(by_staff=st.booleans())
    def promote(self, by_staff: bool) -> None:
        caller = self.staff if by_staff else self.stranger
        waiting, answer = self._same(
            lambda: self.life.promote(caller), caller, "select events.promote_waitlist(%s)", [self.event]
        )
        assert answer is None or answer["waiting"] == waiting

    @rule(minutes=st.sampled_from([1, 6, 16, 16, 31, 61]), swept=st.booleans())
    def time_passes(self, minutes: int, swept: bool) -> None:
        self.life.now += minutes
        with psycopg.ClientCursor(self.db) as cursor:
            cursor.execute(LATER, {"by": f"{minutes} minutes", "event": self.event})
        if swept:
            self.sweep()

    @rule()
    def sweep(self) -> None:
        self.life.sweep()
        given.call(self.db, None, "select events.expire_holds()")
        given.call(self.db, None, "select events.promote_waitlists()")

    @rule(capacity=st.sampled_from([0, 1, 2, 3, 4, 5, 8, None]), by_staff=st.sampled_from([True, True, True, False]))
    def resize(self, capacity: int | None, by_staff: bool) -> None:
        caller = self.staff if by_staff else self.stranger
        self._same(
            lambda: self.life.resize(caller, capacity),
            caller,
            "select events.update_event(%s, %s::jsonb)",
            [self.event, json.dumps({"capacity": capacity})],
        )

    @precondition(lambda self: self.bookings)
    @rule(which=which, attended=st.booleans(), by=st.sampled_from(["staff", "staff", "owner", "stranger"]))
    def record(self, which: int, attended: bool, by: str) -> None:
        number = which % len(self.bookings)
        caller = {"owner": self.life.bookings[number].customer, "staff": self.staff, "stranger": self.stranger}[by]
        status, answer = self._same(
            lambda: self.life.record(caller, number, attended),
            caller,
            "select events.record_attendance(%s, %s)",
            [self.bookings[number], attended],
        )
        assert answer is None or answer["status"] == status

    @precondition(lambda self: len(self.life.told) > 6)
    @rule(by_staff=st.booleans())
    def call_off(self, by_staff: bool) -> None:
        caller = self.staff if by_staff else self.stranger
        self._same(
            lambda: self.life.call_off(caller, lambda numbers: sorted(numbers, key=self.bookings.__getitem__)),
            caller,
            "select events.cancel_event(%s)",
            [self.event],
        )

    @precondition(lambda self: self.life.now >= rules.STARTS)
    @rule()
    def complete(self) -> None:
        self.life.complete()
        given.call(self.db, None, "select ops.complete_events()")

    @precondition(lambda self: len(self.life.told) > 4)
    @rule(who=people)
    def erase(self, who: int) -> None:
        self.life.erase(self.people[who])
        given.call(self.db, self.people[who], "select users.erase_profile(%s)", [self.people[who]])

    # What holds after each step

    @invariant()
    def every_promise_is_kept(self) -> None:
        if not hasattr(self, "event"):
            return
        seen = self._value(
            NOW, {"event": self.event, "bookings": self.bookings, "entries": self.entries, "told": self.told_until}
        )
        self._no_fault_by_itself(seen)
        life = self.life
        assert seen["status"] == life.status
        assert (seen["capacity"], seen["taken"], seen["held"]) == (life.capacity, life.taken(), life.held())
        assert seen["bookings"] == [[str(b.customer), b.seats, b.guest, b.status, b.late] for b in life.bookings]
        assert sorted(seen["holds"]) == sorted([str(h.customer), h.seats, h.purpose, h.status] for h in life.holds)
        assert [entry[:3] for entry in seen["entries"]] == [[str(e.customer), e.seats, e.status] for e in life.entries]
        assert in_line(seen["entries"]) == [str(entry.customer) for entry in life.queue()]
        told = [(topic, customer) for topic, customer, _ in seen["told"]]
        assert told == [(topic, customer and str(customer)) for topic, customer in life.told]

    def _no_fault_by_itself(self, seen: dict[str, Any]) -> None:
        """What must be true of the rows whatever the model says."""
        live = [b for b in seen["bookings"] if b[3] in rules.LIVE_BOOKING]
        assert seen["taken"] == sum(b[1] for b in live)
        assert seen["held"] == sum(h[1] for h in seen["holds"] if h[3] == "active")
        assert seen["waitlisted"] == len(in_line(seen["entries"]))
        assert seen["capacity"] is None or 0 <= seen["taken"] + seen["held"] <= seen["capacity"]
        for_themselves = [b[0] for b in live if not b[2]]
        assert len(for_themselves) == len(set(for_themselves)), "two live bookings of one customer"
        waiting = sorted((e for e in seen["entries"] if e[2] == "waiting"), key=lambda e: e[3])
        offered = [e[3] for e in seen["entries"] if e[2] == "offered"]
        assert not waiting or not offered or max(offered) < waiting[0][3], "somebody was overtaken"
        if waiting and seen["offering"]:
            assert seen["capacity"] is not None
            assert waiting[0][1] > seen["capacity"] - seen["taken"] - seen["held"], "a seat is free for who waits"

    # Both at once

    def _same(self, expected: Callable[[], Any], caller: Any, query: str, params: list[Any]) -> tuple[Any, Any]:
        """Do it by the rules and in the database: the same refusal (then None, None), or what each answers."""
        self.refused = None
        try:
            answer = given.call(self.db, caller, query, params)
        except psycopg.Error as error:
            answer = given.code_of(error)
        try:
            result = expected()
        except Refusal as refusal:
            assert answer == str(refusal)
            self.refused = answer
            return None, None
        assert not isinstance(answer, str) or answer.startswith("{"), f"refused: {answer}"
        return result, answer

    def _book(
        self,
        caller: Any,
        *,
        seats: int,
        customer: Any = None,
        guest: bool = False,
        key: str | None = None,
        hold: int | None = None,
    ) -> str | None:
        number, answer = self._same(
            lambda: self.life.book(caller, seats, customer, guest, key, hold),
            caller,
            "select events.book(%s, %s, customer_id => %s, guest => %s, hold_id => %s, idempotency_key => %s)",
            [self.event, seats, customer, guest, None if hold is None else self.holds[hold], key],
        )
        if answer is not None:
            booking = json.loads(answer)
            self._know(number, booking["id"])
            assert self.said.setdefault(number, answer) == answer, "a retry had another answer"
            assert (booking["status"], booking["seats"]) == ("confirmed", seats)
            if key is not None:
                request = {"seats": seats, "customer": customer, "guest": guest, "key": key, "hold": hold}
                self.used.append({"caller": caller, **request})
        return self.refused

    def _know(self, number: int, booking_id: str) -> None:
        self.bookings += [UUID(booking_id)] * (number == len(self.bookings))
        assert self.bookings[number] == UUID(booking_id)

    def _an_entry(self, which: int, by: str) -> tuple[int, Any]:
        number = which % len(self.entries)
        return number, {"owner": self.life.entries[number].customer, "staff": self.staff, "stranger": self.stranger}[by]

    def _value(self, query: str, params: Any = None) -> Any:
        with psycopg.ClientCursor(self.db) as cursor:
            cursor.execute(query, params)
            return next(iter(cursor.fetchone().values()))

    @staticmethod
    def _pick(choices: list[int], which: int) -> int:
        return choices[which % len(choices)]


def in_line(entries: list[list[Any]]) -> list[str]:
    """Who waits, by place."""
    return [entry[0] for entry in sorted(entries, key=lambda entry: entry[3]) if entry[2] == "waiting"]


def test_a_booking_life_goes_as_the_rules_say(db):
    stage = given.stage(db)
    run_state_machine_as_test(
        lambda: BookingLife(db, stage),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            report_multiple_bugs=False,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
