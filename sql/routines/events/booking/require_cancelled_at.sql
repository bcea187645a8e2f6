-- events.require_cancelled_at: a booking that is cancelled says when.
--
-- A trigger of updates instead of a check of the table: a check is parsed anew by each booking that is made, a
-- twentieth of its cost, for the sake of the few that are cancelled.

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

comment on function events.require_cancelled_at() is 'Refuse a cancelled booking that does not say when.';
