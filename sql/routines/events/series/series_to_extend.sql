-- events.series_to_extend: lock active series and return them, to generate their events in this transaction.
--
-- In id order. Skips a series that another transaction is generating or editing, and those of archived organizations.
-- For the service only.
--
-- Marks the transaction as a job, which has no caller to refuse: a double booking that it makes is listed
-- (events.record_occupancies).

create or replace function events.series_to_extend(series_ids uuid[])
returns setof events.series
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select set_config('events.report_double_bookings', 'yes', true);

    select s.*
    from events.series as s
    where
        s.id = any (series_to_extend.series_ids)
        and s.status = 'active'
        and exists (
            select
            from organizations.organizations as o
            where o.id = s.organization_id and o.archived_at is null
        )
    order by s.id
    for no key update skip locked;
$$;

comment on function events.series_to_extend(uuid[]) is
'Lock active series and return them, to generate their events in this transaction.';

grant execute on function events.series_to_extend(uuid[]) to service_role;
