-- Check the bounds of the present retention periods, in a transaction of its own, so that reads are not blocked.

alter table ops.retention validate constraint period_bounds_are_given_together;
alter table ops.retention validate constraint period_is_within_bounds;
