-- payments.payout_account: return an organization's account at Stripe, as Stripe last described it.
--
-- For accountants, admins and owners. stripe_account_id is null if there is no account yet.
--
-- Refuses: 404 organization_not_found.

create or replace function payments.payout_account(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
begin
    select jsonb_build_object(
        'organization_id', o.id,
        'country', o.country,
        'stripe_account_id', a.stripe_account_id,
        'charges_enabled', coalesce(a.charges_enabled, false),
        'payouts_enabled', coalesce(a.payouts_enabled, false),
        'details_submitted', coalesce(a.details_submitted, false),
        'requirements', coalesce(a.requirements, '{}')
    )
    into answer
    from organizations.organizations as o
    left join organizations.payout_accounts as a on a.organization_id = o.id
    where o.id = payout_account.organization_id;

    if answer is null or not organizations.caller_is(payout_account.organization_id, 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    return answer;
end;
$$;

comment on function payments.payout_account(uuid) is
'Return an organization''s account at Stripe, as Stripe last described it.';

grant execute on function payments.payout_account(uuid) to authenticated, service_role;
