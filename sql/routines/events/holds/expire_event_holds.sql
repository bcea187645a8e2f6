-- events.expire_event_holds: expire an event's overdue holds, unpaid bookings and offers, and offer their seats to the
-- waitlist.
--
-- Locks the event's inventory. An entry whose offer expires moves to the end of the waitlist. After as many expired
-- offers as the organization allows, it leaves the list, so that an unresponsive person is not asked forever. Entries
-- whose offers expire together keep their order. Idempotent: a hold expires once. Returns the number of expired holds.

create or replace function events.expire_event_holds(event_id uuid, at timestamptz default statement_timestamp())
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_hold events.holds;
    the_entry events.waitlist_entries;
    the_organization_id uuid;
    offers_most integer;
    unpaid_ids uuid[];
    holds_expired integer := 0;
begin
    perform events.lock_inventory(expire_event_holds.event_id);

    select o.id, o.offers_most into the_organization_id, offers_most
    from events.terms as t
    inner join organizations.organizations as o on o.id = t.organization_id
    where t.event_id = expire_event_holds.event_id;

    for the_hold in
        select h.*
        from events.holds as h
        left join events.waitlist_entries as w on w.hold_id = h.id and w.status = 'offered'
        where h.event_id = expire_event_holds.event_id and h.status = 'active' and h.expires_at <= expire_event_holds.at
        order by h.expires_at, w.place, h.id
    loop
        update events.holds as h
        set status = 'expired'
        where h.id = the_hold.id;
        holds_expired := holds_expired + 1;

        update events.bookings as b
        set status = 'expired', status_reason = 'It was not paid in time.'
        where
            b.event_id = the_hold.event_id
            and b.hold_id = the_hold.id
            and b.status in ('pending_payment', 'held');

        if found then
            insert into public.outbox (topic, key, payload)
            select 'booking.expired', b.event_id::text, events.booking_payload(b)
            from events.bookings as b
            where b.event_id = the_hold.event_id and b.hold_id = the_hold.id;

            unpaid_ids := array(
                select b.id
                from events.bookings as b
                where b.event_id = the_hold.event_id and b.hold_id = the_hold.id
            );
            perform payments.stop_payments(unpaid_ids);
            perform payments.release_promo_codes(unpaid_ids);
        end if;

        select w.* into the_entry
        from events.waitlist_entries as w
        where w.hold_id = the_hold.id and w.status = 'offered';

        if found then
            update events.waitlist_entries as w
            set
                status = case
                    when w.offers_lapsed + 1 >= offers_most then 'expired'
                    else 'waiting'
                end::events.waitlist_status,
                status_reason = 'The offer lapsed.',
                offers_lapsed = w.offers_lapsed + 1,
                place = (select max(o.place) + 1 from events.waitlist_entries as o where o.event_id = w.event_id),
                hold_id = null,
                offered_at = null,
                offer_expires_at = null
            where w.id = the_entry.id
            returning w.* into the_entry;

            insert into public.outbox (topic, key, payload)
            values (
                'waitlist.lapsed', the_entry.event_id::text,
                events.waitlist_payload(the_entry, the_organization_id)
            );
        end if;
    end loop;

    perform events.offer_seats(expire_event_holds.event_id, expire_event_holds.at);
    return holds_expired;
end;
$$;

comment on function events.expire_event_holds(uuid, timestamptz) is
'Expire an event''s overdue holds, unpaid bookings and offers, and offer their seats. Returns how many holds expired.';
