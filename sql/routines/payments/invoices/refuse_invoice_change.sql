-- payments.refuse_invoice_change: refuse to change or delete an invoice, its payments or its number.
--
-- Trigger. A credit note corrects an invoice. Two changes pass, as ops.retention says: removing the e-mail address of
-- the buyer when the person is erased, and removing the buyer after ten years.
--
-- Refuses: 409 invoice_is_final.

create or replace function payments.refuse_invoice_change()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
begin
    if
        tg_op = 'UPDATE'
        and tg_level = 'ROW'
        and to_jsonb(new) - 'buyer' = to_jsonb(old) - 'buyer'
        and (
            to_jsonb(new) -> 'buyer' = (to_jsonb(old) -> 'buyer') - 'email'
            or (
                to_jsonb(new) -> 'buyer' = '{}'
                and (to_jsonb(old) ->> 'issued_at')::timestamptz < statement_timestamp() - interval '10 years'
            )
        )
    then
        return new;
    end if;

    raise exception using errcode = 'PT409', message = 'invoice_is_final',
        detail = jsonb_build_object(
            'detail', 'An issued invoice cannot be changed. Correct it by a credit note.'
        )::text;
end;
$$;

create or replace trigger refuse_invoice_change before delete or truncate on payments.invoices
for each statement execute function payments.refuse_invoice_change();

create or replace trigger refuse_invoice_update before update on payments.invoices
for each row execute function payments.refuse_invoice_change();

alter table payments.invoices enable always trigger refuse_invoice_change;
alter table payments.invoices enable always trigger refuse_invoice_update;

create or replace trigger refuse_invoice_change before update or delete or truncate on payments.invoice_payments
for each statement execute function payments.refuse_invoice_change();

create or replace trigger refuse_invoice_change before delete or truncate on payments.invoice_numbers
for each statement execute function payments.refuse_invoice_change();
