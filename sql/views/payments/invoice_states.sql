-- payments.invoice_states: invoices and credit notes with their open amounts and states.
--
-- Days are in the organization's time zone. open: not paid; overdue: open after its due date; paid; corrected: credit
-- notes cover the whole amount; issued: a credit note. Contains the invoices that the caller may see.

create or replace view payments.invoice_states with (security_invoker = true) as
select
    i.id,
    i.organization_id,
    i.customer_id,
    i.booking_id,
    i.number,
    i.kind,
    i.corrects_id,
    i.seller,
    i.buyer,
    i.lines,
    i.net_cents,
    i.tax_cents,
    i.gross_cents,
    i.currency,
    i.tax_bps,
    i.tax_country,
    i.issued_at,
    i.due_on,
    c.credited_cents,
    p.paid_at,
    coalesce(p.amount_cents, 0)::bigint as paid_cents,
    case
        when i.kind = 'invoice' and p.invoice_id is null then i.gross_cents - c.credited_cents
        else 0
    end as open_cents,
    case
        when i.kind = 'credit_note' then 'issued'
        when p.invoice_id is not null then 'paid'
        when c.credited_cents >= i.gross_cents then 'corrected'
        when i.due_on < (statement_timestamp() at time zone o.time_zone)::date then 'overdue'
        else 'open'
    end as status,
    (i.issued_at at time zone o.time_zone)::date as issued_on
from payments.invoices as i
inner join organizations.organizations as o on o.id = i.organization_id
left join payments.invoice_payments as p on p.invoice_id = i.id
cross join lateral (
    select coalesce(sum(n.gross_cents), 0)::bigint as credited_cents
    from payments.invoices as n
    where n.corrects_id = i.id
) as c;

comment on view payments.invoice_states is 'Invoices and credit notes with their open amounts and states.';

grant select on payments.invoice_states to app_read, app_write;
