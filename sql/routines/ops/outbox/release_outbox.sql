-- ops.release_outbox: give messages back that were claimed and not tried.
--
-- For a relay that stops for a reason that is not theirs. Answers how many were given back.

create or replace function ops.release_outbox(ids bigint[])
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    released integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(release_outbox.ids) and o.relayed_at is null
        order by o.id
        for update
    )

    update public.outbox as o
    set lease_until = null
    from locked as l
    where l.id = o.id;

    get diagnostics released = row_count;
    return released;
end;
$$;

comment on function ops.release_outbox(bigint[]) is 'Give claimed messages back without an attempt; answers how many.';

grant execute on function ops.release_outbox(bigint[]) to service_role;
