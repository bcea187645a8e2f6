-- users.erase_profile: forget a person, and free what they keep.
--
-- Cancels their bookings of events to come without a fee, ends their waits and holds, and offers the seats onwards;
-- events in id order. Subscribers hear of each booking, the person of none. What they did in the past stays, without a
-- name. For the person and for the service. Idempotent.
--
-- Refuses: 404 customer_not_found.

create or replace function users.erase_profile(user_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    event_ids uuid[];
    the_event_id uuid;
    the_entry events.waitlist_entries;
    the_booking events.bookings;
    bookings_cancelled integer := 0;
begin
    if
        (ops.caller_is_service() or erase_profile.user_id = ops.caller_id()) is not true
        or not exists (select from users.profiles as p where p.id = erase_profile.user_id)
    then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

    -- All of them before anything else is locked: wallets come after the events, whichever event they pay for.
    event_ids := array(
        select i.event_id
        from events.inventory as i
        where i.event_id in (
            select b.event_id
            from events.bookings as b
            inner join events.terms as t on t.event_id = b.event_id
            where
                b.customer_id = erase_profile.user_id
                and b.status in ('pending_payment', 'held', 'confirmed')
                and t.starts_at > statement_timestamp()
            union
            select h.event_id
            from events.holds as h
            where h.customer_id = erase_profile.user_id and h.status = 'active'
            union
            select w.event_id
            from events.waitlist_entries as w
            where w.customer_id = erase_profile.user_id and w.status in ('waiting', 'offered')
        )
        order by i.event_id
        for no key update
    );

    foreach the_event_id in array event_ids loop
        for the_entry in
            select w.*
            from events.waitlist_entries as w
            where
                w.event_id = the_event_id
                and w.customer_id = erase_profile.user_id
                and w.status in ('waiting', 'offered')
        loop
            perform events.close_entry(the_entry, 'left', 'The account was erased.');
        end loop;

        update events.holds as h
        set status = 'released'
        where h.event_id = the_event_id and h.customer_id = erase_profile.user_id and h.status = 'active';

        for the_booking in
            update events.bookings as b
            set status = 'cancelled', status_reason = 'The account was erased.', cancelled_at = statement_timestamp()
            from events.terms as t
            where
                t.event_id = b.event_id
                and t.starts_at > statement_timestamp()
                and b.event_id = the_event_id
                and b.customer_id = erase_profile.user_id
                and b.status in ('pending_payment', 'confirmed')
            returning b.*
        loop
            bookings_cancelled := bookings_cancelled + 1;
            perform payments.undo_sales(array[the_booking.id], 'cancelled');
            insert into public.outbox (topic, key, payload)
            values ('booking.cancelled', the_event_id::text, events.cancelled_payload(the_booking));
        end loop;

        perform events.offer_seats(the_event_id);
    end loop;

    update users.profiles as p
    set email = null, name = null, erased_at = coalesce(p.erased_at, statement_timestamp())
    where p.id = erase_profile.user_id;

    delete from messaging.notifications as n where n.user_id = erase_profile.user_id;
    return jsonb_build_object('user_id', erase_profile.user_id, 'bookings_cancelled', bookings_cancelled);
end;
$$;

comment on function users.erase_profile(uuid) is 'Forget a person: cancel what is to come, remove the name.';

grant execute on function users.erase_profile(uuid) to authenticated, service_role;
