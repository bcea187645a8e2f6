-- Store the secrets that sign webhooks encrypted, and name the key of each.
--
-- The functions seal a secret before they send it: the key is in Secrets Manager and never in the database. Secrets
-- that are plain today stay readable until the job seal_webhook_secrets has sealed them; the trigger refuses new ones.

drop function if exists messaging.create_webhook_endpoint(text, text[], text);
drop function if exists messaging.add_webhook_secret(uuid, timestamptz);
drop function if exists messaging.rotate_webhook_secret(uuid, timestamptz);
drop function if exists messaging.claim_webhook_deliveries(integer, integer, integer, timestamptz);

alter table messaging.webhook_secrets drop constraint webhook_secrets_pkey;
alter table messaging.webhook_secrets alter column secret drop not null;

-- Rewrites the table, which holds a few rows of each endpoint.
alter table messaging.webhook_secrets
-- squawk-ignore adding-field-with-default
add column id uuid not null default ops.uuid_v7(),
add column sealed text
constraint sealed_names_its_key
check (sealed ~ '^v1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{80,}$' and length(sealed) <= 500),
-- squawk-ignore adding-field-with-default
add column key_id text generated always as (split_part(sealed, '.', 2)) stored,
add constraint secret_is_sealed_or_plain check (num_nonnulls(secret, sealed) = 1),
-- squawk-ignore adding-serial-primary-key-field
add primary key (id);

create index webhook_secrets_of_endpoint on messaging.webhook_secrets (endpoint_id);
create index webhook_secrets_by_key on messaging.webhook_secrets (key_id, id);

comment on column messaging.webhook_secrets.secret is
'Plain, from before secrets were sealed; the job seal_webhook_secrets empties it.';
comment on column messaging.webhook_secrets.sealed is
'AES-256-GCM with the endpoint''s id as associated data: v1, the key''s id, and nonce and ciphertext in base64url.';

create function messaging.refuse_plain_secret()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'check_violation', constraint = 'new_secrets_are_sealed',
        message = 'A secret that signs webhooks is stored sealed only.';
end;
$$;

revoke execute on function messaging.refuse_plain_secret() from public;

create trigger new_secrets_are_sealed before insert or update of secret on messaging.webhook_secrets
for each row when (new.secret is not null) execute function messaging.refuse_plain_secret();
