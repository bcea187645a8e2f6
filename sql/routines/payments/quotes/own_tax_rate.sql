-- payments.own_tax_rate: return the tax rate that an organization has set for a category of events on a day.
--
-- In hundredths of a percent; no row if the country's rate applies. A rate of the category has priority over the
-- standard one. Internal.

create or replace function payments.own_tax_rate(organization_id uuid, country text, category text, on_day date)
returns table (category text, rate_bps integer)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
rows 1
as $$
    select latest.category, latest.rate_bps
    from (
        select distinct on (r.category) r.category, r.rate_bps
        from organizations.tax_rates as r
        where
            r.organization_id = own_tax_rate.organization_id
            and r.category in (own_tax_rate.category, 'standard')
            and r.valid_from <= own_tax_rate.on_day
        order by r.category, r.valid_from desc
    ) as latest
    inner join organizations.organizations as o on o.id = own_tax_rate.organization_id
    where latest.rate_bps is not null and o.country = own_tax_rate.country
    order by latest.category = 'standard'
    limit 1;
$$;

comment on function payments.own_tax_rate(uuid, text, text, date) is
'Return the tax rate that an organization has set for a category of events on a day.';
