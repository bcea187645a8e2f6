-- events.accept_offer: book the seats that the waitlist offered.
--
-- Locks the person, then the event's inventory. The offer's hold becomes a booking in this transaction. Other seats
-- that the customer holds return to the waitlist. A repeated call returns the same response.
--
-- Refuses: 400 idempotency_key_required, 402 payment_required, 403 forbidden, 404 waitlist_entry_not_found,
-- 409 already_booked, 409 event_not_bookable, 409 hold_again_later, 409 hold_expired, 409 offer_not_open,
-- 409 too_many_held, 409 too_many_seats.

create or replace function events.accept_offer(
    entry_id uuid,
    payment_method events.payment_method default null,
    idempotency_key text default null,
    promo_code text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_entry events.waitlist_entries;
    the_terms events.terms;
    the_quote payments.quotes;
    the_method events.payment_method;
    the_booking_id uuid;
begin
    perform users.refuse_erased();
    perform events.lock_people(
        w.customer_id, case when accept_offer.payment_method in ('card', 'twint') then ops.caller_id() end
    )
    from events.waitlist_entries as w
    where w.id = accept_offer.entry_id;
    the_entry := events.callers_entry(accept_offer.entry_id);
    -- An erasure may have ended while this waited for the person.
    perform users.refuse_erased();

    if the_entry.status = 'accepted' then
        return events.waitlist_answer(the_entry.id);
    end if;
    if the_entry.status <> 'offered' then
        raise exception using errcode = 'PT409', message = 'offer_not_open',
            detail = jsonb_build_object('status', the_entry.status)::text;
    end if;

    select t.* into the_terms from events.terms as t where t.event_id = the_entry.event_id;
    if the_terms.status <> 'scheduled' then
        raise exception using errcode = 'PT409', message = 'event_not_bookable',
            detail = jsonb_build_object('status', the_terms.status)::text;
    end if;

    the_quote := payments.quote_seats(
        the_terms, the_entry.customer_id, the_entry.seats, accept_offer.promo_code
    );
    the_method := events.resolve_payment_method(
        the_terms, the_quote, accept_offer.payment_method, accept_offer.idempotency_key
    );

    perform events.use_reservations(the_entry.event_id, the_entry.customer_id, the_entry.hold_id);
    perform events.limit_seats(the_terms, the_entry.customer_id, the_entry.seats, 'own');
    the_booking_id := events.place_booking(
        ops.uuid_v7(), the_terms, the_entry.customer_id, the_entry.seats, false, the_method, the_quote,
        the_entry.hold_id, ops.caller_id()
    );
    perform events.end_reservations(the_entry.event_id, the_entry.customer_id, the_booking_id);
    return events.waitlist_answer(the_entry.id);
end;
$$;

comment on function events.accept_offer(uuid, events.payment_method, text, text) is
'Book the seats that the waitlist offered. Returns the entry with its booking.';

grant execute on function events.accept_offer(uuid, events.payment_method, text, text) to authenticated, service_role;
