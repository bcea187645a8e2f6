"""The Stripe client of the worker, for which no customer waits."""

import functools

from marquee.edge import stripe

worker_client = functools.partial(stripe.client, patient=True)
"""Return the patient client of Stripe or of the stand-in."""
