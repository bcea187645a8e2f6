"""Sample values for every message: all topics, and the cases in which their sentences differ."""

FOR_OPERATORS = {"alert.fired", "alert.resolved", "reconciliation.differs"}
"""Topics for the operators of the system, in English: their addresses have no language."""

FACTS = {
    "organization": "Studio", "title": "Yoga", "starts_at": "2031-03-03T17:00:00+00:00",
    "ends_at": "2031-03-03T18:00:00+00:00", "time_zone": "Europe/Zurich", "place": "Lake room", "customer": "ben",
    "price_cents": 123450, "currency": "CHF", "payment_method": "card", "instructor": "Felix", "inviter": "Ana",
}  # fmt: skip
PAYLOAD = {
    "customer_id": "c-1", "booking_id": "b-1", "event_id": "e-1", "organization_id": "o-1", "seats": 3, "reason": "R",
    "fee_cents": 123450, "amount_cents": 123450, "currency": "CHF", "offer_expires_at": "2031-03-03T10:15:00+00:00",
    "previous_starts_at": "2031-03-02T17:00:00+00:00", "refund_id": "r-1", "destination": "original", "cause": "late",
    "dispute": "dp_1", "status": "needs_response", "failing_since": "2031-03-01", "gone": True, "endpoint_id": "w-1",
    "payout": "po_1", "invoice_id": "i-1", "number": 7, "due_on": "2031-03-17", "expires_on": "2031-12-31", "units": 10,
    "why": "The bank account has been closed", "changed": ["starts_at", "instructor_id"], "duty": "assigned",
    "events": 1, "role": "front_desk", "code": "mJ0Xn2pS7VQm3wq9uJ1c5dZ0aTn8yFhKb4rLx6sEoGk", "stays_as": "admin",
    "offer_id": "t-1",
}  # fmt: skip
OPERATORS = {
    "rule": "outbox_late", "severity": "critical", "aggregate": "latest", "metric": "m", "window_seconds": 300,
    "value": 1, "comparison": ">", "threshold": 0, "pending_since": "2031", "fired_at": "2031", "resolved_at": "2031",
    "id": 1, "source_id": "ch_1", "currency": "CHF", "reason": "amount_differs", "stripe_cents": 123450,
    "ledger_cents": -50, "opened_at": "2031-03-03",
}  # fmt: skip

BARE = {"reason": None, "fee_cents": None, "booking_id": None, "place": None, "price_cents": None}
OF_PACKAGE = {"booking_id": None, "purchase_id": "p-1", "starts_at": None, "title": "Ten classes"}

VARIANTS: dict[str, dict[str, dict]] = {
    "booking.cancelled": {"by the organizer": {"by_organizer": True, "fee_cents": 0}, "one place": BARE | {"seats": 1}},
    "booking.changed": {"one place, nothing optional": BARE | {"seats": 1}},
    "booking.confirmed": {"one place, nothing optional": BARE | {"seats": 1}},
    "booking.no_show": {"no fee": {"fee_cents": None}},
    "credits.granted": {"by a purchase": OF_PACKAGE | {"expires_on": None}},
    "event.changed": {
        "same time": {"previous_starts_at": "2031-03-03T17:00:00+00:00", "place": None, "changed": ["location_id"]},
        "without an instructor": {"instructor": None},
    },
    "event.lead_changed": {
        "released from several events": {"duty": "released", "events": 18},
        "another time": {"duty": "changed", "changed": ["starts_at"]},
    },
    "invitation.sent": {"by nobody, as an editor": {"inviter": None, "role": "editor"}},
    "invoice.issued": {"no event": {"starts_at": None, "booking_id": None}},
    "ownership.offered": {"shared, by nobody": {"inviter": None, "stays_as": "owner"}},
    "pass.granted": {"by a purchase": OF_PACKAGE | {"units": 12000}},
    "payment.disputed": {
        "evidence under review": {"status": "under_review"},
        "won": {"status": "won"},
        "lost": {"status": "lost"},
        "another status": {"status": "prevented"},
        "of a package": OF_PACKAGE,
    },
    "payout.failed": {"of the platform": {"organization": None, "why": None}},
    "reconciliation.differs": {
        "not in the ledger": {"reason": "not_in_ledger", "ledger_cents": 0},
        "not at Stripe": {"reason": "not_at_stripe", "stripe_cents": 0},
    },
    "refund.exceeded": {"of a package": OF_PACKAGE},
    "refund.failed": {"of a package": OF_PACKAGE},
    "refund.requested": {"of a package": OF_PACKAGE},
    "refund.succeeded": {
        "to the wallet": {"destination": "wallet"},
        "to the invoice": {"destination": "invoice"},
        "by a dispute": {"destination": "dispute"},
        "of a package": OF_PACKAGE,
    },
    "waitlist.expired": {"by the organizer": {"by_organizer": True}},
    "waitlist.lapsed": {"left the waitlist": {"left_waitlist": True, "seats": 1}},
    "waitlist.offered": {"one place": {"seats": 1}},
    "webhook_endpoint.disabled": {
        "gone": {"failing_since": None, "title": "https://x.test/hook"},
        "failing": {"gone": None, "title": "https://x.test/hook"},
    },
}
"""By topic: the values in which a case differs from the samples above, by the name of the case."""


def cases(topic: str) -> dict[str, tuple[dict, dict]]:
    """Return the payload and the facts of each case of a topic; the first one has every value."""
    payload, facts = (OPERATORS, {}) if topic in FOR_OPERATORS else (PAYLOAD, FACTS)
    made = {"every value": (payload, facts)}
    for name, values in VARIANTS.get(topic, {}).items():
        made[name] = (payload | values, facts | {key: value for key, value in values.items() if key in facts})
    return made
