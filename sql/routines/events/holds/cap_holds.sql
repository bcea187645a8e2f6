-- events.cap_holds: cut an event's active holds and offers that outlive its sales, after its times changed.
--
-- Seats held by staff and unpaid bookings are kept until the end of the event (events.sales_end_at). A hold whose end
-- is past expires at once. The caller holds the event's lock.

create or replace function events.cap_holds(event_id uuid)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    with capped as (
        update events.holds as h
        set expires_at = greatest(
            statement_timestamp(), events.sales_end_at(t, for_staff => h.purpose in ('desk', 'payment'))
        )
        from events.terms as t
        where
            h.event_id = cap_holds.event_id
            and h.status = 'active'
            and t.event_id = h.event_id
            and h.expires_at > statement_timestamp()
            and h.expires_at > events.sales_end_at(t, for_staff => h.purpose in ('desk', 'payment'))
        returning h.id, h.expires_at
    )

    update events.waitlist_entries as w
    set offer_expires_at = c.expires_at
    from capped as c
    where w.hold_id = c.id and w.status = 'offered';
$$;

comment on function events.cap_holds(uuid) is
'Shorten an event''s active holds and offers that outlive its sales.';
