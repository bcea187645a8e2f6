-- payments.settle_at_desk: move money through a till, and settle it between the customer and the organization.
--
-- `amount_cents` is positive for a payment and negative for a refund. The customer's cash account is settled with the
-- organization's receivable account, because the organization has the money already and the platform owes it less. The
-- platform's share of the sale stays due. Posts once per subject. Locks the till, alone for a refund. Internal. Returns
-- the till.
--
-- Refuses: 403 forbidden; 409 till_short, with the cash in the till, for a refund that exceeds it.

create or replace function payments.settle_at_desk(
    kind text,
    subject_id uuid,
    organization_id uuid,
    location_id uuid,
    customer_id uuid,
    method text,
    amount_cents bigint,
    currency text
)
returns payments.tills
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    is_refund boolean := settle_at_desk.amount_cents < 0;
    the_till payments.tills := payments.lock_till(
        settle_at_desk.organization_id, settle_at_desk.location_id, settle_at_desk.currency, is_refund
    );
begin
    if is_refund and settle_at_desk.method = 'cash' then
        perform payments.require_cash(the_till, -settle_at_desk.amount_cents);
    end if;
    perform payments.post_between_owners(
        kind => case when is_refund then 'desk_refund' else 'desk_payment' end,
        currency => settle_at_desk.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', settle_at_desk.customer_id, 'type', 'cash',
                'cents', -settle_at_desk.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', settle_at_desk.organization_id, 'type', 'receivable',
                'cents', settle_at_desk.amount_cents
            )
        ),
        idempotency_key => 'desk:' || settle_at_desk.kind || ':' || settle_at_desk.subject_id,
        reference_type => case settle_at_desk.kind when 'package' then 'purchase' else settle_at_desk.kind end,
        reference_id => settle_at_desk.subject_id
    );
    perform payments.add_till_movement(
        the_till, settle_at_desk.kind, settle_at_desk.method, settle_at_desk.amount_cents, settle_at_desk.subject_id
    );
    return the_till;
end;
$$;

comment on function payments.settle_at_desk(text, uuid, uuid, uuid, uuid, text, bigint, text) is
'Move money through a till, and settle it between the customer and the organization.';
