-- payments.charge_spent_grants: record that customers owe the credits of a promo code that they spent beyond the
-- refund.
--
-- For bookings that ended. The refund of a booking is reduced by the spent credits that its promo code granted. When
-- they exceed the remaining amount, the excess is the customer's debt. It is recorded once per booking as an excess
-- refund to the wallet, and settled like one. Notifies staff. The caller has locked the wallets. Internal.

create or replace function payments.charge_spent_grants(booking_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_debt payments.refunds;
begin
    for the_debt in
        insert into payments.refunds (
            booking_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold, beyond, status,
            status_reason, settled_at
        )
        select
            s.booking_id, s.organization_id, s.customer_id, o.cents, s.currency, 'wallet', 'promotion', false, true,
            'succeeded', 'Credits of the promo code were spent, but the booking ended: the customer owes them.',
            statement_timestamp()
        from payments.sales as s
        cross join lateral (
            select s.refunded_cents + payments.spent_grant_cents(s.booking_id) - s.amount_cents as cents
        ) as o
        where
            s.booking_id in (
                select l.booking_id
                from payments.credit_lots as l
                where l.booking_id = any (charge_spent_grants.booking_ids)
            )
            and o.cents > 0
        order by s.booking_id
        on conflict on constraint one_refund_per_cause do nothing
        returning *
    loop
        perform payments.post_between_owners(
            kind => 'promotion_owed',
            currency => the_debt.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_debt.customer_id, 'type', 'cash', 'cents', the_debt.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'organization', 'id', the_debt.organization_id, 'type', 'receivable',
                    'cents', -the_debt.amount_cents
                )
            ),
            idempotency_key => 'promotion_owed:' || the_debt.id,
            reference_type => 'refund',
            reference_id => the_debt.id
        );
        insert into public.outbox (topic, key, payload)
        values ('refund.exceeded', the_debt.booking_id::text, payments.refund_payload(the_debt));
        perform payments.freeze_credits(the_debt.booking_id);
    end loop;
end;
$$;

comment on function payments.charge_spent_grants(uuid[]) is
'Record that customers owe the credits of a promo code that they spent beyond the refund.';
