-- events.customer_dashboard: return a summary of the caller's bookings, spending and waitlist entries.
--
-- Security definer, so that bookings appear whatever the state of their event. Bookings and waitlist entries are
-- counted in separate queries, so neither multiplies the other. Spending is that of payments.spending. The counts
-- include all rows; the lists hold up to `most` items each. Each start is also given as wall-clock time of the event's
-- zone.
--
-- Refuses: 401 unauthenticated, 403 forbidden.

create or replace function events.customer_dashboard(most integer default 20)
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_customer_id uuid := ops.caller_id();
begin
    perform users.refuse_erased();
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    return (
        select jsonb_build_object(
            'customer_id', the_customer_id,
            'bookings', jsonb_build_object(
                'total', count(*),
                'pending', count(*) filter (where b.status in ('pending_payment', 'held')),
                'confirmed', count(*) filter (where b.status = 'confirmed'),
                'cancelled', count(*) filter (where b.status = 'cancelled'),
                'refunded', count(*) filter (where b.status = 'refunded'),
                'attended', count(*) filter (where b.status = 'attended'),
                'no_show', count(*) filter (where b.status = 'no_show'),
                'late', count(*) filter (where b.late),
                'expired', count(*) filter (where b.status = 'expired'),
                'upcoming', count(*) filter (where b.status = 'confirmed' and t.starts_at > statement_timestamp())
            ),
            'last_booked_at', max(b.created_at)
        )
        from events.bookings as b
        inner join events.terms as t on t.event_id = b.event_id
        where b.customer_id = the_customer_id
    ) || jsonb_build_object(
        'spent', (
            select coalesce(jsonb_agg(
                jsonb_build_object('currency', s.currency, 'amount_cents', s.amount_cents) order by s.currency
            ), '[]')
            from (
                select p.currency, sum(p.amount_cents)::bigint as amount_cents
                from payments.spending(the_customer_id) as p
                group by p.currency
                having sum(p.amount_cents) <> 0
            ) as s
        ),
        'upcoming', (
            select coalesce(jsonb_agg(
                events.event_summary(u.event_id) || jsonb_build_object('booking_id', u.id, 'seats', u.seats)
                order by u.starts_at, u.id
            ), '[]')
            from (
                select b.id, b.event_id, b.seats, t.starts_at
                from events.bookings as b
                inner join events.terms as t on t.event_id = b.event_id
                where
                    b.customer_id = the_customer_id
                    and b.status = 'confirmed'
                    and t.starts_at > statement_timestamp()
                order by t.starts_at, b.id
                limit customer_dashboard.most
            ) as u
        ),
        'waitlist', (
            select coalesce(jsonb_agg(
                events.event_summary(w.event_id) || jsonb_build_object(
                    'entry_id', w.id,
                    'seats', w.seats,
                    'wait', w.status,
                    'position', case when w.status = 'waiting' then w.position end,
                    'offer_expires_at', w.offer_expires_at
                )
                order by w.starts_at, w.id
            ), '[]')
            from (
                select
                    w.id,
                    w.event_id,
                    w.seats,
                    w.status,
                    w.offer_expires_at,
                    t.starts_at,
                    (
                        select count(*)
                        from events.waitlist_entries as o
                        where o.event_id = w.event_id and o.status = 'waiting' and o.place <= w.place
                    ) as position
                from events.waitlist_entries as w
                inner join events.terms as t on t.event_id = w.event_id
                where w.customer_id = the_customer_id and w.status in ('waiting', 'offered')
                order by t.starts_at, w.id
                limit customer_dashboard.most
            ) as w
        )
    );
end;
$$;

comment on function events.customer_dashboard(integer) is
'Return a summary of the caller''s bookings, spending and waitlist entries.';

grant execute on function events.customer_dashboard(integer) to authenticated, service_role;
