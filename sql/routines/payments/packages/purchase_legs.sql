-- payments.purchase_legs: return the legs of a package's sale for payments.post_between_owners.
--
-- The customer pays `paid_cents` and receives `credits`, or a pass; the platform keeps `fee_cents`. Negative amounts
-- make the legs of a refund. The organization pays for credits that exceed their price.

create or replace function payments.purchase_legs(
    purchase payments.purchases, paid_cents bigint, credits bigint, fee_cents bigint
)
returns jsonb
language sql
immutable
return jsonb_build_array(
    jsonb_build_object(
        'owner', 'user', 'id', (purchase_legs.purchase).customer_id, 'type', 'cash', 'cents', purchase_legs.paid_cents
    ),
    jsonb_build_object(
        'owner', 'user', 'id', (purchase_legs.purchase).customer_id, 'type', 'credits',
        'within', (purchase_legs.purchase).organization_id,
        'cents', case when (purchase_legs.purchase).kind = 'wallet' then -purchase_legs.credits else 0 end
    ),
    jsonb_build_object(
        'owner', 'organization', 'id', (purchase_legs.purchase).organization_id, 'type', 'receivable',
        'cents',
        purchase_legs.fee_cents - purchase_legs.paid_cents
        + case when (purchase_legs.purchase).kind = 'wallet' then purchase_legs.credits else 0 end
    ),
    jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', -purchase_legs.fee_cents)
);

comment on function payments.purchase_legs(payments.purchases, bigint, bigint, bigint) is
'Return the legs of a package''s sale for payments.post_between_owners.';
