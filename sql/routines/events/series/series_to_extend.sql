-- events.series_to_extend: lock some running series and answer them, to generate their events in this transaction.
--
-- In id order; one that somebody else is generating or editing just now is left to them. For the service only.

create or replace function events.series_to_extend(series_ids uuid[])
returns setof events.series
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select s.*
    from events.series as s
    where s.id = any (series_to_extend.series_ids) and s.status = 'active'
    order by s.id
    for no key update skip locked;
$$;

comment on function events.series_to_extend(uuid[]) is 'Running series, locked, for their events to be generated.';

grant execute on function events.series_to_extend(uuid[]) to service_role;
