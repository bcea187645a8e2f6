-- messaging.mark_notifications_read: mark the caller's notifications as read: all of them, or those up to one.
--
-- With the newest notification that the person has seen, later ones stay unread. Repeating it changes nothing.
--
-- Refuses: 403 forbidden, to an erased person.

create or replace function messaging.mark_notifications_read(up_to_id uuid default null)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();

    update messaging.notifications as n
    set read_at = statement_timestamp()
    where
        n.user_id = ops.caller_id()
        and n.read_at is null
        and (mark_notifications_read.up_to_id is null or n.id <= mark_notifications_read.up_to_id);
end;
$$;

comment on function messaging.mark_notifications_read(uuid) is
'Mark the caller''s notifications as read: all of them, or those up to one.';

grant execute on function messaging.mark_notifications_read(uuid) to authenticated, service_role;
