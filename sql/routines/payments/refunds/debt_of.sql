-- payments.debt_of: what has become of the debt that a refund left; null where there is none, or no more.

create or replace function payments.debt_of(refund payments.refunds)
returns text
language sql
immutable
return case
    when (debt_of.refund).beyond and (debt_of.refund).status in ('pending', 'succeeded')
    then coalesce((debt_of.refund).debt_outcome, 'owed')
end;

comment on function payments.debt_of(payments.refunds) is 'What has become of the debt that a refund left.';

grant execute on function payments.debt_of(payments.refunds) to authenticated, service_role;
