-- payments.package_fee: return the platform's share of a package, in cents.
--
-- A pass is a sale. Wallet money is sold when it is spent, so the package costs the organization nothing.

create or replace function payments.package_fee(package payments.packages, quote payments.quotes)
returns bigint
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when (package_fee.package).kind = 'pass'
        then payments.platform_fee(
            (package_fee.package).organization_id,
            (package_fee.quote).total_cents
            - case when (package_fee.quote).tax_added then (package_fee.quote).tax_cents else 0 end
        )
        else 0
    end;
$$;

comment on function payments.package_fee(payments.packages, payments.quotes) is
'Return the platform''s share of a package, in cents.';
