-- All transactions so far are sealed.
select payments.seal_entries(now() + interval '1 minute');
