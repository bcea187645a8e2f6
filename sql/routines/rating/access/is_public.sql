-- rating.is_public: return whether anyone may rate an organization's items, which is the default.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function rating.is_public(organization_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select not exists (
        select from rating.settings as s where s.organization_id = is_public.organization_id and not s.public
    );
$$;

comment on function rating.is_public(uuid) is 'Return whether anyone may rate an organization''s items.';
