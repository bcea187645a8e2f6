-- users.visited_organizations: return the organizations that a person came to, which receive the message of the
-- erasure.
--
-- By a booking, a waitlist entry, a hold, credits, a purchase, a membership or an instructor's page. Internal.

create or replace function users.visited_organizations(user_id uuid)
returns uuid[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select array(
        select b.organization_id
        from events.bookings as b
        where b.customer_id = visited_organizations.user_id
        union
        select t.organization_id
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.customer_id = visited_organizations.user_id
        union
        select t.organization_id
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where h.customer_id = visited_organizations.user_id
        union
        select l.organization_id
        from payments.credit_lots as l
        where l.customer_id = visited_organizations.user_id
        union
        select p.organization_id
        from payments.purchases as p
        where p.customer_id = visited_organizations.user_id
        union
        select m.organization_id
        from organizations.memberships as m
        where m.user_id = visited_organizations.user_id
        union
        select i.organization_id
        from organizations.instructors as i
        where i.user_id = visited_organizations.user_id
        order by 1
    );
$$;

comment on function users.visited_organizations(uuid) is
'Return the organizations that a person came to, which receive the message of the erasure.';
