-- squawk-ignore-file ban-drop-function
-- Drop routines that are created again in this transaction with one more argument, which has a default.

drop function if exists
    events.reschedule_occurrences(uuid, jsonb, date),
    messaging.start_notification(bigint, text, uuid, uuid, text, text, text, integer, timestamptz);
