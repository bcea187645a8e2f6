-- Count the changes of names and addresses that calendar entries show.
--
-- The trigger that counts is events.count_calendar_changes.

alter table organizations.organizations add column calendar_changes bigint not null default 0;
alter table organizations.locations add column calendar_changes bigint not null default 0;
alter table organizations.instructors add column calendar_changes bigint not null default 0;

comment on column organizations.organizations.calendar_changes is
'The number of changes of the name, for SEQUENCE of calendars.';
comment on column organizations.locations.calendar_changes is
'The number of changes of the name, address and city, for SEQUENCE of calendars.';
comment on column organizations.instructors.calendar_changes is
'The number of changes of the name, for SEQUENCE of calendars.';
