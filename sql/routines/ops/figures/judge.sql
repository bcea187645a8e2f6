-- ops.judge: healthy, warning or critical, for a figure of which more is worse. A limit that is null is never reached.

create or replace function ops.judge(value double precision, warning double precision, critical double precision)
returns text
language sql
immutable
return case
    when judge.value >= judge.critical then 'critical'
    when judge.value >= judge.warning then 'warning'
    else 'healthy'
end;

comment on function ops.judge(double precision, double precision, double precision) is
'What a figure means, by the limits of warning and critical.';
