-- payments.paying_leg: return the customer's account for a payment method, as a leg for payments.post_between_owners.

create or replace function payments.paying_leg(
    customer_id uuid, organization_id uuid, method events.payment_method
)
returns jsonb
language sql
immutable
return case
    when paying_leg.method = 'wallet'
    then jsonb_build_object(
        'owner', 'user', 'id', paying_leg.customer_id, 'type', 'credits', 'within', paying_leg.organization_id
    )
    when paying_leg.method = 'invoice'
    then jsonb_build_object(
        'owner', 'user', 'id', paying_leg.customer_id, 'type', 'payable', 'within', paying_leg.organization_id
    )
    else jsonb_build_object('owner', 'user', 'id', paying_leg.customer_id, 'type', 'cash')
end;

comment on function payments.paying_leg(uuid, uuid, events.payment_method) is
'Return the customer''s account for a payment method, as a leg for payments.post_between_owners.';
