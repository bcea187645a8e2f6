-- payments.claim_inbox: lease a Stripe event to a worker that processes it.
--
-- Locks the event's row with skip locked: returns no row when another worker has it. The worker must finish, fail or
-- postpone the event; otherwise the lease ends and another worker may claim it. An event whose workers died
-- `attempts_max` times is parked. Returns no row when there is nothing to do.

create or replace function payments.claim_inbox(
    event text,
    lease_seconds integer default 90,
    attempts_max integer default 5,
    at timestamptz default statement_timestamp()
)
returns table (
    event_id text,
    account text,
    type text,
    created_at timestamptz,
    payload json,
    attempts integer
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    with locked as materialized (
        select i.event_id, i.attempts >= claim_inbox.attempts_max as is_spent
        from payments.webhook_inbox as i
        where
            i.event_id = claim_inbox.event
            and i.status in ('received', 'failed')
            and (i.lease_until <= claim_inbox.at) is not false
        for update skip locked
    ),

    claimed as (
        update payments.webhook_inbox as i
        set
            status = case when l.is_spent then 'parked'::payments.webhook_status else i.status end,
            attempts = i.attempts + case when l.is_spent then 0 else 1 end,
            lease_until
            = case when not l.is_spent then claim_inbox.at + make_interval(secs => claim_inbox.lease_seconds) end,
            last_error
            = case when l.is_spent then coalesce(i.last_error, 'its workers died while processing it') else i.last_error end
        from locked as l
        where i.event_id = l.event_id
        returning i.*
    )

    select c.event_id, c.account, c.type, c.created_at, c.payload, c.attempts
    from claimed as c
    where c.status <> 'parked';
end;
$$;

comment on function payments.claim_inbox(text, integer, integer, timestamptz) is
'Lease a Stripe event to a worker that processes it.';

grant execute on function payments.claim_inbox(text, integer, integer, timestamptz) to service_role;
