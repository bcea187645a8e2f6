-- Enter everyone who came to an organization before the triggers of organizations.customers existed.

insert into organizations.customers (organization_id, customer_id)
select
    c.organization_id,
    c.customer_id
from (
    select
        b.organization_id,
        b.customer_id
    from events.bookings as b
    union
    select
        t.organization_id,
        h.customer_id
    from events.holds as h
    inner join events.terms as t on t.event_id = h.event_id
    union
    select
        t.organization_id,
        w.customer_id
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    union
    select
        p.organization_id,
        p.customer_id
    from payments.purchases as p
    union
    select
        l.organization_id,
        l.customer_id
    from payments.credit_lots as l
    union
    select
        a.organization_id,
        a.owner_id
    from payments.accounts as a
    where a.owner_kind = 'user' and a.organization_id is not null
) as c
inner join users.profiles as f on f.id = c.customer_id and f.erased_at is null
order by c.customer_id, c.organization_id
on conflict on constraint customers_pkey do nothing;
