-- payments.reverse_sales: refund cancelled bookings, and stop payments that have not arrived.
--
-- `amounts_cents` is the total that each booking returns, earlier refunds included (null: the whole price), or the
-- number of a pass's units. Works once per booking and cause. Credits that a promo code granted lapse; their spent part
-- is deducted from the refund, and owed if it exceeds it. The platform's share of the deducted part is returned
-- (payments.deduct_spent_grants). The use of the code is released here only if the organizer cancelled
-- (payments.release_promo_codes). Locks the codes, the payments, then the customers' wallets together, in order. The
-- caller holds the events' locks. Internal.

create or replace function payments.reverse_sales(
    booking_ids uuid[], cause text, destination text default null, amounts_cents bigint[] default null
)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    sold_ids uuid[];
    the_amounts_cents bigint[];
    by_organizer boolean := reverse_sales.cause = 'event_cancelled';
begin
    perform payments.lock_promo_codes(reverse_sales.booking_ids);
    perform payments.stop_payments(reverse_sales.booking_ids);
    perform payments.lock_credit_payments(reverse_sales.booking_ids);
    perform payments.lock_wallets(array(
        select a.id
        from events.bookings as b
        inner join payments.accounts as a
            on
                a.owner_kind = 'user' and a.owner_id = b.customer_id and a.type = 'credits'
                and a.organization_id = b.organization_id
        where b.id = any (reverse_sales.booking_ids)
    ));

    select
        array_agg(s.booking_id),
        array_agg(
            case
                when w.amount_cents is null then payments.refundable_sale_cents(s)
                else greatest(
                    payments.refundable_sale_cents(s) - greatest(s.amount_cents - w.amount_cents, 0), 0
                )
            end
        )
    into sold_ids, the_amounts_cents
    from unnest(reverse_sales.booking_ids, reverse_sales.amounts_cents) as w (booking_id, amount_cents)
    inner join payments.sales as s on s.booking_id = w.booking_id;

    -- First, because a booking of this batch may return credits to the grant of another one.
    perform payments.end_grants(reverse_sales.booking_ids);
    perform payments.deduct_spent_grants(reverse_sales.booking_ids);

    if sold_ids is not null then
        perform payments.refund_bookings(sold_ids, reverse_sales.cause, reverse_sales.destination, the_amounts_cents);
    end if;
    perform payments.charge_spent_grants(reverse_sales.booking_ids);
    perform payments.return_passes(reverse_sales.booking_ids, reverse_sales.amounts_cents, by_organizer);
    perform payments.recover_returned_credits(reverse_sales.booking_ids);

    if by_organizer then
        perform payments.release_promo_codes(reverse_sales.booking_ids);
    end if;
end;
$$;

comment on function payments.reverse_sales(uuid[], text, text, bigint[]) is
'Refund cancelled bookings, and stop payments that have not arrived.';
