"""Items with twenty events each, in public.given, for the inbox of batches and for the tables of per_item."""

from typing import LiteralString

import psycopg
from psycopg import sql

from bench import databases

ORGANIZATION = "00000000-0000-7000-8000-000000000001"
EVENTS_PER_ITEM = 20
VOTE_SIDES, SLIDERS, FIRES = 14, 5, 1
"""The events of an item. Its votes are an average: seven votes with two sides are fourteen."""
VOTERS = 1000

_EVENTS: LiteralString = """
create table public.given (
    id bigint generated always as identity primary key,
    kind text not null,
    voter text not null,
    item text not null,
    other text,
    value double precision not null
);
insert into public.given (kind, voter, item, other, value)
select
    'vote', 'voter-' || (n::bigint * 7919) % {voters}, 'item-' || n % {items},
    'item-' || (n % {items} + 1 + (n::bigint * 104729) % ({items} - 1)) % {items}, ((n::bigint * 31) % 97) % 2
from generate_series(0, {votes} - 1) as n;
insert into public.given (kind, voter, item, value)
select 'slider', 'voter-' || (n::bigint * 6007) % {voters}, 'item-' || n % {items}, (n::bigint * 37) % 101
from generate_series(0, {sliders} - 1) as n;
insert into public.given (kind, voter, item, value)
select 'fire', 'voter-' || (n::bigint * 5003) % {voters}, 'item-' || n % {items}, 1
from generate_series(0, {fires} - 1) as n;
"""
_ORGANIZATION: LiteralString = """
insert into organizations.organizations (id, slug, name, country, currency, time_zone)
values ({organization}, 'gallery', 'Gallery', 'CH', 'CHF', 'Europe/Zurich');
"""
_INBOX: LiteralString = """
insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score)
select
    {organization}, s.item, s.id, s.kind::rating.event_kind, s.voter, s.opponent, s.first, s.score
from (
    select g.id, g.kind, g.voter, g.item, g.other as opponent, true as first, g.value as score
    from public.given as g
    union all
    select g.id, g.kind, g.voter, g.other, g.item, false, 1 - g.value
    from public.given as g
    where g.kind = 'vote'
) as s;
"""
_EMPTY: LiteralString = """
truncate
rating.inbox, rating.dirty_items, rating.item_stats, rating.voters, rating.item_scores, rating.score_history,
ops.job_runs
"""
_ANALYZE: LiteralString = "vacuum analyze rating.inbox, rating.dirty_items"


def create_database(factory: databases.Factory, name: str, items: int) -> databases.Database:
    """Create a database with an organization, the events of `items` items in public.given, and an empty inbox."""
    database = factory.create_empty(name)
    counts = {
        "items": items,
        "voters": VOTERS,
        "votes": items * VOTE_SIDES // 2,
        "sliders": items * SLIDERS,
        "fires": items * FIRES,
    }
    database.run(
        sql.SQL(_ORGANIZATION).format(organization=sql.Literal(ORGANIZATION)),
        sql.SQL(_EVENTS).format(**{name: sql.Literal(count) for name, count in counts.items()}),
    )
    return database


def fill_inbox(database: databases.Database) -> int:
    """Reset the ratings and put all events into the inbox. Returns the number of item-events."""
    database.run(_EMPTY, sql.SQL(_INBOX).format(organization=sql.Literal(ORGANIZATION)), _ANALYZE, "checkpoint")
    return inbox_size(database)


def inbox_size(database: databases.Database) -> int:
    """Return how many item-events wait in the inbox."""
    with psycopg.connect(database.owner) as connection:
        row = connection.execute("select count(*) from rating.inbox").fetchone()
    assert row is not None
    return int(row[0])
