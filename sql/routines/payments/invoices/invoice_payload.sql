-- payments.invoice_payload: return an invoice as its message stores it, without its parties and lines.
--
-- Names, addresses and titles are read when the message is sent (messaging.webhook_data).

create or replace function payments.invoice_payload(invoice_id uuid)
returns jsonb
language sql
stable
return payments.invoice_answer(invoice_payload.invoice_id) - array['seller', 'buyer', 'lines'];

comment on function payments.invoice_payload(uuid) is
'Return an invoice as its message stores it, without its parties and lines.';
