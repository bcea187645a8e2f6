-- payments.quote_seats: return the price of seats at an event for a customer, as payments.quote computes it.
--
-- The list price is the event's, unless `list_cents` names another (payments.kept_list_cents). The tax is that of the
-- location's country, or of the organization's country without a location.
--
-- Refuses: 404 promo_code_not_found, 409 promo_code_not_valid.

create or replace function payments.quote_seats(
    terms events.terms,
    customer_id uuid,
    seats integer,
    promo_code text default null,
    list_cents bigint default null
)
returns payments.quotes
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.quote(
        organization_id => o.id,
        customer_id => quote_seats.customer_id,
        list_cents => coalesce(quote_seats.list_cents, (quote_seats.terms).price_cents * quote_seats.seats),
        currency => (quote_seats.terms).currency,
        tax_country => coalesce(l.country, o.country),
        category => e.category,
        promo_code => quote_seats.promo_code
    )
    from organizations.organizations as o
    left join events.events as e
        on e.id = (quote_seats.terms).event_id and e.starts_at = (quote_seats.terms).starts_at
    left join organizations.locations as l on l.id = e.location_id
    where o.id = (quote_seats.terms).organization_id;
$$;

comment on function payments.quote_seats(events.terms, uuid, integer, text, bigint) is
'Return the price of seats at an event for a customer, as payments.quote computes it.';
