-- staging.forget_erased: clear the names and addresses of erased people in the rows of an import.
--
-- Runs before the conversion, so that no reason of a rejected row repeats them. Idempotent. Internal.

create or replace function staging.forget_erased()
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update staging.class_registrations as r
    set customer_name = null, customer_email = null
    from users.profiles as p
    where p.erased_at is not null and r.customer_id = p.id::text;

    update staging.waitlists as w
    set customer_name = null, customer_email = null
    from users.profiles as p
    where p.erased_at is not null and w.customer_id = p.id::text;
$$;

comment on function staging.forget_erased() is
'Clear the names and addresses of erased people in the rows of an import.';
