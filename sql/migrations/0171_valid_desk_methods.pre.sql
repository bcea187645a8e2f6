-- Check the rows that existed before the constraints.
alter table payments.purchases validate constraint packages_are_paid_by_stripe_or_at_the_desk;
alter table payments.refunds validate constraint destination_is_known;
