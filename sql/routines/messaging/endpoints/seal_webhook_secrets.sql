-- messaging.seal_webhook_secrets: store secrets sealed by the current key in place of their earlier form.
--
-- `secrets` is a list of {id, sealed}, of rows that messaging.webhook_secrets_to_seal has locked in this transaction.
-- The secrets themselves and their times do not change. A repeated call changes nothing. Returns the number of secrets
-- stored. For the service.

create or replace function messaging.seal_webhook_secrets(secrets jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    stored integer;
begin
    update messaging.webhook_secrets as s
    set secret = null, sealed = n.sealed
    from jsonb_to_recordset(seal_webhook_secrets.secrets) as n (id uuid, sealed text)
    where s.id = n.id;

    get diagnostics stored = row_count;
    return stored;
end;
$$;

comment on function messaging.seal_webhook_secrets(jsonb) is
'Store secrets sealed by the current key in place of their earlier form.';

grant execute on function messaging.seal_webhook_secrets(jsonb) to service_role;
