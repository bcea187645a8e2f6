-- payments.apply_transfer: record a transfer to an organizer as Stripe has it, and post it in the ledger.
--
-- A transfer reduces the debt to the organizer and the clearing account; each reversal returns its part. `facts`:
-- {"stripe_id", "account_id", "amount_cents", "currency", "reversals": [{"stripe_id", "amount_cents"}]}. Each posting
-- has Stripe's id as its key, so repeated and older facts change nothing. Locks the transfer. For the service. Returns
-- the new postings: transfer, transfer_reversal.
--
-- Refuses: 404 account_not_found, when the account belongs to no organizer.

create or replace function payments.apply_transfer(facts jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_transfer payments.transfers;
    moved record;
    did text[] := '{}';
begin
    insert into payments.transfers as t (
        stripe_transfer_id, organization_id, stripe_account_id, amount_cents, currency
    )
    select
        apply_transfer.facts ->> 'stripe_id', a.organization_id, a.stripe_account_id,
        (apply_transfer.facts ->> 'amount_cents')::bigint, upper(apply_transfer.facts ->> 'currency')
    from organizations.payout_accounts as a
    where a.stripe_account_id = apply_transfer.facts ->> 'account_id'
    on conflict (stripe_transfer_id) do nothing;

    select t.* into the_transfer
    from payments.transfers as t
    where t.stripe_transfer_id = apply_transfer.facts ->> 'stripe_id'
    for no key update;

    if not found then
        raise exception using errcode = 'PT404', message = 'account_not_found';
    end if;

    for moved in
        select 'transfer' as kind, the_transfer.stripe_transfer_id as stripe_id, the_transfer.amount_cents as cents
        union all
        select 'transfer_reversal', r.stripe_id, -r.amount_cents
        from jsonb_to_recordset(apply_transfer.facts -> 'reversals') as r (stripe_id text, amount_cents bigint)
        order by 1, 2
    loop
        continue when exists (
            select
            from payments.transactions as t
            where t.idempotency_key = moved.kind || ':' || moved.stripe_id
        );
        perform payments.post_between_owners(
            kind => moved.kind,
            currency => the_transfer.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'organization', 'id', the_transfer.organization_id, 'type', 'receivable',
                    'cents', moved.cents
                ),
                jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -moved.cents)
            ),
            idempotency_key => moved.kind || ':' || moved.stripe_id,
            reference_type => null,
            reference_id => null
        );
        update payments.transfers as t
        set reversed_cents = t.reversed_cents - least(moved.cents, 0)
        where t.stripe_transfer_id = the_transfer.stripe_transfer_id;
        did := did || moved.kind;
    end loop;
    return jsonb_build_object('transfer', the_transfer.stripe_transfer_id, 'did', did);
end;
$$;

comment on function payments.apply_transfer(jsonb) is
'Record a transfer to an organizer as Stripe has it, and post it in the ledger.';

grant execute on function payments.apply_transfer(jsonb) to service_role;
