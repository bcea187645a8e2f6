"""The ledger under many connections at once: it always balances, and nothing is lost, duplicated or overdrawn."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.concurrency import outcomes, run_together
from tests.kit.ledger import SUMS, LedgerRoutines

RIVALS = 20


@pytest.fixture
def books(db):
    return LedgerRoutines(db)


@contextmanager
def meanwhile(connect: Callable[..., Any], act: Callable[[Any], Any]) -> Iterator[list[Any]]:
    """Repeat an action on its own connection while the block runs, and yield its results. Raise its faults."""
    connection, answers, over = connect(), [], threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                answers.append(act(connection))
            except BaseException as error:
                answers.append(error)
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join(60)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


def sum_everything(connection: Any) -> tuple[int, ...]:
    """Return the sum of each currency by entries and by balances, and the lowest guarded balance if negative."""
    entries = [row["cents"] for row in connection.execute(SUMS).fetchall()]
    totals = connection.execute("select amount_cents from payments.trial_balance() where type is null").fetchall()
    lowest = connection.execute("select min(balance_cents) as cents from payments.balances").fetchone()["cents"]
    return (*entries, *(row["amount_cents"] for row in totals), min(0, lowest or 0))


def verify(connection: Any) -> int:
    """Return the number of findings of verify_ledger."""
    return connection.execute("select count(*) as n from payments.verify_ledger()").fetchone()["n"]


def seal(connection: Any) -> int:
    """Seal one small batch of entries, and return their number."""
    return int(LedgerRoutines(connection).seal(most=37)["sealed"])


def no_deadlocks(books: LedgerRoutines) -> bool:
    books.db.execute("select pg_stat_force_next_flush()")
    return books.value("select deadlocks from pg_stat_database where datname = current_database()") == 0


def some_lines(chance: random.Random, accounts: list[UUID]) -> list[tuple[UUID, int]]:
    """Return two to five balanced lines, with small amounts so that guarded accounts sometimes lack money."""
    chosen = chance.sample(accounts, chance.randint(2, 5))
    amounts = [chance.randint(-60, 60) for _ in chosen[1:]]
    return list(zip(chosen, [-sum(amounts), *amounts], strict=True))


def test_random_postings_from_many_connections_always_balance(books, connect):
    accounts = {
        currency: [
            books.someone(kind, currency) for kind in ("cash", "revenue", "clearing", *["credits"] * 4, "escrow")
        ]
        for currency in ("CHF", "EUR")
    }
    for own in accounts.values():
        books.post("top_up", [(own[2], 500), *((wallet, -100) for wallet in own[3:])])

    def act(connection: Any, number: int) -> list[str]:
        chance, mine, done, told = random.Random(number), LedgerRoutines(connection), [], []
        for step in range(60):
            key = f"{number}-{step}"
            try:
                if done and chance.random() < 0.25:
                    query = "select payments.reverse_transaction(%s, %s)"
                    mine.value(query, [done.pop(chance.randrange(len(done))), f"undo-{key}"])
                else:
                    done.append(mine.post("move", some_lines(chance, accounts[chance.choice(["CHF", "EUR"])]), key))
                told.append("posted")
            except psycopg.Error as error:
                told.append(routines.code_of(error))
        return told

    with (
        meanwhile(connect, sum_everything) as sums,
        meanwhile(connect, verify) as found,
        meanwhile(connect, seal) as sealed,
    ):
        results = Counter(code for told in run_together(connect, range(16), act) for code in told)

    assert set(results) <= {"posted", "insufficient_funds", "no_entries"}
    assert min(results["posted"], results["insufficient_funds"]) > 20
    assert len(sums) > 3
    assert {cents for look in sums for cents in look} == {0}
    assert set(found) == {0}
    assert sum(sealed) > 0
    assert books.wrong_moments(40) == []
    books.seal()
    assert books.wrong_moments(40) == []
    assert books.findings() == []
    assert no_deadlocks(books)


def test_reader_in_one_snapshot_sees_constant_balances(books, connect):
    """Balances, past balances and entries agree with each other during the whole transaction."""
    hot, others = books.someone("revenue"), [books.someone() for _ in range(5)]

    def act(connection: Any, number: int) -> None:
        for _ in range(20):
            LedgerRoutines(connection).post("ticket", {others[number % 5]: 100, hot: -100})

    def read(connection: Any) -> tuple[bool, ...]:
        with connection.transaction():
            connection.execute("set transaction isolation level repeatable read")
            first = LedgerRoutines(connection).balance(hot)
            again = LedgerRoutines(connection).balance(hot)
            summed = LedgerRoutines(connection).value(
                "select coalesce(-sum(amount_cents), 0)::bigint from payments.entries where account_id = %s", [hot]
            )
        return (first == again, first == summed)

    with meanwhile(connect, read) as answers, meanwhile(connect, seal):
        run_together(connect, range(8), act)

    assert len(answers) > 3
    assert set(answers) == {(True, True)}
    assert books.balance(hot) == 8 * 20 * 100


@pytest.mark.parametrize("kind", ["credits", "escrow"])
def test_concurrent_postings_never_overdraw_a_guarded_account(books, connect, kind):
    wallet, clearing = books.someone(kind), books.someone("clearing")
    books.post("top_up", {clearing: 700, wallet: -700})

    results = run_together(
        connect,
        range(RIVALS),
        lambda c, _: str(LedgerRoutines(c).post("purchase", {wallet: 100, clearing: -100}) and "paid"),
    )

    assert outcomes(results) == {"paid": 7, "insufficient_funds": RIVALS - 7}
    assert books.balance(wallet) == 0
    assert books.findings() == []


def test_concurrent_payments_in_both_directions_never_deadlock(books, connect):
    """Wallets are locked in the order of their ids, whatever the order of the lines."""
    wallets = [books.someone("credits") for _ in range(4)]
    clearing = books.someone("clearing")
    books.post("top_up", [(clearing, 4000), *((wallet, -1000) for wallet in wallets)])

    def act(connection: Any, number: int) -> None:
        chance = random.Random(number)
        for _ in range(15):
            paying, paid = chance.sample(wallets, 2)
            LedgerRoutines(connection).post("gift", [(paying, 1), (paid, -1)])

    run_together(connect, range(12), act)

    assert sum(books.balance(wallet) for wallet in wallets) == 4000
    assert no_deadlocks(books)
    assert books.findings() == []


def test_one_key_from_many_connections_posts_one_transaction(books, connect):
    cash, revenue = books.someone(), books.someone("revenue")

    ids = run_together(
        connect, range(RIVALS), lambda c, _: LedgerRoutines(c).post("ticket", {cash: 100, revenue: -100}, key="tap")
    )

    assert len(set(ids)) == 1
    assert books.balance(revenue) == 100


def test_one_key_with_different_contents_posts_only_one(books, connect):
    cash, revenue = books.someone(), books.someone("revenue")

    results = run_together(
        connect,
        range(1, RIVALS + 1),
        lambda c, cents: str(LedgerRoutines(c).post("ticket", {cash: cents, revenue: -cents}, key="tap") and "posted"),
    )

    assert outcomes(results) == {"posted": 1, "idempotency_conflict": RIVALS - 1}
    assert books.value("select count(*) from payments.transactions") == 1


def test_concurrent_reversals_reverse_a_transaction_once(books, connect):
    cash, revenue = books.someone(), books.someone("revenue")
    first = books.post("ticket", {cash: 100, revenue: -100})
    query = "select payments.reverse_transaction(%s, %s)::text"

    keys = [f"undo-{number % 2}" for number in range(RIVALS)]
    results = run_together(connect, keys, lambda c, key: LedgerRoutines(c).value(query, [first, key]))

    tried = Counter(results)
    assert tried.pop("already_reversed") == RIVALS // 2
    assert list(tried.values()) == [RIVALS // 2]
    assert books.balance(revenue) == 0


def test_concurrent_requests_for_a_new_account_get_the_same_one(books, connect):
    owner = stages.create(books.db).owner

    ids = run_together(connect, range(RIVALS), lambda c, _: LedgerRoutines(c).account("user", owner, "credits"))

    assert len(set(ids)) == 1
    assert books.value("select count(*) from payments.balances") == 1


def test_concurrent_batches_with_shuffled_keys_post_once_without_a_deadlock(books, connect):
    cash, revenue = books.someone(), books.someone("revenue")
    query = "select payments.post_transactions(%s::jsonb)"

    def act(connection: Any, number: int) -> tuple[str, ...]:
        keys = list(range(400))
        random.Random(number).shuffle(keys)
        batch = [
            {
                "kind": "move",
                "account_ids": [str(cash), str(revenue)],
                "amounts_cents": [key + 1, -key - 1],
                "idempotency_key": f"key-{key}",
            }
            for key in keys
        ]
        ids = LedgerRoutines(connection).value(query, [psycopg.types.json.Jsonb(batch)])
        return tuple(str(posted) for _, posted in sorted(zip(keys, ids, strict=True)))

    assert len(set(run_together(connect, range(10), act))) == 1
    assert books.balance(revenue) == sum(range(1, 401))
    assert no_deadlocks(books)


def test_batches_lock_their_keys_in_one_order(books, connect):
    """Both batches wait for a key of a third one. After its rollback, neither holds a key that the other needs."""
    cash, revenue = books.someone(), books.someone("revenue")
    holder = connect(autocommit=False)
    LedgerRoutines(holder).post("move", {cash: 9, revenue: -9}, key="m")
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

    def act(connection: Any, keys: str) -> int:
        if keys == "let go":
            deadline = time.monotonic() + 20
            while books.value(waiting) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            holder.rollback()
            return 0
        batch = [
            {
                "kind": "move",
                "account_ids": [str(cash), str(revenue)],
                "amounts_cents": [1, -1],
                "idempotency_key": key,
            }
            for key in keys
        ]
        query = "select payments.post_transactions(%s::jsonb)"
        return len(set(LedgerRoutines(connection).value(query, [psycopg.types.json.Jsonb(batch)])))

    assert run_together(connect, ["amz", "zma", "let go"], act) == [3, 3, 0]
    assert books.balance(revenue) == 3
    assert no_deadlocks(books)
