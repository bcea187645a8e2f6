"""Reversals, batches, access to accounts, and the ledger's Python interface."""

import json
from uuid import uuid4

import psycopg
import pytest

from marquee.core import database
from marquee.core.errors import Refused
from marquee.payments import ledger
from tests.kit import routines, stages
from tests.kit.ledger import LedgerRoutines


@pytest.fixture
def books(rolled_back):
    return LedgerRoutines(rolled_back)


def refusal(books: LedgerRoutines, query: str, params) -> str:
    """Return the code of a refused statement, which leaves no rows."""
    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.value(query, params)
    return routines.code_of(refused.value)


REVERSE = "select payments.reverse_transaction(%s, %s)"
POST_MANY = "select payments.post_transactions(%s::jsonb)"


def item(lines, key: str, **more) -> dict:
    return {
        "kind": "move",
        "account_ids": [str(account) for account in lines],
        "amounts_cents": list(lines.values()),
        "idempotency_key": key,
        **more,
    }


def test_reversal_negates_each_line_and_names_its_transaction(books):
    cash, revenue, fees = books.someone(), books.someone("revenue"), books.someone("fees")
    booking_id = uuid4()
    first = books.post("ticket", {cash: 100, fees: 3, revenue: -103}, reference_type="booking", reference_id=booking_id)

    reversal = books.value("select payments.reverse_transaction(%s, 'undo', 'entered twice')", [first])

    assert [books.balance(account) for account in (cash, revenue, fees)] == [0, 0, 0]
    row = books.db.execute("select * from payments.transactions where id = %s", [reversal]).fetchone()
    assert (row["kind"], row["reverses_id"], row["description"]) == ("reversal", first, "entered twice")
    assert (row["reference_type"], row["reference_id"]) == ("booking", booking_id)
    assert books.value(REVERSE, [first, "undo"]) == reversal


def test_transaction_is_reversed_once_and_a_reversal_never(books):
    first = books.post("ticket", {books.someone(): 1, books.someone("revenue"): -1}, key="first")
    reversal = books.value(REVERSE, [first, "undo"])

    assert refusal(books, REVERSE, [first, "undo again"]) == "already_reversed"
    assert refusal(books, REVERSE, [reversal, "redo"]) == "reversal_is_final"
    assert refusal(books, REVERSE, [uuid4(), "what"]) == "transaction_not_found"
    assert refusal(books, REVERSE, [first, "first"]) == "idempotency_conflict"


def test_reversal_of_spent_money_is_refused(books):
    wallet, clearing = books.someone("credits"), books.someone("clearing")
    first = books.post("top_up", {clearing: 500, wallet: -500})
    books.post("purchase", {wallet: 1, clearing: -1})

    assert refusal(books, REVERSE, [first, "undo"]) == "insufficient_funds"


@pytest.mark.parametrize(
    ("lines", "code"),
    [([100, -100], "reversal_differs"), ([-1, 1], "reversal_differs"), ([-100, 50, 50], "reversal_differs")],
    ids=str,
)
def test_reversal_with_other_lines_is_refused(books, lines, code):
    accounts = [books.someone(), books.someone("revenue")]
    first = books.post("ticket", dict(zip(accounts, [100, -100], strict=True)))
    pairs = list(zip([*accounts, accounts[1]], lines, strict=False))

    with pytest.raises(psycopg.Error) as refused:
        books.post("reversal", pairs, reverses_id=first)

    assert routines.code_of(refused.value) == code


def test_batch_omits_lines_of_zero_and_numbers_the_others_without_gaps(books):
    accounts = [books.someone() for _ in range(6)]
    amounts = ([0, 5, 0, 0, -7, 2], [3, -3, 0, 0, 0, 0], [0, 0, 0, 0, 4, -4], [1, 1, 1, 1, 1, -5])
    batch = [item(dict(zip(accounts, cents, strict=True)), f"zeros {n}") for n, cents in enumerate(amounts)]

    for one, cents in zip(books.value(POST_MANY, [json.dumps(batch)]), amounts, strict=True):
        rows = books.db.execute(
            "select line, account_id, amount_cents from payments.entries where transaction_id = %s order by line", [one]
        ).fetchall()
        written = [(row["line"], row["account_id"], row["amount_cents"]) for row in rows]
        moved = [(account, sum_) for account, sum_ in zip(accounts, cents, strict=True) if sum_]
        assert written == [(line, *pair) for line, pair in enumerate(moved, 1)]
    assert books.findings() == []


