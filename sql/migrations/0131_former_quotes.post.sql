-- squawk-ignore-file ban-drop-function
-- Drop the id of a keyed request, which the stored response replaces.

drop function if exists events.idempotent_id(text, text, jsonb, uuid);
