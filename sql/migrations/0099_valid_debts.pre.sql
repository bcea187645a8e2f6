-- Check the rows that existed before the constraint.
alter table payments.refunds validate constraint only_debts_are_recovered;
