-- payments.reverse_refunded_sale has replaced it. Only routines of the same release called it.
-- squawk-ignore ban-drop-function
drop function if exists payments.reverse_sale_for_stripe_refund(payments.intents, text, bigint);
