-- payments.receive_webhooks: store Stripe events, each once, and return which are new.
--
-- One insert. An event that exists stays as it is, even if another transaction stores it at the same moment: the
-- primary key decides. Returns each event's id, whether it is new, and its status, in the given order. Stores only the
-- members of the payload that processing needs, and no personal data (payments.redact_stripe_event).
--
-- `events`: [{"event_id", "account"|null, "type", "api_version"|null, "livemode", "created_at", "payload" (text of
-- JSON)}]. `caught_up` marks events that a backfill found in Stripe's list.
--
-- Refuses: 400 foreign_account, when an event belongs to a connected account of no organization here.

create or replace function payments.receive_webhooks(
    events jsonb,
    caught_up boolean default false,
    at timestamptz default statement_timestamp()
)
returns table (event_id text, is_new boolean, status text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    the_unknown_account text;
begin
    if jsonb_path_exists(receive_webhooks.events, '$[*].account ? (@ <> null)') then
        select e.value ->> 'account' into the_unknown_account
        from jsonb_array_elements(receive_webhooks.events) as e
        where
            e.value ->> 'account' is not null
            and not exists (
                select
                from organizations.payout_accounts as p
                where p.stripe_account_id = e.value ->> 'account'
            )
        limit 1;

        if found then
            raise exception using errcode = 'PT400', message = 'foreign_account';
        end if;
    end if;

    return query
    with given as materialized (
        select e.value as event, e.ordinality as place
        from jsonb_array_elements(receive_webhooks.events) with ordinality as e
    ),

    stored as (
        insert into payments.webhook_inbox
        (
            event_id, account, type, api_version, livemode, created_at, payload, received_at, caught_up, available_at
        )
        select
            g.event ->> 'event_id',
            g.event ->> 'account',
            g.event ->> 'type',
            g.event ->> 'api_version',
            (g.event ->> 'livemode')::boolean,
            (g.event ->> 'created_at')::timestamptz,
            payments.redact_stripe_event((g.event ->> 'payload')::json),
            receive_webhooks.at,
            receive_webhooks.caught_up,
            -- Before that time the event's own message starts the processing. If the message is lost, the sweep finds
            -- it.
            receive_webhooks.at + interval '1 minute'
        from given as g
        order by g.event ->> 'event_id'
        on conflict (event_id) do nothing
        returning event_id
    )

    select
        g.event ->> 'event_id',
        s.event_id is not null,
        coalesce(i.status::text, 'received')
    from given as g
    left join stored as s on s.event_id = g.event ->> 'event_id'
    left join payments.webhook_inbox as i on i.event_id = g.event ->> 'event_id'
    order by g.place;
end;
$$;

comment on function payments.receive_webhooks(jsonb, boolean, timestamptz) is
'Store Stripe events, each once, and return which are new.';

grant execute on function payments.receive_webhooks(jsonb, boolean, timestamptz) to service_role;
