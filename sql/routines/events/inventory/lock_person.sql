-- events.lock_person: take a person's advisory lock, which serializes their bookings, holds and waitlist entries.
--
-- Comes before any event's inventory (docs/concepts/architecture.md), so a caller who waits for a person keeps no event
-- locked. Held until the transaction ends. Null locks nobody. For several people, use events.lock_people.
--
-- Limits per person count rows of many events, which no event's lock protects: two transactions that count before
-- either commits would both pass (write skew).
--
-- Always returns true, and the planner inlines it into the calling expression: an assignment costs a tenth of a
-- statement.

create or replace function events.lock_person(person_id uuid)
returns boolean
language sql
volatile
-- The seed differs from that of events.queue_for_event, so that a person and an event do not share a lock.
return case
    when lock_person.person_id is null then true
    else pg_advisory_xact_lock(uuid_hash_extended(lock_person.person_id, 1)) is not null
end;

comment on function events.lock_person(uuid) is
'Take a person''s advisory lock until the transaction ends. Before any event''s inventory.';
