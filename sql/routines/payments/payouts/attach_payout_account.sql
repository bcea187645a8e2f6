-- payments.attach_payout_account: keep the account that Stripe has made for an organization.
--
-- For the service, once Stripe has answered an admin. The first stays: Stripe makes one per key, and the key is the
-- organization's. What the account may do, payments.record_payout_account keeps.
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
'Keep the account that Stripe has made for an organization; answers it.';

grant execute on function payments.attach_payout_account(uuid, text) to service_role;
