-- payments.reverse_fee: reverse the fee of a booking, because it is corrected or waived.
--
-- Money from the wallet returns to the lots that it came from, and stays usable for at least 30 days
-- (payments.return_to_lots). A fee that was paid at the desk or by bank becomes money in the wallet. The organization,
-- which received the payment, pays for it.
--
-- Reverses a fee once; without a fee nothing happens. Locks the payments of the credits, then the wallet, after the
-- event's inventory. Internal.

create or replace function payments.reverse_fee(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee payments.fees;
    the_lot_ids uuid[];
    the_amounts bigint[];
begin
    update payments.fees as f
    set taken_back_at = statement_timestamp()
    where f.booking_id = reverse_fee.booking_id and f.taken_back_at is null
    returning f.* into the_fee;

    if not found then
        return;
    end if;

    perform payments.lock_credit_payments(array[the_fee.booking_id]);
    perform payments.reverse_transaction(
        transaction_id => the_fee.transaction_id,
        idempotency_key => the_fee.kind || '_fee_back:' || the_fee.id,
        reason => 'The fee was taken back.'
    );

    if the_fee.paid_from = 'wallet' then
        with back as (
            select u.lot_id, u.amount - u.returned as amount
            from payments.credit_uses as u
            where u.booking_id = the_fee.booking_id and u.purpose = the_fee.kind
        ),
        noted as (
            update payments.credit_uses as u
            set returned = u.amount
            where u.booking_id = the_fee.booking_id and u.purpose = the_fee.kind
        )

        select array_agg(b.lot_id), array_agg(b.amount) into the_lot_ids, the_amounts
        from back as b;

        perform payments.return_to_lots(the_lot_ids, the_amounts, prolonged => true);
        perform payments.recover_returned_credits(array[the_fee.booking_id]);
    end if;

    if the_fee.paid_at is not null then
        perform payments.reverse_transaction(
            transaction_id => the_fee.payment_transaction_id,
            idempotency_key => 'fee_paid_back:' || the_fee.id,
            reason => 'The fee was taken back.'
        );
        perform payments.grant_money(
            organization_id => the_fee.organization_id,
            customer_id => the_fee.customer_id,
            amount_cents => the_fee.amount_cents,
            currency => the_fee.currency,
            source => 'refund',
            idempotency_key => 'fee_back:' || the_fee.id
        );
    end if;
end;
$$;

comment on function payments.reverse_fee(uuid) is
'Reverse the fee of a booking, because it is corrected or waived.';
