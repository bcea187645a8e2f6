-- organizations.enter_customer: enter a person into the customers of an organization, unless they are there.
--
-- Takes the person's lock, which the routines for bookings, holds and waitlist entries hold already. Without the lock,
-- a concurrent change of the name could be missed. Does nothing for an erased person. Idempotent. Internal: runs with
-- the rights of the trigger that calls it.

create or replace function organizations.enter_customer(organization_id uuid, customer_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from organizations.customers as c
        where
            c.organization_id = enter_customer.organization_id
            and c.customer_id = enter_customer.customer_id
    ) then
        return;
    end if;

    perform events.lock_person(enter_customer.customer_id);
    insert into organizations.customers (organization_id, customer_id)
    select enter_customer.organization_id, p.id
    from users.profiles as p
    where p.id = enter_customer.customer_id and p.erased_at is null
    on conflict on constraint customers_pkey do nothing;
end;
$$;

comment on function organizations.enter_customer(uuid, uuid) is
'Enter a person into the customers of an organization, unless they are there.';
