-- events.cancelled_commitments: count the events, bookings and waitlist entries that have ended since they were locked.
--
-- A waitlist entry has also ended if the edit left it no time for an offer, because a job closes it later. `people` are
-- the different customers of both, `seats` those of the bookings. All are zero for null.

create or replace function events.cancelled_commitments(commitments events.commitments)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    with ended_bookings as (
        select b.customer_id, b.seats
        from events.bookings as b
        where b.id = any (commitments.booking_ids) and b.status not in ('pending_payment', 'held', 'confirmed')
    ),
    ended_entries as (
        select w.customer_id
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.id = any (commitments.entry_ids) and not events.entry_is_open(w, t)
    )
    select jsonb_build_object(
        'events', (
            select count(*)
            from events.terms as t
            where t.event_id = any (commitments.event_ids) and t.status = 'cancelled'
        ),
        'bookings', (select count(*) from ended_bookings as b),
        'waitlist_entries', (select count(*) from ended_entries as w),
        'people', (
            select count(distinct p.customer_id)
            from (
                select b.customer_id from ended_bookings as b
                union all
                select w.customer_id from ended_entries as w
            ) as p
        ),
        'seats', (select coalesce(sum(b.seats), 0) from ended_bookings as b)
    );
$$;

comment on function events.cancelled_commitments(events.commitments) is
'Count the events, bookings and waitlist entries that have ended since they were locked.';
