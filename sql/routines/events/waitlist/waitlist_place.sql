-- events.waitlist_place: return the caller's newest entry on an event's waitlist, with its position.
--
-- A live entry comes before closed ones.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 404 waitlist_entry_not_found.

create or replace function events.waitlist_place(event_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry_id uuid;
begin
    perform users.refuse_erased();
    if ops.caller_id() is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    select w.id into the_entry_id
    from events.waitlist_entries as w
    where w.event_id = waitlist_place.event_id and w.customer_id = ops.caller_id()
    order by (w.status in ('waiting', 'offered')) desc, w.joined_at desc
    limit 1;

    if not found then
        raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
    end if;
    return events.waitlist_answer(the_entry_id);
end;
$$;

comment on function events.waitlist_place(uuid) is
'Return the caller''s newest entry on an event''s waitlist, with its position.';

grant execute on function events.waitlist_place(uuid) to authenticated, service_role;
