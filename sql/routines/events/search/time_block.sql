-- events.time_block: return the number of the block of 2^bits seconds that contains a time.

create or replace function events.time_block(moment timestamptz, bits integer)
returns bigint
language sql
immutable
parallel safe
return floor(extract(epoch from moment))::bigint >> bits;

comment on function events.time_block(timestamptz, integer) is
'Return the number of the block of 2^bits seconds that contains a time.';
