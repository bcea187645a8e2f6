-- Give people a secret address for the calendar of their bookings, and count the changes of events and bookings.
--
-- Calendar programs send no token, so the address itself is the proof. Only its hash is stored.

create table users.calendar_addresses (
    user_id uuid primary key references users.profiles on delete cascade,
    secret_hash bytea not null constraint secret_is_hashed check (length(secret_hash) = 32),
    created_at timestamptz not null default now(),
    constraint calendar_address_is_unique unique (secret_hash)
);

comment on table users.calendar_addresses is
'The secret address of a person''s calendar. Creating another replaces it, deleting the row revokes it.';
comment on column users.calendar_addresses.secret_hash is 'SHA-256 of 256 random bits.';

alter table users.calendar_addresses enable row level security;

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values ('users.calendar_addresses', '*', 'row', 'delete', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('users.calendar_addresses', 'user_id', 'person', 'delete'),
('users.calendar_addresses', 'secret_hash', 'secret', 'delete');

-- The triggers that count are in sql/routines/events: count_event_changes and count_booking_changes.
alter table events.events
add column sequence bigint not null default 0,
add column local_start timestamp;

alter table events.bookings
add column sequence bigint not null default 0;

comment on column events.events.sequence is
'The number of changes, for SEQUENCE of calendars. Grows with each change, and never falls.';
comment on column events.events.local_start is
'The start on the clock of the event''s time zone when it was set; null in rows from before the column.';
comment on column events.bookings.sequence is 'The number of changes of the status or the seats.';
