-- Every posting wrote to this index, and every other one waited for its page meanwhile; no query can use it: those that
-- ask for the time of transactions ask for much else besides.

drop index if exists payments.transactions_by_time;
