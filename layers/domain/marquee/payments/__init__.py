"""Money: what is between Stripe and the ledger."""
