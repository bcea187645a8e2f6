-- events.may_skip_waitlist: return whether seats may be added although somebody waits for some.
--
-- A transaction that has locked the event's inventory may: it has checked the waitlist, and nobody could join since.
-- Everyone may once the event's last offer time is past.

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

comment on function events.may_skip_waitlist(uuid) is
'Return whether seats may be added although somebody waits for some.';
