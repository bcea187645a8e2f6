-- Limits on what one person, one member of staff and one organization can take: counts as data, and how often a route
-- may be called.

create table ops.limits (
    name text primary key,
    value integer not null constraint limit_is_not_negative check (value >= 0),
    meaning text not null,
    -- So that a booking of several seats need not look at it: see events.book.
    constraint one_booking_fits check (name <> 'seats_per_person_and_event' or value >= 20)
);

comment on table ops.limits is
'Counts that nobody exceeds, in all organizations. Change `value` without a deployment; a deleted row is no limit.';

insert into ops.limits (name, value, meaning)
values
(
    'held_seats_per_person', 40,
    'Seats that a person holds or has booked and not paid, at all events together. Offers of a waitlist do not count.'
),
(
    'held_seats_per_staff_member', 200,
    'Seats that a member of staff holds for customers or has booked for them unpaid, in one organization.'
),
(
    'hold_pause_percent', 100,
    'How long a person waits before keeping seats of an event again, in percent of the time they were kept unused.'
),
('hold_releases_per_hour', 1, 'Holds of an event that a person may release in an hour before the pause begins.'),
(
    'seats_per_person_and_event', 100,
    'Seats of a person at an event where its policy sets no maximum (null), or a higher one.'
),
('waits_per_person', 50, 'Waitlist entries of a person at all events together.'),
('waits_per_person_and_organization', 20, 'Waitlist entries of a person at the events of one organization.'),
('series_per_organization', 500, 'Series of an organization that are not archived; each makes up to 120 events.'),
('events_per_organization', 5000, 'Coming events of an organization that are of no series.');

alter table ops.limits enable row level security;
create policy service on ops.limits to service_role using (true) with check (true);
grant select on ops.limits to app_write;

alter table organizations.policies
add column seats_max_per_person integer default 20 constraint seats_per_person_are_sensible
check (seats_max_per_person between 1 and 1000);

comment on column organizations.policies.seats_max_per_person is
'Seats that a customer has at an event at most, with guests, holds and waits; null: the platform''s maximum.';

alter table events.holds add column ended_at timestamptz;

comment on column events.holds.ended_at is
'When it stopped keeping seats. A lapsed hold ends at its expiry, whenever that is noticed.';

-- The seats that a person or a member of staff keeps now, and the earlier holds of a person at an event.
create index active_holds_of_customer on events.holds (customer_id) where status = 'active';
create index active_holds_by_staff on events.holds (held_by) where status = 'active' and held_by <> customer_id;
create index holds_of_customer on events.holds (customer_id, event_id);
drop index events.holds_customer_id_idx;

insert into ops.rate_limit_rules (operation, per_minute, burst, address_per_minute, address_burst)
values
-- A front desk serves more people than one person books for: two a second, all day.
('book_for_customer', 120, 120, 1200, 1200),
('hold', 10, 10, 300, 300),
('hold_for_customer', 120, 120, 1200, 1200),
('release_hold', 120, 120, 1200, 1200),
('begin_payment', 20, 20, 300, 300),
('join_waitlist', 10, 10, 300, 300),
('join_waitlist_for_customer', 120, 120, 1200, 1200),
('leave_waitlist', 120, 120, 1200, 1200),
('accept_offer', 60, 60, 600, 600),
('promote_waitlist', 60, 60, 600, 600),
-- At the door, by a scanner.
('record_attendance', 600, 600, 6000, 6000),
('edit_series', 60, 60, 600, 600),
('edit_events', 120, 120, 1200, 1200),
('refund', 60, 60, 600, 600),
('record_payments', 120, 120, 1200, 1200),
('grant_credits', 120, 120, 1200, 1200),
('edit_packages', 60, 60, 600, 600),
('buy_package', 10, 10, 300, 300),
('begin_onboarding', 10, 10, 100, 100),
('profile', 60, 60, 1200, 1200),
-- A hall of voters shares one address. A request has up to 500 events.
('rate', 300, 300, 30000, 30000),
('recount_items', 60, 60, 600, 600),
('edit_rating_settings', 60, 60, 600, 600),
-- Reads that are expensive: figures and files made for each call. Many calendars are fetched from one address.
('statement', 30, 30, 300, 300),
('insights', 120, 120, 1200, 1200),
('print_invoice', 60, 60, 600, 600),
('calendar', 60, 60, 3000, 3000);
