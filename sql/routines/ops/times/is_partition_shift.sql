-- ops.is_partition_shift: return whether two times of a row differ by the shift of ops.create_partition.
--
-- The shift is a thousand years, and no caller can move a row that far. Triggers skip such an update, because it is no
-- change of the row's facts.

create or replace function ops.is_partition_shift(earlier timestamptz, later timestamptz)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select abs(extract(epoch from is_partition_shift.later - is_partition_shift.earlier)) = 8766000 * 3600.0;
$$;

comment on function ops.is_partition_shift(timestamptz, timestamptz) is
'Return whether two times of a row differ by the shift of ops.create_partition.';
