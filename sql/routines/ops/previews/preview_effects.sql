-- ops.preview_effects: count what this transaction has done to people, bookings, payments and messages.
--
-- Called after the routines that a preview tries (ops.begin_preview), before the transaction is rolled back. Counts
-- the rows that they wrote, so that a preview equals the result by construction:
--
-- `events` are cancelled events. `bookings`, with their `seats`, and `waitlist_entries` have ended; `offers` are
-- waitlist entries that get an offer. `people` are the customers of all these and of the messages. `refunds` has the
-- number of payments to refund and their amount in each currency; `payments_stopped` are payments that had not arrived.
-- `messages` is the number of messages, and `topics` that of each topic.

create or replace function ops.preview_effects()
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    begun jsonb := nullif(current_setting('ops.preview', true), '');
    effects jsonb;
begin
    perform users.refuse_erased();

    with changes as materialized (
        select h.machine, h.subject_id, h.to_state
        from ops.state_history as h
        where h.id > (begun ->> 'change')::bigint and ops.is_own_row(h.xmin)
    ),
    messages as materialized (
        select o.topic, o.payload ->> 'customer_id' as customer_id
        from public.outbox as o
        where o.id > (begun ->> 'message')::bigint and ops.is_own_row(o.xmin)
    ),
    bookings as materialized (
        select b.id, b.customer_id, b.seats
        from events.bookings as b
        where
            b.id in (select c.subject_id from changes as c where c.machine = 'booking')
            and b.status in ('cancelled', 'expired', 'refunded')
    ),
    entries as materialized (
        select w.customer_id, w.status
        from events.waitlist_entries as w
        where w.id in (select c.subject_id from changes as c where c.machine = 'waitlist')
    ),
    refunds as materialized (
        select r.currency, count(*) as payments, sum(r.amount_cents) as amount_cents
        from payments.refunds as r
        where
            r.booking_id in (select b.id from bookings as b)
            and case when r.created_at >= transaction_timestamp() then ops.is_own_row(r.xmin) else false end
        group by r.currency
    )
    select jsonb_build_object(
        'events', (
            select count(distinct c.subject_id)
            from changes as c
            where c.machine = 'event' and c.to_state = 'cancelled'
        ),
        'bookings', (select count(*) from bookings as b),
        'seats', (select coalesce(sum(b.seats), 0) from bookings as b),
        'waitlist_entries', (select count(*) from entries as n where n.status not in ('waiting', 'offered')),
        'offers', (select count(*) from entries as n where n.status = 'offered'),
        'people', (
            select count(*)
            from (
                select b.customer_id::text from bookings as b
                union
                select n.customer_id::text from entries as n
                union
                select m.customer_id from messages as m where m.customer_id is not null
            ) as p
        ),
        'refunds', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'currency', r.currency, 'payments', r.payments, 'amount_cents', r.amount_cents
                    )
                    order by r.currency
                ),
                '[]'
            )
            from refunds as r
        ),
        'payments_stopped', (
            select count(distinct c.subject_id)
            from changes as c
            where c.machine = 'intent'
        ),
        'messages', (select count(*) from messages as m),
        'topics', (
            select coalesce(jsonb_object_agg(t.topic, t.number), '{}')
            from (select m.topic, count(*) as number from messages as m group by m.topic) as t
        )
    ) into effects;
    return effects;
end;
$$;

comment on function ops.preview_effects() is
'Count what this transaction has done to people, bookings, payments and messages.';

grant execute on function ops.preview_effects() to authenticated, service_role;
