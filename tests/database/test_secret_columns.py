"""Every column that may hold a secret is known, with what keeps it safe: a new one fails until somebody judges it."""

SOUNDS_SECRET = r"(secret|token|passw|credential|private|signing|sealed|salt|api_?key|otp|pin_|cipher|cookie|url$)"

SECRETS = {
    "messaging.webhook_secrets.sealed": "AES-256-GCM; the key is outside the database",
    "messaging.webhook_secrets.secret": "from before 0078; a trigger refuses new ones, a job seals the old",
    "messaging.webhook_endpoints.url": "the organization's own address; a password in it is refused",
    "messaging.webhook_endpoints.previous_secret_expires_at": "a time",
    "payments.intents.client_secret": "Stripe's, for the payer's browser; worth nothing without a card",
}
"""Columns whose name sounds like a secret."""

DOCUMENTS = {
    "events.bookings.policy": "terms of the organization",
    "events.events.policy": "terms of the organization",
    "events.terms.policy": "terms of the organization",
    "messaging.webhook_deliveries.payload": "a copy of the outbox's payload",
    "ops.health_checks.details": "figures",
    "ops.idempotency_keys.response": "answers of routines; secrets of webhooks and of Stripe are added later",
    "ops.job_runs.result": "counts",
    "ops.performance_metrics.tags": "names of routes and jobs",
    "organizations.organizations.branding": "public",
    "organizations.payout_accounts.requirements": "names of what Stripe still asks for",
    "outbox.payload": "ids and facts; each topic has one payload routine",
    "payments.intents.last_error": "Stripe's code and message of a declined payment",
    "payments.invoices.buyer": "name and address, not a secret",
    "payments.invoices.lines": "what was sold",
    "payments.invoices.seller": "name and address, not a secret",
    "payments.refunds.last_error": "Stripe's code and message",
    "payments.webhook_inbox.payload": "what Stripe sent, which may hold client_secret; only the service reads it",
    "payments.webhook_inbox.result": "codes and ids",
    "rating.calibrations.after": "figures",
    "rating.calibrations.before": "figures",
    "rating.requests.results": "codes and ids",
}
"""Columns of documents and whole answers, which can carry a secret under any name."""


def columns(db, condition):
    return {
        row["name"]
        for row in db.execute(
            f"""
            select format('%s.%s', c.oid::regclass, a.attname) as name
            from pg_class as c
            inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where
                c.relkind in ('r', 'p')
                and not c.relispartition
                and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')
                and ({condition})
            """
        )
    }


def test_every_column_that_sounds_like_a_secret_is_judged(rolled_back):
    assert columns(rolled_back, f"a.attname ~* '{SOUNDS_SECRET}'") == set(SECRETS)


def test_every_column_of_documents_is_judged(rolled_back):
    found = columns(
        rolled_back, "format_type(a.atttypid, null) in ('json', 'jsonb') or a.attname in ('response', 'answer')"
    )

    assert found - {"messaging.webhook_attempts.response"} == set(DOCUMENTS)


def test_new_column_for_a_secret_is_found(rolled_back):
    """The tests above find what they look for."""
    rolled_back.execute("alter table messaging.notifications add column access_token text, add column extra jsonb")

    assert columns(rolled_back, f"a.attname ~* '{SOUNDS_SECRET}'") - set(SECRETS) == {
        "messaging.notifications.access_token"
    }
    assert "messaging.notifications.extra" in columns(rolled_back, "format_type(a.atttypid, null) = 'jsonb'")
