-- Expect the daily job that compares the time-zone rules of the database and of the functions.

insert into ops.jobs (name, late_after_seconds)
values ('time_zones', 108000);
