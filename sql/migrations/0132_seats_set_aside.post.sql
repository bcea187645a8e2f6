-- Validate the constraint of the seats that are set aside, and drop the routines that new signatures have replaced.

alter table events.inventory validate constraint seats_set_aside_are_free;

-- Only routines called these, and each of them calls the new signature.
-- squawk-ignore ban-drop-function
drop function if exists
    events.availability(integer, integer, integer),
    events.may_skip_waitlist(uuid);
