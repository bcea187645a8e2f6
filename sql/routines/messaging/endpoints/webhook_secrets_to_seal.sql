-- messaging.webhook_secrets_to_seal: lock and return secrets that are plain or sealed by an earlier key.
--
-- Returns at most `most` secrets with an id after `after`, in id order. Rows that another transaction has locked are
-- skipped until the next run. The rows stay locked until messaging.seal_webhook_secrets stores them in the same
-- transaction. First deletes up to `most` expired secrets. For the service.

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
'Lock and return secrets that are plain or sealed by an earlier key.';

grant execute on function messaging.webhook_secrets_to_seal(text, uuid, integer, timestamptz) to service_role;
