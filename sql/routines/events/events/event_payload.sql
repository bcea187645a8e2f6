-- events.event_payload: return an event with its seats as its messages store it, without the texts that staff wrote.
--
-- The texts are read when a message is sent (messaging.webhook_data), so that no queue keeps a text that erasure or a
-- period has ended.

create or replace function events.event_payload(event_id uuid)
returns jsonb
language sql
stable
return events.event_answer(event_payload.event_id) - array['title', 'description', 'status_reason'];

comment on function events.event_payload(uuid) is
'Return an event with its seats as its messages store it, without the texts that staff wrote.';
