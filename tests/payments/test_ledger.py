"""The ledger: postings balance, happen once per key, and are immutable."""

from uuid import UUID, uuid4

import psycopg
import pytest

from tests.kit import routines, stages
from tests.kit.ledger import LedgerRoutines


@pytest.fixture
def books(rolled_back):
    return LedgerRoutines(rolled_back)


def refusal(books: LedgerRoutines, *arguments, **named) -> tuple[str, str]:
    """Return the status and code of a refused posting, which leaves no rows."""
    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.post(*arguments, **named)
    return refused.value.sqlstate, routines.code_of(refused.value)


def test_ticket_price_is_split_between_organizer_and_platform(books):
    user, organizer = uuid4(), uuid4()
    cash = books.account("user", user, "cash")
    receivable = books.account("organization", organizer, "receivable")
    revenue = books.account("platform", None, "revenue")

    transaction_id = books.post("ticket.purchase", {cash: 10_000, receivable: -9_500, revenue: -500})

    rows = books.db.execute(
        "select account_id, amount_cents from payments.entries where transaction_id = %s order by line",
        [transaction_id],
    ).fetchall()
    assert [(row["account_id"], row["amount_cents"]) for row in rows] == [
        (cash, 10_000),
        (receivable, -9_500),
        (revenue, -500),
    ]
    assert (books.balance(cash), books.balance(receivable), books.balance(revenue)) == (-10_000, 9_500, 500)


def test_sponsorship_stays_in_escrow_until_its_release(books):
    sponsor, organizer = uuid4(), uuid4()
    paid = books.account("organization", sponsor, "cash")
    escrow = books.account("organization", sponsor, "escrow")
    cash = books.account("organization", organizer, "cash")
    revenue = books.account("platform", None, "revenue")

    books.post("sponsorship.funding", {paid: 100_000, escrow: -100_000})
    assert (books.balance(paid), books.balance(escrow), books.balance(cash)) == (-100_000, 100_000, 0)

    books.post("sponsorship.release", {escrow: 100_000, cash: -95_000, revenue: -5_000})
    assert (books.balance(escrow), books.balance(cash), books.balance(revenue)) == (0, 95_000, 5_000)


def test_owner_has_one_account_per_type_currency_and_organization(books):
    user, studio = uuid4(), stages.create(books.db)
    first = books.account("user", user, "credits")

    assert books.account("user", user, "credits") == first
    others = [
        books.account("user", user, "credits", "EUR"),
        books.account("user", user, "cash"),
        books.account("user", user, "credits", within=studio.organization_id),
        books.account("organization", user, "credits"),
        books.account("platform", None, "credits"),
    ]
    assert len({first, *others}) == 6
    assert books.account("platform", None, "credits") == others[-1]


@pytest.mark.parametrize(
    ("cents", "sums"), [((100, -99, 0), '{"CHF": 1}'), ((100, -90, -10), '{"CHF": 10, "EUR": -10}')]
)
def test_unbalanced_transaction_is_refused_with_its_sums(books, cents, sums):
    cash, revenue, euros = books.someone(), books.someone("revenue"), books.someone("revenue", "EUR")

    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.post("ticket", dict(zip((cash, revenue, euros), cents, strict=True)), key="k")

    assert (refused.value.sqlstate, routines.code_of(refused.value)) == ("PT422", "unbalanced")
    assert refused.value.diag.message_detail == f'{{"sums_cents": {sums}, "idempotency_key": "k"}}'


def test_each_currency_balances_separately(books):
    here, there = books.someone(), books.someone("cash", "EUR")
    held, held_there = books.someone("clearing"), books.someone("clearing", "EUR")

    books.post("exchange", {here: 100, held: -100, there: -93, held_there: 93})

    assert books.sums() == {0}


def test_posting_with_an_unknown_account_or_no_lines_is_refused(books):
    cash = books.someone()

    assert refusal(books, "ticket", {cash: 1, uuid4(): -1}) == ("PT404", "account_not_found")
    assert refusal(books, "ticket", {}) == ("PT422", "no_entries")
    assert refusal(books, "ticket", {cash: 0}) == ("PT422", "no_entries")


def test_line_of_zero_cents_is_omitted(books):
    cash, revenue, fee = books.someone(), books.someone("revenue"), books.someone("fees")

    transaction_id = books.post("ticket", {fee: 0, cash: 100, revenue: -100}, key="k")

    query = "select count(*) from payments.entries where transaction_id = %s"
    assert books.value(query, [transaction_id]) == 2
    assert books.post("ticket", {fee: 0, cash: 100, revenue: -100}, key="k") == transaction_id


