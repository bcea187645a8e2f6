-- Reminding people of what they have booked.

alter table organizations.organizations add column reminder_hours integer not null default 24
constraint reminder_is_within_a_week check (reminder_hours between 0 and 168);

comment on column organizations.organizations.reminder_hours is
'Customers are reminded so many hours before the start; 0: not at all.';

create table messaging.reminders (
    booking_id uuid primary key references events.bookings on delete cascade,
    reminded_at timestamptz not null default now()
);

comment on table messaging.reminders is
'Bookings whose customers were reminded: once each, also where the event is moved afterwards.';

create table messaging.reminded_events (
    event_id uuid primary key references events.terms on delete cascade,
    due_at timestamptz not null
);

comment on table messaging.reminded_events is
'Events all of whose reminders have been written, for this due time; they are not looked at again.';
comment on column messaging.reminded_events.due_at is
'The start less the organization''s hours. An event that is moved has another one, and is due again.';

create index events_to_remind on events.events (starts_at) where status = 'scheduled';

alter table messaging.reminders enable row level security;
alter table messaging.reminded_events enable row level security;

insert into ops.jobs (name, late_after_seconds)
values ('send_reminders', 1800);
