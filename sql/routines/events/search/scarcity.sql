-- events.scarcity: return whether an event may be filling (1), full (2), one of them (3) or neither (0).
--
-- It holds for every event that events.availability_v2 calls full or filling. While people wait or hold the last seats,
-- the seats on sale can differ from the counters, so both are possible. One expression without a search path, so that
-- the planner inlines it.

create or replace function events.scarcity(capacity integer, taken integer, held integer, waitlisted integer)
returns integer
language sql
immutable
parallel safe
return case
    when capacity is null then 0
    when waitlisted > 0 or (held > 0 and taken + held >= capacity) then 3
    when taken + held >= capacity then 2
    when (taken + held) * 5 >= capacity::bigint * 4 then 1
    else 0
end;

comment on function events.scarcity(integer, integer, integer, integer) is
'Return whether an event may be filling (1), full (2), one of them (3) or neither (0), by its counters.';
