-- squawk-ignore-file ban-drop-function
-- Drop the routines that earlier signatures left behind, and the id of a keyed request, which the stored response
-- replaces.

drop function if exists events.idempotent_id(text, text, jsonb, uuid);
drop function if exists events.resolve_payment_method(events.terms, payments.quotes, events.payment_method, text);
drop function if exists payments.payment_methods(uuid, text);
