-- Drop routines that events.use_reservations and events.end_reservations replace.

drop function if exists events.consume_hold(uuid, uuid, uuid, integer, events.hold_purpose[]);
drop function if exists events.lock_live_entry(uuid, uuid);
drop function if exists events.close_entry_after_booking(uuid, uuid, integer);
