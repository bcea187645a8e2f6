-- payments.restore_grants: grant the lapsed credits of a booking's promo code again, because a lost dispute was won.
--
-- The unspent part of each ended grant becomes a lot of its own, once. The spent part stays as it was: it is deducted
-- if the booking is refunded later. Without effect while a dispute has the money, after a refund of all that can be
-- refunded, and for a booking that is over. The caller has locked the payment. Locks the wallet. Internal.

create or replace function payments.restore_grants(booking_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (
        select bool_or(d.status = 'won') and not bool_or(d.withdrawn)
        from payments.disputes as d
        where d.intent_id = restore_grants.booking_id
    ) is not true then
        return;
    end if;

    perform payments.grant_money(
        organization_id => l.organization_id, customer_id => l.customer_id,
        amount_cents => l.amount - l.spent_cents, currency => l.currency, source => 'promotion',
        idempotency_key => 'promotion_restored:' || l.id, booking_id => l.booking_id
    )
    from payments.credit_lots as l
    inner join events.bookings as b on b.id = l.booking_id
    inner join payments.sales as s on s.booking_id = l.booking_id
    where
        l.booking_id = restore_grants.booking_id
        and l.amount > l.spent_cents
        and b.status not in ('cancelled', 'refunded', 'expired')
        and s.refunded_cents < s.amount_cents
        and s.deducted_cents = 0
        and not users.is_erased(l.customer_id);
end;
$$;

comment on function payments.restore_grants(uuid) is
'Grant the lapsed credits of a booking''s promo code again, because a lost dispute was won.';
