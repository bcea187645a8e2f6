-- payments.pay_fee_at_desk: take the money for an owed fee into a till.
--
-- For front desk, accountants, admins and owners of the organization. `method` is cash or terminal. Works once per
-- caller and key. Locks the event's inventory, the fee, then the till. Returns the fee.
--
-- Refuses: 400 idempotency_key_required; 404 fee_not_found; 409 nothing_to_pay, also for a fee that was paid before;
-- 409 price_changed; 422 idempotency_conflict; 422 invalid_request.

create or replace function payments.pay_fee_at_desk(
    fee_id uuid, method text, idempotency_key text, location_id uuid default null, total_cents bigint default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee payments.fees;
    the_first_answer text;
    the_answer jsonb;
begin
    perform payments.require_desk_key(pay_fee_at_desk.idempotency_key);
    perform payments.require_desk_method(pay_fee_at_desk.method);
    the_first_answer := ops.first_answer(
        'pay_fee_at_desk', pay_fee_at_desk.idempotency_key,
        jsonb_build_array(
            pay_fee_at_desk.fee_id, pay_fee_at_desk.method, pay_fee_at_desk.location_id, pay_fee_at_desk.total_cents
        )
    );
    the_fee := payments.require_fee(pay_fee_at_desk.fee_id);
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object('customer_id', the_fee.customer_id);
    end if;
    perform events.check_references(
        the_fee.organization_id, jsonb_build_object('location_id', pay_fee_at_desk.location_id)
    );
    if the_fee.paid_at is not null then
        raise exception using errcode = 'PT409', message = 'nothing_to_pay',
            detail = jsonb_build_object('detail', 'The fee was paid before. Do not take the money again.')::text;
    end if;

    the_answer := payments.record_fee_payment(the_fee.id, pay_fee_at_desk.total_cents);
    perform payments.add_till_movement(
        payments.lock_till(the_fee.organization_id, pay_fee_at_desk.location_id, the_fee.currency),
        'fee', pay_fee_at_desk.method, the_fee.amount_cents::bigint, the_fee.id
    );
    return ops.keep_answer('pay_fee_at_desk', pay_fee_at_desk.idempotency_key, the_answer);
end;
$$;

comment on function payments.pay_fee_at_desk(uuid, text, text, uuid, bigint) is
'Take the money for an owed fee into a till.';

grant execute on function payments.pay_fee_at_desk(uuid, text, text, uuid, bigint) to authenticated, service_role;
