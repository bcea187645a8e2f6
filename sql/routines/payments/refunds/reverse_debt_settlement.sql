-- payments.reverse_debt_settlement: reverse the settlement of a customer's debt, because the excess refund never
-- arrived.
--
-- Money that the customer paid at the desk or by bank becomes money in their wallet, at the expense of the
-- organization, which received it. Without a settlement nothing happens. The caller has locked the refund. Locks the
-- wallet. Internal.

create or replace function payments.reverse_debt_settlement(refund payments.refunds)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
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
            amount_cents => (reverse_debt_settlement.refund).amount_cents,
            currency => (reverse_debt_settlement.refund).currency,
            source => 'refund',
            idempotency_key => 'debt_back:' || (reverse_debt_settlement.refund).id
        );
    end if;
end;
$$;

comment on function payments.reverse_debt_settlement(payments.refunds) is
'Reverse the settlement of a customer''s debt, because the excess refund never arrived.';
