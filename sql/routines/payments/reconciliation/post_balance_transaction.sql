-- payments.post_balance_transaction: post a transaction that only Stripe's balance shows: a payout to the bank, or a
-- fee.
--
-- A payout moves money from the clearing account to the platform's cash; a failed one moves it back. Other types post
-- nothing, and reconciliation reports them as differences. Posts once for each balance transaction. Internal.

create or replace function payments.post_balance_transaction(transaction payments.balance_transactions)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select payments.post_between_owners(
        kind => 'stripe_balance',
        currency => (post_balance_transaction.transaction).currency,
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', b.cents),
            jsonb_build_object('owner', 'platform', 'type', b.account, 'cents', -b.cents)
        ),
        idempotency_key => 'stripe_balance:' || (post_balance_transaction.transaction).id,
        reference_type => null,
        reference_id => null
    )
    from (
        select
            case
                when (post_balance_transaction.transaction).type in ('payout', 'payout_failure', 'payout_cancel')
                then 'cash'
                else 'fees'
            end as account,
            case
                when (post_balance_transaction.transaction).type in ('adjustment', 'payment_failure_refund')
                then -(post_balance_transaction.transaction).fee_cents
                else (post_balance_transaction.transaction).net_cents
            end as cents
    ) as b
    where
        (post_balance_transaction.transaction).type in (
            'payout', 'payout_failure', 'payout_cancel', 'stripe_fee', 'stripe_fx_fee', 'tax_fee', 'adjustment'
        )
        and b.cents <> 0;
$$;

comment on function payments.post_balance_transaction(payments.balance_transactions) is
'Post a transaction that only Stripe''s balance shows: a payout to the bank, or a fee.';
