-- events.availability: how full an event is, in one word: available, filling (from 80 %), full or unlimited.
--
-- One expression and no search path, so that the planner writes it into the queries that call it.

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

comment on function events.availability(integer, integer, integer) is 'How full an event is, in one word.';

grant execute on function events.availability(integer, integer, integer) to app_read;
