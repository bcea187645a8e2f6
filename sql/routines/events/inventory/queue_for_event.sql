-- events.queue_for_event: stand in line for an event, before its inventory is locked for a new booking.
--
-- A row that many wait for is handed on slowly: each waits twice, for the row and for whoever has it, and then has to
-- look at the row anew. Who waits here instead waits once, and finds the row free. The row's lock remains what keeps
-- seats from being sold twice: whoever does not stand in line is as safe, and waits at the row.
--
-- Does nothing in a transaction that has locked an inventory: whoever has the row must not wait for who wants it.
--
-- Answers whether there was a line. Written into the statements that call it.

create or replace function events.queue_for_event(event_id uuid)
returns boolean
language sql
volatile
return case
    when coalesce(current_setting('events.inventory_locked', true), '') = ''
    then pg_advisory_xact_lock(uuid_hash_extended(queue_for_event.event_id, 0)) is not null
    else false
end;

comment on function events.queue_for_event(uuid) is 'Wait for one''s turn at an event; ends with the transaction.';
