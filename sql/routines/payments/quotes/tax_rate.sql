-- payments.tax_rate: return the tax rate of a country for a category of events on a day, in basis points.
--
-- Also returns whether the tax is added to prices. A category without a rate of its own has the standard rate; a
-- country without rates has zero. The rates are rows of ref.tax_rates.

create or replace function payments.tax_rate(country text, category text, on_day date)
returns table (category text, rate_bps integer, is_added boolean)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
rows 1
as $$
    select coalesce(r.category, 'standard'), coalesce(r.rate_bps, 0), not c.prices_include_tax
    from ref.countries as c
    left join lateral (
        select t.category, t.rate_bps
        from ref.tax_rates as t
        where
            t.country = c.code
            and t.category in (tax_rate.category, 'standard')
            and t.valid_from <= tax_rate.on_day
        order by t.category = 'standard', t.valid_from desc
        limit 1
    ) as r on true
    where c.code = tax_rate.country;
$$;

comment on function payments.tax_rate(text, text, date) is
'Return the tax rate of a country for a category of events on a day, in basis points.';
