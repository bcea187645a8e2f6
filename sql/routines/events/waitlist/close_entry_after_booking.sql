-- events.close_entry_after_booking: close the waitlist entry of a customer who has just booked.
--
-- The entry is accepted if its hold was consumed for the same number of seats. Any other live entry is left, and
-- events.offer_seats runs: the entry may have held seats, or blocked the entries behind it. An entry that was closed
-- meanwhile stays unchanged. The caller holds the event's lock.

create or replace function events.close_entry_after_booking(entry_id uuid, booking_id uuid, seats integer)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries;
begin
    select w.* into the_entry from events.waitlist_entries as w where w.id = close_entry_after_booking.entry_id;

    if
        the_entry.status = 'offered'
        and the_entry.seats = close_entry_after_booking.seats
        and exists (select from events.holds as h where h.id = the_entry.hold_id and h.status = 'consumed')
    then
        update events.waitlist_entries as w
        set
            status = 'accepted',
            status_reason = 'The offer was taken.',
            booking_id = close_entry_after_booking.booking_id
        where w.id = the_entry.id;
    elsif the_entry.status in ('waiting', 'offered') then
        perform events.close_entry(the_entry, 'left', 'The customer booked without the waitlist.');
        perform events.offer_seats(the_entry.event_id);
    end if;
end;
$$;

comment on function events.close_entry_after_booking(uuid, uuid, integer) is
'Close the waitlist entry of a customer who has just booked.';
