-- events.expire_waitlist: close the waitlist entries of events that have started, or were cancelled or completed.
--
-- One bounded piece of work: events in id order, without events that another transaction has locked. Returns the number
-- of closed entries.

create or replace function events.expire_waitlist(at timestamptz, most integer)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_event_id uuid;
    the_organization_id uuid;
    the_entry events.waitlist_entries;
    waits_ended integer := 0;
begin
    for the_event_id, the_organization_id in
        select i.event_id, t.organization_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where
            (t.starts_at <= expire_waitlist.at or t.status <> 'scheduled')
            and i.event_id in (
                select w.event_id from events.waitlist_entries as w where w.status in ('waiting', 'offered')
            )
        order by i.event_id
        limit expire_waitlist.most
        for no key update of i skip locked
    loop
        -- The event may have been moved since the cursor's snapshot, before its row was locked.
        continue when not exists (
            select
            from events.terms as t
            where t.event_id = the_event_id and (t.starts_at <= expire_waitlist.at or t.status <> 'scheduled')
        );
        for the_entry in
            select w.*
            from events.waitlist_entries as w
            where w.event_id = the_event_id and w.status in ('waiting', 'offered')
            order by w.place
        loop
            perform events.expire_entry(the_entry, the_organization_id, 'The event started.');
            waits_ended := waits_ended + 1;
        end loop;
    end loop;
    return waits_ended;
end;
$$;

comment on function events.expire_waitlist(timestamptz, integer) is
'Close the waitlist entries of events that have started. Returns their number.';
