-- payments.return_credits: return refunds that go to wallets to the lots of credits.
--
-- Money that a wallet paid returns to the lots that it came from, the last-expiring first. Money from another method,
-- such as a payment at Stripe that came later, becomes a new lot, which never expires.
--
-- A lot that has expired receives its money too, and that money expires with it. When the organizer cancelled, the
-- returned money stays usable for 30 days instead (payments.return_to_lots). The refunds are posted before this, which
-- has locked the wallets. The caller lets the money pay debts first (payments.recover_returned_credits). Internal.

create or replace function payments.return_credits(refund_ids uuid[], by_organizer boolean)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_lot_ids uuid[];
    the_amounts bigint[];
begin
    with used as (
        select
            r.id as refund_id,
            r.amount_cents,
            u.booking_id,
            u.lot_id,
            u.amount - u.returned as open,
            sum(u.amount - u.returned) over (
                partition by r.id order by l.expires_at desc, l.id desc
            ) - (u.amount - u.returned) as earlier
        from payments.refunds as r
        inner join payments.sales as s on s.booking_id = r.booking_id and s.method = 'wallet'
        inner join payments.credit_uses as u on u.booking_id = r.booking_id and u.purpose = 'price'
        inner join payments.credit_lots as l on l.id = u.lot_id
        where
            r.id = any (return_credits.refund_ids) and r.destination = 'wallet' and r.intent_id is null
            and u.amount > u.returned
    ),
    due as (
        select u.refund_id, u.booking_id, u.lot_id, least(u.open, u.amount_cents - u.earlier) as amount
        from used as u
        where u.earlier < u.amount_cents
    ),
    noted as (
        update payments.credit_uses as u
        set returned = u.returned + d.amount
        from due as d
        where u.booking_id = d.booking_id and u.lot_id = d.lot_id and u.purpose = 'price'
    ),
    fresh as (
        insert into payments.credit_lots (
            kind, source, organization_id, customer_id, account_id, currency, amount, remaining, refund_id
        )
        select
            'wallet', 'refund', r.organization_id, r.customer_id,
            payments.account('user', r.customer_id, 'credits', r.currency, r.organization_id), r.currency, v.amount,
            v.amount, r.id
        from payments.refunds as r
        cross join lateral (
            select r.amount_cents - coalesce(sum(d.amount), 0)::bigint as amount
            from due as d
            where d.refund_id = r.id
        ) as v
        where r.id = any (return_credits.refund_ids) and r.destination = 'wallet' and v.amount > 0
    )

    select array_agg(d.lot_id), array_agg(d.amount) into the_lot_ids, the_amounts
    from due as d;

    perform payments.return_to_lots(the_lot_ids, the_amounts, prolonged => return_credits.by_organizer);
end;
$$;

comment on function payments.return_credits(uuid[], boolean) is
'Return refunds that go to wallets to the lots of credits.';
