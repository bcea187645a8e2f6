-- payments.normal_side: the sign of an account's balance as people read it: 1 for debits, −1 for credits.
--
-- By the platform's books: clearing is what a payment service holds for us, fees are what it cost, payable is what the
-- owner owes us; everything else is what we hold for the owner, owe to the owner, or earned.

create or replace function payments.normal_side(type payments.account_type)
returns integer
language sql
immutable
parallel safe
return case when type in ('clearing', 'fees', 'payable') then 1 else -1 end;

comment on function payments.normal_side(payments.account_type) is
'1 for accounts whose balance is debits less credits, -1 for the others.';

grant execute on function payments.normal_side(payments.account_type) to app_read, app_write;
