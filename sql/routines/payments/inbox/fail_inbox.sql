-- payments.fail_inbox: record that a Stripe event failed, and park it after the last attempt.
--
-- A failure counts as an attempt: the queue delivers the event again, and its message ends in the dead-letter queue as
-- the event is parked. With `is_postponed` it does not count, because Stripe or the database was not available. The
-- sweep then sends the event again, after delays that grow to 15 minutes. Locks the event's row. Returns the event's
-- status.

create or replace function payments.fail_inbox(
    event_id text,
    error text,
    is_postponed boolean default false,
    attempts_max integer default 5,
    at timestamptz default statement_timestamp()
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_new_status text;
begin
    update payments.webhook_inbox as i
    set
        status = case
            when fail_inbox.is_postponed or i.attempts < fail_inbox.attempts_max then 'failed'
            else 'parked'
        end::payments.webhook_status,
        attempts = greatest(i.attempts - fail_inbox.is_postponed::integer, 0),
        postponements = i.postponements + fail_inbox.is_postponed::integer,
        -- A failed event is for the queue first: the sweep waits until the queue has used its attempts.
        available_at = fail_inbox.at + case
            when fail_inbox.is_postponed then least(interval '15 s' * 2 ^ least(i.postponements, 10), interval '15 min')
            else interval '30 min'
        end,
        last_error = left(fail_inbox.error, 2000),
        lease_until = null
    where i.event_id = fail_inbox.event_id and i.status in ('received', 'failed')
    returning i.status::text into the_new_status;

    return the_new_status;
end;
$$;

comment on function payments.fail_inbox(text, text, boolean, integer, timestamptz) is
'Record that a Stripe event failed, and park it after the last attempt.';

grant execute on function payments.fail_inbox(text, text, boolean, integer, timestamptz) to service_role;
