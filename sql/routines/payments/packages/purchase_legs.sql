-- payments.purchase_legs: what a package moves, as legs for payments.post_between_owners: the customer's money becomes
-- credits, or the organizer's.
--
-- So many cents of the price, for so many credits, with so much of the platform's share; the other way round for a
-- refund, by negative amounts. What credits are worth beyond their price is the organizer's expense.

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
'What a package moves, as legs for payments.post_between_owners.';
