-- payments.credit_payload: return credits as their messages store them: the lot, its cause and the bonus.
--
-- The bonus of a package is a lot of its own; its message is that of the lot that was paid for.

create or replace function payments.credit_payload(lot payments.credit_lots, bonus bigint)
returns jsonb
language sql
stable
return payments.lot_answer((credit_payload.lot).id) || jsonb_build_object(
    'purchase_id', (credit_payload.lot).purchase_id,
    'booking_id', (credit_payload.lot).booking_id,
    'bonus', credit_payload.bonus
);

comment on function payments.credit_payload(payments.credit_lots, bigint) is
'Return credits as their messages store them: the lot, its cause and the bonus.';
