-- payments.pay_invoice_at_desk: take the money for an open invoice into a till.
--
-- For front desk, accountants, admins and owners of the organization. `method` is cash or terminal. The whole open
-- amount is paid (payments.post_invoice_payment). Works once per caller and key. Locks the event's inventory, the sale,
-- the wallet, then the till. Returns the invoice.
--
-- Refuses: 400 idempotency_key_required; 404 invoice_not_found; 409 nothing_to_pay, also for an invoice that was paid
-- before; 409 price_changed, when `total_cents` is not the open amount; 422 idempotency_conflict; 422 invalid_request.

create or replace function payments.pay_invoice_at_desk(
    invoice_id uuid, method text, idempotency_key text, location_id uuid default null, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invoice payments.invoices;
    the_booking events.bookings;
    the_first_answer text;
    the_cents bigint;
begin
    perform payments.require_desk_key(pay_invoice_at_desk.idempotency_key);
    perform payments.require_desk_method(pay_invoice_at_desk.method);
    the_first_answer := ops.first_answer(
        'pay_invoice_at_desk', pay_invoice_at_desk.idempotency_key,
        jsonb_build_array(
            pay_invoice_at_desk.invoice_id, pay_invoice_at_desk.method, pay_invoice_at_desk.location_id,
            pay_invoice_at_desk.total_cents
        )
    );
    -- Read the invoice and the caller's right, lock the event, and read them again: they may have changed meanwhile.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        select i.* into the_invoice from payments.invoices as i where i.id = pay_invoice_at_desk.invoice_id;
        if not found or not payments.takes_money(the_invoice.organization_id) then
            raise exception using errcode = 'PT404', message = 'invoice_not_found';
        end if;
        select b.* into the_booking from events.bookings as b where b.id = the_invoice.booking_id;
    end loop;
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', the_invoice.customer_id);
    end if;
    perform events.check_references(
        the_invoice.organization_id, jsonb_build_object('location_id', pay_invoice_at_desk.location_id)
    );

    the_cents := payments.post_invoice_payment(the_invoice, the_booking);
    if the_cents = 0 then
        raise exception using errcode = 'PT409', message = 'nothing_to_pay',
            detail = jsonb_build_object('detail', 'The invoice was paid before. Do not take the money again.')::text;
    end if;
    if pay_invoice_at_desk.total_cents <> the_cents then
        raise exception using errcode = 'PT409', message = 'price_changed',
            detail = jsonb_build_object('price_cents', the_cents, 'currency', the_invoice.currency)::text;
    end if;
    perform payments.add_till_movement(
        payments.lock_till(the_invoice.organization_id, pay_invoice_at_desk.location_id, the_invoice.currency),
        'invoice', pay_invoice_at_desk.method, the_cents, the_invoice.id
    );
    return ops.keep_answer(
        'pay_invoice_at_desk', pay_invoice_at_desk.idempotency_key, payments.invoice_answer(the_invoice.id)
    );
end;
$$;

comment on function payments.pay_invoice_at_desk(uuid, text, text, uuid, bigint) is
'Take the money for an open invoice into a till.';

grant execute on function payments.pay_invoice_at_desk(uuid, text, text, uuid, bigint) to authenticated, service_role;
