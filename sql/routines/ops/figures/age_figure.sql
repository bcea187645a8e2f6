-- ops.age_figure: return an age in seconds as a health figure; 0 if `since` is null or in the future.

create or replace function ops.age_figure(
    name text,
    since timestamptz,
    warning double precision,
    critical double precision,
    at timestamptz
)
returns table (name text, value double precision, unit text, status text, details jsonb)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select
        age_figure.name,
        a.seconds::double precision,
        'seconds',
        ops.health_status(a.seconds, age_figure.warning, age_figure.critical),
        jsonb_build_object('since', case when a.seconds > 0 then age_figure.since end)
    from (select greatest(0, coalesce(extract(epoch from age_figure.at - age_figure.since), 0)) as seconds) as a;
$$;

comment on function ops.age_figure(text, timestamptz, double precision, double precision, timestamptz) is
'Return an age in seconds as a health figure.';
