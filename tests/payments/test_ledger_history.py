"""Current and past balances, statements, and the hash chains of seals."""

import hashlib
import json
from datetime import timedelta

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.ledger import LedgerRoutines

NAIVE = """
select payments.normal_side(a.type) * coalesce((
    select sum(e.amount_cents)
    from payments.entries as e
    inner join payments.transactions as t on t.id = e.transaction_id
    where e.account_id = a.id and t.recorded_at <= %(at)s
), 0)::bigint
from payments.accounts as a
where a.id = %(account_id)s
"""


@pytest.fixture
def books(db):
    return LedgerRoutines(db)


def moments(books: LedgerRoutines) -> list:
    """Return the time of each transaction and the microsecond before it, in order."""
    rows = books.db.execute("select recorded_at from payments.transactions order by 1").fetchall()
    return [row["recorded_at"] - back for row in rows for back in (timedelta(microseconds=1), timedelta())]


def held(books: LedgerRoutines, *accounts) -> list[list[int]]:
    """Return the balances of accounts at each moment, after comparing the routine with the plain sum."""
    said = [[books.balance(account, at) for account in accounts] for at in moments(books)]
    summed = [[books.value(NAIVE, {"at": at, "account_id": a}) for a in accounts] for at in moments(books)]
    assert said == summed
    return said


def test_past_balance_is_the_same_before_and_after_sealing(books):
    cash, revenue = books.someone(), books.someone("revenue")
    for number in range(1, 5):
        books.post("ticket", {cash: number, revenue: -number})
        if number == 2:
            books.seal()
        if number == 3:
            books.seal(most=1)

    assert [pair[1] for pair in held(books, cash, revenue)] == [0, 1, 1, 3, 3, 6, 6, 10]
    assert books.seal() == {"sealed": 3, "more": False}
    assert [pair[1] for pair in held(books, cash, revenue)] == [0, 1, 1, 3, 3, 6, 6, 10]


def test_past_balance_counts_a_late_commit_at_its_recorded_time(books, connect):
    cash, revenue = books.someone(), books.someone("revenue")
    books.post("ticket", {cash: 1, revenue: -1})
    slow = connect(autocommit=False)
    LedgerRoutines(slow).post("ticket", {cash: 10, revenue: -10})
    books.post("ticket", {cash: 100, revenue: -100})
    books.seal()
    assert [pair[1] for pair in held(books, cash, revenue)] == [0, 1, 1, 101]

    slow.commit()
    assert [pair[1] for pair in held(books, cash, revenue)] == [0, 1, 1, 11, 11, 111]
    books.post("ticket", {cash: 1000, revenue: -1000})
    books.seal()

    assert [pair[1] for pair in held(books, cash, revenue)] == [0, 1, 1, 11, 11, 111, 111, 1111]
    late = "select amount_cents from payments.seals where recorded_at < latest_recorded_at and account_id = %s"
    assert [row["amount_cents"] for row in books.db.execute(late, [cash]).fetchall()] == [10]
    assert books.findings() == []


def test_unknown_account_has_no_balance(books):
    with pytest.raises(psycopg.Error) as refused:
        books.balance(stages.create(books.db).owner)

    assert routines.code_of(refused.value) == "account_not_found"


def test_trial_balance_sums_to_zero_per_currency_at_each_moment(books):
    cash, revenue = books.someone(), books.someone("revenue")
    euros, earned = books.someone("cash", "EUR"), books.someone("revenue", "EUR")
    books.post("ticket", {cash: 500, revenue: -500})
    books.post("ticket", {euros: 70, earned: -70})
    books.seal(most=3)
    books.post("ticket", {euros: 7, earned: -7})

    for at in [None, *moments(books)]:
        rows = books.db.execute("select * from payments.trial_balance(%s)", [at]).fetchall()
        assert {row["currency"]: row["amount_cents"] for row in rows if row["type"] is None} == {"CHF": 0, "EUR": 0}
    now = [tuple(row.values()) for row in books.db.execute("select * from payments.trial_balance()").fetchall()]
    assert now == [
        ("CHF", "cash", 500),
        ("CHF", "revenue", -500),
        ("CHF", None, 0),
        ("EUR", "cash", 77),
        ("EUR", "revenue", -77),
        ("EUR", None, 0),
    ]


