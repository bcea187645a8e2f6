-- payments.waive_fee: take back what not coming was charged with, because staff say so.
--
-- For front desk, accountants, admins and owners of the organization. What was paid comes back: to the lots of the
-- wallet that it came from, or to the wallet as money when it was paid at the organizer's. Locks the event's inventory,
-- the fee, then the wallet. Waiving again answers the same. Answers the fee.
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
        perform payments.reverse_fee(the_fee.booking_id);
    end if;
    return (select to_jsonb(s) from payments.fee_states as s where s.id = the_fee.id);
end;
$$;

comment on function payments.waive_fee(uuid, text) is
'Take back what not coming was charged with, because staff say so; answers the fee.';

grant execute on function payments.waive_fee(uuid, text) to authenticated, service_role;
