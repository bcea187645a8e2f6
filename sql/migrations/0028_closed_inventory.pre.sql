-- What cannot be booked any more says so where the seats are counted: a booking that was on its way while its event was
-- cancelled finds it there, under the lock.

alter table events.inventory add column closed boolean not null default false;

comment on column events.inventory.closed is 'The event was cancelled: nothing is added to its seats and its waitlist.';
