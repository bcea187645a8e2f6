-- events.create_access_link: create a secret link and a code of an event, for people who may book it though private.
--
-- For editors, admins and owners. Stores the hashes alone. Locks the event's inventory, so that concurrent requests
-- keep the maximum of 20 valid links.
--
-- Refuses: 403 forbidden, 404 event_not_found, 409 too_many_links.

create or replace function events.create_access_link(event_id uuid, secret_hash bytea, code_hash bytea)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_link events.access_links;
begin
    perform events.require_staff(create_access_link.event_id, 'editor', 'admin', 'owner');
    perform
    from events.inventory as i
    where i.event_id = create_access_link.event_id
    for no key update;
    -- The caller's role may have changed while this waited.
    perform events.require_staff(create_access_link.event_id, 'editor', 'admin', 'owner');

    if 20 <= (
        select count(*)
        from events.access_links as l
        where l.event_id = create_access_link.event_id and l.revoked_at is null
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_links',
            detail = jsonb_build_object('most', 20)::text;
    end if;

    insert into events.access_links as l (event_id, secret_hash, code_hash)
    values (create_access_link.event_id, create_access_link.secret_hash, create_access_link.code_hash)
    returning l.* into the_link;
    return to_jsonb(the_link) - array['secret_hash', 'code_hash'];
end;
$$;

comment on function events.create_access_link(uuid, bytea, bytea) is
'Create a secret link and a code of an event, for people who may book it though private.';

grant execute on function events.create_access_link(uuid, bytea, bytea) to authenticated, service_role;
