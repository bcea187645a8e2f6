-- payments.takes_money: return whether the caller may take and pay out money at an organization's desk.
--
-- Front desk, accountants, admins and owners may. Never null.

create or replace function payments.takes_money(organization_id uuid)
returns boolean
language sql
stable
return organizations.caller_is(takes_money.organization_id, 'front_desk', 'accountant', 'admin', 'owner');

comment on function payments.takes_money(uuid) is
'Return whether the caller may take and pay out money at an organization''s desk.';
