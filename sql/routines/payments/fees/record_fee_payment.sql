-- payments.record_fee_payment: record that the organizer received an owed fee at the desk or by bank transfer.
--
-- For front desk, accountants, admins and owners of the organization. The customer's debt ends, and the platform no
-- longer owes the fee to the organization, which has the money. The platform's share of the fee stays due. Locks the
-- event's inventory, then the fee. Repeating it changes nothing. Returns the fee.
--
-- Refuses: 404 fee_not_found; 409 nothing_to_pay, when the fee was paid from the wallet or reversed;
-- 409 price_changed, when `total_cents` is not the fee.

create or replace function payments.record_fee_payment(fee_id uuid, total_cents bigint default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee payments.fees := payments.require_fee(record_fee_payment.fee_id);
    the_transaction_id uuid;
begin
    if record_fee_payment.total_cents <> the_fee.amount_cents then
        raise exception using errcode = 'PT409', message = 'price_changed',
            detail = jsonb_build_object('price_cents', the_fee.amount_cents, 'currency', the_fee.currency)::text;
    end if;
    if the_fee.paid_from <> 'owed' or the_fee.taken_back_at is not null then
        raise exception using errcode = 'PT409', message = 'nothing_to_pay',
            detail = jsonb_build_object(
                'detail', 'The fee was paid from the wallet, or was waived, so nothing is owed.'
            )::text;
    end if;

    if the_fee.paid_at is null then
        the_transaction_id := payments.post_between_owners(
            kind => 'fee_paid',
            currency => the_fee.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_fee.customer_id, 'type', 'payable',
                    'within', the_fee.organization_id, 'cents', -the_fee.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'organization', 'id', the_fee.organization_id, 'type', 'receivable',
                    'cents', the_fee.amount_cents
                )
            ),
            idempotency_key => 'fee_paid:' || the_fee.id,
            reference_type => 'booking',
            reference_id => the_fee.booking_id
        );
        update payments.fees as f
        set
            paid_at = statement_timestamp(), payment_transaction_id = the_transaction_id,
            settled_by = ops.caller_id()
        where f.id = the_fee.id;
    end if;
    return (select to_jsonb(s) from payments.fee_states as s where s.id = the_fee.id);
end;
$$;

comment on function payments.record_fee_payment(uuid, bigint) is
'Record that the organizer received an owed fee at the desk or by bank transfer.';

grant execute on function payments.record_fee_payment(uuid, bigint) to authenticated, service_role;
