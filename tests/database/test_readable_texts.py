"""Test that the database accepts the same readable texts as Python, in every column that people read."""

from email.message import EmailMessage

import psycopg
import pytest
from psycopg.rows import dict_row

from marquee.core import sqlfiles, text_types
from tests.kit.databases import SQL

RULES = {"ops.is_line": text_types.is_line, "ops.is_text": text_types.is_text, "users.is_name": text_types.is_name}
ADDRESSES = {
    "ana@example.org": True, "a.b+c@sub-domain.example": True, "a@b": True, "o'hara@x.ie": True,
    "a@[": False, "a@[1.2.3.4]": False,
    "=?utf-8?q?=0aBcc:x?=@y.ch": False, "a,b@x": False, "a(@b.ch": False, "a:b@c.ch;": False, "jörg@bücher.ch": False,
    "": False, "@x": False, "a@": False, "a@@b": False, ".a@b.ch": False, "a..b@c.ch": False, "a.@b.ch": False,
    "a@-b.ch": False, "a@b-.ch": False, "a@b..ch": False, "a@b.ch.": False, "a b@c.ch": False, "a@b.ch\n": False,
    "\"a\"@b.ch": False, "<a@b.ch>": False, "a\\@b.ch": False, "٣@x": False, "a@" + "b" * 63: True,
    "a@" + "b" * 64: False,
    "a" * 64 + "@b.ch": True, "a" * 65 + "@b.ch": False, "a@" + ".".join(["b" * 60] * 4): True,
    "abc@" + ".".join(["b" * 61] * 4) + ".bbbb": False,
}  # fmt: skip
CODE_POINTS = [
    number for number in (
        *range(1, 0x10000), *range(0x1F400, 0x1F700), *range(0x13400, 0x13500), *range(0x1BC00, 0x1BD00),
        *range(0x1D100, 0x1D200), *range(0x1FF00, 0x20010), *range(0xE0000, 0xE1100), *range(0x10FF00, 0x110000),
    )
    if not 0xD800 <= number <= 0xDFFF
]  # fmt: skip

OURS = "written by a routine or a worker from its own words, or from texts that were checked on input"
STRIPES = "Stripe's text, stored unchanged"
OPAQUE = "an id, a key or a code that its writer chose and that is not read as text"
JSON = "an object whose members are checked on input"
LOOKED_UP = "must be parsed or found in a table before it is stored"

COPIED = "copied from a checked column, or computed"
WITHOUT_A_RULE = {
    "events.bookings.policy": JSON,
    "events.booking_names.names": "lines, which the table checks together",
    "events.events.policy": JSON,
    "events.terms.policy": JSON,
    "events.listings.category": COPIED,
    "events.listings.city": COPIED,
    "events.listings.instructor_name": COPIED,
    "events.listings.location_name": COPIED,
    "events.listings.organization_name": COPIED,
    "events.listings.price_tier": COPIED,
    "events.listings.time_zone": COPIED,
    "events.listings.title": COPIED,
    "events.series.recurrence": LOOKED_UP,
    "messaging.deliveries.last_error": OURS,
    "messaging.deliveries.provider_id": OPAQUE,
    "messaging.deliveries.recipient": "a verified address, or the operator's",
    "messaging.notifications.body": OURS,
    "messaging.notifications.subject": OURS,
    "messaging.notifications.topic": OPAQUE,
    "messaging.webhook_attempts.error": OURS,
    "messaging.webhook_attempts.response": "a subscriber's response, stored unchanged for its own staff",
    "messaging.webhook_deliveries.key": OPAQUE,
    "messaging.webhook_deliveries.last_error": OURS,
    "messaging.webhook_deliveries.payload": OURS,
    "messaging.webhook_deliveries.topic": OPAQUE,
    "messaging.webhook_endpoints.topics": LOOKED_UP,
    "messaging.webhook_secrets.key_id": OPAQUE,
    "users.profiles.former_emails": "addresses that were verified before",
    "organizations.changes.after": COPIED,
    "organizations.changes.before": COPIED,
    "organizations.customer_words.word": COPIED,
    "organizations.customers.sort_name": COPIED,
    "organizations.customers.tags": "organizations.are_tags, which applies ops.is_line to each tag",
    "organizations.customers.words": COPIED,
    "organizations.payout_accounts.requirements": STRIPES,
    "organizations.payout_accounts.stripe_account_id": STRIPES,
    "payments.balance_transactions.id": STRIPES,
    "payments.balance_transactions.source_id": STRIPES,
    "payments.balance_transactions.type": STRIPES,
    "payments.credit_lots.categories": LOOKED_UP,
    "payments.differences.source_id": STRIPES,
    "payments.disputes.reason": STRIPES,
    "payments.disputes.status": STRIPES,
    "payments.disputes.stripe_dispute_id": STRIPES,
    "payments.intents.client_secret": STRIPES,
    "payments.intents.last_error": STRIPES,
    "payments.intents.stripe_charge_id": STRIPES,
    "payments.intents.stripe_payment_intent_id": STRIPES,
    "payments.invoices.buyer": OURS,
    "payments.invoices.lines": OURS,
    "organizations.tax_rates.category": LOOKED_UP,
    "payments.invoices.seller": OURS,
    "payments.packages.categories": LOOKED_UP,
    "payments.payouts.failure_code": STRIPES,
    "payments.payouts.failure_message": STRIPES,
    "payments.payouts.status": STRIPES,
    "payments.payouts.stripe_payout_id": STRIPES,
    "payments.purchases.categories": LOOKED_UP,
    "payments.quotes.tax_category": LOOKED_UP,
    "payments.refunds.cause": OPAQUE,
    "payments.refunds.earlier_stripe_ids": STRIPES,
    "payments.refunds.last_error": STRIPES,
    "payments.refunds.stripe_refund_id": STRIPES,
    "payments.transactions.description": OURS,
    "payments.transactions.idempotency_key": OPAQUE,
    "payments.transfers.stripe_account_id": STRIPES,
    "payments.transfers.stripe_transfer_id": STRIPES,
    "payments.webhook_inbox.account": STRIPES,
    "payments.webhook_inbox.api_version": STRIPES,
    "payments.webhook_inbox.last_error": OURS,
    "payments.webhook_inbox.result": OURS,
    "payments.webhook_inbox.type": STRIPES,
}
"""Text columns without a rule for their content, with the reason."""


