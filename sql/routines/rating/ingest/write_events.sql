-- rating.write_events: write the events of many requests once, and add them to the inbox of each of their items.
--
-- One statement writes everything, once per table. A second one finds the results of events with known keys. Each event
-- is judged separately: an event that is faulty, forbidden or about an unknown item is refused, and the others are
-- written. Locks, each kind in order: keys, days of voters, fires, marks of items (by the trigger of the inbox). A
-- concurrent writer of the same key waits. Event ids follow the order of the requests.
--
-- Events beyond a voter's daily maximum are refused with daily_limit_reached. They leave no trace, so they can be sent
-- again the next day. A resent event counts once. Events that a service sends do not count.
--
-- A service and the organization's rating staff may rate for anyone and add items. Others may rate existing items as
-- themselves, if ratings are public. The caller ensures that organizations exist, that requests have different numbers
-- and that `events` are arrays. Internal.
--
-- Planned once, because planning costs more than a request of one event. The planner expects one or two rows in each
-- step. So nested loops are off, which would compare all rows with all others, and sequential scans are off, which it
-- prefers while a table is small.

create or replace function rating.write_events(requests rating.ingestion[])
returns table (number integer, accepted bigint, duplicates bigint, refused bigint, results jsonb)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = 'force_generic_plan'
set enable_nestloop = off
set enable_seqscan = off
as $$
declare
    outcomes rating.outcome[];
