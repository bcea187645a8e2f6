-- ops.health_status: return the status of a figure by its limits: healthy, warning or critical.
--
-- A higher value is worse. A null limit is never reached.

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
'Return the status of a figure by the limits of warning and critical.';
