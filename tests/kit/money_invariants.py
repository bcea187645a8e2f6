"""Check the invariants of money with one query, which must hold at all times.

assert money_invariants.findings(db) == []
"""

from typing import Any

import psycopg

from tests.kit import stages

AUDIT = """
-- Erasing a person pays out wallet money that a refund had put there: the same money goes on, and is counted once.
with onward as (
    select r.id from payments.refunds as r where r.cause like 'erased:%'
),
cash as (
    select a.owner_id as customer_id, -sum(e.amount_cents)::bigint as cents
    from payments.entries as e
    inner join payments.accounts as a on a.id = e.account_id
    where a.owner_kind = 'user' and a.type = 'cash'
    group by a.owner_id
),
-- What somebody sent at Stripe beyond all that we had to give back is the customer's debt, until it is settled.
given_back as (
    select
        r.booking_id,
        coalesce(sum(r.amount_cents) filter (where r.sold), 0)::bigint as of_sale,
        coalesce(sum(r.amount_cents) filter (where not r.beyond), 0)::bigint as in_all
    from payments.refunds as r
    where r.id not in (select o.id from onward as o)
    group by r.booking_id
),
paid as (
    select
        i.customer_id,
        coalesce(sum(i.amount_cents) filter (where i.status = 'succeeded'), 0)::bigint as came,
        coalesce(sum(s.amount_cents - s.refunded_cents), 0)::bigint as kept
    from payments.intents as i
    left join payments.sales as s on s.booking_id = i.booking_id and s.method = i.method
    where i.booking_id is not null
    group by i.customer_id
),
back as (
    select
        r.customer_id,
        coalesce(sum(r.amount_cents) filter (
            where
                not r.beyond
                and (r.destination = 'wallet' or r.status in ('pending', 'succeeded'))
                and r.id not in (select o.id from onward as o)
        ), 0)::bigint as gone,
        coalesce(sum(r.amount_cents) filter (
            where r.id in (select o.id from onward as o) and r.status in ('created', 'failed')
        ), 0)::bigint as going_on,
        coalesce(sum(r.amount_cents) filter (
            where not r.beyond and r.destination = 'original' and r.status in ('created', 'failed')
        ), 0)::bigint as owed
    from payments.refunds as r
    where r.intent_id is not null and r.booking_id is not null
    group by r.customer_id
),
due as (
    select
        r.customer_id,
        coalesce(sum(r.amount_cents) filter (
            where not r.beyond and r.destination in ('original', 'till') and r.status in ('created', 'failed')
        ), 0)::bigint as owed,
        coalesce(sum(r.amount_cents - r.recovered_cents) filter (
            where r.beyond and r.status in ('pending', 'succeeded') and r.debt_outcome is null
        ), 0)::bigint as beyond
    from payments.refunds as r
    group by r.customer_id
),
-- The amount that Stripe holds of each payment: the receipt, less refunds and disputed amounts.
at_stripe as (
    select i.id as payment_id, i.currency::text as currency, i.amount_cents::bigint as cents
    from payments.intents as i
    where i.status = 'succeeded'
    union all
    select r.intent_id, r.currency::text, -r.amount_cents
    from payments.refunds as r
    where r.destination = 'original' and r.status in ('pending', 'succeeded')
    union all
    select d.intent_id, d.currency::text, -d.amount_cents from payments.disputes as d where d.withdrawn
),
in_clearing as (
    select
        case t.reference_type when 'payment' then t.reference_id else r.intent_id end as payment_id,
        a.currency::text as currency,
        e.amount_cents::bigint as cents
    from payments.entries as e
    inner join payments.accounts as a on a.id = e.account_id and a.type = 'clearing' and a.owner_kind = 'platform'
    inner join payments.transactions as t on t.id = e.transaction_id
    left join payments.transactions as o on o.id = t.reverses_id
    left join payments.refunds as r on r.id = t.reference_id
    where coalesce(o.kind, t.kind) in ('payment', 'refund_sent', 'dispute')
),
package_refunds as (
    select
        r.purchase_id,
        coalesce(sum(r.amount_cents) filter (where not r.beyond), 0)::bigint as cents
    from payments.refunds as r
    where r.purchase_id is not null and r.cause not like 'erased:%'
    group by r.purchase_id
),
package_lots as (
    select
        p.id, p.amount_cents as price, p.refunded_cents as refunded, p.credits, p.bonus,
        sum(l.remaining) filter (where l.source = 'purchase') as remaining,
        sum(l.remaining) filter (where l.source = 'promotion') as remaining_bonus,
        sum(u.used) filter (where l.source = 'purchase') as used
    from payments.purchases as p
    inner join payments.credit_lots as l on l.purchase_id = p.id
    cross join lateral (
        select coalesce(sum(u.amount - u.returned), 0) as used from payments.credit_uses as u where u.lot_id = l.id
    ) as u
    group by p.id
)
select 'a till is not what its organization''s accounts hold' as finding, m.organization_id as id
from (
    select m.organization_id, t.currency::text as currency, m.amount_cents, -m.amount_cents as own_cents
    from payments.till_movements as m
    inner join payments.tills as t on t.id = m.till_id
    union all
    select
        a.owner_id, a.currency::text,
        case when a.type = 'clearing' then -e.amount_cents else 0 end,
        case when a.type = 'cash' then -e.amount_cents else 0 end
    from payments.entries as e
    inner join payments.accounts as a on a.id = e.account_id
    where a.owner_kind = 'organization' and a.type in ('clearing', 'cash')
) as m
group by m.organization_id, m.currency
having sum(m.amount_cents) <> 0 or sum(m.own_cents) <> 0
union all
select 'a day does not open with the rest of the former one', c.id
from (
    select
        c.id, c.opening_cents, c.first_day, c.day,
        lag(c.counted_cents - c.deposited_cents, 1, 0::bigint) over w as rest_cents,
        lag(c.day) over w as former_day
    from payments.till_closings as c
    window w as (partition by c.till_id order by c.day)
) as c
where c.opening_cents <> c.rest_cents or c.first_day <= c.former_day
union all
select 'a refund was paid out at the desk twice or not at all', r.id
from payments.refunds as r
left join payments.till_movements as m on m.kind = 'refund' and m.subject_id = r.id
where (r.destination = 'till' and r.status = 'succeeded') <> coalesce(m.amount_cents = -r.amount_cents, false)
union all
select 'counters differ from their rows', d.event_id from ({drift}) as d
union all
select 'the ledger does not balance', null
from payments.trial_balance() as t
where t.type is null and t.amount_cents <> 0
union all
select 'ledger: ' || f.finding, null from payments.verify_ledger() as f
union all
select 'credits: ' || f.finding, f.account_id from payments.verify_credits() as f
union all
select 'what came is not what was kept, went back and is owed', p.customer_id
from paid as p
left join back as b on b.customer_id = p.customer_id
where p.came <> p.kept + coalesce(b.gone, 0) + coalesce(b.owed, 0) - coalesce(b.going_on, 0)
union all
select 'clearing is not what Stripe holds of a payment', m.payment_id
from (
    select s.* from at_stripe as s
    union all
    select c.payment_id, c.currency, -c.cents from in_clearing as c
) as m
group by m.payment_id, m.currency
having sum(m.cents) <> 0
union all
select 'a refund at Stripe has not left clearing', r.id
from payments.refunds as r
where
    starts_with(r.cause, 'stripe:')
    and (r.intent_id is null or (r.destination not in ('original', 'dispute') and r.earlier_stripe_ids = '{{}}'))
union all
select 'what is owed is not in the customer''s cash', coalesce(d.customer_id, c.customer_id)
from due as d
full join cash as c on c.customer_id = d.customer_id
where coalesce(c.cents, 0) <> coalesce(d.owed, 0) - coalesce(d.beyond, 0)
union all
select 'credits of a package that were refunded', l.id
from package_lots as l
where
    (l.remaining + l.used) * l.price > l.credits * (l.price - l.refunded)
    or l.remaining_bonus * l.price > l.bonus * (l.price - l.refunded)
union all
select 'a package''s refunds are not its refunds', p.id
from payments.purchases as p
inner join package_refunds as r on r.purchase_id = p.id
where p.refunded_cents < r.cents and p.status <> 'pending'
union all
select 'usable credits of a disputed or owed payment', l.id
from payments.credit_lots as l
left join payments.refunds as r on r.id = l.refund_id
cross join lateral (select coalesce(l.purchase_id, l.booking_id, r.intent_id) as id) as p
where
    l.remaining > 0 and l.frozen_at is null
    and (
        (
            payments.is_withdrawn(p.id)
            and (l.purchase_id is not null or r.id is not null or payments.has_paid_sale(p.id))
        )
        or payments.owed_cents(p.id) > 0
    )
union all
select 'credits of a promo code whose booking is over', l.id
from payments.credit_lots as l
inner join events.bookings as b on b.id = l.booking_id
where l.remaining > 0 and l.spent_cents is null and b.status in ('cancelled', 'refunded', 'expired')
union all
select 'spent credits of a promo code that are neither deducted nor owed', l.id
from payments.credit_lots as l
left join payments.sales as s on s.booking_id = l.booking_id
where
    l.spent_cents > coalesce(s.amount_cents - s.refunded_cents, 0) + (
        select coalesce(sum(r.amount_cents), 0)
        from payments.refunds as r
        where r.booking_id = l.booking_id and r.beyond and r.status <> 'failed'
    )
union all
select 'a promo code stays used by a booking that ended without benefit', b.id
from payments.promo_uses as u
inner join events.bookings as b on b.id = u.booking_id
where
    u.given_back_at is null
    and (b.status in ('refunded', 'expired') or (b.status = 'cancelled' and b.late is not true))
    -- Spent credits were a benefit.
    and payments.spent_grant_cents(b.id) = 0
union all
select 'a sale''s refunds are not its refunds', s.booking_id
from payments.sales as s
left join given_back as g on g.booking_id = s.booking_id
where s.refunded_cents <> coalesce(g.of_sale, 0)
union all
select 'more went back than was paid', b.id
from events.bookings as b
inner join given_back as g on g.booking_id = b.id
left join payments.sales as s on s.booking_id = b.id
-- A payment that succeeded after the booking was paid otherwise goes back too.
left join payments.intents as i on i.booking_id = b.id and i.status = 'succeeded' and s.method is distinct from i.method
where g.in_all > coalesce(s.amount_cents, b.price_cents) + coalesce(i.amount_cents, 0)
union all
select 'more went back than a payment', i.id
from payments.intents as i
inner join payments.refunds as r on r.intent_id = i.id
where not r.beyond and r.id not in (select o.id from onward as o)
group by i.id
having sum(r.amount_cents) > i.amount_cents
union all
select 'more went back by Stripe than came', i.id
from payments.intents as i
inner join payments.refunds as r on r.intent_id = i.id
where not r.beyond and r.destination = 'original' and r.status <> 'failed'
group by i.id
having sum(r.amount_cents) > i.amount_cents
union all
select 'a payment bought nothing and does not go back, or both', i.booking_id
from payments.intents as i
left join payments.sales as s on s.booking_id = i.booking_id and s.method = i.method
left join payments.refunds as r on r.booking_id = i.booking_id and not r.sold and not r.beyond
    and r.id not in (select o.id from onward as o)
where
    i.status = 'succeeded' and i.booking_id is not null
    and (s.booking_id is null) = (r.id is null)
union all
select 'a refund waits though the bank has given the money', r.id
from payments.refunds as r
where
    r.status in ('created', 'failed') and r.destination = 'original' and not r.beyond
    and payments.dispute_cover(r.intent_id) > 0
union all
select 'a sale without a payment', s.booking_id
from payments.sales as s
inner join payments.intents as i on i.booking_id = s.booking_id and i.method = s.method
where i.status <> 'succeeded'
union all
select 'seats that were not paid for', b.id
from events.bookings as b
left join payments.sales as s on s.booking_id = b.id
where b.status in ('confirmed', 'attended', 'no_show') and b.price_cents > 0 and s.booking_id is null
union all
select 'money kept of a booking that is over', b.id
from events.bookings as b
inner join payments.sales as s on s.booking_id = b.id
where
    b.status in ('cancelled', 'refunded', 'expired')
    and (
        -- The kept part of seats that were given back late stays.
        b.price_cents + b.returned_cents - s.refunded_cents > b.fee_cents + payments.spent_grant_cents(b.id)
        or (
            s.amount_cents - s.refunded_cents < b.fee_cents
            and not exists (
                select from payments.refunds as r where r.booking_id = b.id and r.cause similar to '(staff|stripe):%'
            )
        )
    )
union all
select 'a booking waits for its payment and has no seats', b.id
from events.bookings as b
left join events.holds as h on h.id = b.hold_id
where b.status = 'pending_payment' and h.status is distinct from 'active'
union all
select 'seats are kept for a payment that nobody waits for', h.id
from events.holds as h
left join events.bookings as b on b.hold_id = h.id
where h.purpose = 'payment' and h.status = 'active' and b.status is distinct from 'pending_payment'
"""
BALANCES = """
select a.owner_kind || ' ' || a.type as account, sum(e.amount_cents)::bigint as cents
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
group by 1
having sum(e.amount_cents) <> 0
"""
CLEARING = """
select coalesce(sum(e.amount_cents), 0)::bigint as cents
from payments.entries as e
inner join payments.accounts as a on a.id = e.account_id
where a.type = 'clearing' and a.owner_kind = 'platform'
"""


def balances(db: psycopg.Connection[Any]) -> dict[str, int]:
    """Return the ledger's nonzero balances by owner and type, such as platform fees. Debits are positive."""
    return {row["account"]: row["cents"] for row in db.execute(BALANCES).fetchall()}


def findings(db: psycopg.Connection[Any]) -> list[tuple[str, Any]]:
    """Return the violated invariants with the affected ids. The list is empty without a fault."""
    rows = db.execute(AUDIT.format(drift=stages.DRIFT)).fetchall()
    return [(row["finding"], row["id"]) for row in rows]


def clearing_cents(db: psycopg.Connection[Any]) -> int:
    """Return the clearing balance: the money that Stripe holds according to the ledger."""
    row = db.execute(CLEARING).fetchone()
    assert row is not None
    cents: int = row["cents"]
    return cents
