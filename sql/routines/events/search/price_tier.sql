-- events.price_tier: return the price tier of a seat: free, under_20, under_50 or more, in whole units of the currency.
--
-- One expression without a search path, so that the planner inlines it.

create or replace function events.price_tier(price_cents bigint, decimal_places integer)
returns text
language sql
immutable
parallel safe
return case
    when price_cents = 0 then 'free'
    when price_cents < 20 * power(10::numeric, decimal_places) then 'under_20'
    when price_cents < 50 * power(10::numeric, decimal_places) then 'under_50'
    else 'more'
end;

comment on function events.price_tier(bigint, integer) is
'Return the price tier of a seat: free, under_20, under_50 or more.';

grant execute on function events.price_tier(bigint, integer) to app_read;
