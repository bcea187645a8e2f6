-- payments.freeze_credits: freeze the credits of a payment while a dispute holds it or its customer owes a part of it.
--
-- Otherwise it releases them. A dispute of a payment that did not pay for the booking (payments.has_paid_sale) freezes
-- only what that payment returned to the wallet.
--
-- Frozen credits cannot be spent and do not expire: their time continues after the release. Credits that return to a
-- frozen lot are frozen too. Locks the wallets, then the lots, after the payment. Repeating it
-- changes nothing. Internal.

create or replace function payments.freeze_credits(payment_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_ids uuid[] := payments.payment_lots(freeze_credits.payment_id);
    the_frozen_ids uuid[] := '{}';
begin
    if the_lot_ids = '{}' then
        return;
    end if;
    if payments.owed_cents(freeze_credits.payment_id) > 0 then
        the_frozen_ids := the_lot_ids;
    elsif payments.is_withdrawn(freeze_credits.payment_id) then
        the_frozen_ids := array(
            select l.id
            from payments.credit_lots as l
            left join payments.refunds as r on r.id = l.refund_id
            where
                l.id = any (the_lot_ids)
                and (
                    l.purchase_id = freeze_credits.payment_id
                    or r.intent_id = freeze_credits.payment_id
                    or payments.has_paid_sale(freeze_credits.payment_id)
                )
        );
    end if;
    if not exists (
        select
        from payments.credit_lots as l
        where l.id = any (the_lot_ids) and (l.frozen_at is not null) <> (l.id = any (the_frozen_ids))
    ) then
        return;
    end if;

    perform payments.lock_wallets(array(
        select l.account_id
        from payments.credit_lots as l
        where l.id = any (the_lot_ids) and l.account_id is not null
    ));
    perform
    from payments.credit_lots as l
    where l.id = any (the_lot_ids)
    order by l.id
    for no key update;
    update payments.credit_lots as l
    set
        frozen_at = case when l.id = any (the_frozen_ids) then statement_timestamp() end,
        expires_at = case
            when l.expires_at > l.frozen_at then l.expires_at + (statement_timestamp() - l.frozen_at)
            else l.expires_at
        end
    where l.id = any (the_lot_ids) and (l.frozen_at is not null) <> (l.id = any (the_frozen_ids));
end;
$$;

comment on function payments.freeze_credits(uuid) is
'Freeze the credits of a payment while a dispute holds it or its customer owes a part of it.';
