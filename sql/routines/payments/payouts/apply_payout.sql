-- payments.apply_payout: record a payout to a bank as Stripe has it, and report a failed one.
--
-- `facts`: {"stripe_id", "account_id" (an organizer's account; null: the platform's own), "amount_cents", "currency",
-- "status", "arrives_on", "failure_code", "failure_message", "observed_at", "balance_transactions"}.
--
-- The platform's payout moves the clearing account: its balance transactions are posted now, before the nightly list
-- brings them. An organizer's payout moves their own money at Stripe, so it is only recorded. Facts that were observed
-- before the recorded ones change nothing.
--
-- Locks the payout's id. For the service. Returns the changes: booked when balance transactions
-- were posted, failed when the payout newly failed.
--
-- Refuses: 404 account_not_found, when the account belongs to no organizer.

create or replace function payments.apply_payout(facts jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization_id uuid;
    the_payout payments.payouts;
    had_failed boolean;
    did text[] := '{}';
begin
    -- A new payout has no row yet that two concurrent calls could wait for.
    perform pg_advisory_xact_lock(hashtextextended('payments.payout:' || (apply_payout.facts ->> 'stripe_id'), 0));

    if apply_payout.facts ->> 'account_id' is not null then
        select a.organization_id into the_organization_id
        from organizations.payout_accounts as a
        where a.stripe_account_id = apply_payout.facts ->> 'account_id';

        if not found then
            raise exception using errcode = 'PT404', message = 'account_not_found';
        end if;
    elsif
        payments.store_balance_transactions(coalesce(apply_payout.facts -> 'balance_transactions', '[]')) > 0
    then
        did := did || 'booked'::text;
    end if;

    select p.status = 'failed' into had_failed
    from payments.payouts as p
    where p.stripe_payout_id = apply_payout.facts ->> 'stripe_id';

    insert into payments.payouts as p (
        stripe_payout_id, organization_id, amount_cents, currency, status, arrives_on, failure_code, failure_message,
        observed_at
    )
    values (
        apply_payout.facts ->> 'stripe_id', the_organization_id, (apply_payout.facts ->> 'amount_cents')::bigint,
        upper(apply_payout.facts ->> 'currency'), apply_payout.facts ->> 'status',
        (apply_payout.facts ->> 'arrives_on')::date, apply_payout.facts ->> 'failure_code',
        apply_payout.facts ->> 'failure_message', (apply_payout.facts ->> 'observed_at')::timestamptz
    )
    on conflict (stripe_payout_id) do update
    set
        status = excluded.status, arrives_on = excluded.arrives_on, failure_code = excluded.failure_code,
        failure_message = excluded.failure_message, observed_at = excluded.observed_at
    where p.observed_at <= excluded.observed_at
    returning p.* into the_payout;

    if the_payout.status = 'failed' and had_failed is not true then
        did := did || 'failed'::text;
        insert into public.outbox (topic, key, payload)
        values ('payout.failed', the_payout.stripe_payout_id, payments.payout_payload(the_payout));
    end if;
    return jsonb_build_object('payout', apply_payout.facts ->> 'stripe_id', 'did', did);
end;
$$;

comment on function payments.apply_payout(jsonb) is
'Record a payout to a bank as Stripe has it, and report a failed one.';

grant execute on function payments.apply_payout(jsonb) to service_role;
