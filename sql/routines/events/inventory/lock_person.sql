-- events.lock_person: take the lock that serialises what a person takes: seats, holds and waitlist entries.
--
-- Before any event's inventory (docs/concepts/architecture.md): a caller who waits for a person keeps no event locked.
-- Held until the transaction ends; null is nobody. Several people at once: events.lock_people.
--
-- Limits of a person count rows of many events, which no event's lock protects: two transactions that count before
-- either commits would both pass (write skew).
--
-- Answers true, always. Written into the expressions that call it: an assignment costs a tenth of a statement.

create or replace function events.lock_person(person_id uuid)
returns boolean
language sql
volatile
-- Another seed than that of events.queue_for_event, so that a person and an event do not share a lock.
return case
    when lock_person.person_id is null then true
    else pg_advisory_xact_lock(uuid_hash_extended(lock_person.person_id, 1)) is not null
end;

comment on function events.lock_person(uuid) is
'Lock what a person takes, until the transaction ends. Before any event''s inventory.';
