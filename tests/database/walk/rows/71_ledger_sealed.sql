-- All transactions so far are sealed.
select payments.seal_entries(now() + interval '1 minute');

-- Settlements are summed up for an account of the organization.
insert into payments.settlement_totals (account_id, position, settled_cents)
select a.id, 1, 0
from payments.account('organization', %(organization)s, 'revenue', 'CHF') as a (id);
