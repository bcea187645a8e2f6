-- events.availability_v2: return an event's availability: available, filling (at most 20 % of its seats are left), full
-- or unlimited.
--
-- One expression without a search path, so that the planner inlines it.

create or replace function events.availability_v2(capacity integer, seats_left integer)
returns text
language sql
immutable
parallel safe
return case
    when capacity is null then 'unlimited'
    when seats_left <= 0 then 'full'
    when seats_left * 5::bigint <= capacity then 'filling'
    else 'available'
end;

comment on function events.availability_v2(integer, integer) is
'Return an event''s availability: available, filling, full or unlimited.';

grant execute on function events.availability_v2(integer, integer) to app_read;
