-- events.series_to_generate: return the ids of active series whose events do not reach `until` yet, by id, in slices.
--
-- For the service only. The next slice starts after the last id of this one. Skips series that end before `until` and
-- are complete.

create or replace function events.series_to_generate(until date, after uuid default null, most integer default 100)
returns setof uuid
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select s.id
    from events.series as s
    where
        s.status = 'active'
        and (s.generated_until is null or s.generated_until < least(series_to_generate.until, s.end_date))
        and s.id > coalesce(series_to_generate.after, '00000000-0000-0000-0000-000000000000')
    order by s.id
    limit series_to_generate.most;
$$;

comment on function events.series_to_generate(
    date, uuid, integer
) is 'Return the ids of series to generate, after an id, in their order.';

grant execute on function events.series_to_generate(date, uuid, integer) to service_role;
