-- ops.day_end: return the end of the last day of a period of n days, in a time zone.
--
-- The day on which the period starts does not count, as in contract law, so that nobody gets less than n times 24
-- hours. Null without a number of days.

create or replace function ops.day_end(starts_at timestamptz, days integer, time_zone text)
returns timestamptz
language sql
stable
return ops.local_instant(
    date_trunc('day', day_end.starts_at at time zone day_end.time_zone) + make_interval(days => day_end.days + 1),
    day_end.time_zone
);

comment on function ops.day_end(timestamptz, integer, text) is
'Return the end of the last day of a period of n days, in a time zone.';
