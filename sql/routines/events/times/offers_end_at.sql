-- events.offers_end_at: return when the waitlist ends: it makes no more offers, accepts no more entries and reserves no
-- more seats.
--
-- The only definition of this moment: the organization's last offer time, at the latest the end of sales. From then on
-- the first to book gets a free seat. The planner inlines it into the calling statement.

create or replace function events.offers_end_at(terms events.terms)
returns timestamptz
language sql
immutable
return least((offers_end_at.terms).last_offer_at, (offers_end_at.terms).ends_at, (offers_end_at.terms).closes_at);

comment on function events.offers_end_at(events.terms) is
'Return when an event''s waitlist ends: no more offers, entries and reserved seats.';

grant execute on function events.offers_end_at(events.terms) to app_read;
