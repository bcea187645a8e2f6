-- The settlements of each organization's receivable account, summed up to a seal. payments.count_settlements moves the
-- sum forward, and payments.settled_cents adds the entries after it. So the sum is exact at any time, and an empty
-- table costs time only.
create table payments.settlement_totals (
    account_id uuid primary key references payments.accounts (id),
    position bigint not null,
    settled_cents bigint not null,
    constraint position_is_of_a_seal check (position > 0)
);

comment on table payments.settlement_totals is
'Settlements of each organization''s receivable account, summed up to a seal.';
comment on column payments.settlement_totals.position is
'The last seal that the sum includes.';
comment on column payments.settlement_totals.settled_cents is
'Sum of the settlements: debits less credits (payments.movement_group).';

alter table payments.settlement_totals enable row level security;
