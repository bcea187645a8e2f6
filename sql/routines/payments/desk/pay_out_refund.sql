-- payments.pay_out_refund: pay a refund out of a till, by the method by which the money came.
--
-- For front desk, accountants, admins and owners of the organization. Refunds of money that was taken at the desk wait
-- for this, because the customer may not be there when a booking is cancelled. Works once per caller and key. Locks the
-- refund, then the till alone. Returns the refund.
--
-- Refuses: 400 idempotency_key_required; 404 refund_not_found; 409 nothing_to_refund, for a refund that was paid out or
-- that does not wait at the desk; 409 till_short, with the cash in the till; 422 idempotency_conflict; 422
-- invalid_request.

create or replace function payments.pay_out_refund(
    refund_id uuid, idempotency_key text, location_id uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
    the_first_answer text;
    the_method text;
begin
    perform payments.require_desk_key(pay_out_refund.idempotency_key);
    the_first_answer := ops.first_answer(
        'pay_out_refund', pay_out_refund.idempotency_key,
        jsonb_build_array(pay_out_refund.refund_id, pay_out_refund.location_id)
    );

    select r.* into the_refund
    from payments.refunds as r
    where r.id = pay_out_refund.refund_id
    for no key update;
    if not found or not payments.takes_money(the_refund.organization_id) then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', the_refund.customer_id);
    end if;
    perform events.check_references(
        the_refund.organization_id, jsonb_build_object('location_id', pay_out_refund.location_id)
    );

    if the_refund.destination <> 'till' or the_refund.status <> 'created' then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund',
            detail = jsonb_build_object(
                'detail', 'This refund does not wait at the desk. Check its destination and status.'
            )::text;
    end if;

    the_method := coalesce(
        (
            select m.method
            from payments.till_movements as m
            where
                (m.kind = 'booking' and m.subject_id = the_refund.booking_id)
                or (m.kind = 'package' and m.subject_id = the_refund.purchase_id)
                or (
                    m.kind = 'invoice'
                    and m.subject_id in (
                        select i.id from payments.invoices as i where i.booking_id = the_refund.booking_id
                    )
                )
            limit 1
        ),
        'cash'
    );
    perform payments.settle_at_desk(
        kind => 'refund', subject_id => the_refund.id, organization_id => the_refund.organization_id,
        location_id => pay_out_refund.location_id, customer_id => the_refund.customer_id, method => the_method,
        amount_cents => -the_refund.amount_cents, currency => the_refund.currency
    );

    update payments.refunds as r
    set status = 'succeeded', settled_at = statement_timestamp()
    where r.id = the_refund.id
    returning r.* into the_refund;
    insert into public.outbox (topic, key, payload)
    values (
        'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
    return ops.keep_answer(
        'pay_out_refund', pay_out_refund.idempotency_key, payments.refund_answer(the_refund)
    );
end;
$$;

comment on function payments.pay_out_refund(uuid, text, uuid) is
'Pay a refund out of a till, by the method by which the money came.';

grant execute on function payments.pay_out_refund(uuid, text, uuid) to authenticated, service_role;
