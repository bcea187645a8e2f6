-- payments.issue_credit_notes: issue a credit note for each refund of an invoiced sale.
--
-- Numbers follow in the same series as the invoices. Its tax is the tax of all refunds so far, less the tax of earlier
-- credit notes. So all notes add up to the cent. The sales are updated before this. A few statements for each
-- organization; locks the organizations' invoice numbers in id order, last of all. Internal.

create or replace function payments.issue_credit_notes(refund_ids uuid[])
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    issuer record;
    first_number integer;
begin
    for issuer in
        select r.organization_id, count(*)::integer as notes
        from payments.refunds as r
        inner join payments.invoices as i on i.booking_id = r.booking_id and i.kind = 'invoice'
        where r.id = any (issue_credit_notes.refund_ids)
        group by r.organization_id
        order by r.organization_id
    loop
        first_number := payments.next_invoice_number(issuer.organization_id, issuer.notes);

        insert into payments.invoices (
            organization_id, kind, booking_id, customer_id, corrects_id, refund_id, seller, buyer, lines, net_cents,
            tax_cents, gross_cents, currency, tax_bps, tax_country, number
        )
        select
            i.organization_id, 'credit_note', i.booking_id, i.customer_id, i.id, r.id, i.seller, i.buyer, i.lines,
            r.amount_cents - t.tax_cents, t.tax_cents, r.amount_cents, i.currency, i.tax_bps, i.tax_country,
            first_number - 1 + row_number() over (order by r.id)
        from payments.refunds as r
        inner join payments.invoices as i on i.booking_id = r.booking_id and i.kind = 'invoice'
        inner join payments.sales as s on s.booking_id = r.booking_id
        cross join lateral (
            select i.tax_cents * s.refunded_cents / i.gross_cents - coalesce(sum(c.tax_cents), 0)::bigint as tax_cents
            from payments.invoices as c
            where c.corrects_id = i.id
        ) as t
        where r.id = any (issue_credit_notes.refund_ids) and r.organization_id = issuer.organization_id;
    end loop;
end;
$$;

comment on function payments.issue_credit_notes(uuid[]) is 'Issue a credit note for each refund of an invoiced sale.';
