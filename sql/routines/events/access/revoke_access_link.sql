-- events.revoke_access_link: revoke a secret link of an event and its code. Bookings that were made by it stay.
--
-- For editors, admins and owners. A repeated call returns the same response.
--
-- Refuses: 403 forbidden, 404 event_not_found, 404 link_not_found.

create or replace function events.revoke_access_link(event_id uuid, link_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_link events.access_links;
begin
    perform events.require_staff(revoke_access_link.event_id, 'editor', 'admin', 'owner');
    update events.access_links as l
    set revoked_at = coalesce(l.revoked_at, statement_timestamp())
    where l.id = revoke_access_link.link_id and l.event_id = revoke_access_link.event_id
    returning l.* into the_link;

    if not found then
        raise exception using errcode = 'PT404', message = 'link_not_found';
    end if;
    -- The caller's role may have changed while this waited.
    perform events.require_staff(revoke_access_link.event_id, 'editor', 'admin', 'owner');
    return to_jsonb(the_link) - array['secret_hash', 'code_hash'];
end;
$$;

comment on function events.revoke_access_link(uuid, uuid) is
'Revoke a secret link of an event and its code.';

grant execute on function events.revoke_access_link(uuid, uuid) to authenticated, service_role;
