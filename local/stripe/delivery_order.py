"""The held deliveries to send, and their order."""

import random

from local.stripe.errors import malformed
from local.stripe.store import Json

ORDERS = ("created", "reversed", "shuffled")


def in_order(held: list[Json], given: Json) -> list[Json]:
    """Return the deliveries of the ids in `events`, in that order (repeats allowed); or all, by `order` and `seed`."""
    if "events" in given:
        return [delivery for event in given["events"] for delivery in held if delivery["event"] == event]
    order = given.get("order", "created")
    if order not in ORDERS:
        raise malformed(f"Invalid order: must be one of {', '.join(ORDERS)}", param="order")
    found = list(held)
    if order == "reversed":
        found.reverse()
    if order == "shuffled":
        random.Random(given.get("seed", 0)).shuffle(found)  # noqa: S311 no secret
    return found
