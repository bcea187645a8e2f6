"""The ledger against a small model: random postings, reversals, retries, overdrafts and seals.

MARQUEE_EXAMPLES=2000 sets the number of ledgers, with 30 steps each. The examples are the same in each run until the
rules here change.
"""

import json
import os
from collections import Counter
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.kit import routines
from tests.kit.ledger import LedgerRoutines

EXAMPLES = int(os.environ.get("MARQUEE_EXAMPLES", "40"))
STEPS = 30
TYPES = ["cash", "escrow", "credits", "revenue", "clearing"]
CURRENCIES = ["CHF", "EUR"]
GUARDED = {"escrow", "credits"}

Lines = list[tuple[int, int]]
"""Numbers of accounts, and amounts in cents."""

amounts = st.integers(-300, 300) | st.integers(-(2**55), 2**55)


@st.composite
def some_lines(draw: st.DrawFn) -> Lines:
    """Draw lines over all accounts. A last line per currency nearly always balances them."""
    lines: Lines = []
    for currency in draw(st.sampled_from([[0], [1], [0, 1]])):
        own = [currency * len(TYPES) + place for place in range(len(TYPES))]
        drawn = draw(st.lists(st.tuples(st.sampled_from(own), amounts), min_size=1, max_size=4))
        lines += drawn
        lines.append((draw(st.sampled_from(own)), -sum(cents for _, cents in drawn)))
    if draw(st.integers(0, 9)) == 0:
        lines[0] = (lines[0][0], lines[0][1] + draw(st.sampled_from([-1, 1])))
    return lines


