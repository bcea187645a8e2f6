-- events.may_take_set_aside: return whether seats that are set aside for the waitlist may be taken without an offer.
--
-- Anyone may once the waitlist has ended. An import may before, because its bookings are older than the entries
-- (staging.convert_registrations).

create or replace function events.may_take_set_aside(event_id uuid)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(current_setting('events.older_bookings', true), '') <> ''
        or events.offers_have_ended(may_take_set_aside.event_id);
$$;

comment on function events.may_take_set_aside(uuid) is
'Return whether seats that are set aside for the waitlist may be taken without an offer.';
