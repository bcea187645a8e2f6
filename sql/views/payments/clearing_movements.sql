-- payments.clearing_movements: what each posting did to the clearing account, and which thing of Stripe's it was about.
--
-- A charge with Stripe's fee of it; a refund; a dispute; a transfer or its reversal; or the balance transaction itself
-- where nothing else told of it. Null: nothing of Stripe's is known yet.

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
inner join payments.accounts as a on a.id = e.account_id and a.type = 'clearing'
inner join payments.transactions as t on t.id = e.transaction_id
inner join payments.transactions as o on o.id = coalesce(t.reverses_id, t.id)
left join payments.intents as i on i.id = o.reference_id and o.reference_type = 'payment'
left join payments.refunds as r on r.id = o.reference_id and o.reference_type = 'refund'
left join payments.balance_transactions as b
    on o.kind = 'stripe_balance' and b.id = split_part(o.idempotency_key, ':', 2);

comment on view payments.clearing_movements is
'What each posting did to the clearing account, and which thing of Stripe''s it was about.';

grant select on payments.clearing_movements to app_write;
