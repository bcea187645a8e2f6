"""verify_ledger finds each change that bypasses the triggers, and reports nothing else."""

import pytest

from tests.kit.ledger import LedgerRoutines

REVENUE = "(select id from payments.accounts where type = 'revenue')"
ONE = (
    f"(transaction_id, line) = (select transaction_id, line from payments.entries where account_id = {REVENUE} limit 1)"
)
TRANSACTION = "(select transaction_id from payments.entries order by transaction_id limit 1)"

# Changes that a superuser makes, with the expected findings in a sealed and in an unsealed ledger.
TAMPERINGS: dict[str, tuple[str, set[str], set[str]]] = {
    "an amount is changed": (
        f"update payments.entries set amount_cents = amount_cents - 1 where {ONE}",
        {"sealed_entry_changed", "transaction_unbalanced"},
        {"unsealed_entry_changed", "transaction_unbalanced"},
    ),
    "two amounts are changed so that they still balance": (
        f"update payments.entries set amount_cents = amount_cents * 2 where transaction_id = {TRANSACTION}",
        {"sealed_entry_changed", "guarded_balance_wrong"},
        {"unsealed_entry_changed", "guarded_balance_wrong"},
    ),
    "an entry is deleted with its counterpart": (
        f"delete from payments.entries where transaction_id = {TRANSACTION}",
        {"sealed_entry_lost", "transaction_without_entries", "guarded_balance_wrong"},
        {"unsealed_entry_lost", "transaction_without_entries", "guarded_balance_wrong"},
    ),
    "a transaction is deleted with its entries": (
        (
            f"with gone as (delete from payments.transactions where id = {TRANSACTION} returning id) "
            "delete from payments.entries where transaction_id in (select id from gone)"
        ),
        {"sealed_entry_lost", "guarded_balance_wrong"},
        {"unsealed_entry_lost", "guarded_balance_wrong"},
    ),
    "a transaction is deleted alone": (
        f"delete from payments.transactions where id = {TRANSACTION}",
        {"entry_without_transaction", "sealed_entry_lost"},
        {"entry_without_transaction", "unsealed_entry_changed"},
    ),
    "a reversal takes back more than there was": (
        (
            "update payments.entries set amount_cents = amount_cents * 2 "
            "where transaction_id = (select id from payments.transactions where reverses_id is not null)"
        ),
        {"sealed_entry_changed", "guarded_balance_wrong", "reversal_differs"},
        {"unsealed_entry_changed", "guarded_balance_wrong", "reversal_differs"},
    ),
    "a row is moved to another account": (
        f"update payments.entries set account_id = (select id from payments.accounts where type = 'fees') where {ONE}",
        {"sealed_entry_changed"},
        {"unsealed_entry_changed", "entry_not_followed"},
    ),
    "a row is moved to no account": (
        f"update payments.entries set account_id = gen_random_uuid() where {ONE}",
        {"sealed_entry_changed", "entry_without_account", "transaction_unbalanced"},
        {"unsealed_entry_changed", "entry_without_account", "entry_not_followed", "transaction_unbalanced"},
    ),
    "a transaction's kind is changed": (
        f"update payments.transactions set kind = 'gift' where id = {TRANSACTION}",
        {"sealed_entry_changed"},
        set(),
    ),
    "a transaction is dated back": (
        f"update payments.transactions set recorded_at = recorded_at - interval '1 day' where id = {TRANSACTION}",
        {"sealed_entry_changed"},
        {"unsealed_entry_changed"},
    ),
    "an account gets another owner": (
        "update payments.accounts set owner_id = gen_random_uuid() where type = 'credits'",
        {"sealed_entry_changed"},
        set(),
    ),
    "an account changes its currency": (
        "update payments.accounts set currency = 'EUR' where type = 'credits'",
        {"sealed_entry_changed", "transaction_unbalanced"},
        {"transaction_unbalanced"},
    ),
    "entries are added to a transaction": (
        (
            f"insert into payments.entries select {TRANSACTION}, 90 + row_number() over (), a.id, v.cents "
            "from (values ('revenue', -9), ('fees', 9)) as v (type, cents) "
            "inner join payments.accounts as a on a.type = v.type::payments.account_type"
        ),
        {"entry_not_followed"},
        {"entry_not_followed"},
    ),
    "a guarded balance is changed": (
        "update payments.balances set balance_cents = balance_cents + 1",
        {"guarded_balance_wrong"},
        {"guarded_balance_wrong"},
    ),
    "a guarded balance is deleted": (
        "delete from payments.balances",
        {"guarded_balance_wrong"},
        {"guarded_balance_wrong"},
    ),
}

