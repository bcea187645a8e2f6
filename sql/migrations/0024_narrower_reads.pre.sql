-- What callers could read and need not.

-- A date of a public series may be private: an occurrence is seen where both its series and its event are.
drop policy visible_series on events.occurrences;
create policy visible_series_and_event on events.occurrences for select to anon, authenticated
using (
    exists (select from events.series as s where s.id = occurrences.series_id)
    and exists (select from events.terms as t where t.event_id = occurrences.event_id)
);

-- What keeps the system running is the service's; the triggers that use these two have their owner's rights.
drop policy anyone on ops.transitions;
revoke select on ops.transitions, ops.state_history from app_read;
grant select on ops.transitions, ops.state_history to app_write;

-- PostgreSQL lets everybody use this schema; ours are granted by role.
revoke usage on schema public from public;
