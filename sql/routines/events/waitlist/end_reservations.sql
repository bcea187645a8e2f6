-- events.end_reservations: end what a customer had reserved at an event after they booked it, and offer the rest.
--
-- The customer's waitlist entry is accepted if the booking used its offer (events.use_reservations), even for fewer or
-- more seats. Any other live entry is left. `seats_spare` is the number of reserved seats that the booking did not
-- take. They go to the waitlist. The caller holds the event's lock. Without an entry or reserved seats it changes
-- nothing.

create or replace function events.end_reservations(
    event_id uuid, customer_id uuid, booking_id uuid, seats_spare integer
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries;
begin
    select w.* into the_entry
    from events.waitlist_entries as w
    where
        w.event_id = end_reservations.event_id
        and w.customer_id = end_reservations.customer_id
        and w.status in ('waiting', 'offered');

    if exists (select from events.holds as h where h.id = the_entry.hold_id and h.status = 'consumed') then
        update events.waitlist_entries as w
        set
            status = 'accepted',
            status_reason = 'The offer was taken.',
            booking_id = end_reservations.booking_id
        where w.id = the_entry.id;
    elsif the_entry.id is not null then
        perform events.close_entry(the_entry, 'left', 'The customer booked without the waitlist.');
    end if;
    if end_reservations.seats_spare > 0 then
        perform events.adjust_inventory(
            end_reservations.event_id, 0, 0, 0, end_reservations.seats_spare, end_reservations.customer_id
        );
    end if;
    perform events.offer_seats(end_reservations.event_id);
end;
$$;

comment on function events.end_reservations(uuid, uuid, uuid, integer) is
'End what a customer had reserved at an event after they booked it, and offer the rest.';