# Changes to the seals themselves, with the expected findings.
SEAL = f"(account_id, position) = ({REVENUE}, 1)"
BREAKINGS: dict[str, tuple[str, set[str]]] = {
    "a seal's hash is changed": (
        f"update payments.seals set hash = sha256(hash) where {SEAL}",
        {"sealed_entry_changed"},
    ),
    "a seal's balance is changed": (
        f"update payments.seals set balance_cents = balance_cents - 1 where {SEAL}",
        {"sealed_balance_wrong"},
    ),
    "a seal's time is changed": (
        f"update payments.seals set latest_recorded_at = latest_recorded_at + interval '1 day' where {SEAL}",
        {"sealed_balance_wrong"},
    ),
    "a seal is deleted": (
        f"delete from payments.seals where {SEAL}",
        {"chain_torn", "entry_not_followed"},
    ),
    "the last seal is deleted": (
        f"delete from payments.seals where (account_id, position) = ({REVENUE}, 3)",
        {"entry_not_followed"},
    ),
    "a sealed entry is made unsealed again": (
        (
            "insert into payments.unsealed_entries "
            f"select account_id, transaction_id, line, amount_cents, recorded_at from payments.seals where {SEAL}"
        ),
        {"entry_followed_twice"},
    ),
}


@pytest.fixture
def books(rolled_back):
    """Post a top-up, two purchases, one of them with a fee, and a reversal: entries on four accounts."""
    books = LedgerRoutines(rolled_back)
    wallet, clearing = books.someone("credits"), books.account("platform", None, "clearing")
    revenue, fees = books.account("platform", None, "revenue"), books.account("platform", None, "fees")
    books.post("top_up", {clearing: 1000, wallet: -1000})
    books.post("purchase", {wallet: 300, revenue: -300})
    second = books.post("purchase", {wallet: 200, revenue: -250, fees: 50})
    books.value("select payments.reverse_transaction(%s, 'undo')", [second])
    return books


def tamper(books: LedgerRoutines, statement: str) -> None:
    """Run a statement as a superuser with all triggers disabled."""
    tables = ("accounts", "transactions", "entries", "seals", "balances", "unsealed_entries")
    for table in tables:
        books.db.execute(f"alter table payments.{table} disable trigger all")
    assert books.db.execute(statement).rowcount > 0
    for table in tables:
        books.db.execute(f"alter table payments.{table} enable trigger all")


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_a_sealed_ledger_is_found(books, name):
    statement, expected, _ = TAMPERINGS[name]
    books.seal()
    assert books.findings() == []

    tamper(books, statement)

    assert set(books.findings()) == expected


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_amounts_of_an_unsealed_ledger_is_found(books, name):
    statement, _, expected = TAMPERINGS[name]
    assert books.findings() == []

    tamper(books, statement)

    assert set(books.findings()) == expected


@pytest.mark.parametrize("name", BREAKINGS)
def test_tampering_with_seals_is_found(books, name):
    statement, expected = BREAKINGS[name]
    books.seal()

    tamper(books, statement)

    assert set(books.findings()) == expected


def test_sealing_does_not_hide_earlier_tampering(books):
    tamper(books, TAMPERINGS["two amounts are changed so that they still balance"][0])

    books.seal()

    assert set(books.findings()) == {"unsealed_entry_changed", "guarded_balance_wrong"}


def test_check_of_new_entries_skips_old_ones(books):
    books.seal()
    before = books.value("select clock_timestamp()")
    books.post("purchase", {books.account("platform", None, "fees"): 5, books.someone("revenue"): -5})
    tamper(books, TAMPERINGS["two amounts are changed so that they still balance"][0])
    query = "select array_agg(distinct finding order by finding) from payments.verify_ledger(%s)"

    assert books.value(query, [before]) == ["guarded_balance_wrong"]
    assert books.value(query, [None]) == ["guarded_balance_wrong", "sealed_entry_changed"]
