-- payments.issue_invoice: issue the invoice of a booking that is paid by invoice, in the booking's own transaction.
--
-- Stores seller, buyer and lines as they are now. The seller is the organization by its legal name, with its address,
-- tax number and note from organizations.business_details. The invoice is due after the organization's
-- `invoice_due_days`, 14 if it has set none, by its calendar. Notifies the customer. Runs once for each booking.
--
-- Locks the organization's invoice number last of all. A transaction that rolls back takes no number, so the series has
-- no gaps. Internal.

create or replace function payments.issue_invoice(booking events.bookings)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_invoice payments.invoices;
begin
    insert into payments.invoices (
        organization_id, kind, booking_id, customer_id, seller, buyer, lines, net_cents, tax_cents, gross_cents,
        currency, tax_bps, tax_country, due_on, number
    )
    select
        o.id, 'invoice', (issue_invoice.booking).id, p.id,
        jsonb_strip_nulls(
            jsonb_build_object(
                'name', coalesce(d.legal_name, o.name), 'street', d.street, 'postal_code', d.postal_code,
                'city', d.city, 'country', o.country, 'email', d.contact_email, 'phone', d.contact_phone,
                'tax_number', d.tax_number, 'note', d.invoice_note
            )
        ),
        jsonb_build_object('name', p.name, 'email', users.verified_address(p)),
        jsonb_build_array(
            jsonb_build_object(
                'description', e.title,
                'starts_at', to_char(e.starts_at at time zone e.time_zone, 'YYYY-MM-DD HH24:MI'),
                'seats', (issue_invoice.booking).seats,
                'list_cents', q.list_cents,
                'discount_cents', q.discount_cents
            )
        ),
        q.net_cents, q.tax_cents, q.total_cents, q.currency, q.tax_bps, q.tax_country,
        (statement_timestamp() at time zone o.time_zone)::date + coalesce(d.invoice_due_days, 14),
        payments.next_invoice_number(o.id, 1)
    from payments.quotes as q
    inner join organizations.organizations as o on o.id = q.organization_id
    left join organizations.business_details as d on d.organization_id = o.id
    inner join users.profiles as p on p.id = q.customer_id
    inner join events.terms as t on t.event_id = (issue_invoice.booking).event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where q.booking_id = (issue_invoice.booking).id
    returning * into the_invoice;

    insert into public.outbox (topic, key, payload)
    values (
        'invoice.issued', (issue_invoice.booking).event_id::text,
        payments.invoice_payload(the_invoice.id)
    );
end;
$$;

comment on function payments.issue_invoice(events.bookings) is
'Issue the invoice of a booking that is paid by invoice, in the booking''s own transaction.';
