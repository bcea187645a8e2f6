-- events.seats_on_sale: return how many seats of an event a newcomer can take, by its counters. Null: no limit.
--
-- The only definition: free seats without those set aside for the waitlist. events.adjust_inventory refuses more. The
-- planner inlines it into the calling statement, and evaluates the subroutine only if seats are set aside.

create or replace function events.seats_on_sale(inventory events.inventory)
returns integer
language sql
stable
return (seats_on_sale.inventory).capacity - (seats_on_sale.inventory).taken - (seats_on_sale.inventory).held
- case
    when (seats_on_sale.inventory).set_aside = 0 then 0
    when events.offers_have_ended((seats_on_sale.inventory).event_id) then 0
    else (seats_on_sale.inventory).set_aside
end;

comment on function events.seats_on_sale(events.inventory) is
'Return how many seats of an event a newcomer can take, by its counters. Null: no limit.';
