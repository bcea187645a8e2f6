-- What tax there is on what people pay, by country and date, and whether prices include it.

alter table ref.countries add column prices_include_tax boolean not null default true;

comment on column ref.countries.prices_include_tax is
'Whether prices that people are shown include tax, by the country''s custom; else it is added when they pay.';

update ref.countries set prices_include_tax = false
where code in ('CA', 'US');

create table ref.tax_rates (
    country char(2) not null references ref.countries,
    category text not null default 'standard',
    rate_bps integer not null constraint tax_rate_is_a_share check (rate_bps between 0 and 10000),
    valid_from date not null,
    primary key (country, category, valid_from)
);

comment on table ref.tax_rates is
'Value added or sales tax by country and date, in hundredths of a percent. A new rate is a new row.';
comment on column ref.tax_rates.category is
'A category of events that has a rate of its own (ref.event_categories), else standard.';

-- Standard rates in force, and the one before where it is known from when. Sources: European Commission, "VAT rates
-- applied in the Member States of the European Union" and its Taxes in Europe Database; Swiss Federal Tax
-- Administration (whose rates Liechtenstein shares by treaty); HM Revenue & Customs; Skatteetaten; Australian Taxation
-- Office; Inland Revenue New Zealand; National Tax Agency of Japan; Canada Revenue Agency. The United States have no
-- federal sales tax, and Canada's provinces add theirs to the federal one: rows for those are the operator's to add.
insert into ref.tax_rates (country, rate_bps, valid_from)
values
('AT', 2000, '1984-01-01'),
('AU', 1000, '2000-07-01'),
('BE', 2050, '1994-01-01'),
('BE', 2100, '1996-01-01'),
('CA', 600, '2006-07-01'),
('CA', 500, '2008-01-01'),
('CH', 770, '2018-01-01'),
('CH', 810, '2024-01-01'),
('CZ', 2000, '2010-01-01'),
('CZ', 2100, '2013-01-01'),
('DE', 1600, '2020-07-01'),
('DE', 1900, '2021-01-01'),
('DK', 2200, '1980-06-30'),
('DK', 2500, '1992-01-01'),
('ES', 1800, '2010-07-01'),
('ES', 2100, '2012-09-01'),
('FI', 2400, '2013-01-01'),
('FI', 2550, '2024-09-01'),
('FR', 1960, '2000-04-01'),
('FR', 2000, '2014-01-01'),
('GB', 1750, '2010-01-01'),
('GB', 2000, '2011-01-04'),
('IE', 2100, '2020-09-01'),
('IE', 2300, '2021-03-01'),
('IT', 2100, '2011-09-17'),
('IT', 2200, '2013-10-01'),
('JP', 800, '2014-04-01'),
('JP', 1000, '2019-10-01'),
('LI', 770, '2018-01-01'),
('LI', 810, '2024-01-01'),
('LU', 1600, '2023-01-01'),
('LU', 1700, '2024-01-01'),
('NL', 1900, '2001-01-01'),
('NL', 2100, '2012-10-01'),
('NO', 2400, '2001-01-01'),
('NO', 2500, '2005-01-01'),
('NZ', 1250, '1989-07-01'),
('NZ', 1500, '2010-10-01'),
('PL', 2200, '1993-07-05'),
('PL', 2300, '2011-01-01'),
('PT', 2100, '2010-07-01'),
('PT', 2300, '2011-01-01'),
('SE', 2500, '1990-07-01'),
('US', 0, '1900-01-01');

grant select on ref.tax_rates to app_read;

alter table ref.tax_rates enable row level security;

create policy everybody on ref.tax_rates for select using (true);
