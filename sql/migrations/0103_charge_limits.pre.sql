-- The least amount that Stripe charges in each currency, in the currency's smallest unit.

alter table ref.currencies add column charge_min_cents bigint not null default 50
constraint charge_min_is_positive check (charge_min_cents > 0);

update ref.currencies as c
set charge_min_cents = m.cents
from (
    values ('CZK', 1500), ('DKK', 250), ('GBP', 30), ('NOK', 300), ('PLN', 200), ('SEK', 300)
) as m (code, cents)
where c.code = m.code;

comment on column ref.currencies.charge_min_cents is
'The least amount that Stripe charges, in the smallest unit of the currency.';
