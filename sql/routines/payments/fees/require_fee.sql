-- payments.require_fee: lock a fee for staff who may settle it: front desk, accountants, admins, owners.
--
-- Locks the event's inventory, then the fee. Internal.
--
-- Refuses: 404 fee_not_found.

create or replace function payments.require_fee(fee_id uuid)
returns payments.fees
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee payments.fees;
begin
    -- Read the fee and the caller's right, lock, and read them again: they may have changed while this waited.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(b.event_id)
            from events.bookings as b
            where b.id = the_fee.booking_id;
            perform from payments.fees as f where f.id = require_fee.fee_id for no key update;
        end if;

        select f.* into the_fee from payments.fees as f where f.id = require_fee.fee_id;
        if
            not found
            or not organizations.caller_is(the_fee.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
        then
            raise exception using errcode = 'PT404', message = 'fee_not_found';
        end if;
    end loop;
    return the_fee;
end;
$$;

comment on function payments.require_fee(uuid) is
'Lock a fee for staff who may settle it: front desk, accountants, admins, owners.';