def test_batch_and_its_retry_return_their_transactions_in_order(books):
    cash, revenue = books.someone(), books.someone("revenue")
    keys = ["c", "a", "b"]
    batch = [item({cash: n, revenue: -n}, key) for n, key in enumerate(keys, 1)]

    first = books.value(POST_MANY, [json.dumps(batch)])

    rows = books.db.execute(
        "select t.id, e.amount_cents from payments.transactions as t "
        "inner join payments.entries as e on e.transaction_id = t.id and e.line = 1"
    ).fetchall()
    amounts = {row["id"]: row["amount_cents"] for row in rows}
    assert [amounts[one] for one in first] == [1, 2, 3]
    more = [item({cash: 0, revenue: -7, books.someone(): 7}, "d"), *batch[::-1]]
    again = books.value(POST_MANY, [json.dumps(more)])
    assert again[1:] == first[::-1]
    assert books.value(POST_MANY, [json.dumps(more)]) == again
    assert books.balance(revenue) == 13
    assert books.findings() == []


def test_transaction_ids_of_a_batch_sort_in_its_order(books):
    cash, revenue = books.someone(), books.someone("revenue")
    batch = [item({cash: 1, revenue: -1}, f"key {n % 7} {n}") for n in range(300)]

    ids = books.value(POST_MANY, [json.dumps(batch)])

    assert len(set(ids)) == 300
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}


def test_batch_with_a_known_key_posts_its_other_transactions_once(books):
    """Entries that the batch wrote before it met the known key exist once, and balances count them once."""
    wallets, clearing = [books.someone("credits") for _ in range(3)], books.someone("clearing")
    batch = [item({clearing: 10, wallet: -10}, f"top up {n}") for n, wallet in enumerate(wallets)]
    books.value(POST_MANY, [json.dumps(batch[1:2])])

    ids = books.value(POST_MANY, [json.dumps(batch)])

    assert len(set(ids)) == 3
    assert [books.balance(wallet) for wallet in wallets] == [10, 10, 10]
    assert books.value("select count(*) from payments.entries") == 6
    assert books.value("select count(*) from payments.unsealed_entries") == 6
    assert books.findings() == []


def test_batch_in_several_currencies_balances_each_transaction_separately(books):
    accounts = [books.someone("cash", currency) for currency in ("CHF", "CHF", "EUR", "EUR")]
    exchange = dict(zip(accounts, (5, -5, -4, 4), strict=True))

    books.value(POST_MANY, [json.dumps([item(exchange, "one"), item(exchange, "other")])])

    assert books.sums() == {0}
    lopsided = dict(zip(accounts, (5, -5, -4, 3), strict=True))
    assert refusal(books, POST_MANY, [json.dumps([item(exchange, "c"), item(lopsided, "d")])]) == "unbalanced"
    assert books.findings() == []


def test_key_repeated_in_a_batch_posts_one_transaction(books):
    cash, revenue = books.someone(), books.someone("revenue")
    same, other = item({cash: 1, revenue: -1}, "k"), item({cash: 2, revenue: -2}, "k")

    first, second = books.value(POST_MANY, [json.dumps([same, same])])

    assert first == second
    assert books.balance(revenue) == 1
    assert refusal(books, POST_MANY, [json.dumps([other, same])]) == "idempotency_conflict"
    assert refusal(
        books, POST_MANY, [json.dumps([{**same, "idempotency_key": "n"}, {**other, "idempotency_key": "n"}])]
    )


def test_invalid_transaction_refuses_its_batch_and_is_named(books):
    cash, revenue, wallet = books.someone(), books.someone("revenue"), books.someone("credits")
    good = item({cash: 1, revenue: -1}, "good")

    for bad, code, named in (
        (item({cash: 2, revenue: -1}, "bad"), "unbalanced", '"idempotency_key": "bad"'),
        (item({}, "bad"), "no_entries", '"idempotency_key": "bad"'),
        (item({wallet: 2, revenue: -2}, "bad"), "insufficient_funds", str(wallet)),
        (item({uuid4(): 2, revenue: -2}, "bad"), "account_not_found", "account_id"),
    ):
        with pytest.raises(psycopg.Error) as refused, books.db.transaction():
            books.value(POST_MANY, [json.dumps([good, bad])])
        assert routines.code_of(refused.value) == code
        assert named in refused.value.diag.message_detail
    assert books.balance(revenue) == 0


