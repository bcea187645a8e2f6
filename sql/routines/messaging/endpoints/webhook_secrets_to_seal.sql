-- messaging.webhook_secrets_to_seal: lock secrets that another key than the current one seals, or that are plain.
--
-- In the order of their ids, from after the id `after`, at most `most`; passes over rows that a change of their
-- endpoint has locked, for the next run. The rows stay locked until messaging.seal_webhook_secrets has written them
-- in the same transaction. Deletes up to `most` secrets that have expired first, which nobody needs any more. For
-- the service.

create or replace function messaging.webhook_secrets_to_seal(
    key_id text, after uuid default null, most integer default 100, at timestamptz default statement_timestamp()
)
returns table (id uuid, endpoint_id uuid, secret text, sealed text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from messaging.webhook_secrets as s
    where s.id in (
        select o.id
        from messaging.webhook_secrets as o
        where o.expires_at <= webhook_secrets_to_seal.at
        order by o.id
        limit webhook_secrets_to_seal.most
        for update skip locked
    );

    return query
    select s.id, s.endpoint_id, s.secret, s.sealed
    from messaging.webhook_secrets as s
    where
        s.key_id is distinct from webhook_secrets_to_seal.key_id
        and (webhook_secrets_to_seal.after is null or s.id > webhook_secrets_to_seal.after)
    order by s.id
    limit webhook_secrets_to_seal.most
    for update skip locked;
end;
$$;

comment on function messaging.webhook_secrets_to_seal(text, uuid, integer, timestamptz) is
'Lock secrets that are plain or sealed by another key than the current one.';

grant execute on function messaging.webhook_secrets_to_seal(text, uuid, integer, timestamptz) to service_role;
