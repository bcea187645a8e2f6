-- payments.due_inbox: return the ids of Stripe events that wait for processing and have no message in the queue.
--
-- These are events whose message was lost, whose worker died, or that were postponed. Hides them for five minutes, so
-- that each sweep sends each event once. Locks with skip locked: two sweeps share the work.

create or replace function payments.due_inbox(
    most integer default 100,
    at timestamptz default statement_timestamp()
)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    due text[];
begin
    with found as materialized (
        select i.event_id
        from payments.webhook_inbox as i
        where
            i.status in ('received', 'failed')
            and i.available_at <= due_inbox.at
            and (i.lease_until <= due_inbox.at) is not false
        order by i.available_at
        limit due_inbox.most
        for update skip locked
    ),

    put_off as (
        update payments.webhook_inbox as i
        set available_at = due_inbox.at + interval '5 min'
        from found as f
        where i.event_id = f.event_id
        returning i.event_id, i.created_at
    )

    select coalesce(array_agg(p.event_id order by p.created_at, p.event_id), '{}') into due
    from put_off as p;

    return due;
end;
$$;

comment on function payments.due_inbox(integer, timestamptz) is
'Return the ids of Stripe events that wait for processing and have no message in the queue.';

grant execute on function payments.due_inbox(integer, timestamptz) to service_role;
