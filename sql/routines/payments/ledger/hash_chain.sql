-- payments.hash_chain: an aggregate over the bytes of entries, in order: the hash of the chain that they make.
--
-- As a window's aggregate it answers the hash after each entry in one pass.

create or replace aggregate payments.hash_chain (entry bytea)(
    sfunc = payments.hash_link,
    stype = bytea,
    initcond = ''
);

comment on aggregate payments.hash_chain (bytea) is 'The hash of the chain that entries make, in their order.';

revoke execute on function payments.hash_chain(bytea) from public;
grant execute on function payments.hash_chain(bytea) to app_read, app_write;
