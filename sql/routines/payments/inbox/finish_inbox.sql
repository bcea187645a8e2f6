-- payments.finish_inbox: mark a Stripe event as handled, or as ignored, with its result.
--
-- Locks the event's row. Finishing again replaces only the result and its time. Returns whether the event exists.

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
'Mark a Stripe event as handled, or as ignored, with its result.';

grant execute on function payments.finish_inbox(text, jsonb, boolean, timestamptz) to service_role;
