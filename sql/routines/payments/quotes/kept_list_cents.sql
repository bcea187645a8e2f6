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
        coalesce(sum(h.price_cents * least(h.seats, kept_list_cents.seats - h.earlier)), 0)::bigint
        + (kept_list_cents.terms).price_cents
        * greatest(kept_list_cents.seats - coalesce(sum(h.seats), 0), 0)::bigint
    from (
        select h.price_cents, h.seats, sum(h.seats) over (order by h.price_cents, h.id) - h.seats as earlier
        from events.holds as h
        where
            h.event_id = (kept_list_cents.terms).event_id
            and h.customer_id = kept_list_cents.customer_id
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
            and h.purpose <> 'payment'
            and h.price_cents is not null
            and (kept_list_cents.hold_id is null or h.id = kept_list_cents.hold_id)
    ) as h
    where h.earlier < kept_list_cents.seats;
$$;

comment on function payments.kept_list_cents(events.terms, uuid, integer, uuid) is
'Return the list price of seats for a customer who may hold some of them.';
