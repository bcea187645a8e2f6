"""The cost of an organization's figures depends on its own rows, however many other organizations there are."""

from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from local.postgres import Server
from tests.kit import money_figures, stages
from tests.kit.databases import TEMPLATE

OTHERS = (40, 100)
"""The number of other organizations at first, and of those that come later."""
EVENTS, BOOKINGS, BOOKINGS_LATER = 10, 3, 25
"""Of each organization, and of each event. Each of the first organizations' bookings is a sale."""
PAGES_MOST = 600
NAME = "analytics_plans"

FILL = """
with made as (
    insert into events.events (
        id, starts_at, ends_at, organization_id, title, category, language, time_zone, price_cents, currency, policy
    )
    select
        ops.uuid_v7(), now() + (n - 8) * interval '1 day', now() + (n - 8) * interval '1 day' + interval '1 hour', o.id,
        'Class', 'yoga', 'en', 'Europe/Zurich', 1000, 'CHF', '{}'
    from organizations.organizations as o
    cross join generate_series(1, %(events)s) as n
    where o.id = any (%(organizations)s)
    returning id
)
insert into events.inventory (event_id, capacity) select m.id, 50 from made as m;

insert into events.bookings (
    event_id, organization_id, customer_id, seats, status, payment_method, price_cents, currency, policy, guest
)
select
    t.event_id, t.organization_id, (%(people)s)[1 + abs(hashtext(t.event_id::text || n)) %% cardinality(%(people)s)], 1,
    'confirmed', 'comp', 1000, 'CHF', '{}', true
from events.terms as t
cross join generate_series(1, %(bookings)s) as n
where t.organization_id = any (%(organizations)s);

insert into events.waitlist_entries (event_id, customer_id, seats, place, status)
select t.event_id, (%(people)s)[1], 1, 1, 'waiting'
from events.terms as t
where t.organization_id = any (%(organizations)s);

select payments.post_between_owners(
    kind => case when n.number = 1 then 'transfer' else 'sale' end,
    currency => 'CHF',
    legs => jsonb_build_array(
        jsonb_build_object('owner', 'user', 'id', b.customer_id, 'type', 'cash', 'cents', 1000),
        jsonb_build_object('owner', 'organization', 'id', b.organization_id, 'type', 'receivable', 'cents', -1000)
    ),
    idempotency_key => 'sale:' || b.id,
    reference_type => 'booking',
    reference_id => b.id
)
from (
    select b.*
    from events.bookings as b
    where b.organization_id = any (%(organizations)s)
    order by md5(b.id::text)
    limit %(sales)s
) as b
cross join lateral (select 1 + (b.id::text > b.event_id::text)::int as number) as n
"""


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """Create a database with two organizations, once, because these tests only add organizations."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"create database {NAME} template {TEMPLATE}")
    with psycopg.connect(server.url(NAME), autocommit=True, row_factory=dict_row) as connection:
        yield connection
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"drop database {NAME} with (force)")


def fill(db: psycopg.Connection[Any], organizations: list[UUID], bookings: int = BOOKINGS) -> UUID:
    """Give the organizations events, customers of their own, bookings, waitlists and sales. Return a customer."""
    people = [uuid4() for _ in range(300)]
    db.execute("insert into users.profiles (id, name) select p, 'x' from unnest(%s::uuid[]) as p", [people])
    values = {
        "organizations": organizations,
        "people": people,
        "events": EVENTS,
        "bookings": bookings,
        "sales": len(organizations) * EVENTS * BOOKINGS,
    }
    with psycopg.ClientCursor(db) as cursor:
        cursor.execute(FILL, values)
    db.execute("select payments.seal_entries(until => now() + interval '1 hour', most => 100000)")
    db.execute("vacuum analyze")
    row = db.execute("select owner_id from payments.accounts where owner_id = any (%s) limit 1", [people]).fetchone()
    assert row is not None
    customer_id: UUID = row["owner_id"]
    return customer_id


def pages(db: psycopg.Connection[Any], query: LiteralString, params: list[Any]) -> int:
    """Return the number of pages that a statement reads, of tables and indexes.

    The statement runs twice, because its first run also reads the catalog: `vacuum analyze` empties the caches.
    """
    with db.transaction():
        db.execute("select set_config('request.jwt.claims', '{\"role\": \"service_role\"}', true)")
        for _run in range(2):
            row = db.execute("explain (analyze, buffers, format json) " + query, params).fetchone()
        assert row is not None
        plan = row["QUERY PLAN"][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def test_figures_of_an_organization_read_its_own_rows(database: psycopg.Connection[Any]) -> None:
    db = database
    ours = stages.create(db)
    customer = fill(db, [ours.organization_id, *(stages.organization(db) for _ in range(OTHERS[0]))])
    statements: dict[str, tuple[LiteralString, list[Any]]] = {
        "analytics": ("select events.organization_analytics(organization_id => %s)", [ours.organization_id]),
        "statement": (
            "select payments.organizer_statement(%s, current_date - 30, current_date)",
            [ours.organization_id],
        ),
        "spending": ("select * from payments.spending(%s)", [customer]),
    }
    few = {name: pages(db, query, params) for name, (query, params) in statements.items()}
    shown = money_figures.analytics(db, ours.organization_id, ours.owner)

    fill(db, [stages.organization(db) for _ in range(OTHERS[1])], BOOKINGS_LATER)

    assert money_figures.analytics(db, ours.organization_id, ours.owner) == shown
    assert shown["total_bookings"] == EVENTS * BOOKINGS
    assert shown["revenue_30_days_cents"] == shown["revenue_total_cents"] > 0
    many = {name: pages(db, query, params) for name, (query, params) in statements.items()}
    for name, read in many.items():
        # An index may have a level more. A scan of everyone's rows would read several times as many pages.
        assert read <= min(1.5 * few[name] + 20, PAGES_MOST), (few, many)
