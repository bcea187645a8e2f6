-- payments.refund_bookings: refund the sales of bookings, in full or by given amounts, and return the number of
-- refunds.
--
-- Refunds once per booking and cause: the same cause again changes nothing. Skips bookings without a sale. The money
-- returns to the original payment or to the wallet, as `destination` says. It never goes to the wallet of an erased
-- person. It goes to no wallet while a dispute holds the payment, because the customer would be paid twice. A lost
-- dispute counts as the refund (payments.apply_lost_dispute).
--
-- Refunds of wallet payments and invoices complete at once; the sweep sends those of Stripe payments. Money that was
-- taken at the desk waits there until it is paid out (payments.pay_out_refund). Wallet money returns to the lots that
-- it came from. A refunded invoice gets a credit note; if it was paid, the wallet receives the money, or the desk pays
-- it out that took it. The organization's settings decide whether the platform's share is refunded in proportion, to
-- the cent over all partial refunds.
--
-- Does not refund the spent part of credits that a promo code granted (payments.refundable_sale_cents). When nothing
-- refundable remains, the other part lapses, and the share of the spent part is returned
-- (payments.deduct_spent_grants). A full refund releases the promo code.
--
-- The number of statements does not grow with the bookings, except one per 1000 postings. Locks the promo codes and the
-- sales in id order, after the events' inventories, then the payments, the wallets, and the invoice numbers last.
-- Internal.
--
-- Refuses: 409 refund_exceeds_payment.

create or replace function payments.refund_bookings(
    booking_ids uuid[], cause text, destination text default null, amounts_cents bigint[] default null
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    new_ids uuid[];
    ended_ids uuid[];
begin
    perform payments.lock_promo_codes(refund_bookings.booking_ids);
    perform
    from payments.sales as s
    where s.booking_id = any (refund_bookings.booking_ids)
    order by s.booking_id
    for no key update;

    perform payments.lock_credit_payments(refund_bookings.booking_ids);
    perform payments.lock_wallets(array(
        select l.account_id
        from payments.credit_lots as l
        where l.booking_id = any (refund_bookings.booking_ids)
    ));

    if exists (
        select
        from unnest(refund_bookings.booking_ids, refund_bookings.amounts_cents) as w (booking_id, amount_cents)
        inner join payments.sales as s on s.booking_id = w.booking_id
        where
            w.amount_cents > payments.refundable_sale_cents(s)
            and not exists (
                select
                from payments.refunds as r
                where r.booking_id = w.booking_id and r.cause = refund_bookings.cause
            )
    ) then
        raise exception using errcode = 'PT409', message = 'refund_exceeds_payment',
            detail = jsonb_build_object(
                'detail', 'The refund is more than the unrefunded part of the payment. Send a lower amount.'
            )::text;
    end if;

    with wanted as (
        select w.booking_id, coalesce(w.amount_cents, payments.refundable_sale_cents(s)) as amount_cents
        from unnest(refund_bookings.booking_ids, refund_bookings.amounts_cents) as w (booking_id, amount_cents)
        inner join payments.sales as s on s.booking_id = w.booking_id
    ),

    made as (
        insert into payments.refunds (
            booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold,
            status, settled_at
        )
        select
            s.booking_id, i.id, s.organization_id, s.customer_id, w.amount_cents, s.currency, d.destination,
            refund_bookings.cause, true,
            case when d.destination in ('original', 'till') then 'created' else 'succeeded' end::payments.refund_status,
            case when d.destination not in ('original', 'till') then statement_timestamp() end
        from wanted as w
        inner join payments.sales as s on s.booking_id = w.booking_id
        -- A booking may have been paid otherwise after its payment at Stripe was created.
        left join payments.intents as i on i.booking_id = s.booking_id and i.method = s.method
        cross join lateral (
            select case
                when payments.is_disputed(i.id) then 'original'
                when i.id is not null and users.is_erased(s.customer_id) then 'original'
                when payments.is_paid_at_desk(s) and users.is_erased(s.customer_id) then 'till'
                when payments.is_paid_at_desk(s)
                then case refund_bookings.destination when 'wallet' then 'wallet' else 'till' end
                when s.method = 'invoice' and payments.invoice_is_paid(s.booking_id) then 'wallet'
                when s.method = 'invoice' then 'invoice'
                when s.method = 'wallet' then 'wallet'
                else coalesce(refund_bookings.destination, 'original')
            end as destination
        ) as d
        where w.amount_cents > 0
        on conflict on constraint one_refund_per_cause do nothing
        returning *
    )

    select array_agg(m.id) into new_ids from made as m;

    if new_ids is null then
        return 0;
    end if;

    for part in 0 .. (cardinality(new_ids) - 1) / 1000 loop
        perform payments.post_transactions(
            payments.refund_postings(new_ids[part * 1000 + 1 : part * 1000 + 1000])
        );
    end loop;

    perform payments.return_credits(new_ids, by_organizer => refund_bookings.cause = 'event_cancelled');

    perform payments.recover_returned_credits(refund_bookings.booking_ids);

    update payments.sales as s
    set
        refunded_cents = s.refunded_cents + r.amount_cents,
        refunded_fee_cents = s.refunded_fee_cents + payments.fee_returned(s, r.amount_cents)
    from payments.refunds as r
    where r.id = any (new_ids) and s.booking_id = r.booking_id;

    ended_ids := array(
        select l.booking_id
        from payments.credit_lots as l
        inner join payments.sales as s on s.booking_id = l.booking_id
        where l.booking_id = any (refund_bookings.booking_ids) and payments.refundable_sale_cents(s) = 0
    );
    perform payments.end_grants(ended_ids);
    perform payments.deduct_spent_grants(ended_ids);

    perform payments.release_promo_codes(array(
        select s.booking_id
        from payments.sales as s
        where s.booking_id = any (refund_bookings.booking_ids) and s.refunded_cents = s.amount_cents
    ));

    -- A refund that was made directly at Stripe is not the money that the bank paid through a dispute.
    if not starts_with(refund_bookings.cause, 'stripe:') then
        perform payments.apply_lost_dispute(d.intent_id)
        from (
            select distinct d.intent_id
            from payments.disputes as d
            inner join payments.refunds as r on r.intent_id = d.intent_id
            where r.id = any (new_ids) and d.status = 'lost'
            order by d.intent_id
        ) as d;
    end if;

    insert into public.outbox (topic, key, payload)
    select
        case when r.status = 'succeeded' then 'refund.succeeded' else 'refund.requested' end,
        r.booking_id::text,
        payments.refund_payload(r)
    from payments.refunds as r
    where r.id = any (new_ids) and r.destination <> 'dispute'
    order by r.id;

    perform payments.issue_credit_notes(new_ids);
    return cardinality(new_ids);
end;
$$;

comment on function payments.refund_bookings(uuid[], text, text, bigint[]) is
'Refund the sales of bookings, in full or by given amounts, and return the number of refunds.';
