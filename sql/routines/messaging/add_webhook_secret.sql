-- messaging.add_webhook_secret: give an endpoint a new secret; the one until now stays valid for a day.
--
-- Made here of 32 bytes out of 366 random bits, so that it is in no statement that a server could log. Answers it: this
-- is the only time that anybody but the signing worker gets to see it. For the routines that manage endpoints.
--
-- Refuses: 409 rotated_too_often, while four secrets are valid.

create or replace function messaging.add_webhook_secret(endpoint_id uuid, at timestamptz default statement_timestamp())
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_secret text := 'whsec_' || encode(
        sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'
    );
begin
    delete from messaging.webhook_secrets as s
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at <= add_webhook_secret.at;

    if 4 <= (
        select count(*) from messaging.webhook_secrets as s where s.endpoint_id = add_webhook_secret.endpoint_id
    ) then
        raise exception using errcode = 'PT409', message = 'rotated_too_often',
            detail = jsonb_build_object('detail', 'Four secrets are valid; a replaced one expires after a day.')::text;
    end if;

    update messaging.webhook_secrets as s
    set expires_at = add_webhook_secret.at + interval '24 hours'
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at is null;

    insert into messaging.webhook_secrets (endpoint_id, secret, created_at)
    values (add_webhook_secret.endpoint_id, the_secret, add_webhook_secret.at);

    return the_secret;
end;
$$;

comment on function messaging.add_webhook_secret(uuid, timestamptz) is
'Give an endpoint a new secret, and the old one a day; answers the new one.';
