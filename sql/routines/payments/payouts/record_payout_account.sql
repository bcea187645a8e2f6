-- payments.record_payout_account: record the state of an organizer's account at Stripe.
--
-- Facts that were observed before the recorded ones change nothing. Locks the account's row. Returns whether the
-- account belongs to an organization here.
--
-- `facts`: {"stripe_account_id", "charges_enabled", "payouts_enabled", "details_submitted", "requirements" (object),
-- "observed_at"}.

create or replace function payments.record_payout_account(facts jsonb)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update organizations.payout_accounts as p
    set
        charges_enabled = (record_payout_account.facts ->> 'charges_enabled')::boolean,
        payouts_enabled = (record_payout_account.facts ->> 'payouts_enabled')::boolean,
        details_submitted = (record_payout_account.facts ->> 'details_submitted')::boolean,
        requirements = record_payout_account.facts -> 'requirements',
        updated_at = (record_payout_account.facts ->> 'observed_at')::timestamptz
    where
        p.stripe_account_id = record_payout_account.facts ->> 'stripe_account_id'
        and p.updated_at <= (record_payout_account.facts ->> 'observed_at')::timestamptz;

    return found or exists (
        select
        from organizations.payout_accounts as p
        where p.stripe_account_id = record_payout_account.facts ->> 'stripe_account_id'
    );
end;
$$;

comment on function payments.record_payout_account(jsonb) is 'Record the state of an organizer''s account at Stripe.';

grant execute on function payments.record_payout_account(jsonb) to service_role;
