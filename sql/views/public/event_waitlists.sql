-- public.event_waitlists: waitlists under the name that clients of the earlier system use.

create or replace view public.event_waitlists with (security_invoker = true) as
select
    w.id,
    w.event_id,
    w.customer_id,
    w.seats,
    w.place as position,
    w.status,
    w.offered_at as promoted_at,
    w.offer_expires_at as expires_at,
    w.joined_at as created_at
from events.waitlist_entries as w;

comment on view public.event_waitlists is
'events.waitlist_entries under the earlier name. Always current.';

grant select on public.event_waitlists to app_read;
