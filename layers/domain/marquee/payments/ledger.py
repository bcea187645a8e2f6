"""The double-entry ledger in the database: accounts, postings, balances, and verification.

Amounts are whole cents (the currency's smallest unit). In postings debits are positive and credits negative; a balance
has its account's normal sign. SQL routines post the money of a booking; this module is for all other callers.
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
    """The cents of a transaction on one account: debit positive, credit negative. A line of zero is omitted."""

    account_id: UUID
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Total:
    """Debits minus credits of all accounts of a type, or of a whole currency (always zero) if the type is None."""

    currency: str
    type: AccountType | None
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that differs from the state in which posting and sealing left it, and its place."""

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
    """Return an owner's account, and create it if it does not exist.

    `owner_id` is None only for the platform; `within` is the organization of a user's account.
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
    """Move money between accounts, once per key. Returns the transaction's id.

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
    """Reverse a transaction by another with the opposite entries. Returns the id of the reversal.

    Refuses 404 transaction_not_found, 409 already_reversed, insufficient_funds, reversal_is_final, 422
    idempotency_conflict.
    """
    query = "select payments.reverse_transaction(%s, %s, %s)"
    reversal_id: UUID = session.value(query, [transaction_id, idempotency_key, reason])
    return reversal_id


def balance(session: Session, account_id: UUID, at: datetime | None = None) -> int:
    """Return an account's cents in its normal sign, now or at a past moment. Refuses 404 account_not_found."""
    cents: int = session.value("select payments.balance(%s, %s)", [account_id, at])
    return cents


def trial_balance(session: Session, at: datetime | None = None) -> list[Total]:
    """Return the totals per currency and type, then per currency, now or at a past moment."""
    return [Total(**row) for row in session.all("select * from payments.trial_balance(%s)", [at])]


def verify(session: Session, since: datetime | None = None) -> list[Finding]:
    """Return the findings in the ledger; none if it is correct. `since` skips earlier entries."""
    return [Finding(**row) for row in session.all("select * from payments.verify_ledger(%s)", [since])]


def verify_credits(session: Session) -> list[Finding]:
    """Return wallets and lots that differ from their history; none if all are correct."""
    rows = session.all("select c.finding, c.account_id from payments.verify_credits() as c")
    return [Finding(row["finding"], row["account_id"], None, None) for row in rows]


def seal(session: Session, most: int = 10_000) -> tuple[int, bool]:
    """Add up to `most` entries to the chains of their accounts. Returns their number, and whether there may be more."""
    done: dict[str, Any] = session.value("select payments.seal_entries(most => %s)", [most])
    return done["sealed"], done["more"]
