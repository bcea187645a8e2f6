-- Credits follow the payment that bought them: frozen while it is disputed, taken back when it is refunded.

alter table payments.credit_lots add column frozen_at timestamptz;
alter table payments.credit_lots add column spent_cents payments.credit_rest;
comment on column payments.credit_lots.frozen_at is
'Since when the credits cannot be used: a dispute holds their payment, or the customer owes a part of it.';
comment on column payments.credit_lots.spent_cents is
'The spent part of a promo code''s credits when their booking ended: the customer has paid for it. Null: not ended.';

-- A post migration validates the check.
alter table payments.sales add column deducted_cents payments.cents not null default 0;
alter table payments.sales add constraint deducted_credits_are_part_of_the_price
check (refunded_cents + deducted_cents <= amount_cents) not valid;
comment on column payments.sales.deducted_cents is
'The unrefunded part of the price that paid for spent credits of the promo code after the booking ended.';

alter table payments.purchases add column taken_back payments.credit_rest not null default 0;
alter table payments.purchases add column refunded_fee_cents payments.cents not null default 0;
comment on column payments.purchases.refunded_cents is 'The cents of all its refunds, without excess refunds.';
comment on column payments.purchases.taken_back is 'The purchased credits that refunds took back, without the bonus.';
comment on column payments.purchases.refunded_fee_cents is 'The part of the platform''s share that was refunded.';

alter table payments.refunds add column recovered_cents payments.cents not null default 0;
alter table payments.refunds add constraint only_debts_are_recovered
check (recovered_cents <= amount_cents and (beyond or recovered_cents = 0)) not valid;
comment on column payments.refunds.recovered_cents is
'The part of the debt of an excess refund that the customer''s returned or remaining credits have paid.';

-- Refunds of packages that were made at Stripe were not counted before.
update payments.purchases as p
set refunded_cents = least(p.amount_cents, r.amount_cents)
from (
    select
        r.purchase_id,
        sum(r.amount_cents)::bigint as amount_cents
    from payments.refunds as r
    where r.purchase_id is not null and not r.beyond
    group by r.purchase_id
) as r
where p.id = r.purchase_id and p.refunded_cents < least(p.amount_cents, r.amount_cents);
