-- messaging.add_webhook_secret: give an endpoint a new secret, and let the previous one expire after a day.
--
-- The secret is sealed: no statement, table or log of the database contains a plain one. Deletes the endpoint's expired
-- secrets first. Internal: the caller has locked the endpoint.
--
-- Refuses: 409 rotated_too_often, while four secrets are valid.

create or replace function messaging.add_webhook_secret(
    endpoint_id uuid, sealed_secret text, at timestamptz default statement_timestamp()
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from messaging.webhook_secrets as s
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at <= add_webhook_secret.at;

    if 4 <= (
        select count(*) from messaging.webhook_secrets as s where s.endpoint_id = add_webhook_secret.endpoint_id
    ) then
        raise exception using errcode = 'PT409', message = 'rotated_too_often';
    end if;

    update messaging.webhook_secrets as s
    set expires_at = add_webhook_secret.at + interval '24 hours'
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at is null;

    insert into messaging.webhook_secrets (endpoint_id, sealed, created_at)
    values (add_webhook_secret.endpoint_id, add_webhook_secret.sealed_secret, add_webhook_secret.at);
end;
$$;

comment on function messaging.add_webhook_secret(uuid, text, timestamptz) is
'Give an endpoint a new sealed secret, and let the previous one expire after a day.';
