-- rating.read_calibration_input: return the statistics of an organization's items and voters, for its calibration.
--
-- Returns one row of arrays from a single statement, so that they come from one snapshot. rating.apply_calibration
-- compares the versions to detect later changes. Beyond the maximum numbers, the items and voters with the most votes
-- are returned, and items_left_out counts the omitted items.

create or replace function rating.read_calibration_input(
    organization_id uuid,
    items_most integer default 100000,
    voters_most integer default 200000
)
returns table (
    began_at timestamptz,
    calibration_id bigint,
    model text,
    population jsonb,
    item_ids text[],
    item_versions bigint[],
    item_votes bigint[],
    item_fires double precision[],
    means double precision[],
    items_left_out bigint,
    voter_ids text[],
    voter_versions bigint[],
    voter_votes bigint[],
    voter_sliders bigint[]
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        statement_timestamp(),
        (
            select max(c.id)
            from rating.calibrations as c
            where c.organization_id = read_calibration_input.organization_id
        ),
        coalesce(
            (
                select t.model::text
                from rating.settings as t
                where t.organization_id = read_calibration_input.organization_id
            ),
            'bayes'
        ),
        (
            select to_jsonb(p)
            from rating.populations as p
            where p.organization_id = read_calibration_input.organization_id
        ),
        coalesce(i.ids, '{}'),
        coalesce(i.versions, '{}'),
        coalesce(i.votes, '{}'),
        coalesce(i.fires, '{}'),
        coalesce(i.means, '{}'),
        (select count(*) from rating.item_stats as s where s.organization_id = read_calibration_input.organization_id)
        - coalesce(cardinality(i.ids), 0),
        coalesce(v.ids, '{}'),
        coalesce(v.versions, '{}'),
        coalesce(v.votes, '{}'),
        coalesce(v.sliders, '{}')
    from (
        select
            array_agg(f.item_id::text) as ids,
            array_agg(f.version) as versions,
            array_agg(f.votes) as votes,
            array_agg(f.fire_weight) as fires,
            array_agg(f.mean) as means
        from (
            select s.item_id, s.version, s.votes, s.fire_weight, s.mean
            from rating.item_stats as s
            where s.organization_id = read_calibration_input.organization_id
            order by s.votes desc, s.item_id
            limit read_calibration_input.items_most
        ) as f
    ) as i
    cross join (
        select
            array_agg(f.voter_id::text) as ids,
            array_agg(f.version) as versions,
            array_agg(f.votes) as votes,
            array_agg(f.sliders) as sliders
        from (
            select r.voter_id, r.version, r.votes, r.sliders
            from rating.voters as r
            where r.organization_id = read_calibration_input.organization_id
            order by r.votes desc, r.voter_id
            limit read_calibration_input.voters_most
        ) as f
    ) as v;
$$;

comment on function rating.read_calibration_input(uuid, integer, integer) is
'Return items and voters of an organization from one snapshot, with their versions.';

grant execute on function rating.read_calibration_input(uuid, integer, integer) to service_role;
