-- rating.organizations_to_calibrate: return the next organizations to calibrate, by id after `after`.
--
-- An organization is due if it was never calibrated, has events since its last calibration, or has items that waited
-- for another night.

create or replace function rating.organizations_to_calibrate(after uuid default null, most integer default 100)
returns setof uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select o.id
    from organizations.organizations as o
    left join lateral (
        select c.began_at, c.touched + c.incomplete > 0 as unfinished
        from rating.calibrations as c
        where c.organization_id = o.id
        order by c.id desc
        limit 1
    ) as c on true
    where
        (organizations_to_calibrate.after is null or o.id > organizations_to_calibrate.after)
        and exists (select from rating.item_stats as s where s.organization_id = o.id)
        and (
            c.began_at is null
            or c.unfinished
            -- One hour earlier, because an event that was received before the last calibration may have been counted
            -- after it.
            or exists (
                select from rating.votes as v
                where v.organization_id = o.id and v.received_at > c.began_at - interval '1 hour'
            )
            or exists (
                select from rating.sliders as s
                where s.organization_id = o.id and s.received_at > c.began_at - interval '1 hour'
            )
            or exists (
                select from rating.fires as f
                where f.organization_id = o.id and f.received_at > c.began_at - interval '1 hour'
            )
        )
    order by o.id
    limit least(greatest(organizations_to_calibrate.most, 1), 1000);
$$;

comment on function rating.organizations_to_calibrate(uuid, integer) is
'Return the next organizations to calibrate: their ratings are compared with a fit of all votes.';

grant execute on function rating.organizations_to_calibrate(uuid, integer) to service_role;
