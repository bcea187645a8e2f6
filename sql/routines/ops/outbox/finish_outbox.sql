-- ops.finish_outbox: mark messages as relayed.
--
-- Locks them in id order. A repeated call changes nothing. Returns the number of messages that were not relayed before.
-- For the service.

create or replace function ops.finish_outbox(ids bigint[], at timestamptz default statement_timestamp())
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    finished integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(finish_outbox.ids) and o.relayed_at is null
        order by o.id
        for update
    )

    update public.outbox as o
    set relayed_at = finish_outbox.at, parked_at = null, lease_until = null
    from locked as l
    where l.id = o.id;

    get diagnostics finished = row_count;
    return finished;
end;
$$;

comment on function ops.finish_outbox(bigint[], timestamptz) is
'Mark messages as relayed; returns the number of messages that were not relayed before.';

grant execute on function ops.finish_outbox(bigint[], timestamptz) to service_role;
