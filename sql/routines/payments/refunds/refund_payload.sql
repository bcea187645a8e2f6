-- payments.refund_payload: return a refund as its messages store it, without its reason.
--
-- The reason is read when a message is sent (messaging.webhook_data).

create or replace function payments.refund_payload(refund payments.refunds)
returns jsonb
language sql
stable
return payments.refund_answer(refund_payload.refund) - 'reason';

comment on function payments.refund_payload(payments.refunds) is
'Return a refund as its messages store it, without its reason.';
