-- events.expire_entry: close a waitlist entry without seats, release the seats held for it, and notify its customer.
--
-- The caller holds the event's lock, and offers the seats afterwards.

create or replace function events.expire_entry(entry events.waitlist_entries, organization_id uuid, reason text)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.close_entry(expire_entry.entry, 'expired', expire_entry.reason);
    insert into public.outbox (topic, key, payload)
    select
        'waitlist.expired', w.event_id::text,
        events.waitlist_payload(w, expire_entry.organization_id) || '{"by_organizer": false}'
    from events.waitlist_entries as w
    where w.id = (expire_entry.entry).id;
end;
$$;

comment on function events.expire_entry(events.waitlist_entries, uuid, text) is
'Close a waitlist entry without seats, release the seats held for it, and notify its customer.';
