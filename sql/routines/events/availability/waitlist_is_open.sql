-- events.waitlist_is_open: return whether customers may join an event's waitlist for a seat now.
--
-- Customers may while the event is open to them, no seat is left, and the waitlist makes offers. A larger group may
-- also wait if fewer seats are left than it needs. The planner inlines it into the calling statement.

create or replace function events.waitlist_is_open(terms events.terms, inventory events.inventory)
returns boolean
language sql
stable
return events.open_to_everybody(waitlist_is_open.terms)
and statement_timestamp() < events.offers_end_at(waitlist_is_open.terms)
and coalesce((waitlist_is_open.inventory).capacity > 0, false)
and events.seats_left(waitlist_is_open.inventory) <= 0;

comment on function events.waitlist_is_open(events.terms, events.inventory) is
'Return whether customers may join an event''s waitlist for a seat now.';

grant execute on function events.waitlist_is_open(events.terms, events.inventory) to app_read;
