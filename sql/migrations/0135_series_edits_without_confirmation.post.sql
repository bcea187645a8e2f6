-- Drop the edit of a series that cancels bookings without confirmation. events.edit_series replaces it.

-- squawk-ignore ban-drop-function
drop function if exists events.update_series(uuid, jsonb, jsonb, date);
