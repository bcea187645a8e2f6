-- payments.record_invoice_payment: record that the organizer received the payment of an invoice by bank transfer.
--
-- For accountants, admins and owners of the organization. The paid amount is the invoice less its credit notes. The
-- customer's debt ends, and the platform no longer owes the amount to the organization, which has the money. The
-- platform's share stays due. Grants the credits of the promo code, unless the booking is over. Locks the event's
-- inventory, the sale, then the wallet. Repeating it changes nothing. Returns the invoice.
--
-- Refuses: 404 invoice_not_found, 409 nothing_to_pay, for a credit note and for an invoice that credit notes cover.

create or replace function payments.record_invoice_payment(invoice_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invoice payments.invoices;
    the_booking events.bookings;
    the_open_cents bigint;
    the_transaction_id uuid;
begin
    -- Read the invoice and the caller's right, lock the event, and read them again: they may have changed meanwhile.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        select i.* into the_invoice from payments.invoices as i where i.id = record_invoice_payment.invoice_id;

        if not found or not organizations.caller_is(the_invoice.organization_id, 'accountant', 'admin', 'owner') then
            raise exception using errcode = 'PT404', message = 'invoice_not_found';
        end if;
        select b.* into the_booking from events.bookings as b where b.id = the_invoice.booking_id;
    end loop;

    perform from payments.sales as s where s.booking_id = the_invoice.booking_id for no key update;

    if not exists (select from payments.invoice_payments as p where p.invoice_id = the_invoice.id) then
        the_open_cents := the_invoice.gross_cents - coalesce(
            (select sum(c.gross_cents) from payments.invoices as c where c.corrects_id = the_invoice.id), 0
        );
        if the_invoice.kind = 'credit_note' or the_open_cents = 0 then
            raise exception using errcode = 'PT409', message = 'nothing_to_pay';
        end if;

        the_transaction_id := payments.post_between_owners(
            kind => 'invoice_paid',
            currency => the_invoice.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_invoice.customer_id, 'type', 'payable',
                    'within', the_invoice.organization_id, 'cents', -the_open_cents
                ),
                jsonb_build_object(
                    'owner', 'organization', 'id', the_invoice.organization_id, 'type', 'receivable',
                    'cents', the_open_cents
                )
            ),
            idempotency_key => 'invoice_paid:' || the_invoice.id,
            reference_type => 'invoice',
            reference_id => the_invoice.id
        );
        insert into payments.invoice_payments (invoice_id, amount_cents, transaction_id, recorded_by)
        values (the_invoice.id, the_open_cents, the_transaction_id, ops.caller_id());

        if
            the_booking.status not in ('cancelled', 'refunded', 'expired')
            and not users.is_erased(the_booking.customer_id)
        then
            perform payments.grant_promo_credits(the_booking);
        end if;
    end if;
    -- The caller may have lost the role while this waited for the sale or the wallet.
    if not organizations.caller_is(the_invoice.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'invoice_not_found';
    end if;
    return payments.invoice_answer(the_invoice.id);
end;
$$;

comment on function payments.record_invoice_payment(uuid) is
'Record that the organizer received the payment of an invoice by bank transfer.';

grant execute on function payments.record_invoice_payment(uuid) to authenticated, service_role;
