-- payments.link: the hash of a chain after one more entry: SHA-256 of the hash before it and the entry's bytes.

create or replace function payments.link(hash bytea, entry bytea)
returns bytea
language plpgsql
immutable
parallel safe
as $$
begin
    return sha256(link.hash || link.entry);
end;
$$;

comment on function payments.link(bytea, bytea) is 'The hash of a chain after one more entry.';

grant execute on function payments.link(bytea, bytea) to app_read, app_write;
