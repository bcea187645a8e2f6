-- payments.reverse_refunded_sale has replaced it. Only routines of the same release called it.
-- squawk-ignore ban-drop-function
drop function if exists payments.reverse_sale_for_stripe_refund(payments.intents, text, bigint);

-- Check the rows that existed before the constraints. The domain's check blocks writers of payments.credit_uses during
-- one scan, so it runs here, where the tables have no stronger locks.
alter table payments.sales validate constraint deducted_credits_are_part_of_the_price;
alter domain payments.credit_use validate constraint credits_are_used_for_a_price_or_a_fee;
