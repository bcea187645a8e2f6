-- Count the free seats that are set aside for the waitlist, and show in lists whether an event can be booked.
--
-- A seat that becomes free while somebody waits is set aside. Seats that were free before stay on sale.

alter table events.inventory add column set_aside integer not null default 0;

alter table events.inventory add constraint seats_set_aside_are_free check (
    set_aside = 0
    or (set_aside > 0 and waitlisted > 0 and coalesce(taken + held + set_aside <= capacity, false))
) not valid;

comment on column events.inventory.set_aside is
'Free seats for waitlist entries: they became free while somebody waited.';

alter type events.event_listing add attribute booking_open boolean;
alter type events.event_listing add attribute waitlist_open boolean;
