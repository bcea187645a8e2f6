"""Accounts and postings for tests of the ledger, straight in the database.

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
"""The whole ledger, per currency: always zero."""

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
"""Accounts whose balance at a moment at which something was recorded, or just before it, is not the plain sum."""


@dataclass(frozen=True, slots=True)
class LedgerRoutines:
    """The ledger, as the routines that move money see it."""

    db: psycopg.Connection[Any]

    def value(self, query: str, params: Any = None) -> Any:
        """The first column of the only row."""
        row = self.db.execute(query, params).fetchone()
        return None if row is None else next(iter(row.values())) if isinstance(row, dict) else row[0]

    def account(
        self, owner_kind: str, owner_id: UUID | None, kind: str, currency: str = "CHF", within: UUID | None = None
    ) -> UUID:
        """The account of an owner, made if there is none."""
        query = "select payments.account(%s, %s, %s, %s, %s)"
        account_id: UUID = self.value(query, [owner_kind, owner_id, kind, currency, within])
        return account_id

    def someone(self, kind: str = "cash", currency: str = "CHF") -> UUID:
        """The account of a new user."""
        return self.account("user", uuid4(), kind, currency)

    def post(
        self,
        kind: str,
        lines: Mapping[UUID, int] | Sequence[tuple[UUID, int]],
        key: str | None = None,
        **arguments: Any,
    ) -> UUID:
        """Move money; the transaction's id. `arguments` are those of payments.post_transaction."""
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
        """What the account holds, in its normal sign."""
        cents: int = self.value("select payments.balance(%s, %s)", [account_id, at])
        return cents

    def seal(self, most: int = 10_000) -> dict[str, Any]:
        """Seal everything that is there, however young."""
        done: dict[str, Any] = self.value("select payments.seal_entries(until => 'infinity', most => %s)", [most])
        return done

    def findings(self) -> list[str]:
        """What verify_ledger finds, sorted; nothing when all is well."""
        rows = self.db.execute("select finding from payments.verify_ledger() order by 1").fetchall()
        return [row["finding"] for row in rows]

    def sums(self) -> set[int]:
        """The sums of the whole ledger, one per currency."""
        return {row["cents"] for row in self.db.execute(SUMS).fetchall()}

    def wrong_moments(self, most: int = 1000) -> list[Any]:
        """Where past balances differ from plain sums, at so many moments; nothing when all is well."""
        return self.db.execute(WRONG_MOMENTS, [most]).fetchall()