POSTINGS = {
    "two lines": ({"cash": 5, "revenue": -5}, {}),
    "a line of zero": ({"cash": 0, "fees": 7, "revenue": -7}, {}),
    "all members": (
        {"cash": 3, "revenue": -3},
        {
            "reference_type": "booking",
            "reference_id": str(uuid4()),
            "occurred_at": "2001-01-01T00:00:00Z",
            "description": "a ticket",
        },
    ),
    "a guarded account": ({"fees": 4, "credits": -4}, {}),
    "the first key again": ({"cash": 1, "revenue": -1}, {"idempotency_key": "first"}),
    "the first key for other lines": ({"cash": 2, "revenue": -2}, {"idempotency_key": "first"}),
    "no balance": ({"cash": 2, "revenue": -1}, {}),
    "no entries": ({"cash": 0, "revenue": 0}, {}),
    "too little money": ({"credits": 99, "revenue": -99}, {}),
    "an unknown account": ({"nobody": 2, "revenue": -2}, {}),
}
"""Lines by the name of an account, and further members: posted alone and in a batch."""

POSTED = """
select
    t.kind, t.reference_type, t.reference_id, t.idempotency_key, t.description, t.actor_id,
    case when t.occurred_at < now() - interval '1 day' then t.occurred_at end as occurred_at,
    array_agg((e.line, e.account_id, e.amount_cents)::text order by e.line) as lines,
    (select count(*) from payments.unsealed_entries as u where u.transaction_id = t.id) as unsealed,
    (select jsonb_object_agg(b.account_id, b.balance_cents) from payments.balances as b) as balances
from payments.transactions as t
left join payments.entries as e on e.transaction_id = t.id
group by t.id
order by t.idempotency_key
"""


@pytest.mark.parametrize("name", POSTINGS)
def test_single_and_batch_postings_agree(books, name):
    accounts = {kind: books.someone(kind) for kind in ("cash", "revenue", "fees", "credits")} | {"nobody": uuid4()}
    books.post("move", {accounts["cash"]: 1, accounts["revenue"]: -1}, key="first")
    lines, more = POSTINGS[name]
    given_lines = {accounts[kind]: cents for kind, cents in lines.items()}
    one = item(given_lines, "one", **more)

    def alone() -> None:
        key, members = (
            one["idempotency_key"],
            {name: value for name, value in more.items() if name != "idempotency_key"},
        )
        books.post("move", given_lines, key=key, **members)

    def in_a_batch() -> None:
        books.value(POST_MANY, [json.dumps([one])])

    found = []
    for post in (alone, in_a_batch):
        with books.db.transaction(force_rollback=True):
            try:
                with books.db.transaction():
                    post()
                found.append(books.db.execute(POSTED).fetchall())
            except psycopg.Error as error:
                found.append([routines.code_of(error), error.diag.message_detail])

    assert found[0] == found[1]


def test_batch_size_is_bounded(books):
    assert refusal(books, POST_MANY, [json.dumps([{}] * 1001)]) == "invalid_request"
    assert books.value(POST_MANY, ["[]"]) == []


