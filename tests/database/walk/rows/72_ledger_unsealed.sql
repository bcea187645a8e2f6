-- Insert transactions that are not sealed yet.
select payments.post_transaction(
    'wallet.spend', array[wallet.id, revenue.id], array[100, -100], %(side)s || ' later ' || p.number
)
from unnest(%(people)s::uuid[]) with ordinality as p (id, number)
cross join lateral payments.account('organization', %(organization)s, 'revenue', 'CHF') as revenue (id)
cross join lateral payments.account('user', p.id, 'credits', 'CHF', %(organization)s) as wallet (id);

-- A transaction belongs to each owner of its accounts. Each entry belongs only to the owner of its own account.
insert into whose (id, who)
select e.transaction_id::text, w.who::text
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
cross join lateral unnest(array[a.owner_id, a.organization_id]) as w (who)
where w.who is not null
on conflict do nothing;
