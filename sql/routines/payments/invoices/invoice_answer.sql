-- payments.invoice_answer: return an invoice or a credit note with its open amount, as the API does.
--
-- For routines that have checked their caller, and for a message that is being sent. Internal.

create or replace function payments.invoice_answer(invoice_id uuid)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(s)
    from payments.invoice_states as s
    where s.id = invoice_answer.invoice_id;
$$;

comment on function payments.invoice_answer(uuid) is
'Return an invoice or a credit note with its open amount, as the API does.';
