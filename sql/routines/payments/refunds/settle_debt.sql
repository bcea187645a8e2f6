-- payments.settle_debt: record that the debt of an excess refund was paid to the organizer, or write it off.
--
-- `outcome` is `paid` (at the desk or by bank) or `forgiven`. For accountants, admins and owners of the organization,
-- and for the service. The part that credits have not paid (payments.recover_debt) leaves the customer's cash account.
-- A paid debt reduces the money due to the organization, which has received it. A debt that the organization writes off
-- is its expense; one that the service writes off is the platform's. Releases credits that the debt froze, and may
-- release the promo code whose spent credits the customer has paid (payments.release_paid_code).
--
-- Locks the promo code, the payment, the wallets, then the refund. Repeating it with the same outcome changes nothing.
-- Returns the refund.
--
-- Refuses: 404 refund_not_found, 409 nothing_to_pay, without a debt or with another outcome before; 422
-- invalid_request.

create or replace function payments.settle_debt(refund_id uuid, outcome text, reason text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_refund payments.refunds;
    the_transaction_id uuid;
    the_cents bigint;
    the_payment_id uuid;
begin
    select r.* into the_refund from payments.refunds as r where r.id = settle_debt.refund_id;
    if not found or not organizations.caller_is(the_refund.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;
    if (settle_debt.outcome in ('paid', 'forgiven')) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`outcome` must be paid or forgiven.')::text;
    end if;
    the_payment_id := coalesce(the_refund.booking_id, the_refund.purchase_id);
    perform payments.lock_promo_codes(array[the_payment_id]);
    perform from payments.intents as i where i.id = the_payment_id for no key update;
    perform payments.lock_wallets(array(
        select l.account_id
        from payments.credit_lots as l
        where l.id = any (payments.payment_lots(the_payment_id)) and l.account_id is not null
    ));
    select r.* into the_refund
    from payments.refunds as r
    where r.id = settle_debt.refund_id
    for no key update;
    -- The caller may have lost the role while this waited.
    if not organizations.caller_is(the_refund.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;

    if payments.refund_debt_status(the_refund) is distinct from 'owed' then
        if payments.refund_debt_status(the_refund) is distinct from settle_debt.outcome then
            raise exception using errcode = 'PT409', message = 'nothing_to_pay',
                detail = jsonb_build_object('detail', 'The refund left no debt, or the debt is already settled.')::text;
        end if;
        return payments.refund_answer(the_refund);
    end if;

    the_cents := the_refund.amount_cents - the_refund.recovered_cents;
    the_transaction_id := payments.post_between_owners(
        kind => 'debt_' || settle_debt.outcome,
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', -the_cents
            ),
            case
                when settle_debt.outcome = 'forgiven' and ops.caller_is_service()
                then jsonb_build_object(
                    'owner', 'platform', 'type', 'revenue', 'cents', the_cents
                )
                else jsonb_build_object(
                    'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                    'cents', the_cents
                )
            end
        ),
        idempotency_key => 'debt_settled:' || the_refund.id,
        reference_type => 'refund',
        reference_id => the_refund.id
    );
    update payments.refunds as r
    set
        debt_outcome = settle_debt.outcome, debt_transaction_id = the_transaction_id,
        debt_settled_at = statement_timestamp(), debt_settled_by = ops.caller_id(), debt_reason = settle_debt.reason
    where r.id = the_refund.id
    returning r.* into the_refund;
    perform payments.freeze_credits(the_payment_id);
    perform payments.release_paid_code(the_payment_id);
    return payments.refund_answer(the_refund);
end;
$$;

comment on function payments.settle_debt(uuid, text, text) is
'Record that the debt of an excess refund was paid to the organizer, or write it off.';

grant execute on function payments.settle_debt(uuid, text, text) to authenticated, service_role;
