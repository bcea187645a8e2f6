-- payments.finish_inbox: this event has been dealt with, or nothing had to be done.
--
-- Locks the event's row. Finishing again changes nothing but the result. Answers whether the event is there.

create or replace function payments.finish_inbox(
    event_id text,
    result jsonb,
    is_ignored boolean default false,
    at timestamptz default statement_timestamp()
)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    update payments.webhook_inbox as i
    set
        status = case when finish_inbox.is_ignored then 'ignored' else 'handled' end::payments.webhook_status,
        handled_at = finish_inbox.at,
        result = finish_inbox.result,
        last_error = null,
        lease_until = null
    where i.event_id = finish_inbox.event_id;

    return found;
end;
$$;

comment on function payments.finish_inbox(text, jsonb, boolean, timestamptz) is
'Mark an event of Stripe as handled, or as ignored, with what was done.';

grant execute on function payments.finish_inbox(text, jsonb, boolean, timestamptz) to service_role;