def test_people_see_their_accounts_and_accountants_see_their_organizations(db):
    studio, other, books = stages.create(db), stages.create(db), LedgerRoutines(db)
    ana, ben = studio.stranger(), studio.stranger()
    wallet = books.account("user", ana, "credits", within=studio.organization_id)
    owed = books.account("organization", studio.organization_id, "receivable")
    clearing = books.account("platform", None, "clearing")
    books.post("top_up", {clearing: 500, wallet: -500})
    books.post("ticket", {wallet: 200, owed: -200})
    books.seal(most=2)
    query = "select coalesce(jsonb_object_agg(account_id, balance_cents), '{}') from payments.account_balances"
    lines = "select count(*) from payments.statement_lines"
    rows = "select (select count(*) from payments.transactions) + (select count(*) from payments.entries)"

    seen = {
        who: (routines.call(db, who, query), routines.call(db, who, lines), routines.call(db, who, rows))
        for who in (ana, ben, studio.owner, studio.member("accountant"), studio.member("front_desk"), other.owner)
    }

    both = {str(wallet): 300, str(owed): 200}
    assert list(seen.values()) == [
        ({str(wallet): 300}, 2, 4),
        ({}, 0, 0),
        (both, 3, 5),
        (both, 3, 5),
        ({}, 0, 0),
        ({}, 0, 0),
    ]
    assert routines.call(db, None, query) == {**both, str(clearing): 500}
    assert routines.call(db, ana, "select payments.balance(%s)", [wallet]) == 300
    with pytest.raises(psycopg.Error) as refused:
        routines.call(db, ben, "select payments.balance(%s)", [wallet])
    assert routines.code_of(refused.value) == "account_not_found"


@pytest.mark.parametrize(
    "call",
    [
        "payments.account('platform', null, 'cash', 'CHF')",
        "payments.post_transaction('gift', '{}', '{}', 'k')",
        "payments.post_transactions('[]')",
        "payments.reverse_transaction(gen_random_uuid(), 'k')",
        "payments.seal_entries()",
        "payments.verify_ledger()",
        "payments.trial_balance()",
    ],
)
def test_callers_cannot_call_ledger_routines(db, call):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        routines.call(db, uuid4(), f"select {call}")


@pytest.mark.parametrize("table", ["accounts", "transactions", "entries", "balances", "unsealed_entries", "seals"])
def test_service_cannot_write_ledger_tables_directly(rolled_back, table):
    query = f"select has_table_privilege('service_role', 'payments.{table}', 'insert, update, delete, truncate') as may"

    assert rolled_back.execute(query).fetchone() == {"may": False}


def test_transaction_names_its_actor(db):
    books, caller = LedgerRoutines(db), stages.create(db).owner
    cash, revenue = books.someone(), books.someone("revenue")
    claims = json.dumps({"sub": str(caller)})
    with db.transaction():
        db.execute("select set_config('request.jwt.claims', %s, true)", [claims])
        first = books.post("ticket", {cash: 1, revenue: -1})
        (of_a_batch,) = books.value(POST_MANY, [json.dumps([item({cash: 1, revenue: -1}, "k")])])
    second = books.post("ticket", {cash: 1, revenue: -1})

    query = "select actor_id from payments.transactions where id = %s"
    assert [books.value(query, [one]) for one in (first, of_a_batch, second)] == [caller, caller, None]


def test_python_interface_posts_reverses_and_verifies_as_the_service(db):
    user, booking_id = uuid4(), uuid4()
    with database.transaction(database.service()) as session:
        cash = ledger.account(session, "user", user, "cash", "CHF")
        revenue = ledger.account(session, "platform", None, "revenue", "CHF")
        lines = [ledger.Line(cash, 100), ledger.Line(revenue, -100)]
        posted = ledger.post(session, "ticket", lines, "k", reference=("booking", booking_id))
        assert ledger.balance(session, revenue) == 100
        ledger.reverse(session, posted, "undo", "a mistake")
        assert ledger.balance(session, revenue) == 0
        assert ledger.trial_balance(session) == [
            ledger.Total("CHF", "cash", 0),
            ledger.Total("CHF", "revenue", 0),
            ledger.Total("CHF", None, 0),
        ]
        assert ledger.seal(session) == (0, False)
        assert ledger.verify(session) == []

    db.execute("alter table payments.entries disable trigger all")
    db.execute("update payments.entries set amount_cents = 7")
    with database.single(database.service()) as session:
        assert {finding.finding for finding in ledger.verify(session)} == {
            "transaction_unbalanced",
            "unsealed_entry_changed",
            "reversal_differs",
        }
    db.execute("alter table payments.entries enable trigger all")
    with pytest.raises(Refused, match="insufficient_funds"), database.transaction(database.service()) as session:
        escrow = ledger.account(session, "user", user, "escrow", "CHF")
        ledger.post(session, "release", [ledger.Line(escrow, 1), ledger.Line(cash, -1)], "k2")
