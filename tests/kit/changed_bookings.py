"""Customers with money or a pass whose bookings change: moved to another event, or with fewer seats."""

from collections.abc import Iterator
from typing import Any

from tests.kit import money_invariants, stages
from tests.kit.databases import Connection
from tests.kit.wallets import CreditBookings


def open_desk(db: Connection) -> Iterator[CreditBookings]:
    """Yield the bookings of an organization that refunds 60 % late, and check its money and seats afterwards."""
    desk = CreditBookings(db, late_refund_percent=60)
    yield desk
    check(desk)


def check(desk: CreditBookings) -> None:
    """Assert that credits, the ledger and the counters of seats agree with the bookings."""
    assert desk.findings() == []
    assert money_invariants.findings(desk.db) == []
    assert desk.db.execute(stages.DRIFT).fetchall() == []


def booked(desk: CreditBookings, seats: int, method: str, money: int, **more: Any) -> dict[str, Any]:
    """Book for a new customer, who has this many cents in the wallet and, to pay by it, a pass."""
    customer = desk.customer()
    desk.give(customer, money)
    if method == "pass":
        desk.give_pass(customer, 10)
    made: dict[str, Any] = desk.book(customer, method, seats, **more)
    return made