class Ledger(RuleBasedStateMachine):
    """The database beside a model, which keeps the sums of accepted postings and the lines of each key."""

    def __init__(self, books: LedgerRoutines) -> None:
        super().__init__()
        self.books = books
        self.held: Counter[int] = Counter()
        self.posted: dict[str, tuple[UUID, Lines]] = {}
        self.reversed: set[str] = set()
        self.unsealed = 0
        self.keys = 0

    @initialize()
    def begin(self) -> None:
        """Start an empty ledger, in a transaction that is rolled back."""
        self.books.db.rollback()
        self.accounts = [self.books.someone(kind, currency) for currency in CURRENCIES for kind in TYPES]

    def teardown(self) -> None:
        """Check the balances of each past moment before and after sealing, and verify the ledger."""
        if self.posted:
            assert self.books.wrong_moments() == []
            self.books.seal()
            assert self.books.wrong_moments() == []
            assert self.books.findings() == []
        self.books.db.rollback()

    def expected(self, lines: Lines) -> str | None:
        """Return the code of the refusal that the model expects, or None."""
        lines = [line for line in lines if line[1] != 0]
        if not lines:
            return "no_entries"
        totals = Counter[int]()
        after = self.held.copy()
        for number, cents in lines:
            totals[number // len(TYPES)] += cents
            after[number] += cents
        if any(totals.values()):
            return "unbalanced"
        touched = {number for number, _ in lines if TYPES[number % len(TYPES)] in GUARDED}
        return "insufficient_funds" if any(after[number] > 0 for number in touched) else None

    def attempt(self, query: str, params: Any) -> tuple[Any, str | None]:
        """Return the result, or the code of the refusal."""
        try:
            with self.books.db.transaction():
                return self.books.value(query, params), None
        except psycopg.Error as error:
            return None, routines.code_of(error)

    def accept(self, key: str, transaction_id: UUID, lines: Lines) -> None:
        lines = [line for line in lines if line[1] != 0]
        for number, cents in lines:
            self.held[number] += cents
        self.posted[key] = (transaction_id, lines)
        self.unsealed += len(lines)

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def posting(self, lines: Lines, key: str) -> dict[str, Any]:
        return {
            "kind": "move",
            "account_ids": [str(self.accounts[number]) for number, _ in lines],
            "amounts_cents": [cents for _, cents in lines],
            "idempotency_key": key,
        }

    @rule(lines=some_lines())
    def post(self, lines: Lines) -> None:
        """Post lines, and expect the result of the model."""
        key = self.new_key()
        query = (
            "select payments.post_transaction(%(kind)s, %(account_ids)s::uuid[], %(amounts_cents)s::bigint[], "
            "%(idempotency_key)s)"
        )
        transaction_id, code = self.attempt(query, self.posting(lines, key))
        assert code == self.expected(lines)
        if code is None:
            self.accept(key, transaction_id, lines)

    @rule(batch=st.lists(some_lines(), min_size=1, max_size=4))
    def post_many(self, batch: list[Lines]) -> None:
        """Post a batch. It is accepted only if each posting balances and all together overdraw no account."""
        keys = [self.new_key() for _ in batch]
        given_lines = [self.posting(lines, key) for lines, key in zip(batch, keys, strict=True)]
        query = "select payments.post_transactions(%s::jsonb)"
        transaction_ids, code = self.attempt(query, [json.dumps(given_lines)])
        alone = {self.expected(lines) for lines in batch} & {"no_entries", "unbalanced"}
        together = self.expected([line for lines in batch for line in lines])
        assert code in alone if alone else code == (together if together != "no_entries" else None)
        if code is None:
            for key, transaction_id, lines in zip(keys, transaction_ids, batch, strict=True):
                self.accept(key, transaction_id, lines)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """Repeat a key. The same lines return their transaction, and other lines are refused."""
        if not self.posted:
            return
        key = data.draw(st.sampled_from(list(self.posted)))
        transaction_id, lines = self.posted[key]
        is_reversal = self.books.value("select reverses_id from payments.transactions where id = %s", [transaction_id])
        other = [*lines[:-1], (lines[-1][0], lines[-1][1] + 1)] if data.draw(st.booleans()) else lines
        query = (
            "select payments.post_transaction(%(kind)s, %(account_ids)s::uuid[], %(amounts_cents)s::bigint[], "
            "%(idempotency_key)s)"
        )
        answer, code = self.attempt(query, self.posting(other, key))
        wanted = "idempotency_conflict" if is_reversal is not None or other is not lines else None
        assert (answer, code) == (None if wanted else transaction_id, wanted)

    @rule(data=st.data(), fresh_key=st.booleans())
    def reverse(self, data: st.DataObject, fresh_key: bool) -> None:
        """Reverse a transaction. It is reversed exactly once, unless the money was spent."""
        if not self.posted:
            return
        key = data.draw(st.sampled_from(list(self.posted)))
        transaction_id, lines = self.posted[key]
        undo = f"{'again' if fresh_key else 'undo'}-{key}"
        query = "select payments.reverse_transaction(%s, %s)"
        reversal_id, code = self.attempt(query, [transaction_id, undo])
        opposite = [(number, -cents) for number, cents in lines]
        if key.startswith(("undo-", "again-")):
            assert code == "reversal_is_final"
        elif undo in self.posted:
            assert reversal_id == self.posted[undo][0]
        elif key in self.reversed:
            assert code == "already_reversed" or (code == "insufficient_funds" and self.expected(opposite) == code)
        else:
            assert code == self.expected(opposite)
            if code is None:
                self.reversed.add(key)
                self.accept(undo, reversal_id, opposite)

    @rule(most=st.integers(1, 12))
    def seal(self, most: int) -> None:
        """Seal at most this number of entries, which changes no balance."""
        sealed = self.books.seal(most)["sealed"]
        assert sealed == min(most, self.unsealed)
        self.unsealed -= sealed

    @invariant()
    def ledger_equals_the_model(self) -> None:
        """Assert that balances are sums, no guarded balance is negative, and each currency sums to zero."""
        rows = self.books.db.execute(
            "select account_id, balance_cents from payments.account_balances where account_id = any(%s)",
            [self.accounts],
        ).fetchall()
        balances = {row["account_id"]: row["balance_cents"] for row in rows}
        for number, account_id in enumerate(self.accounts):
            kind = TYPES[number % len(TYPES)]
            assert balances[account_id] == (1 if kind == "clearing" else -1) * self.held[number]
            assert kind not in GUARDED or balances[account_id] >= 0
        totals = self.books.db.execute("select * from payments.trial_balance() where type is null").fetchall()
        assert {row["amount_cents"] for row in totals} <= {0}
        assert self.books.findings() == []


def test_ledger_matches_the_model(rolled_back):
    run_state_machine_as_test(
        lambda: Ledger(LedgerRoutines(rolled_back)),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
