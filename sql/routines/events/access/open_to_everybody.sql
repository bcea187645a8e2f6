-- events.open_to_everybody: whether anybody may book the event now: it is public, on, and its sales are open.
--
-- Written into the statements that call it. False where there is no such event.

create or replace function events.open_to_everybody(terms events.terms)
returns boolean
language sql
stable
return coalesce(
    (open_to_everybody.terms).visibility = 'public'
    and (open_to_everybody.terms).status = 'scheduled'
    and statement_timestamp() < least((open_to_everybody.terms).ends_at, (open_to_everybody.terms).closes_at)
    and (statement_timestamp() < (open_to_everybody.terms).opens_at) is not true,
    false
);

comment on function events.open_to_everybody(events.terms) is 'Whether anybody may book the event now.';