def test_every_text_column_has_a_rule_or_a_listed_reason(rolled_back):
    """Check the schemas that people write to. Operators and Marquee itself write the other schemas."""
    rows = rolled_back.execute(
        r"""
        select format('%s.%s', c.oid::regclass, a.attname) as name
        from pg_class as c
        inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where
            c.relkind in ('r', 'p')
            and not c.relispartition
            and c.relnamespace::regnamespace::text in ('events', 'messaging', 'organizations', 'payments', 'users')
            and a.atttypid::regtype::text in ('text', 'text[]', 'character varying', 'jsonb')
            and not exists (
                select
                from pg_constraint as k
                where
                    k.conrelid = c.oid
                    and a.attnum = any (k.conkey)
                    and (
                        k.contype = 'f'
                        or pg_get_constraintdef(k.oid) ~ ('(is_line|is_text|is_name|is_address)\(\(?' || a.attname)
                        or pg_get_constraintdef(k.oid) ~ (a.attname || ' [~=] ')
                    )
            )
        """
    ).fetchall()

    assert {row["name"] for row in rows} == WITHOUT_A_RULE.keys()


@pytest.mark.parametrize("rule", RULES)
def test_python_and_sql_refuse_the_same_characters(rolled_back, rule):
    rows = rolled_back.execute(
        f"select c.number from unnest(%s::integer[]) as c (number) where not {rule}(chr(c.number))", [CODE_POINTS]
    ).fetchall()

    assert {row["number"] for row in rows} == {number for number in CODE_POINTS if not RULES[rule](chr(number))}


@pytest.mark.parametrize(
    "text", ["", " ", "a b", " a ", "a\tb", "a\nb", "\u200ba", "x" * 200, "x" * 201, "\u200f", "e\u0301"]
)
@pytest.mark.parametrize("rule", RULES)
def test_python_and_sql_accept_the_same_texts(rolled_back, rule, text):
    row = rolled_back.execute(f"select {rule}(%s) as is_right", [text]).fetchone()

    assert row == {"is_right": RULES[rule](text)}


@pytest.mark.parametrize(("address", "is_right"), ADDRESSES.items())
def test_addresses_are_accepted_as_listed(rolled_back, address, is_right):
    row = rolled_back.execute("select ops.is_address(%s) as is_right", [address]).fetchone()

    assert (text_types.is_address(address), row) == (is_right, {"is_right": is_right})


@pytest.mark.parametrize("address", [address for address, is_right in ADDRESSES.items() if is_right])
def test_email_library_parses_an_accepted_address_as_one_address(address):
    message = EmailMessage()
    message["To"] = address

    assert [str(one) for one in message["To"].addresses] == [address]
    assert message.as_bytes()


@pytest.mark.parametrize(
    "number", [0xE0041, 0xE0001, 0xE0100, 0xFFF9, 0x1D173, 0x1BCA0, 0xFFFE, 0x1FFFF, 0xFDD0, 0x13430], ids=hex
)
def test_name_of_only_invisible_characters_is_refused(rolled_back, number):
    row = rolled_back.execute("select users.is_name(%s) as is_right", [chr(number)]).fetchone()

    assert (text_types.is_name(chr(number)), row) == (False, {"is_right": False})


@pytest.fixture
def before(server, copier):
    """Create a database from before the text rules, and return it with a function that migrates it."""
    copier.execute("create database before")
    files = sqlfiles.read(SQL, sorted((SQL / "migrations").glob("*.pre.sql")))
    with psycopg.connect(server.url("before"), autocommit=True, row_factory=dict_row) as db:
        for file in files:
            if file.name < "migrations/0076":
                sqlfiles.execute(db, file)
        yield db, lambda: [sqlfiles.execute(db, file) for file in files if "0076" <= file.name[11:15] <= "0077"]
    copier.execute("drop database before with (force)")


def test_migration_removes_refused_characters_from_existing_rows(before):
    db, migrate = before
    db.execute(
        "insert into users.profiles (email, name) values ('ana@example.org', %s), (%s, %s), ('ben@example.org', 'Ben')",
        ["A\u202ena\n", "a\u202e@b.ch", "\u200b"],
    )
    db.execute(
        "insert into organizations.organizations (slug, name, country, currency, time_zone)"
        " values ('s', E'Stu\\tdio', 'CH', 'CHF', 'Europe/Zurich')"
    )

    migrate()

    people = db.execute(
        "select name, email, email_verified_at from users.profiles order by created_at, email"
    ).fetchall()
    assert {(row["name"], row["email"], row["email_verified_at"]) for row in people} == {
        ("Ana", "ana@example.org", None), (None, None, None), ("Ben", "ben@example.org", None),
    }  # fmt: skip
    assert db.execute("select name from organizations.organizations").fetchone() == {"name": "Studio"}
