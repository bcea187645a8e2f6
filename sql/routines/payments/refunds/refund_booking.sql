-- payments.refund_booking: refund a part of a booking's price, or all of the remaining amount, as staff decide.
--
-- For front desk, accountants, admins and owners of the organization. The booking stays as it is; cancelling refunds by
-- itself. Works once per caller and key: the same key with another booking, amount or destination is refused, and the
-- same request returns the first response. An erased customer's money returns to the original payment, regardless of
-- `destination`. Refuses while a dispute of the payment is open; money of a lost one counts as refunded before. Locks
-- the event's inventory, then the sale. Returns the refund.
--
-- Refuses: 400 idempotency_key_required, 404 booking_not_found, 409 nothing_to_refund, 409 payment_disputed,
-- 409 refund_exceeds_payment, 422 idempotency_conflict, 422 invalid_request.

create or replace function payments.refund_booking(
    booking_id uuid,
    amount_cents bigint default null,
    destination text default 'original',
    idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    -- A hash, because a key may be as long as a cause.
    the_cause text := 'staff:' || encode(
        sha256(convert_to(concat(ops.caller_id(), ':', refund_booking.idempotency_key), 'UTF8')), 'hex'
    );
    the_refund payments.refunds;
    the_first_answer text;
begin
    if refund_booking.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;
    if
        refund_booking.amount_cents <= 0
        or (refund_booking.destination in ('original', 'wallet')) is not true
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`amount_cents` must be more than 0, and `destination` must be original or wallet.'
            )::text;
    end if;

    select b.* into the_booking from events.bookings as b where b.id = refund_booking.booking_id;
    if
        not found
        or not organizations.caller_is(the_booking.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'booking_not_found';
    end if;
    the_first_answer := ops.first_answer(
        'refund_booking', refund_booking.idempotency_key,
        jsonb_build_array(refund_booking.booking_id, refund_booking.amount_cents, refund_booking.destination)
    );
    -- The caller may have lost the role while this waited for a request with the same key.
    if not organizations.caller_is(the_booking.organization_id, 'front_desk', 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'booking_not_found';
    end if;
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', the_booking.customer_id);
    end if;
    perform events.lock_inventory(the_booking.event_id);

    -- An earlier release named the cause without the caller, and stored no response.
    if exists (
        select
        from payments.refunds as r
        where r.booking_id = the_booking.id and r.cause = 'staff:' || refund_booking.idempotency_key
    ) then
        the_cause := 'staff:' || refund_booking.idempotency_key;
    end if;

    if not exists (
        select from payments.refunds as r where r.booking_id = the_booking.id and r.cause = the_cause
    ) then
        if payments.has_paid_sale(the_booking.id) and payments.is_withdrawn(the_booking.id) then
            raise exception using errcode = 'PT409', message = 'payment_disputed',
                detail = jsonb_build_object(
                    'detail', 'The customer''s bank has reversed the payment. Wait until the dispute is closed.'
                )::text;
        end if;
        perform payments.refund_lost_dispute(the_booking.id);
    end if;

    perform payments.refund_bookings(
        array[the_booking.id], the_cause, refund_booking.destination, array[refund_booking.amount_cents]
    );

    select r.* into the_refund
    from payments.refunds as r
    where r.booking_id = the_booking.id and r.cause = the_cause;

    if not found then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund';
    end if;
    if
        the_refund.amount_cents <> refund_booking.amount_cents
        or (
            the_refund.intent_id is not null
            and the_refund.destination <> refund_booking.destination
            and not users.is_erased(the_refund.customer_id)
        )
    then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object(
                'detail', 'This Idempotency-Key was sent with another refund. Send a new key for a new refund.'
            )::text;
    end if;
    -- The same, while this waited for the event, the payment or the wallet.
    if not organizations.caller_is(the_booking.organization_id, 'front_desk', 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'booking_not_found';
    end if;
    return ops.keep_answer(
        'refund_booking', refund_booking.idempotency_key, payments.refund_answer(the_refund)
    );
end;
$$;

comment on function payments.refund_booking(uuid, bigint, text, text) is
'Refund a part of a booking''s price, or all of the remaining amount, as staff decide.';

grant execute on function payments.refund_booking(uuid, bigint, text, text) to authenticated, service_role;
