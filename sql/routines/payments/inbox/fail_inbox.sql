-- payments.fail_inbox: this event could not be dealt with.
--
-- A failure counts: the queue brings the event again, and after the last attempt it is parked, as its message is in the
-- dead letters. `is_postponed` says that Stripe or the database was not to be had: that does not count, and the sweep
-- brings the event again, later each time, up to a quarter of an hour. Locks the event's row. Answers where it stands.

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
    standing text;
begin
    update payments.webhook_inbox as i
    set
        status = case
            when fail_inbox.is_postponed or i.attempts < fail_inbox.attempts_max then 'failed'
            else 'parked'
        end::payments.webhook_status,
        attempts = greatest(i.attempts - fail_inbox.is_postponed::integer, 0),
        postponements = i.postponements + fail_inbox.is_postponed::integer,
        -- Not postponed: the sweep waits until the queue has had its attempts.
        available_at = fail_inbox.at + case
            when fail_inbox.is_postponed then least(interval '15 s' * 2 ^ least(i.postponements, 10), interval '15 min')
            else interval '30 min'
        end,
        last_error = left(fail_inbox.error, 2000),
        lease_until = null
    where i.event_id = fail_inbox.event_id and i.status in ('received', 'failed')
    returning i.status::text into standing;

    return standing;
end;
$$;

comment on function payments.fail_inbox(text, text, boolean, integer, timestamptz) is
'Write down that an event of Stripe could not be dealt with; parks it after the last attempt.';

grant execute on function payments.fail_inbox(text, text, boolean, integer, timestamptz) to service_role;
