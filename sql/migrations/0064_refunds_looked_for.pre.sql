-- Says of each refund whether Stripe may have forgotten that it was sent before, from now on.

drop function if exists payments.claim_refunds(integer, integer);
