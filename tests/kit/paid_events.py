"""Create a paid event directly in the database, for tests of all payment methods."""

from typing import Any
from uuid import UUID

import psycopg

from tests.kit import money_invariants, routines, stages


class PaidEvent:
    """An organization with one event at a price. `policy` changes the event's policy."""

    def __init__(
        self, db: psycopg.Connection[Any], price_cents: int, capacity: int | None, country: str = "CH", **policy: Any
    ) -> None:
        self.db = db
        self.stage = stages.create(db, country=country)
        self.price_cents = price_cents
        self.policy = {**stages.POLICY, **policy}
        self.event_id = self.event(capacity=capacity)

    def event(self, category: str | None = None, **columns: Any) -> UUID:
        """Create an event at the price in ten days. `columns` change the values."""
        event_id = self.stage.event(
            **{"price_cents": self.price_cents, "policy": self.policy, "starts_in": "10 days", **columns}
        )
        if category:
            self.db.execute("update events.events set category = %s where id = %s", [category, event_id])
        return event_id

    def status(self, booking: dict[str, Any]) -> str:
        """Return the status of a booking."""
        row = self.db.execute("select status from events.bookings where id = %s", [booking["id"]]).fetchone()
        assert row is not None
        status: str = row["status"]
        return status

    def cancel(self, booking: dict[str, Any], caller: UUID | None = None, waive: bool = False) -> dict[str, Any]:
        """Cancel a booking as the caller or the owner, and return the response."""
        query = "select events.cancel_booking(booking_id => %s, waive => %s)"
        answer: dict[str, Any] = routines.call(self.db, caller or self.stage.owner, query, [booking["id"], waive])
        return answer

    def balances(self) -> dict[str, int]:
        """Return the nonzero balances by owner and type. Debits are positive."""
        return money_invariants.balances(self.db)
