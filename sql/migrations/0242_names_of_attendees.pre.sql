-- The names of the people for whom a booking has seats.

create table events.booking_names (
    booking_id uuid not null constraint one_list_of_names primary key references events.bookings on delete cascade,
    names text[] not null constraint names_are_few check (cardinality(names) between 1 and 20),
    written_at timestamptz not null default now(),
    constraint names_are_short check (length(array_to_string(names, '')) <= 4000),
    constraint names_are_readable check (ops.is_line(array_to_string(names, ' ')))
);

create index booking_names_by_age on events.booking_names using brin (written_at);

comment on table events.booking_names is 'The names of the people who attend by a booking, as its customer gave them.';

alter table events.booking_names enable row level security;

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by)
values (
    'events.booking_names', '*', 'booking_names', 'row', '13 months', 'r.written_at < $1', 'delete', 'delete',
    'r.booking_id in (select b.id from events.bookings as b where b.customer_id = $1)'
);

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('events.booking_names', 'names', 'name', 'delete');
