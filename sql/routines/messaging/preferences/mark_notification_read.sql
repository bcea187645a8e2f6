-- messaging.mark_notification_read: mark one of the caller's notifications as read. Repeating it changes nothing.
--
-- Refuses: 403 forbidden, to an erased person; 404 notification_not_found.

create or replace function messaging.mark_notification_read(notification_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();

    update messaging.notifications as n
    set read_at = coalesce(n.read_at, statement_timestamp())
    where n.id = mark_notification_read.notification_id and n.user_id = ops.caller_id();
    if not found then
        raise exception using errcode = 'PT404', message = 'notification_not_found';
    end if;
end;
$$;

comment on function messaging.mark_notification_read(uuid) is 'Mark one of the caller''s notifications as read.';

grant execute on function messaging.mark_notification_read(uuid) to authenticated, service_role;
