-- ops.health_status: healthy, warning or critical, for a figure of which more is worse. A limit that is null is never
-- reached.

create or replace function ops.health_status(
    value double precision,
    warning double precision,
    critical double precision
)
returns text
language sql
immutable
return case
    when health_status.value >= health_status.critical then 'critical'
    when health_status.value >= health_status.warning then 'warning'
    else 'healthy'
end;

comment on function ops.health_status(double precision, double precision, double precision) is
'What a figure means, by the limits of warning and critical.';
