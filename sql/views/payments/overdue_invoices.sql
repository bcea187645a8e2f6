-- payments.overdue_invoices: open invoices after their due date that the caller may see, the oldest first.

create or replace view payments.overdue_invoices with (security_invoker = true) as
select
    i.id,
    i.organization_id,
    i.customer_id,
    i.number,
    i.open_cents,
    i.currency,
    i.due_on,
    (statement_timestamp() at time zone o.time_zone)::date - i.due_on as days_overdue
from payments.invoice_states as i
inner join organizations.organizations as o on o.id = i.organization_id
where i.status = 'overdue'
order by i.due_on, i.organization_id, i.number;

comment on view payments.overdue_invoices is 'Open invoices after their due date, the oldest first.';

grant select on payments.overdue_invoices to app_read, app_write;
