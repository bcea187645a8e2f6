-- ops.unpark_outbox: make parked messages available again, after the cause of their failure is fixed.
--
-- Takes the oldest ones, of all topics or of one. Skips messages that another transaction has locked. Returns the
-- number of messages. For the service.

create or replace function ops.unpark_outbox(topic text default null, most integer default 1000)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    unparked integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.parked_at is not null and (unpark_outbox.topic is null or o.topic = unpark_outbox.topic)
        order by o.id
        limit unpark_outbox.most
        for update skip locked
    )

    update public.outbox as o
    set parked_at = null, attempts = 0, available_at = '-infinity', lease_until = null
    from locked as l
    where l.id = o.id;

    get diagnostics unparked = row_count;
    return unparked;
end;
$$;

comment on function ops.unpark_outbox(text, integer) is
'Make parked messages available again; returns the number of messages.';

grant execute on function ops.unpark_outbox(text, integer) to service_role;
