-- payments.grant_money: add money to a customer's wallet at an organization, at the organization's expense.
--
-- A `refund` is a payment that the organization received itself and returns as wallet money, such as a fee paid at the
-- desk and then waived. Its kind counts as a settlement (payments.movement_group), because it was no income.
--
-- Creates one transaction and one lot. Locks the wallet. Returns the lot's id, or null for a key that was used before:
-- then nothing changes. Internal.

create or replace function payments.grant_money(
    organization_id uuid,
    customer_id uuid,
    amount_cents bigint,
    currency text,
    source payments.credit_source,
    idempotency_key text,
    expires_at timestamptz default 'infinity',
    booking_id uuid default null,
    purchase_id uuid default null,
    note text default null,
    lot_id uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_wallet_id uuid := payments.account(
        'user', grant_money.customer_id, 'credits', grant_money.currency, grant_money.organization_id
    );
    the_lot_id uuid := coalesce(grant_money.lot_id, ops.uuid_v7());
    the_transaction_id uuid;
begin
    perform payments.lock_wallets(array[the_wallet_id]);

    if exists (
        select from payments.transactions as t where t.idempotency_key = grant_money.idempotency_key
    ) then
        return null;
    end if;

    the_transaction_id := payments.post_between_owners(
        kind => case grant_money.source when 'refund' then 'payment_credited' else 'credits_granted' end,
        currency => grant_money.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'organization', 'id', grant_money.organization_id, 'type', 'receivable',
                'cents', grant_money.amount_cents
            ),
            jsonb_build_object(
                'owner', 'user', 'id', grant_money.customer_id, 'type', 'credits',
                'within', grant_money.organization_id, 'cents', -grant_money.amount_cents
            )
        ),
        idempotency_key => grant_money.idempotency_key,
        reference_type => 'credits',
        reference_id => the_lot_id
    );

    insert into payments.credit_lots (
        id, kind, source, organization_id, customer_id, account_id, currency, amount, remaining, expires_at, booking_id,
        purchase_id, note, granted_by
    )
    values (
        the_lot_id, 'wallet', grant_money.source, grant_money.organization_id, grant_money.customer_id, the_wallet_id,
        grant_money.currency, grant_money.amount_cents, grant_money.amount_cents, grant_money.expires_at,
        grant_money.booking_id, grant_money.purchase_id, grant_money.note, ops.caller_id()
    );
    return the_lot_id;
end;
$$;

comment on function payments.grant_money(
    uuid, uuid, bigint, text, payments.credit_source, text, timestamptz, uuid, uuid, text, uuid
) is 'Add money to a customer''s wallet at an organization, at the organization''s expense.';
