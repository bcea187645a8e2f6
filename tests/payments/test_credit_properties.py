"""Credits against a small model: granted, used, returned, refunded and lapsed, at random.

MARQUEE_EXAMPLES=2000 sets the number of customers, with up to 25 steps each. The examples are the same in each run
until the rules here change.
"""

import os
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.kit import routines
from tests.kit.wallets import PRICE, CreditBookings

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "40"))
STEPS = 25
DAYS = [5, 10, 20, None]


@dataclass
class Lot:
    """The model of a lot. It never expires if `days` is None."""

    amount: int
    remaining: int
    days: int | None
    expired: bool = False

    @property
    def rank(self) -> float:
        """Return the lot's place in the order of use."""
        return float("inf") if self.days is None else self.days - 1000 * self.expired


@dataclass
class Use:
    """A booking, and the amount that it took from each lot."""

    booking: dict[str, Any]
    taken: dict[int, int] = field(default_factory=dict)
    open: bool = True


class Credits(RuleBasedStateMachine):
    """One customer's lots of one kind, beside their expected amounts."""

    def __init__(self, desk: CreditBookings, kind: str) -> None:
        super().__init__()
        self.desk, self.kind = desk, kind
        self.unit = PRICE if kind == "wallet" else 1
        self.lots: list[Lot] = []
        self.ids: list[Any] = []
        self.uses: list[Use] = []

    @initialize()
    def begin(self) -> None:
        """Start with a customer without credits."""
        self.customer = self.desk.customer()
        self.lots, self.ids, self.uses = [], [], []

    @rule(tenths=st.integers(1, 35), days=st.sampled_from(DAYS))
    def give(self, tenths: int, days: int | None) -> None:
        """Grant credits as staff: any amount for wallets, whole units for passes."""
        amount = tenths * self.unit // 10 if self.kind == "wallet" else tenths % 4 + 1
        lot = self.desk.give(self.customer, amount, f"{days} days" if days else None, kind=self.kind)
        self.lots.append(Lot(amount, amount, days))
        self.ids.append(lot["id"])

    @rule(seats=st.integers(1, 3))
    def book(self, seats: int) -> None:
        """Book and pay with the unexpired lots, or expect a refusal."""
        needed = seats * self.unit
        live = [n for n, lot in enumerate(self.lots) if lot.remaining and not lot.expired]
        if sum(self.lots[n].remaining for n in live) < needed:
            code = self.desk.refusal(self.customer, self.kind, seats=seats, guest=True)
            assert code in ("insufficient_funds", "insufficient_credits", "payment_required")
            return
        use = Use(self.desk.book(self.customer, self.kind, seats=seats, guest=True))
        for n in sorted(live, key=lambda n: (self.lots[n].rank, n)):
            part = min(self.lots[n].remaining, needed - sum(use.taken.values()))
            if part:
                self.lots[n].remaining -= part
                use.taken[n] = part
        self.uses.append(use)

    @rule(choice=st.integers(0, 100), waive=st.booleans())
    def cancel(self, choice: int, *, waive: bool) -> None:
        """Cancel a booking in time. A second cancellation changes nothing."""
        if self.uses:
            use = self.uses[choice % len(self.uses)]
            self.desk.cancel(use.booking, self.desk.stage.owner if waive else self.customer, waive=waive)
            if use.open:
                self._give_back(use, sum(use.taken.values()))
            use.open = False

    @rule(choice=st.integers(0, 100), percent=st.integers(1, 99))
    def refund(self, choice: int, percent: int) -> None:
        """Refund a part of a wallet payment as staff."""
        if self.kind == "wallet" and self.uses:
            use = self.uses[choice % len(self.uses)]
            cents = sum(use.taken.values()) * percent // 100
            if use.open and cents:
                query = "select payments.refund_booking(%s, amount_cents => %s, idempotency_key => %s)"
                routines.call(self.desk.db, self.desk.stage.owner, query, [use.booking["id"], cents, uuid4().hex])
                self._give_back(use, cents)

    @rule(choice=st.integers(0, 100))
    def expire(self, choice: int) -> None:
        """Let the expiry of a lot pass."""
        if self.lots:
            n = choice % len(self.lots)
            if self.lots[n].days is not None:
                self.desk.set_expiry({"id": self.ids[n]}, f"-{40 - (self.lots[n].days or 0)} days +{n} minutes")
                self.lots[n].expired = True

    @rule()
    def sweep(self) -> None:
        """Sweep the expired lots."""
        self.desk.expire()
        for lot in self.lots:
            if lot.expired:
                lot.remaining = 0

    @invariant()
    def lots_equal_the_model(self) -> None:
        """Assert that each lot holds the amount of the model, and that ledger and lots agree."""
        assert self.desk.lots(self.customer) == [(lot.amount, lot.remaining) for lot in self.lots]
        assert self.desk.db.execute("select * from payments.verify_credits()").fetchall() == []

    def _give_back(self, use: Use, amount: int) -> None:
        for n in sorted(use.taken, key=lambda n: (self.lots[n].rank, n), reverse=True):
            part = min(use.taken[n], amount)
            self.lots[n].remaining += part
            use.taken[n] -= part
            amount -= part


@pytest.mark.parametrize("kind", ["wallet", "pass"])
def test_credits_match_the_model_of_lots(db: psycopg.Connection[Any], kind: str) -> None:
    desk = CreditBookings(db, capacity=None)
    machine_settings = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )

    run_state_machine_as_test(lambda: Credits(desk, kind), settings=machine_settings)
