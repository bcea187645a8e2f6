-- payments.kept_list_cents: return the list price of seats for a customer who may hold some of them.
--
-- Seats of the customer's holds and offers keep the price at which they were held, until the hold expires. All other
-- seats cost the event's current price. `hold_id` restricts this to one hold.

create or replace function payments.kept_list_cents(
    terms events.terms, customer_id uuid, seats integer, hold_id uuid default null
)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(sum(p.cents) filter (where p.place <= kept_list_cents.seats), 0)::bigint
        + (kept_list_cents.terms).price_cents * greatest(kept_list_cents.seats - count(p.cents), 0)
    from (
        select s.cents, row_number() over (order by s.cents) as place
        from events.holds as h
        cross join lateral unnest(h.seat_prices_cents) as s (cents)
        where
            h.event_id = (kept_list_cents.terms).event_id
            and h.customer_id = kept_list_cents.customer_id
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
            and h.purpose <> 'payment'
            and (kept_list_cents.hold_id is null or h.id = kept_list_cents.hold_id)
    ) as p;
$$;

comment on function payments.kept_list_cents(events.terms, uuid, integer, uuid) is
'Return the list price of seats for a customer who may hold some of them.';
