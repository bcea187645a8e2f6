-- ops.move_days: return the instant that is a number of calendar days later, or earlier, at the same wall-clock time.
--
-- A day with a clock change has 23 or 25 hours, so the days are counted in the given time zone.

create or replace function ops.move_days(at timestamptz, days integer, time_zone text)
returns timestamptz
language sql
stable
return ops.local_instant(
    (move_days.at at time zone move_days.time_zone) + make_interval(days => move_days.days), move_days.time_zone
);

comment on function ops.move_days(timestamptz, integer, text) is
'Return the instant a number of calendar days later at the same wall-clock time of a time zone.';
