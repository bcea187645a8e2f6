-- payments.replay_inbox: process a Stripe event again, regardless of its status.
--
-- Processing is idempotent. Locks the event's row. Returns the event's id, type, status and time of receipt.
--
-- Refuses: 401 unauthenticated, 403 forbidden, when the caller is not the service; 404 webhook_not_found.

create or replace function payments.replay_inbox(event_id text, at timestamptz default statement_timestamp())
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    answer jsonb;
begin
    if not ops.caller_is_service() then
        raise exception using
            errcode = case when ops.caller_id() is null then 'PT401' else 'PT403' end,
            message = case when ops.caller_id() is null then 'unauthenticated' else 'forbidden' end;
    end if;

    update payments.webhook_inbox as i
    set
        status = 'received',
        attempts = 0,
        postponements = 0,
        available_at = replay_inbox.at + interval '1 minute',
        handled_at = null,
        lease_until = null
    where i.event_id = replay_inbox.event_id
    returning
        jsonb_build_object(
            'event_id', i.event_id, 'type', i.type, 'status', i.status, 'received_at', i.received_at
        )
    into answer;

    if answer is null then
        raise exception using errcode = 'PT404', message = 'webhook_not_found';
    end if;

    return answer;
end;
$$;

comment on function payments.replay_inbox(text, timestamptz) is
'Process a Stripe event again, regardless of its status.';

revoke execute on function payments.replay_inbox(text, timestamptz) from app_read;
grant execute on function payments.replay_inbox(text, timestamptz) to authenticated, service_role;
