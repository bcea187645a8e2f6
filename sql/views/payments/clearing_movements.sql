-- payments.clearing_movements: the changes of the platform's clearing account, with the Stripe object that caused each.
--
-- The object is a charge with its Stripe fee, a refund, a dispute, a transfer or its reversal. Without any of these it
-- is the balance transaction. It is null while no object is known.

create or replace view payments.clearing_movements with (security_invoker = true) as
select
    t.id as transaction_id,
    case split_part(o.idempotency_key, ':', 1)
        when 'payment' then i.stripe_charge_id
        when 'stripe_fee' then i.stripe_charge_id
        when 'refund_sent' then r.stripe_refund_id
        when 'transfer' then split_part(o.idempotency_key, ':', 2)
        when 'transfer_reversal' then split_part(o.idempotency_key, ':', 2)
        when 'dispute' then split_part(o.idempotency_key, ':', 2)
        when 'stripe_balance' then coalesce(b.source_id, b.id)
    end as source_id,
    a.currency,
    e.amount_cents,
    t.recorded_at
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id and a.type = 'clearing' and a.owner_kind = 'platform'
inner join payments.transactions as t on t.id = e.transaction_id
inner join payments.transactions as o on o.id = coalesce(t.reverses_id, t.id)
left join payments.intents as i on i.id = o.reference_id and o.reference_type = 'payment'
left join payments.refunds as r on r.id = o.reference_id and o.reference_type = 'refund'
left join payments.balance_transactions as b
    on o.kind = 'stripe_balance' and b.id = split_part(o.idempotency_key, ':', 2);

comment on view payments.clearing_movements is
'The changes of the clearing account, with the Stripe object that caused each.';

grant select on payments.clearing_movements to app_write;
