-- Each person has bought or received a wallet lot and a pass at both organizations, and used them.
insert into payments.packages (id, organization_id, name, kind, price_cents, currency, amount, active)
values
(%(package)s, %(organization)s, 'Ten classes', 'pass', 20000, 'CHF', 10, true),
(%(hidden_package)s, %(organization)s, 'Of yore', 'pass', 10000, 'CHF', 10, false);

insert into payments.purchases (
    id, package_id, organization_id, customer_id, method, kind, credits, bonus, net_cents, tax_cents, tax_bps,
    tax_country, amount_cents, currency
)
select gen_random_uuid(), %(package)s, %(organization)s, p, 'card', 'pass', 10, 0, 20000, 0, 0, 'CH', 20000, 'CHF'
from unnest(%(people)s::uuid[]) as p;

insert into payments.credit_lots (kind, source, organization_id, customer_id, amount, remaining)
select 'pass', 'purchase', %(organization)s, p, 10, 8
from unnest(%(people)s::uuid[]) as p;

insert into payments.promo_codes (id, organization_id, code, kind, percent_bps)
values (%(promo_code)s, %(organization)s, 'SPRING', 'percent', 1000);

insert into payments.quotes (
    booking_id, organization_id, customer_id, list_cents, discount_cents, net_cents, tax_cents, total_cents, currency,
    tax_country, tax_category, tax_bps, tax_added, promo_code_id
)
select b.id, %(organization)s, b.customer_id, 1000, 100, 833, 67, 900, 'CHF', 'CH', 'standard', 810, false,
    %(promo_code)s
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.promo_uses (booking_id, promo_code_id, customer_id, discount_cents)
select b.id, %(promo_code)s, b.customer_id, 100
from events.bookings as b
where b.organization_id = %(organization)s;

update payments.promo_codes as c
set used = (select count(*) from payments.promo_uses as u where u.promo_code_id = c.id)
where c.id = %(promo_code)s;

insert into payments.credit_uses (booking_id, lot_id, purpose, amount)
select b.id, l.id, 'price', 1
from events.bookings as b
inner join payments.credit_lots as l on l.customer_id = b.customer_id and l.organization_id = b.organization_id
where b.organization_id = %(organization)s;
