-- users.is_erased: return whether a person was erased.
--
-- Internal: runs with the rights of the routine that calls it.

create or replace function users.is_erased(user_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (select from users.profiles as p where p.id = is_erased.user_id and p.erased_at is not null);
$$;

comment on function users.is_erased(uuid) is 'Return whether a person was erased.';
