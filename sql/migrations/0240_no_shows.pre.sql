-- No-shows by policy: unmarked bookings after a set time, and no online booking after several no-shows.

alter table organizations.policies
add column no_show_after_minutes integer constraint no_show_within_a_week
check (no_show_after_minutes between 0 and 10080),
add column blocked_after_no_shows integer constraint no_shows_are_counted
check (blocked_after_no_shows between 1 and 100),
add column no_shows_within_days integer not null default 90 constraint no_shows_within_two_years
check (no_shows_within_days between 1 and 730);

comment on column organizations.policies.no_show_after_minutes is
'A confirmed booking without a mark becomes a no-show this many minutes after the end; null: never.';
comment on column organizations.policies.blocked_after_no_shows is
'A customer with this many no-shows cannot book online; null: no limit.';
comment on column organizations.policies.no_shows_within_days is
'How long a no-show counts for blocked_after_no_shows, from the start of its event.';

alter table events.bookings
add column excused boolean not null default false;

comment on column events.bookings.excused is 'Staff excused the no-show: it costs no fee and does not count.';

alter table events.terms
add column no_shows_at timestamptz;

comment on column events.terms.no_shows_at is
'When unmarked bookings of the completed event become no-shows; null: none do.';

-- The column is new, so no row is in the index, and it is built by one scan of small rows.
-- squawk-ignore require-concurrent-index-creation
create index terms_with_unmarked_bookings on events.terms (no_shows_at) where no_shows_at is not null;

insert into ops.jobs (name, late_after_seconds) values ('mark_no_shows', 2700);
