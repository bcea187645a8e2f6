-- rating.counted_votes: return a page of an organization's votes that both of their items have counted, the newest
-- first.
--
-- Skips a vote that waits in the inbox of either item: it is counted after the item has adopted the fit. Each id is
-- returned once, and votes refer to ids by index, as four-byte integers in big-endian order: a page of 100,000 votes is
-- under two megabytes. The page is the last one if `scanned` is less than `most`.

create or replace function rating.counted_votes(
    organization_id uuid,
    before_at timestamptz default 'infinity',
    before_id bigint default 9223372036854775807,
    most integer default 100000
)
returns table (
    item_ids text[],
    voter_ids text[],
    winners bytea,
    losers bytea,
    voters bytea,
    weights bytea,
    scanned bigint,
    last_at timestamptz,
    last_id bigint
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with page as materialized (
        select
            v.event_id,
            v.received_at,
            v.voter_id::text as voter_id,
            v.item_a::text as item_a,
            v.item_b::text as item_b,
            v.winner::text as winner,
            v.kind
        from rating.votes as v
        where
            v.organization_id = counted_votes.organization_id
            and (v.received_at, v.event_id) < (counted_votes.before_at, counted_votes.before_id)
        order by v.received_at desc, v.event_id desc
        limit counted_votes.most
    ),

    counted as materialized (
        select
            p.voter_id,
            p.winner,
            case p.winner when p.item_a then p.item_b else p.item_a end as loser,
            case p.kind when 'super' then 2 else 1 end as weight
        from page as p
        where
            not exists (
                select from rating.inbox as i
                where
                    i.organization_id = counted_votes.organization_id
                    and i.item_id = p.item_a
                    and i.event_id = p.event_id
            )
            and not exists (
                select from rating.inbox as i
                where
                    i.organization_id = counted_votes.organization_id
                    and i.item_id = p.item_b
                    and i.event_id = p.event_id
            )
    ),

    item_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (
            select c.winner as id from counted as c
            union
            select c.loser as id from counted as c
        ) as f
    ),

    voter_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.voter_id as id from counted as c) as f
    ),

    numbered as (
        select
            string_agg(int4send(w.number), ''::bytea) as winners,
            string_agg(int4send(l.number), ''::bytea) as losers,
            string_agg(int4send(v.number), ''::bytea) as voters,
            string_agg(int4send(c.weight), ''::bytea) as weights
        from counted as c
        inner join item_numbers as w on c.winner = w.id
        inner join item_numbers as l on c.loser = l.id
        inner join voter_numbers as v on c.voter_id = v.id
    )

    select
        coalesce((select array_agg(i.id order by i.number) from item_numbers as i), '{}'),
        coalesce((select array_agg(v.id order by v.number) from voter_numbers as v), '{}'),
        coalesce(n.winners, ''),
        coalesce(n.losers, ''),
        coalesce(n.voters, ''),
        coalesce(n.weights, ''),
        (select count(*) from page),
        l.received_at,
        l.event_id
    from numbered as n
    left join lateral (
        select p.received_at, p.event_id from page as p order by p.received_at, p.event_id limit 1
    ) as l on true;
$$;

comment on function rating.counted_votes(uuid, timestamptz, bigint, integer) is
'Return a page of votes that both of their items have counted: winner, loser, voter and weight of each.';

grant execute on function rating.counted_votes(uuid, timestamptz, bigint, integer) to service_role;
