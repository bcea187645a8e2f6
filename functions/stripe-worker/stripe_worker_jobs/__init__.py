"""The jobs of the Stripe worker: Stripe events, backfill, and the scheduled sweep."""
