-- rating.recount: mark an organization's items to be counted and published again, without new events.
--
-- Skips items that the organization does not have. Locks like rating.mark_dirty. Safe to repeat. Returns the number of
-- marked items.
--
-- Refuses: 401 unauthenticated, 403 forbidden (editors, admins, owners and the service may).

create or replace function rating.recount(organization_id uuid, item_ids text[], priority integer default 0)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not organizations.caller_is(recount.organization_id, 'editor', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

    return rating.mark_dirty(
        organization_id => recount.organization_id,
        item_ids => array(
            select s.item_id
            from rating.item_stats as s
            where s.organization_id = recount.organization_id and s.item_id = any (recount.item_ids)
        ),
        priority => recount.priority
    );
end;
$$;

comment on function rating.recount(uuid, text[], integer) is
'Mark an organization''s items to be counted and published again. Returns the number of items.';

grant execute on function rating.recount(uuid, text[], integer) to authenticated, service_role;
