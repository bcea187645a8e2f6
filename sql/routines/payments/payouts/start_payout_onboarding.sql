-- payments.start_payout_onboarding: return the data for an organization's sign-up at Stripe, if the caller may start
-- it.
--
-- For admins and owners. The result is that of payments.payout_account. Changes nothing: the function then asks Stripe.
--
-- Refuses: 403 forbidden, to accountants, 404 organization_not_found.

create or replace function payments.start_payout_onboarding(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb := payments.payout_account(start_payout_onboarding.organization_id);
begin
    if not organizations.caller_is(start_payout_onboarding.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    return answer;
end;
$$;

comment on function payments.start_payout_onboarding(uuid) is
'Return the data for an organization''s sign-up at Stripe, if the caller may start it.';

grant execute on function payments.start_payout_onboarding(uuid) to authenticated, service_role;
