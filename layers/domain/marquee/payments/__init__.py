"""Payments: the money between Stripe and the ledger."""
