-- payments.start_payout_onboarding: whether the caller may have an organization sign up at Stripe, and what with.
--
-- For admins and owners. Answers what payments.payout_account answers.
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
'Whether the caller may have an organization sign up at Stripe, and what with.';

grant execute on function payments.start_payout_onboarding(uuid) to authenticated, service_role;
