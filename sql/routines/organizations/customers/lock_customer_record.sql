-- organizations.lock_customer_record: lock a customer for a change by staff, and return the record.
--
-- For front desk, editors, admins and owners. Locks the person's profile, then the person: the order of
-- users.erase_profile. The customer and the caller's role are read after the wait. Internal.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 404 organization_not_found.

create or replace function organizations.lock_customer_record(organization_id uuid, customer_id uuid)
returns organizations.customers
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform organizations.require_customer_record(
        lock_customer_record.organization_id, lock_customer_record.customer_id, 'front_desk', 'editor', 'admin', 'owner'
    );
    perform from users.profiles as p where p.id = lock_customer_record.customer_id for no key update;
    perform events.lock_person(lock_customer_record.customer_id);
    return organizations.require_customer_record(
        lock_customer_record.organization_id, lock_customer_record.customer_id, 'front_desk', 'editor', 'admin', 'owner'
    );
end;
$$;

comment on function organizations.lock_customer_record(uuid, uuid) is
'Lock a customer for a change by staff, and return the record.';
