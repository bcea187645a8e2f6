-- payments.quote_package: what a package costs; see payments.quote.
--
-- A pass is taxed in its organization's country. Wallet money is not taxed when it is bought: what it will be spent on,
-- and at what rate that is taxed, is known only then.

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

comment on function payments.quote_package(payments.packages, uuid) is 'What a package costs.';
