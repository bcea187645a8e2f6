-- Check the rows that existed before the constraint.
alter table payments.refunds validate constraint only_debts_are_recovered;
alter table payments.sales validate constraint deducted_credits_are_part_of_the_price;
