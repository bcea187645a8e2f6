-- rating.read_populations: return the settings, estimates and period of organizations, for a batch.
--
-- Called in a transaction that holds the periods (rating.take_events). Default settings replace missing ones.
-- `paused_until` and `read_at` are in seconds since 1970. paused_until is null without a pause.

create or replace function rating.read_populations(organization_ids uuid[])
returns table (
    organization_id uuid,
    settings jsonb,
    population jsonb,
    paused_until double precision,
    read_at double precision
)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        p.organization_id,
        to_jsonb(s),
        to_jsonb(p),
        extract(epoch from s.paused_until)::double precision,
        extract(epoch from statement_timestamp())::double precision
    from rating.populations as p
    cross join lateral rating.effective_settings(organization_id => p.organization_id) as s
    where p.organization_id = any(read_populations.organization_ids);
$$;

comment on function rating.read_populations(uuid[]) is 'Return settings, estimates and period of organizations.';

grant execute on function rating.read_populations(uuid[]) to service_role;
