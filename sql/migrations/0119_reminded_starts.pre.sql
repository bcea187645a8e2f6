-- Remember the start of which each booking was reminded, so that a moved event has a second reminder.

alter table messaging.reminders
add column starts_at timestamptz;

comment on column messaging.reminders.starts_at is
'The start that the reminder named; null in rows from before the column.';
