-- events.seats_left: return the seats of an event that search, details and refusals show. Null: no limit.
--
-- The planner inlines it into the calling statement, and evaluates the subroutine only if seats are held or set aside.

create or replace function events.seats_left(inventory events.inventory)
returns integer
language sql
stable
return case
    when (seats_left.inventory).held = 0 and (seats_left.inventory).set_aside = 0
    then (seats_left.inventory).capacity - (seats_left.inventory).taken
    else events.count_seats_left(seats_left.inventory)
end;

comment on function events.seats_left(events.inventory) is
'Return the seats of an event that search, details and refusals show. Null: no limit.';

grant execute on function events.seats_left(events.inventory) to app_read;
