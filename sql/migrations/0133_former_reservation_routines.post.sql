-- Drop routines that events.use_reservations and events.end_reservations replace.

-- Only routines called these, and each of them calls the new routines.
-- squawk-ignore ban-drop-function
drop function if exists
    events.consume_hold(uuid, uuid, uuid, integer, events.hold_purpose[]),
    events.lock_live_entry(uuid, uuid),
    events.close_entry_after_booking(uuid, uuid, integer);
