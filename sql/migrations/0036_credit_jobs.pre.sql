-- Credits lapse by a job that may not be late for long.

insert into ops.jobs (name, late_after_seconds)
values ('expire_credits', 3 * 3600);
