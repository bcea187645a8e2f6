"""Test random sequences of booking operations: the database must return the model's result at each step.

MARQUEE_EXAMPLES=2000 sets the number of sequences. They are the same in each run until the steps here change.
"""

import os
from typing import Any
from uuid import UUID

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

from tests.kit import booking_model as rules
from tests.kit import stages
from tests.kit.booking_comparison import Comparison

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "80"))
STEPS = 30

people = st.integers(0, 4)
seats = st.sampled_from([1, 1, 1, 2, 2, 3, 4])
which = st.integers(0, 7)
rarely = st.sampled_from([False, False, False, True])
keys = st.sampled_from([None, None, "tap", "swipe"])
deeds = st.sampled_from([
    "book", "book", "book past an offer", "hold", "release", "book what is held", "cancel", "cancel", "wait", "wait",
    "leave", "accept", "accept", "decline",
])  # fmt: skip
orders = st.sampled_from(["resize", "resize", "resize", "promote", "record", "record", "call off"])
intrusions = st.sampled_from(
    ["book", "release", "cancel", "accept", "decline", "promote", "resize", "record", "call off"]
)


class BookingLife(RuleBasedStateMachine):
    """Runs booking operations. Its rules are few with many choices, because Hypothesis leaves out some in each run."""

    both: Comparison

    def __init__(self, stage: stages.Stage) -> None:
        super().__init__()
        self.stage = stage

    @initialize(
        capacity=st.sampled_from([1, 2, 2, 3, 4, 6, None]),
        crowd=st.lists(st.tuples(people, seats), max_size=6),
        sales_close=st.sampled_from([rules.SALES_CLOSE, rules.LAST_OFFER - 30]),
    )
    def begin(self, capacity: int | None, crowd: list[tuple[int, int]], sales_close: int) -> None:
        self.both = Comparison(self.stage, capacity, sales_close)
        for who, wanted in crowd:
            if self.both.book(self.both.people[who], seats=wanted) == "sold_out":
                self.both.join(self.both.people[who], wanted)

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self.both.end()

    @rule(deed=deeds, who=people, seats=seats, which=which, by_staff=rarely, guest=rarely, key=keys)
    def a_customer(
        self, deed: str, who: int, seats: int, which: int, by_staff: bool, guest: bool, key: str | None
    ) -> None:
        """Perform an operation of a customer on their own data, or of staff for the customer."""
        both, life, customer = self.both, self.both.life, self.both.people[who]
        caller, named = (both.staff, customer) if by_staff else (customer, None)
        mine = {
            "bookings": self._of(life.bookings, customer, "confirmed", range(len(both.bookings))),
            "holds": self._of(life.holds, customer, "active", sorted(both.holds)),
            "entries": self._of(life.entries, customer, "offered", range(len(both.entries))),
        }
        match deed:
            case "release" if mine["holds"]:
                both.release(caller, self._pick(mine["holds"], which))
            case "book what is held" if mine["holds"]:
                number = self._pick(mine["holds"], which)
                both.book(caller, seats=life.holds[number].seats, customer=named, guest=guest, key=key, hold=number)
            case "cancel" if mine["bookings"]:
                both.cancel(caller, self._pick(mine["bookings"], which), again=guest)
            case "leave":
                both.leave(customer)
            case "accept" if mine["entries"]:
                both.accept(caller, self._pick(mine["entries"], which))
            case "decline" if mine["entries"]:
                both.decline(caller, self._pick(mine["entries"], which))
            case "hold":
                both.hold(caller, seats, named)
            case "wait":
                both.join(customer, seats)
            case "book past an offer" if mine["entries"]:
                both.book(caller, seats=life.entries[mine["entries"][0]].seats, customer=named, guest=guest, key=key)
            case _:
                both.book(caller, seats=seats, customer=named, guest=guest, key=key)

    @precondition(lambda self: self.both.keyed)
    @rule(which=which, other=st.booleans())
    def a_key_comes_again(self, which: int, other: bool) -> None:
        """Repeat an idempotency key with the same body or a different one."""
        request = dict(self._pick(self.both.keyed, which))
        if other:
            request["seats"] = request["seats"] % 4 + 1
        self.both.book(**request)

    @rule(order=orders, which=which, capacity=st.sampled_from([0, 1, 2, 3, 4, 5, 8, None]), attended=st.booleans())
    def the_staff(self, order: str, which: int, capacity: int | None, attended: bool) -> None:
        """Perform an operation of staff on the event."""
        both = self.both
        match order:
            case "promote":
                both.promote(both.staff)
            case "record" if both.bookings:
                both.record(both.staff, which % len(both.bookings), attended)
            case "call off" if which == 0 and len(both.life.told) > 12:
                both.call_off(both.staff)
            case _:
                both.resize(both.staff, capacity)

    @rule(minutes=st.sampled_from([None, None, 1, 6, 16, 31, 61]), swept=st.booleans())
    def time_passes(self, minutes: int | None, swept: bool) -> None:
        """Let some minutes pass, or as many as the first hold has left. Run the schedules afterwards, or not yet."""
        lasting = [hold.expires - self.both.life.now for hold in self.both.life.holds if hold.status == "active"]
        self.both.later(minutes or max(1, min(lasting, default=1)))
        if swept:
            self.both.sweep()

    @precondition(lambda self: len(self.both.life.told) % 4 == 3)
    @rule(who=people)
    def visitors_look(self, who: int) -> None:
        """Compare what lists and details show with what newcomers, this customer and staff can do."""
        self.both.look(self.both.people[who])

    @precondition(lambda self: len(self.both.life.told) > 8)
    @rule(who=people)
    def a_customer_is_erased(self, who: int) -> None:
        self.both.erase(self.both.people[who])

    @rule(intrusion=intrusions, which=which, who=people)
    def a_stranger(self, intrusion: str, which: int, who: int) -> None:
        """Attempt an operation as a caller who is neither the customer nor staff."""
        both = self.both
        match intrusion:
            case "release" if both.holds:
                refused = both.release(both.stranger, self._pick(sorted(both.holds), which))
            case "cancel" if both.bookings:
                refused = both.cancel(both.stranger, which % len(both.bookings))
            case "record" if both.bookings:
                refused = both.record(both.stranger, which % len(both.bookings), attended=True)
            case "accept" if both.entries:
                refused = both.accept(both.stranger, which % len(both.entries))
            case "decline" if both.entries:
                refused = both.decline(both.stranger, which % len(both.entries))
            case "promote":
                refused = both.promote(both.stranger)
            case "resize":
                refused = both.resize(both.stranger, which)
            case "call off":
                refused = both.call_off(both.stranger)
            case _:
                refused = both.book(both.stranger, seats=1, customer=both.people[who])
        assert refused is not None

    @invariant()
    def every_promise_is_kept(self) -> None:
        if hasattr(self, "both"):
            self.both.compare()

    @staticmethod
    def _of(things: list[Any], customer: UUID, status: str, numbers: Any) -> list[int]:
        """Return the numbers of a customer's items: items with this status first, and later before earlier."""
        mine = [number for number in numbers if things[number].customer == customer]
        return sorted(mine, key=lambda number: (things[number].status != status, -number))

    @staticmethod
    def _pick(choices: list[Any], which: int) -> Any:
        """Return the first choice for a `which` below 4, and any choice from 4 on."""
        return choices[0 if which < 4 else which % len(choices)]


def test_random_booking_operations_match_the_model(db):
    stage = stages.create(db)
    run_state_machine_as_test(
        lambda: BookingLife(stage),
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
