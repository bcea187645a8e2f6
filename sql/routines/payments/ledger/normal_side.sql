-- payments.normal_side: return the sign of an account's normal balance: 1 for debits, -1 for credits.
--
-- Three types have 1: clearing (money that a payment service holds for the platform), fees (the platform's costs) and
-- payable (money that the owner owes). All other accounts have -1: money held for the owner or owed to the owner, and
-- revenue.

create or replace function payments.normal_side(type payments.account_type)
returns integer
language sql
immutable
parallel safe
return case when type in ('clearing', 'fees', 'payable') then 1 else -1 end;

comment on function payments.normal_side(payments.account_type) is
'Return the sign of an account''s normal balance: 1 for debits, -1 for credits.';

grant execute on function payments.normal_side(payments.account_type) to app_read, app_write;
