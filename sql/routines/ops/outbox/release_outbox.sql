-- ops.release_outbox: give back claimed messages that were not attempted.
--
-- For a relay that stops for a reason that has nothing to do with the messages. Locks them in id order. Returns the
-- number of messages released. For the service.

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

comment on function ops.release_outbox(bigint[]) is
'Give back claimed messages that were not attempted; returns the number of messages.';

grant execute on function ops.release_outbox(bigint[]) to service_role;
