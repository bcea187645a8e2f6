-- events.series_family: return the ids of all series that were split from the same series, with the given one.
--
-- A public address names the series that existed when it was written. A split hands later events to another series, so
-- addresses read the whole family. Empty if the series does not exist. Returns ids alone, also of private series; the
-- caller shows only what people may see.

create or replace function events.series_family(series_id uuid)
returns uuid[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with recursive earlier as (
        select s.id, s.continues_series_id
        from events.series as s
        where s.id = series_family.series_id
        union
        select s.id, s.continues_series_id
        from earlier as e
        inner join events.series as s on s.id = e.continues_series_id
    ),
    family as (
        select e.id from earlier as e
        union
        select s.id
        from family as f
        inner join events.series as s on s.continues_series_id = f.id
    )

    select coalesce(array_agg(f.id order by f.id), '{}')
    from family as f;
$$;

comment on function events.series_family(uuid) is
'Return the ids of all series that were split from the same series, with the given one.';

grant execute on function events.series_family(uuid) to app_read;
