-- events.has_access: return whether the request has a valid link or code of an event (events.use_access_code).
--
-- Reads the link each time, so that one that was revoked while the request waited for a lock gives no access. Internal:
-- runs with the rights of the routine that calls it. Locks nothing.

create or replace function events.has_access(event_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    the_hash text := nullif(current_setting('events.access_hash', true), '');
begin
    return the_hash is not null and exists (
        select
        from events.access_links as l
        where
            l.event_id = has_access.event_id
            and l.revoked_at is null
            and decode(the_hash, 'hex') in (l.secret_hash, l.code_hash)
    );
end;
$$;

comment on function events.has_access(uuid) is
'Return whether the request has a valid link or code of an event.';
