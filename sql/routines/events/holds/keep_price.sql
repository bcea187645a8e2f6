-- events.keep_price: record the event's current price for each seat of a new hold, which keeps it until it expires.
--
-- A row trigger before the insertion. A hold of an unpaid booking has no price of its own, because the booking has one.

create or replace function events.keep_price()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    select array_fill(t.price_cents, array[new.seats]) into new.seat_prices_cents
    from events.terms as t
    where t.event_id = new.event_id;
    return new;
end;
$$;

create or replace trigger keep_price before insert on events.holds
for each row when (new.seat_prices_cents is null and new.purpose <> 'payment') execute function events.keep_price();

comment on function events.keep_price() is 'Record the event''s current price for each seat of a new hold.';
