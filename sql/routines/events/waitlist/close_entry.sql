-- events.close_entry: close a waitlist entry and release the seats held for it.
--
-- The caller holds the event's lock, and offers the seats afterwards.

create or replace function events.close_entry(
    entry events.waitlist_entries, final_status events.waitlist_status, reason text
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update events.holds as h
    set status = 'released'
    where h.id = (close_entry.entry).hold_id and h.status = 'active';

    update events.waitlist_entries as w
    set status = close_entry.final_status, status_reason = close_entry.reason
    where w.id = (close_entry.entry).id;
end;
$$;

comment on function events.close_entry(events.waitlist_entries, events.waitlist_status, text) is
'Close a waitlist entry and release the seats held for it.';
