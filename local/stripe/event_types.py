"""The types of events that the stand-in emits, and the others that an endpoint may subscribe to."""

MADE = frozenset(
    {
        "account.updated", "application_fee.created", "application_fee.refunded", "capability.updated",
        "charge.captured", "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn", "charge.dispute.updated", "charge.failed", "charge.pending",
        "charge.refund.updated", "charge.refunded", "charge.succeeded", "charge.updated",
        "checkout.session.async_payment_failed", "checkout.session.async_payment_succeeded",
        "checkout.session.completed", "checkout.session.expired",
        "customer.created", "customer.deleted", "customer.updated",
        "payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.created",
        "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.requires_action",
        "payment_intent.succeeded", "payment_method.attached", "payment_method.detached", "payment_method.updated",
        "payout.canceled", "payout.created", "payout.failed", "payout.paid", "payout.updated",
        "refund.created", "refund.failed", "refund.updated",
        "transfer.created", "transfer.reversed", "transfer.updated",
    }
)  # fmt: skip
OTHERS = frozenset(
    {
        "account.application.authorized", "account.application.deauthorized", "account.external_account.created",
        "account.external_account.deleted", "account.external_account.updated", "balance.available",
        "charge.expired", "payment_intent.partially_funded", "payout.reconciliation_completed",
        "payment_method.automatically_updated", "application_fee.refund.updated", "person.created", "person.updated",
        "radar.early_fraud_warning.created", "radar.early_fraud_warning.updated", "review.closed", "review.opened",
    }
)  # fmt: skip
EVENTS = MADE | OTHERS
