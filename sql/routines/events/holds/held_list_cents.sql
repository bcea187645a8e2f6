-- events.held_list_cents: return the list price of all seats of a hold, in cents. Null for seats of an unpaid booking.

create or replace function events.held_list_cents(hold events.holds)
returns bigint
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select sum(p.cents)::bigint
    from unnest((held_list_cents.hold).seat_prices_cents) as p (cents);
$$;

comment on function events.held_list_cents(events.holds) is
'Return the list price of all seats of a hold, in cents.';
