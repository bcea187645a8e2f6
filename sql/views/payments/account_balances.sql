-- payments.account_balances: the balance of each account that the caller may see, in its normal sign.

create or replace view payments.account_balances with (security_invoker = true) as
select
    a.id as account_id,
    a.owner_kind,
    a.owner_id,
    a.organization_id,
    a.type,
    a.currency,
    payments.normal_side(a.type) * payments.signed_balance(a.id) as balance_cents
from payments.accounts as a;

comment on view payments.account_balances is 'The balance of each account, in its normal sign.';

grant select on payments.account_balances to app_read, app_write;
