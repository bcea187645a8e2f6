-- ops.fail_outbox: record that messages could not be sent.
--
-- They are retried after 10, 30, 90 and 270 seconds. The fifth failure parks them, and a permanent failure does so at
-- once. Until then the later messages of their keys wait; a parked message delays nothing. Locks the messages in id
-- order. Returns the number of messages parked. For the service.

create or replace function ops.fail_outbox(
    ids bigint[],
    error text,
    permanent boolean default false,
    at timestamptz default statement_timestamp()
)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    parked integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(fail_outbox.ids) and o.relayed_at is null and o.parked_at is null
        order by o.id
        for update
    ),

    failed as (
        update public.outbox as o
        set
            attempts = o.attempts + 1,
            last_error = left(fail_outbox.error, 2000),
            lease_until = null,
            available_at = fail_outbox.at + make_interval(secs => 10 * 3 ^ least(o.attempts, 4)),
            parked_at = case when fail_outbox.permanent or o.attempts >= 4 then fail_outbox.at end
        from locked as l
        where l.id = o.id
        returning o.parked_at
    )

    select count(f.parked_at) into parked
    from failed as f;
    return parked;
end;
$$;

comment on function ops.fail_outbox(bigint[], text, boolean, timestamptz) is
'Schedule a later attempt for messages that could not be sent, or park them; returns the number of messages parked.';

grant execute on function ops.fail_outbox(bigint[], text, boolean, timestamptz) to service_role;
