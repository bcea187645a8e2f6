"""Provide two faulty workers that the tests of the real worker must detect.

Both count the inbox into the same tables, correctly unless something interrupts them.
"""

import json
from typing import Any

import psycopg

from marquee.core.settings import database_conninfo

SETUP = """
create schema naive;
grant usage on schema naive to public;
create table naive.checkpoint (event_id bigint not null);
insert into naive.checkpoint values (0);

create function naive.add_items(rows jsonb) returns void language sql security definer as $$
    insert into rating.item_stats as s (
        organization_id, item_id, model, mean, deviation, base_mean, base_deviation,
        votes, super_votes, wins, sliders, fires
    )
    select
        r.organization_id, r.item_id, 'bayes', 1500, 350, 1500, 350,
        count(*) filter (where r.kind = 'vote'),
        count(*) filter (where r.kind = 'vote' and r.weight = 2),
        count(*) filter (where r.kind = 'vote' and r.score = 1),
        count(*) filter (where r.kind = 'slider'),
        count(*) filter (where r.kind = 'fire')
    from jsonb_populate_recordset(null::rating.inbox, rows) as r
    group by r.organization_id, r.item_id
    order by r.organization_id, r.item_id
    on conflict (organization_id, item_id) do update
    set
        votes = s.votes + excluded.votes,
        super_votes = s.super_votes + excluded.super_votes,
        wins = s.wins + excluded.wins,
        sliders = s.sliders + excluded.sliders,
        fires = s.fires + excluded.fires;
$$;

create function naive.add_voters(rows jsonb) returns void language sql security definer as $$
    insert into rating.voters as v (
        organization_id, voter_id, votes, sliders, slider_sum, slider_square_sum, fires
    )
    select
        r.organization_id, r.voter_id,
        count(*) filter (where r.kind = 'vote'),
        count(*) filter (where r.kind = 'slider'),
        coalesce(sum(r.score - 50) filter (where r.kind = 'slider'), 0),
        coalesce(sum((r.score - 50) ^ 2) filter (where r.kind = 'slider'), 0),
        count(*) filter (where r.kind = 'fire')
    from jsonb_populate_recordset(null::rating.inbox, rows) as r
    where r.kind <> 'vote' or r.first
    group by r.organization_id, r.voter_id
    order by r.organization_id, r.voter_id
    on conflict (organization_id, voter_id) do update
    set
        votes = v.votes + excluded.votes,
        sliders = v.sliders + excluded.sliders,
        slider_sum = v.slider_sum + excluded.slider_sum,
        slider_square_sum = v.slider_square_sum + excluded.slider_square_sum,
        fires = v.fires + excluded.fires;
$$;

create function naive.claim_by_deleting() returns jsonb language sql security definer as $$
    with claimed as (
        delete from rating.dirty_items where (organization_id, item_id) in (
            select d.organization_id, d.item_id from rating.dirty_items as d limit 20 for update skip locked
        )
        returning organization_id, item_id
    )
    select coalesce(jsonb_agg(c), '[]') from claimed as c;
$$;

create function naive.take_events(claimed jsonb) returns jsonb language sql security definer as $$
    with taken as (
        delete from rating.inbox as i
        using jsonb_populate_recordset(null::rating.dirty_items, claimed) as c
        where i.organization_id = c.organization_id and i.item_id = c.item_id
        returning i.*
    )
    select coalesce(jsonb_agg(t), '[]') from taken as t;
$$;

create function naive.read_after_checkpoint() returns jsonb language sql security definer as $$
    select coalesce(jsonb_agg(r), '[]') from (
        select i.* from rating.inbox as i
        where i.event_id > (select c.event_id from naive.checkpoint as c for update)
        order by i.event_id
        fetch first 200 rows with ties
    ) as r;
$$;

create function naive.move_checkpoint(rows jsonb) returns void language sql security definer as $$
    update naive.checkpoint set event_id = (
        select max(r.event_id) from jsonb_populate_recordset(null::rating.inbox, rows) as r
    );
$$;

grant execute on all functions in schema naive to public;
"""

_connections: list[psycopg.Connection[Any]] = []


def _connection() -> psycopg.Connection[Any]:
    if not _connections:
        _connections.append(psycopg.connect(database_conninfo("marquee_service"), autocommit=True))
    return _connections[0]


def _call(connection: psycopg.Connection[Any], name: str, argument: Any = None) -> Any:
    arguments = [] if argument is None else [json.dumps(argument)]
    row = connection.execute(f"select naive.{name}({'%s::jsonb' if arguments else ''})", arguments).fetchone()
    return None if row is None else row[0]


def claim_by_delete() -> int:
    """Delete items from the list, then count their events. A worker that dies in between loses the events."""
    connection = _connection()
    claimed = _call(connection, "claim_by_deleting")
    if not claimed:
        return 0
    with connection.transaction():
        rows = _call(connection, "take_events", claimed)
        _call(connection, "add_items", rows)
        _call(connection, "add_voters", rows)
    return len(claimed)


def count_after_checkpoint() -> int:
    """Count events with ids above a checkpoint, and move it. An event that commits later with a lower id is lost."""
    connection = _connection()
    with connection.transaction():
        rows = _call(connection, "read_after_checkpoint")
        if not rows:
            return 0
        _call(connection, "add_items", rows)
        _call(connection, "add_voters", rows)
        _call(connection, "move_checkpoint", rows)
    return len(rows)
