-- events.accept_offer: book the seats that the waitlist offered.
--
-- Locks the person, then the event's inventory. The offer's hold becomes a booking in this transaction, at the price of
-- the offer. Other seats that the customer holds return to the waitlist. The key is bound to the entry and the request,
-- and returns the first response. Without a key, a repeated call returns the entry.
--
-- Refuses: 400 idempotency_key_required, 402 payment_required, 403 forbidden, 404 event_not_found,
-- 404 waitlist_entry_not_found, 409 already_booked, 409 booking_window_closed, 409 customer_blocked,
-- 409 event_not_bookable, 409 hold_again_later, 409 hold_expired, 409 offer_not_open, 409 price_changed,
-- 409 too_many_held, 409 too_many_no_shows, 409 too_many_seats, 422 idempotency_conflict.

create or replace function events.accept_offer(
    entry_id uuid,
    payment_method events.payment_method default null,
    idempotency_key text default null,
    promo_code text default null,
    total_cents bigint default null
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
    the_booking_id uuid := ops.uuid_v7();
    the_first_answer text;
    seats_reserved integer;
begin
    perform users.refuse_erased();
    the_first_answer := ops.first_answer(
        'accept_offer', accept_offer.idempotency_key,
        jsonb_build_array(
            accept_offer.entry_id, accept_offer.payment_method, upper(trim(accept_offer.promo_code)),
            accept_offer.total_cents
        )
    );
    if the_first_answer is not null then
        return the_first_answer::jsonb || jsonb_build_object(
            'customer_id',
            (select w.customer_id from events.waitlist_entries as w where w.id = accept_offer.entry_id)
        );
    end if;
    perform events.lock_people(
        w.customer_id, case when accept_offer.payment_method in ('card', 'twint') then ops.caller_id() end
    )
    from events.waitlist_entries as w
    where w.id = accept_offer.entry_id;
    the_entry := events.callers_entry(accept_offer.entry_id);
    -- An erasure may have ended while this waited for the person.
    perform users.refuse_erased();

    if the_entry.status = 'accepted' then
        return ops.keep_answer(
            'accept_offer', accept_offer.idempotency_key, events.waitlist_answer(the_entry.id)
        );
    end if;
    if the_entry.status <> 'offered' then
        raise exception using errcode = 'PT409', message = 'offer_not_open',
            detail = jsonb_build_object('status', the_entry.status)::text;
    end if;

    -- Before the quote, which has the current price after the offer's price has ended.
    if the_entry.offer_expires_at <= statement_timestamp() then
        raise exception using errcode = 'PT409', message = 'hold_expired';
    end if;

    the_terms := events.bookable_terms(the_entry.event_id);
    perform organizations.refuse_blocked(the_terms.organization_id, the_entry.customer_id);

    the_quote := payments.quote_seats(
        the_terms, the_entry.customer_id, the_entry.seats, accept_offer.promo_code,
        payments.kept_list_cents(the_terms, the_entry.customer_id, the_entry.seats, the_entry.hold_id)
    );
    the_method := events.resolve_payment_method(
        the_terms, the_quote, the_entry.seats, accept_offer.payment_method, accept_offer.idempotency_key,
        accept_offer.total_cents
    );

    seats_reserved := (
        events.use_reservations(the_entry.event_id, the_entry.customer_id, the_entry.hold_id, the_booking_id)
    ).seats;
    perform events.limit_seats(the_terms, the_entry.customer_id, the_entry.seats, 'own');
    perform events.place_booking(
        the_booking_id, the_terms, the_entry.customer_id, the_entry.seats, false, the_method, the_quote,
        the_entry.hold_id, ops.caller_id()
    );
    perform events.end_reservations(
        the_entry.event_id, the_entry.customer_id, the_booking_id, seats_reserved - the_entry.seats
    );
    return ops.keep_answer('accept_offer', accept_offer.idempotency_key, events.waitlist_answer(the_entry.id));
end;
$$;

comment on function events.accept_offer(uuid, events.payment_method, text, text, bigint) is
'Book the seats that the waitlist offered. Returns the entry with its booking.';

grant execute on function events.accept_offer(uuid, events.payment_method, text, text, bigint)
to authenticated, service_role;
