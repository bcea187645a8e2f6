-- payments.pay_out_credits: pay out every wallet and pass of a person who is being erased, and return where the money
-- went.
--
-- Money that was paid in returns to the card or TWINT account that paid it. Stripe must have taken the payment in the
-- last 180 days, and no dispute may hold it. Other money that was paid in goes to the organization's account of
-- unclaimed balances. Grants, bonuses, promotions and expired credits go to the organization. Every transaction sums to
-- zero.
--
-- Repeating it pays out credits that arrived later. The caller has locked the person's payments. Locks the purchases,
-- then the wallets, then the lots, each in the order of their ids. Internal. Returns an array of {"organization_id",
-- "currency", "refunded_cents", "unclaimed_cents", "lapsed_cents", "lapsed_units"}.

create or replace function payments.pay_out_credits(customer_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_purchase payments.purchases;
    the_lot record;
    the_refund payments.refunds;
    the_cents bigint;
    paid_cents bigint;
    by_stripe boolean;
    moves jsonb := '[]';
begin
    perform
    from payments.purchases as p
    where p.customer_id = pay_out_credits.customer_id
    order by p.id
    for no key update;

    perform payments.lock_wallets(array(
        select a.id
        from payments.accounts as a
        where a.owner_kind = 'user' and a.owner_id = pay_out_credits.customer_id and a.type = 'credits'
    ));
    perform
    from payments.credit_lots as l
    where l.customer_id = pay_out_credits.customer_id and l.remaining > 0
    order by l.id
    for no key update;

    for the_purchase in
        select p.*
        from payments.purchases as p
        where
            p.customer_id = pay_out_credits.customer_id
            and p.status = 'granted'
            and not payments.is_disputed(p.id)
            and exists (
                select
                from payments.credit_lots as l
                where l.purchase_id = p.id and l.remaining > 0 and l.expires_at > statement_timestamp()
            )
        order by p.id
    loop
        by_stripe := payments.can_be_refunded(the_purchase.id);
        the_cents := payments.return_purchase(the_purchase, 'erased', by_stripe);
        moves := moves || jsonb_build_object(
            'organization_id', the_purchase.organization_id, 'currency', the_purchase.currency,
            case when by_stripe then 'refunded_cents' else 'unclaimed_cents' end, the_cents
        );
    end loop;

    for the_lot in
        select
            l.*, r.intent_id, r.booking_id as refunded_booking_id, r.purchase_id as refunded_purchase_id,
            p.status as purchase_status, p.amount_cents as price_cents, p.credits
        from payments.credit_lots as l
        left join payments.refunds as r on r.id = l.refund_id
        left join payments.purchases as p on p.id = l.purchase_id
        where l.customer_id = pay_out_credits.customer_id and l.remaining > 0
        order by l.id
    loop
        update payments.credit_lots as l
        set remaining = 0, lapsed = l.lapsed + l.remaining
        where l.id = the_lot.id;

        if the_lot.kind = 'pass' then
            moves := moves || jsonb_build_object(
                'organization_id', the_lot.organization_id, 'lapsed_units', the_lot.remaining
            );
            continue;
        end if;

        paid_cents := case
            when the_lot.expires_at <= statement_timestamp() then 0
            when the_lot.frozen_at is not null then 0
            when the_lot.source = 'refund' or the_lot.spent_cents is not null then the_lot.remaining
            -- The package is refunded already. This money returned later, from a booking or a fee.
            when the_lot.source = 'purchase' and the_lot.purchase_status = 'refunded'
            then the_lot.remaining * the_lot.price_cents / the_lot.credits
            else 0
        end;
        if paid_cents < the_lot.remaining then
            perform payments.post_between_owners(
                kind => 'credits_expired',
                currency => the_lot.currency,
                legs => jsonb_build_array(
                    jsonb_build_object(
                        'owner', 'user', 'id', the_lot.customer_id, 'type', 'credits',
                        'within', the_lot.organization_id, 'cents', the_lot.remaining - paid_cents
                    ),
                    jsonb_build_object(
                        'owner', 'organization', 'id', the_lot.organization_id, 'type', 'receivable',
                        'cents', paid_cents - the_lot.remaining
                    )
                ),
                idempotency_key => 'credits_expired:' || the_lot.id || ':' || the_lot.lapsed,
                reference_type => 'credits',
                reference_id => the_lot.id
            );
            moves := moves || jsonb_build_object(
                'organization_id', the_lot.organization_id, 'currency', the_lot.currency,
                'lapsed_cents', the_lot.remaining - paid_cents
            );
        end if;
        continue when paid_cents = 0;

        perform payments.post_between_owners(
            kind => 'wallet_refund',
            currency => the_lot.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_lot.customer_id, 'type', 'credits', 'within', the_lot.organization_id,
                    'cents', paid_cents
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', the_lot.customer_id, 'type', 'cash', 'cents', -paid_cents
                )
            ),
            idempotency_key => 'wallet_refund:' || the_lot.id || ':' || the_lot.lapsed,
            reference_type => 'credits',
            reference_id => the_lot.id
        );

        by_stripe := payments.can_be_refunded(the_lot.intent_id, paid_cents);
        if by_stripe then
            insert into payments.refunds (
                booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination,
                cause, sold
            )
            values (
                the_lot.refunded_booking_id, the_lot.refunded_purchase_id, the_lot.intent_id, the_lot.organization_id,
                the_lot.customer_id, paid_cents, the_lot.currency, 'original',
                'erased:' || the_lot.id || ':' || the_lot.lapsed, false
            )
            returning * into the_refund;
            insert into public.outbox (topic, key, payload)
            values (
                'refund.requested', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
                payments.refund_payload(the_refund)
            );
        else
            perform payments.post_unclaimed_balance(
                the_lot.customer_id, the_lot.organization_id, paid_cents, the_lot.currency,
                'wallet_set_aside:' || the_lot.id || ':' || the_lot.lapsed, 'credits', the_lot.id
            );
        end if;
        moves := moves || jsonb_build_object(
            'organization_id', the_lot.organization_id, 'currency', the_lot.currency,
            case when by_stripe then 'refunded_cents' else 'unclaimed_cents' end, paid_cents
        );
    end loop;

    return (
        select coalesce(jsonb_agg(to_jsonb(s) order by s.organization_id, s.currency), '[]')
        from (
            select
                m.organization_id,
                m.currency,
                coalesce(sum(m.refunded_cents), 0) as refunded_cents,
                coalesce(sum(m.unclaimed_cents), 0) as unclaimed_cents,
                coalesce(sum(m.lapsed_cents), 0) as lapsed_cents,
                coalesce(sum(m.lapsed_units), 0) as lapsed_units
            from jsonb_to_recordset(moves) as m (
                organization_id uuid, currency text, refunded_cents bigint, unclaimed_cents bigint, lapsed_cents bigint,
                lapsed_units bigint
            )
            group by m.organization_id, m.currency
        ) as s
    );
end;
$$;

comment on function payments.pay_out_credits(uuid) is
'Pay out every wallet and pass of a person who is being erased, and return where the money went.';
