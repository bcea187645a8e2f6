"""Create accounts and postings for tests of the ledger, directly in the database.

books = LedgerRoutines(db)
cash, revenue = books.account("user", uuid4(), "cash"), books.account("platform", None, "revenue")
books.post("ticket", {cash: 500, revenue: -500}, key="order-1")
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg

SUMS = """
select a.currency, sum(e.amount_cents)::bigint as cents
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
group by a.currency
"""
"""Sums the whole ledger per currency. Each sum must be zero."""

WRONG_MOMENTS = """
with moments as (
    select m.at
    from (
        select t.recorded_at - step.back as at
        from payments.transactions as t
        cross join (values (interval '0'), (interval '1 microsecond')) as step (back)
    ) as m
    order by md5(m.at::text)
    limit %s
)
select m.at, a.id
from moments as m
cross join payments.accounts as a
where payments.balance(a.id, m.at) <> payments.normal_side(a.type) * coalesce((
    select sum(e.amount_cents)
    from payments.entries as e
    inner join payments.transactions as t on t.id = e.transaction_id
    where e.account_id = a.id and t.recorded_at <= m.at
), 0)
"""
"""Finds accounts whose balance at or just before a posting differs from the plain sum."""


@dataclass(frozen=True, slots=True)
class LedgerRoutines:
    """The ledger, with the routines that other routines call to move money."""

    db: psycopg.Connection[Any]

    def value(self, query: str, params: Any = None) -> Any:
        """Return the first column of the only row."""
        row = self.db.execute(query, params).fetchone()
        return None if row is None else next(iter(row.values())) if isinstance(row, dict) else row[0]

    def account(
        self, owner_kind: str, owner_id: UUID | None, kind: str, currency: str = "CHF", within: UUID | None = None
    ) -> UUID:
        """Return the account of an owner, and create it if it is missing."""
        query = "select payments.account(%s, %s, %s, %s, %s)"
        account_id: UUID = self.value(query, [owner_kind, owner_id, kind, currency, within])
        return account_id

    def someone(self, kind: str = "cash", currency: str = "CHF") -> UUID:
        """Create the account of a new user."""
        return self.account("user", uuid4(), kind, currency)

    def post(
        self,
        kind: str,
        lines: Mapping[UUID, int] | Sequence[tuple[UUID, int]],
        key: str | None = None,
        **arguments: Any,
    ) -> UUID:
        """Post a transaction and return its id. `arguments` are those of payments.post_transaction."""
        pairs = list(lines.items()) if isinstance(lines, Mapping) else list(lines)
        given = {
            "kind": kind,
            "account_ids": [account_id for account_id, _ in pairs],
            "amounts_cents": [cents for _, cents in pairs],
            "idempotency_key": key or uuid4().hex,
            **arguments,
        }
        casts = {"account_ids": "::uuid[]", "amounts_cents": "::bigint[]"}
        named = ", ".join(f"{name} => %({name})s{casts.get(name, '')}" for name in given)
        transaction_id: UUID = self.value(f"select payments.post_transaction({named})", given)
        return transaction_id

    def balance(self, account_id: UUID, at: Any = None) -> int:
        """Return the account's balance in its normal sign."""
        cents: int = self.value("select payments.balance(%s, %s)", [account_id, at])
        return cents

    def seal(self, most: int = 10_000) -> dict[str, Any]:
        """Seal all entries, however recent."""
        done: dict[str, Any] = self.value("select payments.seal_entries(until => 'infinity', most => %s)", [most])
        return done

    def findings(self) -> list[str]:
        """Return the sorted findings of verify_ledger. The list is empty if there is no fault."""
        rows = self.db.execute("select finding from payments.verify_ledger() order by 1").fetchall()
        return [row["finding"] for row in rows]

    def sums(self) -> set[int]:
        """Return the sums of the whole ledger, one per currency."""
        return {row["cents"] for row in self.db.execute(SUMS).fetchall()}

    def wrong_moments(self, most: int = 1000) -> list[Any]:
        """Return past balances that differ from plain sums, at most `most`. The list is empty without a fault."""
        return self.db.execute(WRONG_MOMENTS, [most]).fetchall()
