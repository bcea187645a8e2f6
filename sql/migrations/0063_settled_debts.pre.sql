-- What a customer owes, because more went back at Stripe than was left to give back, is paid to the organizer, or
-- forgiven.

alter table payments.refunds
add column debt_outcome text,
add column debt_transaction_id uuid references payments.transactions,
add column debt_settled_at timestamptz,
add column debt_settled_by uuid,
add column debt_reason text,
add constraint debt_outcome_is_known check (debt_outcome in ('paid', 'forgiven')),
add constraint debt_reason_is_short check (length(debt_reason) <= 500),
add constraint only_what_went_beyond_is_a_debt check (beyond or debt_outcome is null),
add constraint settled_debt_is_posted check (
    (debt_outcome is null) = (debt_transaction_id is null) and (debt_outcome is null) = (debt_settled_at is null)
);

create index on payments.refunds (debt_transaction_id) where debt_transaction_id is not null;

comment on column payments.refunds.debt_outcome is
'What became of the debt; should Stripe fail to deliver the refund afterwards, that was taken back.';
comment on column payments.refunds.debt_settled_by is 'Who wrote it down.';
