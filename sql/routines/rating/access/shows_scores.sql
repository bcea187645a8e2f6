-- rating.shows_scores: return whether the caller may see an organization's scores.
--
-- Public scores are open to anyone, other scores to members and the service. Returns false if the organization does not
-- exist.

create or replace function rating.shows_scores(organization_id uuid)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from organizations.organizations as o
        where
            o.id = shows_scores.organization_id
            and (
                not exists (select from rating.settings as s where s.organization_id = o.id and not s.public)
                or ops.caller_is_service()
                or o.id in (select public.user_orgs())
            )
    );
$$;

comment on function rating.shows_scores(uuid) is 'Return whether the caller may see an organization''s scores.';

grant execute on function rating.shows_scores(uuid) to app_read;
