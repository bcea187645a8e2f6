-- payments.reverse_debt_settlement: reverse the settlement of a customer's debt, because the excess refund never
-- arrived.
--
-- Money that the customer paid at the desk or by bank becomes money in their wallet, at the expense of the
-- organization, which received it. Credits that paid the debt become money in the wallet too. Without either nothing
-- happens. The caller has locked the refund. Locks the wallet. Internal.

create or replace function payments.reverse_debt_settlement(refund payments.refunds)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_wallet_id uuid;
begin
    if (reverse_debt_settlement.refund).recovered_cents > 0 then
        the_wallet_id := payments.account(
            'user', (reverse_debt_settlement.refund).customer_id, 'credits', (reverse_debt_settlement.refund).currency,
            (reverse_debt_settlement.refund).organization_id
        );
        perform payments.lock_wallets(array[the_wallet_id]);
        perform payments.post_between_owners(
            kind => 'debt_returned',
            currency => (reverse_debt_settlement.refund).currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', (reverse_debt_settlement.refund).customer_id, 'type', 'cash',
                    'cents', (reverse_debt_settlement.refund).recovered_cents
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', (reverse_debt_settlement.refund).customer_id, 'type', 'credits',
                    'within', (reverse_debt_settlement.refund).organization_id,
                    'cents', -(reverse_debt_settlement.refund).recovered_cents
                )
            ),
            idempotency_key => 'debt_returned:' || (reverse_debt_settlement.refund).id,
            reference_type => 'refund',
            reference_id => (reverse_debt_settlement.refund).id
        );
        insert into payments.credit_lots (
            kind, source, organization_id, customer_id, account_id, currency, amount, remaining, refund_id
        )
        values (
            'wallet', 'refund', (reverse_debt_settlement.refund).organization_id,
            (reverse_debt_settlement.refund).customer_id, the_wallet_id, (reverse_debt_settlement.refund).currency,
            (reverse_debt_settlement.refund).recovered_cents, (reverse_debt_settlement.refund).recovered_cents,
            (reverse_debt_settlement.refund).id
        );
    end if;
    if (reverse_debt_settlement.refund).debt_outcome is null then
        return;
    end if;

    perform payments.reverse_transaction(
        transaction_id => (reverse_debt_settlement.refund).debt_transaction_id,
        idempotency_key => 'debt_taken_back:' || (reverse_debt_settlement.refund).id,
        reason => 'The refund that left the debt was not delivered.'
    );

    if (reverse_debt_settlement.refund).debt_outcome = 'paid' then
        perform payments.grant_money(
            organization_id => (reverse_debt_settlement.refund).organization_id,
            customer_id => (reverse_debt_settlement.refund).customer_id,
            amount_cents => (reverse_debt_settlement.refund).amount_cents
            - (reverse_debt_settlement.refund).recovered_cents,
            currency => (reverse_debt_settlement.refund).currency,
            source => 'refund',
            idempotency_key => 'debt_back:' || (reverse_debt_settlement.refund).id
        );
    end if;
end;
$$;

comment on function payments.reverse_debt_settlement(payments.refunds) is
'Reverse the settlement of a customer''s debt, because the excess refund never arrived.';
