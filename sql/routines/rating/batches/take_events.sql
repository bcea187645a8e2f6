-- rating.take_events: lock items until the transaction ends, and take their uncounted events.
--
-- Shares the periods of the organizations. Then locks the items' rows of rating.item_stats in id order, and creates
-- missing rows of items with events as version 0. Then takes up to `most` events out of the inbox: the first items'
-- events first, and each item's in the order of their ids. A second worker for an item waits here and finds an empty
-- inbox, so no event is counted twice, even after an expired lease. Skips items of deleted organizations.
--
-- Returns one row of arrays: the numbers of the known items, from 1, in the given order; and for each event the number
-- of its item and its values.

create or replace function rating.take_events(
    organization_ids uuid[],
    item_ids text[],
    most integer default 100000
)
returns table (
    known integer[],
    numbers integer[],
    event_ids bigint[],
    kinds text[],
    voter_ids text[],
    opponent_ids text[],
    firsts boolean[],
    scores double precision[],
    weights smallint[]
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    locked_numbers integer[];
begin
    perform rating.lock_periods(organization_ids => take_events.organization_ids);

    insert into rating.populations (organization_id)
    select distinct g.organization_id
    from unnest(take_events.organization_ids) as g (organization_id)
    inner join organizations.organizations as o on o.id = g.organization_id
    where not exists (select from rating.populations as p where p.organization_id = g.organization_id)
    order by g.organization_id
    on conflict (organization_id) do nothing;

    insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)
    select g.organization_id, g.item_id, 'bayes', 0, 1, 0, 1
    from unnest(take_events.organization_ids, take_events.item_ids) as g (organization_id, item_id)
    inner join rating.populations as p on p.organization_id = g.organization_id
    where
        not exists (
            select from rating.item_stats as i
            where i.organization_id = g.organization_id and i.item_id = g.item_id
        )
        and exists (
            select from rating.inbox as i
            where i.organization_id = g.organization_id and i.item_id = g.item_id
        )
    order by g.organization_id, g.item_id
    on conflict (organization_id, item_id) do nothing;

    -- The next steps are separate statements, so that each snapshot includes the commits for which the previous one
    -- waited.
    locked_numbers := array(
        select g.number::integer
        from unnest(take_events.organization_ids, take_events.item_ids)
            with ordinality as g (organization_id, item_id, number)
        inner join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
        order by i.organization_id, i.item_id
        for update of i
    );

    return query
    with taken as (
        delete from rating.inbox as i
        where i.ctid = any(array(
            select e.ctid
            from unnest(locked_numbers) with ordinality as l (number, place)
            cross join lateral (
                select b.ctid
                from rating.inbox as b
                where
                    b.organization_id = take_events.organization_ids[l.number]
                    and b.item_id = take_events.item_ids[l.number]
                order by b.event_id
                limit take_events.most
            ) as e
            limit take_events.most
        ))
        returning i.*
    )

    select
        array(select l.number from unnest(locked_numbers) as l (number) order by l.number),
        array_agg(g.number::integer),
        array_agg(t.event_id),
        array_agg(t.kind::text),
        array_agg(t.voter_id::text),
        array_agg(t.opponent_id::text),
        array_agg(t.first),
        array_agg(t.score),
        array_agg(t.weight)
    from taken as t
    inner join unnest(take_events.organization_ids, take_events.item_ids)
        with ordinality as g (organization_id, item_id, number)
        on g.organization_id = t.organization_id and g.item_id = t.item_id;
end;
$$;

comment on function rating.take_events(uuid[], text[], integer) is
'Lock items and take their uncounted events, as one row of arrays.';

grant execute on function rating.take_events(uuid[], text[], integer) to service_role;
