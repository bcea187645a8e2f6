-- rating.counted_sliders: return a page of an organization's counted sliders, the newest first.
--
-- Compact like rating.counted_votes: each id is returned once, and sliders refer to ids by index, as four-byte integers
-- in big-endian order. Values are eight-byte floats. The page is the last one if `scanned` is less than `most`.

create or replace function rating.counted_sliders(
    organization_id uuid,
    before_at timestamptz default 'infinity',
    before_id bigint default 9223372036854775807,
    most integer default 100000
)
returns table (
    item_ids text[],
    voter_ids text[],
    items bytea,
    voters bytea,
    readings bytea,
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
        select s.event_id, s.received_at, s.voter_id::text as voter_id, s.item_id::text as item_id, s.value
        from rating.sliders as s
        where
            s.organization_id = counted_sliders.organization_id
            and (s.received_at, s.event_id) < (counted_sliders.before_at, counted_sliders.before_id)
        order by s.received_at desc, s.event_id desc
        limit counted_sliders.most
    ),

    counted as materialized (
        select p.voter_id, p.item_id, p.value
        from page as p
        where
            not exists (
                select from rating.inbox as i
                where
                    i.organization_id = counted_sliders.organization_id
                    and i.item_id = p.item_id
                    and i.event_id = p.event_id
            )
    ),

    item_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.item_id as id from counted as c) as f
    ),

    voter_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.voter_id as id from counted as c) as f
    ),

    numbered as (
        select
            string_agg(int4send(i.number), ''::bytea) as items,
            string_agg(int4send(v.number), ''::bytea) as voters,
            string_agg(float8send(c.value), ''::bytea) as readings
        from counted as c
        inner join item_numbers as i on c.item_id = i.id
        inner join voter_numbers as v on c.voter_id = v.id
    )

    select
        coalesce((select array_agg(i.id order by i.number) from item_numbers as i), '{}'),
        coalesce((select array_agg(v.id order by v.number) from voter_numbers as v), '{}'),
        coalesce(n.items, ''),
        coalesce(n.voters, ''),
        coalesce(n.readings, ''),
        (select count(*) from page),
        l.received_at,
        l.event_id
    from numbered as n
    left join lateral (
        select p.received_at, p.event_id from page as p order by p.received_at, p.event_id limit 1
    ) as l on true;
$$;

comment on function rating.counted_sliders(uuid, timestamptz, bigint, integer) is
'Return a page of counted sliders: item, voter and value of each.';

grant execute on function rating.counted_sliders(uuid, timestamptz, bigint, integer) to service_role;
