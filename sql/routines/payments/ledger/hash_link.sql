-- payments.hash_link: return the hash of a chain after one more entry.
--
-- SHA-256 of the hash before it and the entry's bytes.

create or replace function payments.hash_link(hash bytea, entry bytea)
returns bytea
language plpgsql
immutable
parallel safe
as $$
begin
    return sha256(hash_link.hash || hash_link.entry);
end;
$$;

comment on function payments.hash_link(bytea, bytea) is 'Return the hash of a chain after one more entry.';

grant execute on function payments.hash_link(bytea, bytea) to app_read, app_write;
