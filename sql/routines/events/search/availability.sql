-- events.availability: return an event's availability: available, filling (from 80 %), full or unlimited.
--
-- One expression without a search path, so that the planner inlines it.

create or replace function events.availability(capacity integer, taken integer, held integer)
returns text
language sql
immutable
parallel safe
return case
    when capacity is null then 'unlimited'
    when taken + held >= capacity then 'full'
    when (taken + held) * 5 >= capacity::bigint * 4 then 'filling'
    else 'available'
end;

comment on function events.availability(integer, integer, integer) is
'Return an event''s availability: available, filling, full or unlimited.';

grant execute on function events.availability(integer, integer, integer) to app_read;
