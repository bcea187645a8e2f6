-- Drop the second routine that posted batches: payments.post_transactions does all of it.

drop function if exists payments.post_missing(jsonb);
