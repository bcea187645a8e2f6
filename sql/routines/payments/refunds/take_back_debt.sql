-- payments.take_back_debt: undo that a customer's debt was settled, because its refund never reached them.
--
-- What they had paid at the organizer's is money in their wallet, at the expense of the organizer, who has it. Nothing
-- happens where nothing was settled. The caller has locked the refund. Locks the wallet. Internal.

create or replace function payments.take_back_debt(refund payments.refunds)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (take_back_debt.refund).debt_outcome is null then
        return;
    end if;

    perform payments.reverse_transaction(
        transaction_id => (take_back_debt.refund).debt_transaction_id,
        idempotency_key => 'debt_taken_back:' || (take_back_debt.refund).id,
        reason => 'The refund that left the debt was not delivered.'
    );

    if (take_back_debt.refund).debt_outcome = 'paid' then
        perform payments.grant_money(
            organization_id => (take_back_debt.refund).organization_id,
            customer_id => (take_back_debt.refund).customer_id,
            amount_cents => (take_back_debt.refund).amount_cents,
            currency => (take_back_debt.refund).currency,
            source => 'refund',
            idempotency_key => 'debt_back:' || (take_back_debt.refund).id
        );
    end if;
end;
$$;

comment on function payments.take_back_debt(payments.refunds) is
'Undo that a customer''s debt was settled, because its refund never reached them.';
