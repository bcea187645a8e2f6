-- events.may_skip_waitlist: whether seats may be added although somebody waits.
--
-- By who has the event's lock, and so has looked at those who wait while nobody could begin to; and by anybody once no
-- seats are offered any more.

create or replace function events.may_skip_waitlist(event_id uuid)
returns boolean
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select
        coalesce(current_setting('events.inventory_locked', true), '') <> ''
        or exists (
            select
            from events.terms as t
            where t.event_id = may_skip_waitlist.event_id and statement_timestamp() >= t.last_offer_at
        );
$$;

comment on function events.may_skip_waitlist(uuid) is 'Whether seats may be added although somebody waits for some.';
