-- events.series_to_extend: lock active series and return them, to generate their events in this transaction.
--
-- In id order. Skips a series that another transaction is generating or editing. For the service only.

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

comment on function events.series_to_extend(uuid[]) is
'Lock active series and return them, to generate their events in this transaction.';

grant execute on function events.series_to_extend(uuid[]) to service_role;
