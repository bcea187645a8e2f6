-- payments.usable_passes: return a customer's lots of passes that admit to an event.
--
-- These are passes without categories, or with the event's category or its parent, that have units and are
-- neither expired nor frozen.

create or replace function payments.usable_passes(customer_id uuid, organization_id uuid, event_id uuid)
returns setof payments.credit_lots
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select l.*
    from payments.credit_lots as l
    where
        l.customer_id = usable_passes.customer_id
        and l.organization_id = usable_passes.organization_id
        and l.kind = 'pass'
        and l.remaining > 0
        and l.expires_at > statement_timestamp()
        and l.frozen_at is null
        and (l.categories is null or l.categories && payments.event_categories(usable_passes.event_id));
$$;

comment on function payments.usable_passes(uuid, uuid, uuid) is
'Return a customer''s lots of passes that admit to an event.';
