-- Each person pays into a wallet at both organizations and buys something with it.
select
    payments.post_transaction(
        'wallet.top_up', array[cash.id, wallet.id], array[1000, -1000], %(side)s || ' in ' || p.number
    ),
    payments.post_transaction(
        'wallet.spend', array[wallet.id, revenue.id], array[400, -400], %(side)s || ' out ' || p.number
    )
from unnest(%(people)s::uuid[]) with ordinality as p (id, number)
cross join lateral payments.account('platform', null, 'cash', 'CHF') as cash (id)
cross join lateral payments.account('organization', %(organization)s, 'revenue', 'CHF') as revenue (id)
cross join lateral payments.account('user', p.id, 'credits', 'CHF', %(organization)s) as wallet (id);
