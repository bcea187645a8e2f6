-- payments.waive_fee: waive a fee, as staff decide.
--
-- For front desk, accountants, admins and owners of the organization. A payment from the wallet returns to its lots; a
-- payment at the desk or by bank becomes money in the wallet. The promo code of a late cancellation is
-- released. Locks the event's inventory, the fee, the promo code, then the wallet. Repeating it changes nothing.
-- Returns the fee.
--
-- Refuses: 404 fee_not_found.

create or replace function payments.waive_fee(fee_id uuid, reason text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_fee payments.fees := payments.require_fee(waive_fee.fee_id);
begin
    if the_fee.taken_back_at is null then
        update events.bookings as b
        set fee_cents = 0
        where b.id = the_fee.booking_id;
        update payments.fees as f
        set reason = left(waive_fee.reason, 500), settled_by = ops.caller_id()
        where f.id = the_fee.id;
        if the_fee.kind = 'late_cancellation' then
            perform payments.release_promo_codes(array[the_fee.booking_id]);
        end if;
        perform payments.reverse_fee(the_fee.booking_id);
    end if;
    -- The caller may have lost the role while this waited for the code or the wallet.
    if not organizations.caller_is(the_fee.organization_id, 'front_desk', 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'fee_not_found';
    end if;
    return (select to_jsonb(s) from payments.fee_states as s where s.id = the_fee.id);
end;
$$;

comment on function payments.waive_fee(uuid, text) is 'Waive a fee, as staff decide.';

grant execute on function payments.waive_fee(uuid, text) to authenticated, service_role;
