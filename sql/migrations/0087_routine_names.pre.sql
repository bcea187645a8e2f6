-- Name the renamed routines in the comments of the structure.
--
-- The routines themselves are created from their files, beside the old ones. 0096_routine_names.post.sql drops those.

comment on table events.inventory is
'The seats of an event: the only counters, written by events.adjust_inventory alone.';

comment on column users.profiles.email_verified_at is
'When the address was last verified; null: never, and then it is not used. Read addresses by users.verified_address.';