def test_statement_is_the_same_before_and_after_sealing(books):
    cash, revenue = books.someone(), books.someone("revenue")
    for number in range(1, 6):
        books.post("ticket", {cash: number, revenue: -number}, description=f"No. {number}")
        if number == 2:
            books.seal(most=3)
    query = (
        "select number, description, amount_cents, balance_cents from payments.statement_lines "
        "where account_id = %s order by number"
    )

    before = books.db.execute(query, [revenue]).fetchall()
    books.seal()

    assert before == books.db.execute(query, [revenue]).fetchall()
    assert [row["balance_cents"] for row in before] == [1, 3, 6, 10, 15]
    assert [row["number"] for row in before] == [1, 2, 3, 4, 5]


def test_sealing_is_bounded_and_reports_whether_entries_remain(books):
    cash, revenue = books.someone(), books.someone("revenue")
    for _ in range(3):
        books.post("ticket", {cash: 1, revenue: -1})

    answers = [books.seal(most=4) for _ in range(3)]

    assert answers == [{"sealed": 4, "more": True}, {"sealed": 2, "more": False}, {"sealed": 0, "more": False}]


def test_entries_are_sealed_oldest_first(books):
    cash, revenue = books.someone(), books.someone("revenue")
    for number in (2, 1, 3):
        books.post("ticket", {cash: number, revenue: -number})

    while books.seal(most=2)["sealed"]:
        pass

    query = "select amount_cents from payments.seals where account_id = %s order by position"
    assert [row["amount_cents"] for row in books.db.execute(query, [cash]).fetchall()] == [2, 1, 3]
    assert books.value("select count(*) from payments.seals where recorded_at < latest_recorded_at") == 0


def test_recent_entries_are_not_sealed_yet(books):
    books.post("ticket", {books.someone(): 1, books.someone("revenue"): -1})

    assert books.value("select payments.seal_entries()") == {"sealed": 0, "more": False}


def test_concurrent_sealers_seal_each_entry_once(books, connect):
    books.post("ticket", {books.someone(): 1, books.someone("revenue"): -1})
    rival = LedgerRoutines(connect(autocommit=False))
    books.db.execute("set lock_timeout = '5s'")

    assert rival.seal() == {"sealed": 2, "more": False}
    assert books.seal() == {"sealed": 0, "more": False}
    rival.db.commit()
    assert books.seal() == {"sealed": 0, "more": False}
    assert books.findings() == []


def test_hash_chain_can_be_recomputed_from_the_entries(books):
    """The computation runs outside the database, and uses only the documented format."""
    owner, cash = stages.create(books.db).owner, books.someone("clearing")
    revenue = books.account("platform", None, "revenue")
    books.post("ticket", {cash: 500, revenue: -500}, reference_type="booking", reference_id=owner)
    books.post("ticket", {cash: 700, revenue: -700}, description="Räume & Zeit")
    books.seal()
    rows = books.db.execute(
        """
        select
            e.transaction_id, e.line, e.account_id, a.owner_kind, a.owner_id, a.organization_id, a.type, a.currency,
            e.amount_cents, t.kind, t.reference_type, t.reference_id, t.idempotency_key, t.description,
            (extract(epoch from t.occurred_at) * 1000000)::bigint as occurred,
            (extract(epoch from t.recorded_at) * 1000000)::bigint as recorded, t.reverses_id, t.actor_id
        from payments.entries as e
        inner join payments.transactions as t on t.id = e.transaction_id
        inner join payments.accounts as a on a.id = e.account_id
        where e.account_id = %s
        order by t.recorded_at
        """,
        [revenue],
    ).fetchall()

    digest, computed = b"", []
    for row in rows:
        fields = [str(value) if hasattr(value, "hex") else value for value in row.values()]
        digest = hashlib.sha256(digest + json.dumps(fields, ensure_ascii=False).encode()).digest()
        computed.append(digest)

    stored = books.db.execute("select hash from payments.seals where account_id = %s order by position", [revenue])
    assert [row["hash"] for row in stored.fetchall()] == computed