begin
    with standings as materialized (
        select
            r.number,
            r.organization_id,
            r.caller_id::text as caller_id,
            r.is_service,
            r.is_service or rating.runs_ratings(r.organization_id, r.caller_id) as trusted,
            r.is_service or rating.is_public(r.organization_id) as public
        from unnest(write_events.requests) as r
    ),

    judged as materialized (
        select
            s.organization_id,
            s.is_service,
            e.number,
            e.place,
            e.type,
            e.key,
            e.voter_id,
            e.item_a,
            e.item_b,
            e.winner,
            e.kind,
            e.value,
            e.occurred_at,
            e.detail,
            case
                when e.code is not null then e.code
                when s.trusted then null
                when not s.public or e.voter_id is distinct from s.caller_id then 'forbidden'
                when (
                    select i.item_id
                    from rating.item_stats as i
                    where i.organization_id = s.organization_id and i.item_id = e.item_a
                ) is null then 'item_not_found'
                when e.item_b is not null and (
                    select i.item_id
                    from rating.item_stats as i
                    where i.organization_id = s.organization_id and i.item_id = e.item_b
                ) is null then 'item_not_found'
            end as code,
            rating.content_hash(e.type, e.voter_id, e.item_a, e.item_b, e.winner, e.kind, e.value) as content
        from rating.read_events(write_events.requests) as e
        inner join standings as s on s.number = e.number
    ),

    firsts as materialized (
        select distinct on (j.organization_id, j.key) j.*
        from judged as j
        where j.code is null
        order by j.organization_id, j.key, j.number, j.place
    ),

    keyed as (
        insert into rating.event_keys (organization_id, key, content)
        select f.organization_id, f.key, f.content
        from firsts as f
        order by f.organization_id, f.key
        on conflict on constraint event_keys_pkey do nothing
        returning organization_id, key
    ),

    fresh as materialized (
        select
            f.*,
            -- Null for a service, whose events do not count.
            case
                when not f.is_service then row_number() over (
                    partition by f.organization_id, f.voter_id, f.is_service order by f.number, f.place
                )
            end as turn
        from firsts as f
        inner join keyed as k on k.organization_id = f.organization_id and k.key = f.key
    ),

    -- Counted before the limit is checked: concurrent writers wait here, and each gets the true total.
    counted as (
        insert into rating.voter_days as d (organization_id, voter_id, day, events)
        select f.organization_id, f.voter_id, (now() at time zone 'utc')::date, max(f.turn)
        from fresh as f
        where f.turn is not null
        group by f.organization_id, f.voter_id
        order by f.organization_id, f.voter_id
        on conflict on constraint voter_days_pkey do update
        set events = d.events + excluded.events
        returning organization_id, voter_id, events
    ),

    over_the_limit as materialized (
        select f.number, f.place
        from fresh as f
        inner join (
            select
                c.organization_id,
                c.voter_id,
                c.events as total,
                max(n.turn) as added,
                rating.events_per_day(c.organization_id) as most
            from counted as c
            inner join fresh as n on n.organization_id = c.organization_id and n.voter_id = c.voter_id
            group by c.organization_id, c.voter_id, c.events
        ) as c on c.organization_id = f.organization_id and c.voter_id = f.voter_id
        where f.turn > c.most - (c.total - c.added)
    ),

    admitted as materialized (
        select f.*
        from fresh as f
        left join over_the_limit as o on o.number = f.number and o.place = f.place
        where o.number is null
    ),

    fires as materialized (
        select distinct on (f.organization_id, f.item_a, f.voter_id) f.*
        from admitted as f
        where f.type = 'fire'
        order by f.organization_id, f.item_a, f.voter_id, f.number, f.place
    ),

    lit as (
        insert into rating.item_fires (organization_id, item_id, voter_id)
        select f.organization_id, f.item_a, f.voter_id
        from fires as f
        order by f.organization_id, f.item_a, f.voter_id
        on conflict on constraint item_fires_pkey do nothing
        returning organization_id, item_id, voter_id
    ),

    taken as materialized (
        select t.*, nextval('rating.event_ids') as event_id
        from (
            select f.*
            from admitted as f
            where f.type <> 'fire'
            union all
            select f.*
            from fires as f
            inner join lit as l
                on l.organization_id = f.organization_id and l.item_id = f.item_a and l.voter_id = f.voter_id
            order by number, place
        ) as t
    ),

    votes as (
        insert into rating.votes
        (event_id, organization_id, key, voter_id, item_a, item_b, winner, kind, occurred_at)
        select
            t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.item_b, t.winner, t.kind::rating.vote_kind,
            t.occurred_at
        from taken as t
        where t.type = 'vote'
    ),

    sliders as (
        insert into rating.sliders (event_id, organization_id, key, voter_id, item_id, value, occurred_at)
        select t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.value, t.occurred_at
        from taken as t
        where t.type = 'slider'
    ),

    logged_fires as (
        insert into rating.fires (event_id, organization_id, key, voter_id, item_id, occurred_at)
        select t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.occurred_at
        from taken as t
        where t.type = 'fire'
    ),

    laid as (
        insert into rating.inbox
        (organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight)
        select
            t.organization_id,
            i.item_id,
            t.event_id,
            t.type::rating.event_kind,
            t.voter_id,
            i.opponent_id,
            i.first,
            case t.type when 'vote' then (t.winner = i.item_id)::integer when 'slider' then t.value else 1 end,
            case when t.kind = 'super' then 2 else 1 end
        from taken as t
        cross join lateral (
            values (t.item_a, t.item_b, true), (t.item_b, t.item_a, false)
        ) as i (item_id, opponent_id, first)
        where i.item_id is not null
        order by t.organization_id, i.item_id, t.event_id
    )

    select
        array_agg(
            row(
                j.number,
                j.place,
                j.organization_id,
                j.key,
                j.content,
                case
                    when j.code is not null or v.number is not null then 'refused'
                    when t.event_id is not null then 'accepted'
                    when f.key is not null then 'duplicate'
                end,
                case when v.number is not null then 'daily_limit_reached' else j.code end,
                j.detail,
                t.event_id
            )::rating.outcome
        )
    into outcomes
    from judged as j
    left join fresh as f on f.number = j.number and f.place = j.place
    left join taken as t on t.number = j.number and t.place = j.place
    left join over_the_limit as v on v.number = j.number and v.place = j.place;

    -- Rare: remove the traces of events over the limit, so that they can be sent again tomorrow.
    if exists (select from unnest(outcomes) as o where o.code = 'daily_limit_reached') then
        delete from rating.event_keys as k
        using unnest(outcomes) as o
        where
            o.code = 'daily_limit_reached'
            and k.organization_id = o.organization_id
            and k.key = o.key;

        -- Refused events do not count. Only rows that this transaction changed exceed the maximum.
        update rating.voter_days as d
        set events = rating.events_per_day(d.organization_id)
        where
            d.organization_id in (
                select o.organization_id from unnest(outcomes) as o where o.code = 'daily_limit_reached'
            )
            and d.day = (now() at time zone 'utc')::date
            and d.events > rating.events_per_day(d.organization_id);
    end if;

    return query
    select
        o.number,
        count(*) filter (where o.status = 'accepted'),
        count(*) filter (where o.status = 'duplicate'),
        count(*) filter (where o.status = 'refused'),
        jsonb_agg(
            rating.event_answer(
                o.place, o.key, o.status, o.event_id, coalesce(o.code, 'key_reused'),
                case
                    when o.code is null then 'The key was used for another event. Send a new key for a new event.'
                    when o.code = 'forbidden' then 'You may rate only as yourself, and if the ratings are public.'
                    when o.code = 'item_not_found' then 'There is no such item. Check the id.'
                    when o.code = 'daily_limit_reached'
                        then 'The voter sent as many rating events as a day allows. Send it again tomorrow (UTC).'
                    else o.detail
                end
            )
            order by o.place
        )
    from (
        select
            u.number, u.place, u.key, u.code, u.detail, u.event_id,
            coalesce(
                u.status,
                (
                    select case when k.content = u.content then 'duplicate' else 'refused' end
                    from rating.event_keys as k
                    where k.organization_id = u.organization_id and k.key = u.key
                )
            ) as status
        from unnest(outcomes) as u
        -- Without it the planner copies the look-up to each use of `status`, and calls event_answer for each event.
        offset 0
    ) as o
    group by o.number;
end;
$$;

comment on function rating.write_events(rating.ingestion[]) is
'Write the events of many requests once, each judged separately. Returns the results by request.';
