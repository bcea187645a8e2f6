-- ops.after_migration: create partitions, refresh the names of time zones, reserve temporary objects for the owner, and
-- queue events without a listing.
--
-- The runner of migrations calls it after every run, as their owner. A time zone that the server no longer knows is
-- deleted unless a row still uses it. The right to create temporary objects belongs to the database and is lost when a
-- database is copied or restored, so it is revoked every time. Idempotent.
--
-- Raises a warning when the right cannot be revoked, because another role owns the database.

create or replace function ops.after_migration()
returns void
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
    outcome jsonb;
    gone text;
begin
    insert into ref.timezones (name)
    select z.name
    from pg_catalog.pg_timezone_names as z
    where z.name ~ '^[A-Z]' and z.name !~ '^(posix|right)/'
    on conflict do nothing;

    for gone in
        select t.name
        from ref.timezones as t
        where not exists (select from pg_catalog.pg_timezone_names as z where z.name = t.name)
    loop
        begin
            delete from ref.timezones as t
            where t.name = gone;
        exception
            when foreign_key_violation then
                null;  -- in use
        end;
    end loop;

    execute format('revoke temporary on database %I from public', current_database());
    if has_database_privilege('anon', current_database(), 'temporary') then
        raise warning 'The callers of the API may make temporary objects. As the owner of the database, run: %',
            format('revoke temporary on database %I from public', current_database());
    end if;

    outcome := ops.maintain_partitions();
    if outcome -> 'failed' <> '[]' then
        raise exception 'partitions could not be made: %', outcome -> 'failed';
    end if;

    perform events.queue_missing_listings();
end;
$$;

comment on function ops.after_migration() is
'Create partitions, refresh time zones, revoke the right to temporary objects.';
