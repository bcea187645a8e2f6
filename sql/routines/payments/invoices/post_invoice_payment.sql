-- payments.post_invoice_payment: post that the organization received the open amount of an invoice.
--
-- The customer's debt ends, and the platform no longer owes the amount to the organization, which has the money. The
-- platform's share stays due. Grants the credits of the promo code, unless the booking is over. The caller has checked
-- the rights and locked the event. Locks the sale, then the wallet. Internal. Returns the paid cents, or zero for an
-- invoice that was paid before.
--
-- Refuses: 409 nothing_to_pay, for a credit note and for an invoice that credit notes cover.

create or replace function payments.post_invoice_payment(invoice payments.invoices, booking events.bookings)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invoice payments.invoices := post_invoice_payment.invoice;
    the_open_cents bigint;
    the_transaction_id uuid;
begin
    perform from payments.sales as s where s.booking_id = the_invoice.booking_id for no key update;

    if exists (select from payments.invoice_payments as p where p.invoice_id = the_invoice.id) then
        return 0;
    end if;

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
        (post_invoice_payment.booking).status not in ('cancelled', 'refunded', 'expired')
        and not users.is_erased((post_invoice_payment.booking).customer_id)
    then
        perform payments.grant_promo_credits(post_invoice_payment.booking);
    end if;
    return the_open_cents;
end;
$$;

comment on function payments.post_invoice_payment(payments.invoices, events.bookings) is
'Post that the organization received the open amount of an invoice.';
