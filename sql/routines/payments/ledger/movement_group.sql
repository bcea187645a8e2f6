-- payments.movement_group: return whether a movement of an organization's receivable account is a sale, credits, or a
-- settlement.
--
-- The only place with this rule. `settlement`: the organization received money that it had earned, or returned it: by
-- a transfer, or from the customer at its desk or bank. `credits`: wallet money that the organization gave away, or
-- that expired. `sale`: everything else, so that a new kind counts as revenue until this routine says otherwise.
--
-- Revenue consists of sales and credits (payments.revenue), a customer's spending of sales (payments.spending). A
-- reversal has the group of the transaction that it reverses: pass that one's kind.

create or replace function payments.movement_group(kind text)
returns text
language sql
immutable
parallel safe
return case
    when movement_group.kind in (
        'transfer', 'transfer_reversal', 'invoice_paid', 'fee_paid', 'debt_paid', 'payment_credited',
        'desk_payment', 'desk_refund'
    ) then 'settlement'
    when movement_group.kind in ('credits_granted', 'credits_expired') then 'credits'
    else 'sale'
end;

comment on function payments.movement_group(text) is
'Return whether a movement of a receivable account is a sale, credits, or a settlement.';
