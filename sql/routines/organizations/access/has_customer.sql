-- organizations.has_customer: return whether a person is a customer of an organization.
--
-- The only place with this rule. A customer has a row of organizations.customers, a booking in any state, a hold, a
-- waitlist entry, a purchase, a pass, a wallet or another account there, or a membership. Each look-up starts from the
-- person, and the look-up of bookings reads only its index. Locks nothing.
--
-- Does not read the profile, so that it costs the same for a stranger and for an id of nobody
-- (docs/decisions/0013-staff-reach-only-customers-of-their-organization.md).

create or replace function organizations.has_customer(organization_id uuid, customer_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from organizations.customers as c
        where c.organization_id = has_customer.organization_id and c.customer_id = has_customer.customer_id
    ) or exists (
        select
        from events.bookings as b
        where b.customer_id = has_customer.customer_id and b.organization_id = has_customer.organization_id
    ) or exists (
        select
        from organizations.memberships as m
        where m.user_id = has_customer.customer_id and m.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.accounts as a
        where
            a.owner_kind = 'user'
            and a.owner_id = has_customer.customer_id
            and a.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.credit_lots as l
        where l.customer_id = has_customer.customer_id and l.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.purchases as p
        where p.customer_id = has_customer.customer_id and p.organization_id = has_customer.organization_id
    ) or exists (
        select
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.customer_id = has_customer.customer_id and t.organization_id = has_customer.organization_id
    ) or exists (
        select
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where h.customer_id = has_customer.customer_id and t.organization_id = has_customer.organization_id
    );
end;
$$;

comment on function organizations.has_customer(uuid, uuid) is
'Return whether a person is a customer of an organization.';
