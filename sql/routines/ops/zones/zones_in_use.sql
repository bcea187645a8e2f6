-- ops.zones_in_use: return the names of the time zones of organizations, places, series and coming events.
--
-- For the service.

create or replace function ops.zones_in_use()
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(z.name order by z.name), '{}')
    from (
        select o.time_zone from organizations.organizations as o
        union
        select l.time_zone from organizations.locations as l
        union
        select s.time_zone from events.series as s where s.status <> 'archived'
        union
        select e.time_zone from events.events as e where e.starts_at > statement_timestamp()
    ) as z (name)
    where z.name is not null;
$$;

comment on function ops.zones_in_use() is
'Return the names of the time zones of organizations, places, series and coming events.';

grant execute on function ops.zones_in_use() to service_role;
