-- Each person has a paid invoice and an open fee at both organizations.
insert into payments.invoice_numbers (organization_id, last)
values (%(organization)s, 100);

insert into payments.invoices (
    organization_id, number, kind, booking_id, customer_id, seller, buyer, lines, net_cents, tax_cents, gross_cents,
    currency, tax_bps, tax_country, due_on
)
select
    b.organization_id, row_number() over (order by b.id), 'invoice', b.id, b.customer_id, '{}', '{}', '[]', 833, 67, 900,
    b.currency, 810, 'CH', current_date
from events.bookings as b
where b.organization_id = %(organization)s;

insert into payments.invoice_payments (invoice_id, amount_cents, transaction_id)
select distinct on (i.id) i.id, 900, t.id
from payments.invoices as i
inner join payments.accounts as a on a.owner_id = i.customer_id and a.organization_id = i.organization_id
inner join payments.entries as e on e.account_id = a.id
inner join payments.transactions as t on t.id = e.transaction_id and t.kind = 'wallet.spend'
where i.organization_id = %(organization)s;

insert into payments.fees (
    booking_id, organization_id, customer_id, amount_cents, currency, paid_from, transaction_id
)
select distinct on (b.id) b.id, b.organization_id, b.customer_id, 100, b.currency, 'owed', t.id
from events.bookings as b
inner join payments.accounts as a on a.owner_id = b.customer_id and a.organization_id = b.organization_id
inner join payments.entries as e on e.account_id = a.id
inner join payments.transactions as t on t.id = e.transaction_id and t.kind = 'wallet.spend'
where b.organization_id = %(organization)s;
