-- payments.record_invoice_payment: record that the organizer received the payment of an invoice by bank transfer.
--
-- For accountants, admins and owners of the organization. The paid amount is the invoice less its credit notes
-- (payments.post_invoice_payment). Locks the event's inventory, the sale, then the wallet. Repeating it changes
-- nothing. Returns the invoice.
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

    perform payments.post_invoice_payment(the_invoice, the_booking);
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
