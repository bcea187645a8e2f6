"""Transactions of Stripe's balance in the form that the ledger stores."""

from datetime import UTC, datetime
from typing import Any


def row_of(moved: dict[str, Any]) -> dict[str, Any]:
    """Return a balance transaction in the form of payments.store_balance_transactions."""
    source = moved.get("source")
    return {
        "id": moved["id"],
        "type": moved["type"],
        "source_id": source["id"] if isinstance(source, dict) else source,
        "amount_cents": moved["amount"],
        "fee_cents": moved["fee"],
        "net_cents": moved["net"],
        "currency": moved["currency"],
        "created_at": datetime.fromtimestamp(moved["created"], UTC).isoformat(),
    }
