-- rating.honest_share: return the estimated share of an organization's raters who do not rate at random.

create or replace function rating.honest_share(organization_id uuid)
returns double precision
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (select p.honest_share from rating.populations as p where p.organization_id = honest_share.organization_id),
        0.9
    );
$$;

comment on function rating.honest_share(uuid) is
'Return the estimated share of raters who do not rate at random. Part of the description of a rater.';

grant execute on function rating.honest_share(uuid) to authenticated, service_role;
