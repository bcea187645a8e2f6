-- events.lock_customer: lock the customer for whom the caller acts, and check the rights of both again.
--
-- The calling routine has called events.ensure_customer. While this routine waits for the lock, either person may be
-- erased, or the caller may leave the organization. `locks_caller` also locks the caller: seats that staff hold for
-- others count against a limit of their own. A customer whom the organization has blocked is refused. Internal: runs
-- with the rights of the routine that calls it.
--
-- Refuses: 403 forbidden, 404 customer_not_found, 409 customer_blocked.

create or replace function events.lock_customer(
    customer_id uuid, organization_id uuid, locks_caller boolean default false
)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform events.lock_people(
        lock_customer.customer_id, case when lock_customer.locks_caller then ops.caller_id() end
    );
    perform users.refuse_erased();
    if lock_customer.customer_id is distinct from ops.caller_id() then
        perform events.ensure_customer(
            ops.caller_id(), lock_customer.customer_id, lock_customer.organization_id
        );
    end if;
    perform organizations.refuse_blocked(lock_customer.organization_id, lock_customer.customer_id);
end;
$$;

comment on function events.lock_customer(uuid, uuid, boolean) is
'Lock the customer for whom the caller acts, and check the rights of both again.';
