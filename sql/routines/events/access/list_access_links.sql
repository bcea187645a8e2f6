-- events.list_access_links: return the secret links of an event, newest first, without their secrets.
--
-- For editors, admins and owners.
--
-- Refuses: 403 forbidden, 404 event_not_found.

create or replace function events.list_access_links(event_id uuid)
returns setof events.access_links
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.require_staff(list_access_links.event_id, 'editor', 'admin', 'owner');
    return query
    select l.*
    from events.access_links as l
    where l.event_id = list_access_links.event_id
    order by l.id desc
    limit 200;
end;
$$;

comment on function events.list_access_links(uuid) is
'Return the secret links of an event, newest first, without their secrets.';

grant execute on function events.list_access_links(uuid) to authenticated, service_role;
