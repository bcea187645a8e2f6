-- payments.refuse_invoice_change: what was issued stays, whoever asks; a correction is a credit note.
--
-- Refuses: 409 invoice_is_final.

create or replace function payments.refuse_invoice_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'PT409', message = 'invoice_is_final',
        detail = jsonb_build_object('detail', 'A correction is a credit note.')::text;
end;
$$;

create or replace trigger refuse_invoice_change before update or delete or truncate on payments.invoices
for each statement execute function payments.refuse_invoice_change();

alter table payments.invoices enable always trigger refuse_invoice_change;

create or replace trigger refuse_invoice_change before update or delete or truncate on payments.invoice_payments
for each statement execute function payments.refuse_invoice_change();

create or replace trigger refuse_invoice_change before delete or truncate on payments.invoice_numbers
for each statement execute function payments.refuse_invoice_change();
