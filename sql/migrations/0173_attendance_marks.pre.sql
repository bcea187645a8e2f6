-- Keep the time of the latest attendance mark of a booking, so that marks may arrive late, twice and in any order.

create table events.attendance_marks (
    booking_id uuid not null constraint one_mark_per_booking primary key references events.bookings on delete cascade,
    attended boolean not null,
    marked_at timestamptz not null,
    key text not null constraint mark_key_is_short check (length(key) between 1 and 100),
    constraint mark_key_is_readable check (ops.is_line(key))
);

comment on table events.attendance_marks is
'The latest attendance mark of each booking. A mark with an earlier time changes nothing.';
comment on column events.attendance_marks.key is
'The client''s id of the mark. Of two marks of the same time, the one with the greater key is the later.';

alter table events.attendance_marks enable row level security;

insert into ops.retention (table_name, column_name, kind, on_erasure)
values ('events.attendance_marks', 'key', 'code', 'keep');
