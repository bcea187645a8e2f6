-- payments.begin_payout_account: whether the caller may have an organization sign up at Stripe, and what with.
--
-- For admins and owners. Answers what payments.payout_account_of answers.
--
-- Refuses: 403 forbidden, to accountants, 404 organization_not_found.

create or replace function payments.begin_payout_account(organization_id uuid)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb := payments.payout_account_of(begin_payout_account.organization_id);
begin
    if not organizations.caller_is(begin_payout_account.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    return answer;
end;
$$;

comment on function payments.begin_payout_account(uuid) is
'Whether the caller may have an organization sign up at Stripe, and what with.';

grant execute on function payments.begin_payout_account(uuid) to authenticated, service_role;
