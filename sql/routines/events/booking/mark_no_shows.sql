-- events.mark_no_shows: make unmarked bookings no-shows, after the time that their policy sets.
--
-- Each booking follows its own policy: confirmed bookings become no-shows no_show_after_minutes after the event's end,
-- with its fee (events.apply_attendance). An erased person pays none. It writes no mark, so a mark that a device sends
-- later counts.
--
-- One bounded piece of work: the events that are due the longest, without events that another transaction has locked,
-- and at most `most` of their bookings. Safe to repeat and to run twice at once. Locks the events' inventories, then
-- the payments of the credits and the wallets together, in order. Returns {"marked", "more"}. For the service.

create or replace function events.mark_no_shows(at timestamptz default statement_timestamp(), most integer default 200)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    event_ids uuid[];
    booking_ids uuid[];
    the_booking events.bookings;
begin
    event_ids := array(
        select d.event_id
        from (
            select i.event_id
            from events.terms as t
            inner join events.inventory as i on i.event_id = t.event_id
            where t.no_shows_at <= mark_no_shows.at
            order by t.no_shows_at, t.event_id
            limit mark_no_shows.most
            for no key update of i skip locked
        ) as d
    );
    perform set_config('events.inventory_locked', 'yes', true);

    booking_ids := array(
        select b.id
        from events.bookings as b
        inner join events.terms as t on t.event_id = b.event_id
        where
            b.event_id = any (event_ids)
            and b.status = 'confirmed'
            and t.ends_at + make_interval(mins => (b.policy ->> 'no_show_after_minutes')::integer) <= mark_no_shows.at
        order by b.event_id, b.id
        limit mark_no_shows.most
    );
    perform payments.lock_credit_payments(booking_ids);
    perform payments.lock_wallets(array(
        select a.id
        from events.bookings as b
        inner join payments.accounts as a
            on
                a.owner_kind = 'user' and a.owner_id = b.customer_id and a.type = 'credits'
                and a.organization_id = b.organization_id
        where b.id = any (booking_ids)
    ));

    for the_booking in
        select b.* from events.bookings as b where b.id = any (booking_ids) order by b.event_id, b.id
    loop
        perform events.apply_attendance(
            the_booking, attended => false, waive => users.is_erased(the_booking.customer_id)
        );
    end loop;

    -- Bookings beyond this batch keep the event due; a longer period of a booking's own policy sets a later time.
    update events.terms as t
    set no_shows_at = (
        select min(t.ends_at + make_interval(mins => (b.policy ->> 'no_show_after_minutes')::integer))
        from events.bookings as b
        where b.event_id = t.event_id and b.status = 'confirmed'
    )
    where t.event_id = any (event_ids);

    return jsonb_build_object(
        'marked', cardinality(booking_ids),
        'more', exists (select from events.terms as t where t.event_id = any (event_ids) and t.no_shows_at <= mark_no_shows.at)
        or cardinality(event_ids) = mark_no_shows.most
    );
end;
$$;

comment on function events.mark_no_shows(timestamptz, integer) is
'Make unmarked bookings no-shows, after the time that their policy sets.';

grant execute on function events.mark_no_shows(timestamptz, integer) to service_role;
