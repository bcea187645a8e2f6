-- rating.runs_ratings: return whether a person is rating staff of an organization, and so may rate for anyone and add
-- items.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function rating.runs_ratings(organization_id uuid, caller_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where
            m.organization_id = runs_ratings.organization_id
            and m.user_id = runs_ratings.caller_id
            and m.role in ('front_desk', 'editor', 'admin', 'owner')
    );
$$;

comment on function rating.runs_ratings(uuid, uuid) is 'Return whether a person may rate for anyone and add items.';
