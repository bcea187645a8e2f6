"""The double-entry ledger, as the database keeps it: accounts, postings, balances, and proof that they are sound.

Amounts are whole cents (the currency's smallest unit). In postings debits are positive and credits negative; a balance
is in its account's normal sign. Routines that move money within a booking post in SQL; this is for what runs outside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from marquee.core.database import Session

OwnerKind = Literal["organization", "user", "platform"]
AccountType = Literal[
    "cash", "escrow", "receivable", "payable", "revenue", "fees", "taxes", "credits", "clearing", "unclaimed"
]


@dataclass(frozen=True, slots=True)
class Line:
    """So many cents of a transaction on one account: debit positive, credit negative; of zero it is left out."""

    account_id: UUID
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Total:
    """Debits less credits of all accounts of a type; of a whole currency, always zero, where the type is None."""

    currency: str
    type: AccountType | None
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as posting and sealing left it, and where."""

    finding: str
    account_id: UUID | None
    transaction_id: UUID | None
    line: int | None


def account(
    session: Session,
    owner_kind: OwnerKind,
    owner_id: UUID | None,
    kind: AccountType,
    currency: str,
    within: UUID | None = None,
) -> UUID:
    """The account of an owner, made if there is none.

    `owner_id` is None for the platform only; `within` is the organization in which a user's account counts.
    """
    query = "select payments.account(%s, %s, %s, %s, %s)"
    account_id: UUID = session.value(query, [owner_kind, owner_id, kind, currency, within])
    return account_id


def post(
    session: Session,
    kind: str,
    lines: Iterable[Line],
    idempotency_key: str,
    *,
    reference: tuple[str, UUID] | None = None,
    occurred_at: datetime | None = None,
    description: str | None = None,
) -> UUID:
    """Move money between accounts, once per key; the transaction's id.

    Refuses 404 account_not_found, 409 insufficient_funds, 422 idempotency_conflict, no_entries, unbalanced.
    """
    booked = list(lines)
    reference_type, reference_id = reference or (None, None)
    query = "select payments.post_transaction(%s, %s::uuid[], %s::bigint[], %s, %s, %s, %s, %s)"
    transaction_id: UUID = session.value(
        query,
        [
            kind,
            [line.account_id for line in booked],
            [line.amount_cents for line in booked],
            idempotency_key,
            reference_type,
            reference_id,
            occurred_at,
            description,
        ],
    )
    return transaction_id


def reverse(session: Session, transaction_id: UUID, idempotency_key: str, reason: str | None = None) -> UUID:
    """Undo a transaction by one that negates it; the id of the reversal.

    Refuses 404 transaction_not_found, 409 already_reversed, insufficient_funds, reversal_is_final,
    422 idempotency_conflict.
    """
    query = "select payments.reverse_transaction(%s, %s, %s)"
    reversal_id: UUID = session.value(query, [transaction_id, idempotency_key, reason])
    return reversal_id


def balance(session: Session, account_id: UUID, at: datetime | None = None) -> int:
    """Cents on an account in its normal sign, now or at a past moment. Refuses 404 account_not_found."""
    cents: int = session.value("select payments.balance(%s, %s)", [account_id, at])
    return cents


def trial_balance(session: Session, at: datetime | None = None) -> list[Total]:
    """Totals per currency and type, then the currency's own, now or at a past moment."""
    return [Total(**row) for row in session.all("select * from payments.trial_balance(%s)", [at])]


def verify(session: Session, since: datetime | None = None) -> list[Finding]:
    """What is wrong with the ledger; nothing when it is sound. `since` leaves out what was recorded earlier."""
    return [Finding(**row) for row in session.all("select * from payments.verify_ledger(%s)", [since])]


def verify_credits(session: Session) -> list[Finding]:
    """Wallets and lots that are not what their history makes them; nothing when all is well."""
    rows = session.all("select c.finding, c.account_id from payments.verify_credits() as c")
    return [Finding(row["finding"], row["account_id"], None, None) for row in rows]


def seal(session: Session, most: int = 10_000) -> tuple[int, bool]:
    """Add at most so many entries to the chains of their accounts; how many it were, and whether there may be more."""
    done: dict[str, Any] = session.value("select payments.seal_entries(most => %s)", [most])
    return done["sealed"], done["more"]
