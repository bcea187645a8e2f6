-- payments.recover_debt: pay the debt of excess refunds with the customer's credits from the same payment.
--
-- Takes the unspent credits of the package, credits of a promo code whose booking ended, and refunds to the wallet. It
-- runs when an excess refund is found, and when credits return to a payment with a debt. Then it freezes or releases
-- the credits of the payment. A debt that is paid in full may release the promo code (payments.release_paid_code).
--
-- `payment_id` is the id of the booking or purchase. The caller has locked the payment. Locks the promo code, the
-- excess refunds, the purchase, the wallet, then the lots. Repeating it changes nothing. Internal.

create or replace function payments.recover_debt(payment_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_debt payments.refunds;
    the_purchase payments.purchases;
    the_lot_ids uuid[];
    the_lot payments.credit_lots;
    the_cents bigint;
begin
    if payments.owed_cents(recover_debt.payment_id) > 0 then
        the_lot_ids := payments.payment_lots(recover_debt.payment_id);
        perform payments.lock_promo_codes(array[recover_debt.payment_id]);
        perform
        from payments.refunds as r
        where (r.booking_id = recover_debt.payment_id or r.purchase_id = recover_debt.payment_id) and r.beyond
        order by r.id
        for no key update;
        perform from payments.purchases as p where p.id = recover_debt.payment_id for no key update;
        perform payments.lock_wallets(array(
            select l.account_id
            from payments.credit_lots as l
            where l.id = any (the_lot_ids) and l.account_id is not null
        ));
    end if;

    for the_debt in
        select r.*
        from payments.refunds as r
        where
            (r.booking_id = recover_debt.payment_id or r.purchase_id = recover_debt.payment_id)
            and payments.refund_debt_status(r) = 'owed'
        order by r.id
    loop
        if the_debt.purchase_id is not null then
            select p.* into the_purchase from payments.purchases as p where p.id = the_debt.purchase_id;
            the_cents := least(
                the_debt.amount_cents - the_debt.recovered_cents, payments.refundable_purchase_cents(the_purchase)
            );
            if the_cents > 0 then
                perform payments.take_back_package(
                    the_purchase.id, the_cents, 'debt_recovered:' || the_debt.id || ':' || the_debt.recovered_cents
                );
                the_debt.recovered_cents := the_debt.recovered_cents + the_cents;
            end if;
        end if;

        for the_lot in
            select l.*
            from payments.credit_lots as l
            where
                l.id = any (the_lot_ids)
                and l.remaining > 0
                and l.expires_at > coalesce(l.frozen_at, statement_timestamp())
                and (l.refund_id is not null or l.spent_cents is not null)
            order by l.id
        loop
            the_cents := least(the_debt.amount_cents - the_debt.recovered_cents, the_lot.remaining);
            exit when the_cents = 0;
            update payments.credit_lots as l
            set remaining = l.remaining - the_cents, lapsed = l.lapsed + the_cents
            where l.id = the_lot.id;
            perform payments.post_between_owners(
                kind => 'debt_recovered',
                currency => the_debt.currency,
                legs => jsonb_build_array(
                    jsonb_build_object(
                        'owner', 'user', 'id', the_debt.customer_id, 'type', 'credits',
                        'within', the_debt.organization_id, 'cents', the_cents
                    ),
                    jsonb_build_object(
                        'owner', 'user', 'id', the_debt.customer_id, 'type', 'cash', 'cents', -the_cents
                    )
                ),
                idempotency_key => 'debt_recovered:' || the_debt.id || ':' || the_debt.recovered_cents,
                reference_type => 'refund',
                reference_id => the_debt.id
            );
            the_debt.recovered_cents := the_debt.recovered_cents + the_cents;
        end loop;

        update payments.refunds as r
        set recovered_cents = the_debt.recovered_cents
        where r.id = the_debt.id and r.recovered_cents <> the_debt.recovered_cents;
        if the_debt.recovered_cents = the_debt.amount_cents then
            perform payments.release_paid_code(recover_debt.payment_id);
        end if;
    end loop;
    perform payments.freeze_credits(recover_debt.payment_id);
end;
$$;

comment on function payments.recover_debt(uuid) is
'Pay the debt of excess refunds with the customer''s credits from the same payment.';
