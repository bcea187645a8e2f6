-- rating.recent_events: votes, sliders and fires that the caller may see, as one list.
--
-- Select an organization and order by received_at and event_id, so that indexes are used. For that the three parts have
-- equal column types. Archived months are not included.

create or replace view rating.recent_events
with (security_invoker = true)
as
select
    v.organization_id,
    v.event_id,
    'vote'::text as type,
    v.key::text as key,
    v.voter_id::text as voter_id,
    v.item_a::text as item_a,
    v.item_b::text as item_b,
    v.winner::text as winner,
    v.kind::text as kind,
    null::text as item_id,
    null::double precision as value,
    v.occurred_at,
    v.received_at
from rating.votes as v
union all
select
    s.organization_id,
    s.event_id,
    'slider'::text as type,
    s.key::text as key,
    s.voter_id::text as voter_id,
    null::text as item_a,
    null::text as item_b,
    null::text as winner,
    null::text as kind,
    s.item_id::text as item_id,
    s.value,
    s.occurred_at,
    s.received_at
from rating.sliders as s
union all
select
    f.organization_id,
    f.event_id,
    'fire'::text as type,
    f.key::text as key,
    f.voter_id::text as voter_id,
    null::text as item_a,
    null::text as item_b,
    null::text as winner,
    null::text as kind,
    f.item_id::text as item_id,
    null::double precision as value,
    f.occurred_at,
    f.received_at
from rating.fires as f;

comment on view rating.recent_events is 'Votes, sliders and fires as one list.';

grant select on rating.recent_events to app_read;
