"""Migrated databases with an organization, customers and events, filled by a few large statements.

Customers and events are numbered. So a script of pgbench can compute their ids: see `customer_id` and `event_id`.
"""

import secrets
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

from bench.runs import ROOT, step
from local.postgres import Server
from marquee.core import migrations
from marquee.core.settings import LOGINS
from marquee.operations import logins

TEMPLATE = "bench_template"
FIRST = 100_000_000_001
"""The number of the first customer and of the first event: twelve digits, as the end of a UUID has."""
CUSTOMER = "00000000-0000-7000-9000-"
EVENT = "00000000-0000-7000-a000-"

_FILL: LiteralString = """
insert into organizations.organizations (id, slug, name, country, currency, time_zone)
values ('00000000-0000-7000-8000-000000000001', 'studio', 'Studio', 'CH', 'CHF', 'Europe/Zurich');

insert into users.profiles (id, name)
select ({customer} || n)::uuid, 'Customer ' || n
from generate_series({first}::bigint, {first} + {customers} - 1) as n;

insert into events.events (
    id, starts_at, ends_at, organization_id, title, language, time_zone, currency, policy
)
select
    ({event} || n)::uuid, now() + interval '10 days', now() + interval '10 days 1 hour',
    '00000000-0000-7000-8000-000000000001', 'Class', 'en', 'Europe/Zurich', 'CHF', '{{"cancel_hours_before": 24}}'
from generate_series({first}::bigint, {first} + {events} - 1) as n;

insert into events.inventory (event_id, capacity)
select t.event_id, 10000000
from events.terms as t;
"""
# Empty tables are left out, because the plans for a table that was analyzed empty suit an empty table only.
_ANALYZE: LiteralString = "vacuum analyze users.profiles, events.events, events.terms, events.inventory"
# The limiter's work is part of a booking. Its refusals are not, so the limits are high.
_UNLIMITED: LiteralString = """
update ops.rate_limit_rules
set per_minute = 1000000, burst = 1000000, address_per_minute = 1000000, address_burst = 1000000;
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database: its name, and the URLs of its owner, of the functions and of the login for people."""

    name: str
    owner: str
    api: str
    people: str

    def run(self, *statements: LiteralString | sql.Composed) -> None:
        """Run statements as the owner, each in its own transaction."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


def customer_id(number: int) -> UUID:
    """Return the id of the customer with this number, from 0."""
    return UUID(f"{CUSTOMER}{FIRST + number}")


def event_id(number: int) -> UUID:
    """Return the id of the event with this number, from 0."""
    return UUID(f"{EVENT}{FIRST + number}")


class Factory:
    """Creates databases on a server, each a copy of one that was migrated once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._password = secrets.token_urlsafe(16)
        with step("migrating"):
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
            with psycopg.connect(server.url(TEMPLATE), autocommit=True) as connection:
                migrations.migrate(connection, ROOT / "sql")
                for login in LOGINS.values():
                    logins.set_password(connection, login, login, self._password)
                connection.execute(_UNLIMITED)

    def create_empty(self, name: str) -> Database:
        """Create a migrated database without customers and events."""
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
            )
        return Database(
            name,
            owner=self.server.url(name),
            api=self.server.url(name, "", self._password),
            people=self.server.url(name, "marquee_people", self._password),
        )

    def create(self, name: str, *, customers: int, events: int) -> Database:
        """Create a database with customers, and with events of ten million seats each that start in ten days."""
        with step(f"filling the database {name}: {customers:,} customers, {events:,} events"):
            database = self.create_empty(name)
            statements = sql.SQL(_FILL).format(
                customer=sql.Literal(CUSTOMER),
                event=sql.Literal(EVENT),
                first=sql.Literal(FIRST),
                customers=sql.Literal(customers),
                events=sql.Literal(events),
            )
            database.run(statements, _ANALYZE, "checkpoint")
        return database

    def drop(self, database: Database) -> None:
        """Delete a database that is no longer needed."""
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(database.name)))
