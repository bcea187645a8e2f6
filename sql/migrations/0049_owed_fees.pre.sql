-- Fees that are owed are paid at the organizer's own desk or bank, or waived with a reason.

alter table payments.fees
add column paid_at timestamptz,
add column payment_transaction_id uuid references payments.transactions,
add column settled_by uuid,
add column reason text constraint fee_reason_is_short check (length(reason) <= 500),
add constraint only_what_is_owed_is_paid check (paid_at is null or paid_from = 'owed'),
add constraint payment_of_a_fee_is_posted check ((paid_at is null) = (payment_transaction_id is null));

create index on payments.fees (payment_transaction_id) where payment_transaction_id is not null;

comment on column payments.fees.settled_by is 'Who wrote down that it was paid, or waived it.';
comment on column payments.fees.reason is 'Why it was waived.';
