"""Create wallets, passes, promo codes and invoices for tests, directly in the database.

desk = CreditBookings(db)
desk.give(customer, 5000)
booking = desk.book(customer, "wallet")
"""

from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.kit import routines
from tests.kit.paid_events import PaidEvent

PRICE = 10000


class CreditBookings(PaidEvent):
    """An organization in Switzerland with an event that costs 100.00, and the actions of its front desk."""

    def __init__(self, db: psycopg.Connection[Any], capacity: int | None = 50, country: str = "CH", **policy: Any):
        super().__init__(db, PRICE, capacity, country, **policy)

    def customer(self) -> UUID:
        """Create a customer."""
        return self.stage.customer()

    def allow_invoices(self) -> None:
        """Let the organization's customers pay by invoice."""
        self.db.execute(
            "insert into organizations.payout_settings (organization_id, invoices_allowed) values (%s, true)",
            [self.stage.organization_id],
        )

    def give(self, customer: UUID, amount: int, expires_in: str | None = None, **more: Any) -> dict[str, Any]:
        """Grant wallet money, or a pass with that `kind`, at the organization's expense."""
        arguments = {
            "organization_id": self.stage.organization_id,
            "customer_id": customer,
            "kind": "wallet",
            "amount": amount,
            "idempotency_key": uuid4().hex,
            "currency": "CHF" if more.get("kind", "wallet") == "wallet" else None,
            **more,
        }
        named = ", ".join(f"{name} => %({name})s" for name in arguments)
        if expires_in:
            named += ", expires_at => now() + %(expires_in)s::interval"
        answer: dict[str, Any] = routines.call(
            self.db,
            self.stage.owner,
            f"select payments.grant_credits({named})",
            {**arguments, "expires_in": expires_in},
        )
        return answer

    def give_pass(self, customer: UUID, units: int, expires_in: str | None = None, **more: Any) -> dict[str, Any]:
        """Grant a pass for a number of seats."""
        return self.give(customer, units, expires_in, kind="pass", **more)

    def book(self: PaidEvent, customer: UUID, method: str | None, seats: int = 1, **more: Any) -> dict[str, Any]:
        """Book as the customer and return the response."""
        arguments = {
            "event_id": self.event_id,
            "seats": seats,
            "payment_method": method,
            "idempotency_key": uuid4().hex,
            **more,
        }
        named = ", ".join(f"{name} => %({name})s" for name in arguments)
        answer: dict[str, Any] = routines.call(self.db, customer, f"select events.book({named})::jsonb", arguments)
        return answer

    def refusal(self, customer: UUID, method: str | None, **more: Any) -> str:
        """Book as the customer, expect a refusal, and return its stable code."""
        try:
            self.book(customer, method, **more)
        except psycopg.Error as error:
            return routines.code_of(error)
        raise AssertionError("it was booked")

    def cancel_event(self) -> None:
        """Cancel the event as its organizer."""
        routines.call(self.db, self.stage.owner, "select events.cancel_event(event_id => %s)", [self.event_id])

    def lots(self, customer: UUID) -> list[tuple[int, int]]:
        """Return the amount and the remaining amount of each lot of a customer, in order of creation."""
        rows = self.db.execute(
            """
            select amount, remaining from payments.credit_lots
            where customer_id = %s
            order by created_at, amount desc
            """,
            [customer],
        ).fetchall()
        return [(row["amount"], row["remaining"]) for row in rows]

    def expire(self, after: str = "0 days") -> dict[str, Any]:
        """Run the job that expires credits, as if some time had passed."""
        query = "select payments.expire_credits(at => now() + %s::interval)"
        done: dict[str, Any] = routines.call(self.db, None, query, [after])
        return done

    def set_expiry(self, lot: dict[str, Any], when: str) -> None:
        """Set a lot's expiry relative to now."""
        self.db.execute(
            "update payments.credit_lots set expires_at = now() + %s::interval where id = %s", [when, lot["id"]]
        )

    def findings(self: PaidEvent) -> list[str]:
        """Return the faults of lots and ledger. The list is empty without a fault."""
        rows = self.db.execute(
            "select finding from payments.verify_credits() union all select finding from payments.verify_ledger()"
        ).fetchall()
        return [row["finding"] for row in rows]
