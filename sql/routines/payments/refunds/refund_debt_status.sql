-- payments.refund_debt_status: return the state of the debt that an excess refund left.
--
-- owed, recovered from the customer's credits, or the outcome of its settlement. Null for other refunds, and for an
-- excess refund that failed.

create or replace function payments.refund_debt_status(refund payments.refunds)
returns text
language sql
immutable
return case
    when (refund_debt_status.refund).beyond and (refund_debt_status.refund).status in ('pending', 'succeeded')
    then coalesce(
        (refund_debt_status.refund).debt_outcome,
        case
            when (refund_debt_status.refund).recovered_cents = (refund_debt_status.refund).amount_cents
            then 'recovered'
            else 'owed'
        end
    )
end;

comment on function payments.refund_debt_status(payments.refunds) is
'Return the state of the debt that an excess refund left.';

grant execute on function payments.refund_debt_status(payments.refunds) to authenticated, service_role;
