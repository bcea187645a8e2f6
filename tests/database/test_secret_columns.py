"""Test that every column that may hold a secret is listed with its protection. A new column fails until listed."""

SECRET_NAMES = r"(secret|token|passw|credential|private|signing|sealed|salt|api_?key|otp|pin_|cipher|cookie|url$)"

SECRETS = {
    "messaging.webhook_secrets.sealed": "AES-256-GCM; the key is outside the database",
    "messaging.webhook_secrets.secret": "used before migration 78; a trigger refuses new values, a job seals the old",
    "messaging.webhook_endpoints.url": "the organization's own address; a password in it is refused",
    "messaging.webhook_endpoints.previous_secret_expires_at": "a time",
    "events.access_links.secret_hash": "SHA-256 of 256 random bits",
    "users.calendar_addresses.secret_hash": "SHA-256 of 256 random bits",
    "messaging.unsubscribe_keys.inner_secret": "sign links that can only stop e-mails; no role may read them",
    "messaging.unsubscribe_keys.outer_secret": "sign links that can only stop e-mails; no role may read them",
    "organizations.invitation_codes.secret_hash": "SHA-256 of 256 random bits",
    "payments.intents.client_secret": "Stripe's, for the payer's browser; worth nothing without a card",
}
"""Columns with a name like that of a secret."""

DOCUMENTS = {
    "events.bookings.policy": "terms of the organization",
    "events.events.policy": "terms of the organization",
    "events.terms.policy": "terms of the organization",
    "messaging.webhook_deliveries.payload": "a copy of the outbox's payload",
    "ops.health_checks.details": "figures",
    "ops.idempotency_keys.response": "responses of routines; secrets of webhooks and of Stripe are added later",
    "ops.job_runs.result": "counts",
    "ops.performance_metrics.tags": "names of routes and jobs",
    "organizations.changes.after": "settings and ids",
    "organizations.changes.before": "settings and ids",
    "organizations.organizations.branding": "public",
    "organizations.payout_accounts.requirements": "names of the requirements that Stripe still has",
    "outbox.payload": "ids and facts; each topic has one payload routine",
    "payments.intents.last_error": "Stripe's code and message of a declined payment",
    "payments.invoices.buyer": "name and address, not a secret",
    "payments.invoices.lines": "names and prices",
    "payments.invoices.seller": "name and address, not a secret",
    "payments.refunds.last_error": "Stripe's code and message",
    "payments.webhook_inbox.payload": "Stripe's event, which may hold client_secret; only the service reads it",
    "payments.webhook_inbox.result": "codes and ids",
    "rating.calibrations.after": "figures",
    "rating.calibrations.before": "figures",
    "rating.requests.results": "codes and ids",
}
"""Columns of documents and whole responses, which can carry a secret under any name."""


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


def test_every_column_named_like_a_secret_is_listed(rolled_back):
    assert columns(rolled_back, f"a.attname ~* '{SECRET_NAMES}'") == set(SECRETS)


def test_every_document_column_is_listed(rolled_back):
    found = columns(
        rolled_back, "format_type(a.atttypid, null) in ('json', 'jsonb') or a.attname in ('response', 'answer')"
    )

    assert found - {"messaging.webhook_attempts.response"} == set(DOCUMENTS)


def test_new_secret_column_is_detected(rolled_back):
    """Check that the tests above detect a new column."""
    rolled_back.execute("alter table messaging.notifications add column access_token text, add column extra jsonb")

    assert columns(rolled_back, f"a.attname ~* '{SECRET_NAMES}'") - set(SECRETS) == {
        "messaging.notifications.access_token"
    }
    assert "messaging.notifications.extra" in columns(rolled_back, "format_type(a.atttypid, null) = 'jsonb'")
