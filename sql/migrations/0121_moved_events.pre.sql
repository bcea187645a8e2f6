-- Remember when an event got its start, so that a move counts for its reminders.
--
-- Null for an event that has never moved since this column exists.

alter table events.terms add column moved_at timestamptz;

comment on column events.terms.moved_at is 'When the event got its present start; null if it never moved.';
