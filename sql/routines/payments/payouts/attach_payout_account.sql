-- payments.attach_payout_account: record the account that Stripe created for an organization.
--
-- For the service, after Stripe has responded to an admin. The first account stays: Stripe creates one per key, and the
-- key is the organization's. payments.record_payout_account records the account's permissions. Returns the account.
--
-- Refuses: 404 organization_not_found.

create or replace function payments.attach_payout_account(organization_id uuid, stripe_account_id text)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform payments.payout_account(attach_payout_account.organization_id);

    insert into organizations.payout_accounts (organization_id, stripe_account_id, updated_at)
    values (attach_payout_account.organization_id, attach_payout_account.stripe_account_id, '-infinity')
    on conflict do nothing;

    return payments.payout_account(attach_payout_account.organization_id);
end;
$$;

comment on function payments.attach_payout_account(uuid, text) is
'Record the account that Stripe created for an organization.';

grant execute on function payments.attach_payout_account(uuid, text) to service_role;
