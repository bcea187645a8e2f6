-- events.series_to_generate: the running series whose events do not reach as far as `until` yet, by id, in slices.
--
-- For the service only. The next slice begins after the last id of this one; what ended before is left out.

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
) is 'Ids of series to generate, after an id, in its order.';

grant execute on function events.series_to_generate(date, uuid, integer) to service_role;
