-- events.offers_are_open: return whether an event's waitlist makes offers at a time.
--
-- It does from the opening of sales until it ends (events.offers_end_at), unless the organization is archived.
-- The planner inlines it into the calling statement.

create or replace function events.offers_are_open(terms events.terms, at timestamptz)
returns boolean
language sql
immutable
return (offers_are_open.terms).status = 'scheduled'
and not (offers_are_open.terms).archived
and (offers_are_open.at < (offers_are_open.terms).opens_at) is not true
and offers_are_open.at < events.offers_end_at(offers_are_open.terms);

comment on function events.offers_are_open(events.terms, timestamptz) is
'Return whether an event''s waitlist makes offers at a time.';
