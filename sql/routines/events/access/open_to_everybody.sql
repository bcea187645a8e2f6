-- events.open_to_everybody: return whether anyone may book the event now: it is public and scheduled, its sales are
-- open, and its organization is not archived.
--
-- The planner inlines it into the calling statement. Returns false if the event does not exist.

create or replace function events.open_to_everybody(terms events.terms)
returns boolean
language sql
stable
return coalesce(
    (open_to_everybody.terms).visibility = 'public'
    and (open_to_everybody.terms).status = 'scheduled'
    and not (open_to_everybody.terms).archived
    and statement_timestamp() < events.sales_end_at(open_to_everybody.terms, for_staff => false)
    and (statement_timestamp() < (open_to_everybody.terms).opens_at) is not true,
    false
);

comment on function events.open_to_everybody(events.terms) is 'Return whether anyone may book the event now.';

grant execute on function events.open_to_everybody(events.terms) to app_read;
