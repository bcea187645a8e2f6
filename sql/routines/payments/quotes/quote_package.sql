-- payments.quote_package: return the price of a package, as payments.quote computes it.
--
-- A pass is taxed in its organization's country. Wallet money is not taxed when it is bought, because the tax rate
-- depends on the purchase that it pays for later.

create or replace function payments.quote_package(package payments.packages, customer_id uuid)
returns payments.quotes
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_quote payments.quotes;
begin
    select (payments.quote(
        organization_id => o.id,
        customer_id => quote_package.customer_id,
        list_cents => (quote_package.package).price_cents,
        currency => (quote_package.package).currency,
        tax_country => o.country
    )).* into the_quote
    from organizations.organizations as o
    where o.id = (quote_package.package).organization_id;

    if (quote_package.package).kind = 'wallet' then
        the_quote.tax_cents := 0;
        the_quote.tax_bps := 0;
        the_quote.tax_added := false;
        the_quote.net_cents := the_quote.list_cents;
        the_quote.total_cents := the_quote.list_cents;
    end if;
    return the_quote;
end;
$$;

comment on function payments.quote_package(payments.packages, uuid) is
'Return the price of a package, as payments.quote computes it.';
