-- payments.freeze_credits: freeze the credits of a payment while a dispute holds it or its customer owes a part of it.
--
-- Otherwise it releases them. Frozen credits cannot be spent and do not expire: their time continues after the release.
-- Credits that return to a frozen lot are frozen too. Locks the wallets, then the lots, after the payment. Repeating it
-- changes nothing. Internal.

create or replace function payments.freeze_credits(payment_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_ids uuid[] := payments.payment_lots(freeze_credits.payment_id);
    is_frozen boolean;
begin
    if the_lot_ids = '{}' then
        return;
    end if;
    is_frozen := payments.is_withdrawn(freeze_credits.payment_id)
    or payments.owed_cents(freeze_credits.payment_id) > 0;
    if not exists (
        select from payments.credit_lots as l where l.id = any (the_lot_ids) and (l.frozen_at is not null) <> is_frozen
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
        frozen_at = case when is_frozen then statement_timestamp() end,
        expires_at = case
            when l.expires_at > l.frozen_at then l.expires_at + (statement_timestamp() - l.frozen_at)
            else l.expires_at
        end
    where l.id = any (the_lot_ids) and (l.frozen_at is not null) <> is_frozen;
end;
$$;

comment on function payments.freeze_credits(uuid) is
'Freeze the credits of a payment while a dispute holds it or its customer owes a part of it.';
