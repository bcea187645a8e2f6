-- ops.unpark_outbox: let parked messages be tried again, once what stopped them is mended.
--
-- The oldest ones, all or those of one topic. Answers how many.

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

comment on function ops.unpark_outbox(text, integer) is 'Let parked messages be tried again; answers how many.';

grant execute on function ops.unpark_outbox(text, integer) to service_role;
