-- payments.refund_debt_status: what has become of the debt that a refund left; null where there is none, or no more.

create or replace function payments.refund_debt_status(refund payments.refunds)
returns text
language sql
immutable
return case
    when (refund_debt_status.refund).beyond and (refund_debt_status.refund).status in ('pending', 'succeeded')
    then coalesce((refund_debt_status.refund).debt_outcome, 'owed')
end;

comment on function payments.refund_debt_status(payments.refunds) is 'What has become of the debt that a refund left.';

grant execute on function payments.refund_debt_status(payments.refunds) to authenticated, service_role;
