-- payments.hash_chain: compute the hash of a chain of entries, given as bytes in their order.
--
-- An aggregate. As a window function it returns the hash after each entry in one pass.

create or replace aggregate payments.hash_chain (entry bytea)(
    sfunc = payments.hash_link,
    stype = bytea,
    initcond = ''
);

comment on aggregate payments.hash_chain (bytea) is
'Compute the hash of a chain of entries, given as bytes in their order.';

revoke execute on function payments.hash_chain(bytea) from public;
grant execute on function payments.hash_chain(bytea) to app_read, app_write;