def test_retry_returns_the_first_transaction_and_posts_nothing(books):
    cash, revenue = books.someone(), books.someone("revenue")

    first, second = (books.post("ticket", {cash: 100, revenue: -100}, key="order-1") for _ in range(2))

    assert first == second
    assert books.balance(revenue) == 100


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "refund"},
        {"lines": "other amounts"},
        {"lines": "other accounts"},
        {"reference_type": "booking"},
        {"reference_id": UUID("0198c5a2-7d3e-7b60-9c1f-2f5f1c9d4e7a")},
    ],
    ids=str,
)
def test_key_with_different_contents_is_refused(books, change):
    cash, revenue, other = books.someone(), books.someone("revenue"), books.someone()
    books.post("ticket", {cash: 100, revenue: -100}, key="order-1")
    lines = {"other amounts": {cash: 101, revenue: -101}, "other accounts": {other: 100, revenue: -100}}
    said = {
        "kind": "ticket",
        **change,
        "lines": lines.get(change.get("lines"), {cash: 100, revenue: -100}),
    }

    assert refusal(books, key="order-1", **said) == ("PT422", "idempotency_conflict")


@pytest.mark.parametrize("kind", ["escrow", "credits"])
def test_guarded_account_never_goes_below_zero(books, kind):
    wallet, clearing = books.someone(kind), books.someone("clearing")
    books.post("top_up", {clearing: 500, wallet: -500})

    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.post("purchase", {wallet: 501, clearing: -501})

    assert (refused.value.sqlstate, routines.code_of(refused.value)) == ("PT409", "insufficient_funds")
    assert f'"account_id": "{wallet}"' in refused.value.diag.message_detail
    assert '"needed_cents": 501, "balance_cents": 500' in refused.value.diag.message_detail
    books.post("purchase", {wallet: 500, clearing: -500})
    assert books.balance(wallet) == 0


@pytest.mark.parametrize("kind", ["cash", "receivable", "payable", "revenue", "fees", "taxes", "clearing"])
def test_unguarded_account_may_go_below_zero(books, kind):
    one, other = books.someone(kind), books.someone("clearing")

    books.post("there", {one: 500, other: -500})
    books.post("back", {one: -1000, other: 1000})

    assert abs(books.balance(one)) == 500


@pytest.mark.parametrize("table", ["accounts", "transactions", "entries", "seals"])
@pytest.mark.parametrize("role", ["origin", "replica"], ids=["as the owner", "as a replica"])
@pytest.mark.parametrize(
    "statement", ["update payments.{} set {} = {}", "delete from payments.{}", "truncate payments.{} cascade"]
)
def test_ledger_rows_cannot_be_changed_or_deleted(books, table, role, statement):
    books.post("ticket", {books.someone(): 1, books.someone("revenue"): -1})
    column = "id" if table in ("accounts", "transactions") else "transaction_id"
    books.db.execute(f"set local session_replication_role = {role}")

    with pytest.raises(psycopg.Error) as refused:
        books.db.execute(statement.format(table, column, column))

    assert (refused.value.sqlstate, routines.code_of(refused.value)) == ("PT409", "ledger_is_append_only")


def test_entry_cannot_be_overwritten_by_an_upsert(books):
    books.post("ticket", {books.someone(): 1, books.someone("revenue"): -1})

    with pytest.raises(psycopg.Error) as refused:
        books.db.execute(
            "insert into payments.entries select * from payments.entries on conflict (transaction_id, line) "
            "do update set amount_cents = 2"
        )

    assert routines.code_of(refused.value) == "ledger_is_append_only"


def test_entries_cannot_be_added_to_a_posted_transaction(books):
    cash, revenue = books.someone(), books.someone("revenue")
    transaction_id = books.post("ticket", {cash: 1, revenue: -1})
    add = "insert into payments.entries values (%(t)s, %(line)s, %(a)s, 5), (%(t)s, %(line)s + 1, %(b)s, -5)"
    said = {"t": transaction_id, "a": cash, "b": revenue}

    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.db.execute(add, {**said, "line": 3})
    assert routines.code_of(refused.value) == "ledger_is_append_only"

    there, held_there = books.someone("cash", "EUR"), books.someone("clearing", "EUR")
    two_currencies = f"{add}, (%(t)s, 7, %(c)s, 4), (%(t)s, 8, %(d)s, -4)"
    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.db.execute(two_currencies, {**said, "line": 3, "c": there, "d": held_there})
    assert routines.code_of(refused.value) == "ledger_is_append_only"

    with pytest.raises(psycopg.errors.UniqueViolation) as taken, books.db.transaction():
        books.db.execute(add, {**said, "line": 1})
    assert taken.value.diag.constraint_name == "entries_come_with_their_transaction"


def test_transaction_and_entries_cannot_exist_without_each_other(books):
    cash, revenue = books.someone(), books.someone("revenue")

    with pytest.raises(psycopg.errors.NotNullViolation), books.db.transaction():
        books.db.execute(
            "insert into payments.entries values (%(t)s, 1, %(a)s, 5), (%(t)s, 2, %(b)s, -5)",
            {"t": uuid4(), "a": cash, "b": revenue},
        )
    with pytest.raises(psycopg.Error) as refused, books.db.transaction():
        books.db.execute("insert into payments.transactions (kind, idempotency_key) values ('ticket', 'k')")
    assert routines.code_of(refused.value) == "no_entries"


def test_entry_of_zero_cents_violates_a_named_constraint(books):
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        books.db.execute("insert into payments.entries values (%s, 1, %s, 0)", [uuid4(), uuid4()])

    assert refused.value.diag.constraint_name == "cents_are_not_zero"
