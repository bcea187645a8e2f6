-- payments.quote: return the list price, discount, tax and total of a purchase, the same for every payment method.
--
-- The only place that computes a price. First the discount of a promo code is deducted. Then the tax of the country
-- applies, or the organization's own rate, on the organization's day. It is included in the price or added to it, as
-- the country's custom is. Half a cent is rounded up, once for the whole. The number of uses of a promo code is checked
-- only when it is used. Locks nothing.
--
-- Refuses: 404 promo_code_not_found, 409 promo_code_not_valid.

create or replace function payments.quote(
    organization_id uuid,
    customer_id uuid,
    list_cents bigint,
    currency text,
    tax_country text,
    category text default null,
    promo_code text default null,
    at timestamptz default statement_timestamp()
)
returns payments.quotes
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_quote payments.quotes;
    the_tax record;
    the_code payments.promo_codes;
    the_base_cents bigint := quote.list_cents;
    the_time_zone text := coalesce(
        (select o.time_zone from organizations.organizations as o where o.id = quote.organization_id), 'UTC'
    );
begin
    if quote.promo_code is not null then
        the_code := payments.valid_promo_code(quote.organization_id, quote.promo_code, quote.currency, quote.at);
        the_quote.promo_code_id := the_code.id;
        the_base_cents := quote.list_cents - case the_code.kind
            when 'percent' then (quote.list_cents * the_code.percent_bps + 5000) / 10000
            when 'amount' then least(quote.list_cents, the_code.amount_cents)
            else 0
        end;
    end if;

    select coalesce(own.category, t.category) as category, coalesce(own.rate_bps, t.rate_bps) as rate_bps, t.is_added
    into the_tax
    from payments.tax_rate(quote.tax_country, quote.category, (quote.at at time zone the_time_zone)::date) as t
    left join payments.own_tax_rate(
        quote.organization_id, quote.tax_country, quote.category, (quote.at at time zone the_time_zone)::date
    ) as own on true;

    the_quote.organization_id := quote.organization_id;
    the_quote.customer_id := quote.customer_id;
    the_quote.list_cents := quote.list_cents;
    the_quote.discount_cents := quote.list_cents - the_base_cents;
    the_quote.currency := quote.currency;
    the_quote.tax_country := quote.tax_country;
    the_quote.tax_category := the_tax.category;
    the_quote.tax_bps := the_tax.rate_bps;
    the_quote.tax_added := the_tax.is_added;
    if the_tax.is_added then
        the_quote.tax_cents := (the_base_cents * the_tax.rate_bps + 5000) / 10000;
        the_quote.net_cents := the_base_cents;
    else
        the_quote.tax_cents := (2 * the_base_cents * the_tax.rate_bps + 10000 + the_tax.rate_bps)
            / (2 * (10000 + the_tax.rate_bps));
        the_quote.net_cents := the_base_cents - the_quote.tax_cents;
    end if;
    the_quote.total_cents := the_quote.net_cents + the_quote.tax_cents;
    return the_quote;
end;
$$;

comment on function payments.quote(uuid, uuid, bigint, text, text, text, text, timestamptz) is
'Return the list price, discount, tax and total of a purchase, the same for every payment method.';
