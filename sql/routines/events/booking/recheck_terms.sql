-- events.recheck_terms: apply terms that changed while a free booking waited for its event.
--
-- The fast path of events.book has read the terms before it waited. A booking that is possible under the changed terms
-- takes their policy. Any other is refused like a request that starts now. The caller holds the locks of the customer
-- and of the event. Internal: runs with the rights of the routine that calls it.
--
-- Refuses: as events.refuse_closed_event and events.resolve_payment_method do; 409 too_many_no_shows,
-- 409 too_many_seats.

create or replace function events.recheck_terms(booking_id uuid, idempotency_key text, total_cents bigint)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    the_method events.payment_method;
begin
    select b.* into the_booking from events.bookings as b where b.id = recheck_terms.booking_id;
    select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;

    if not events.open_to_everybody(the_terms) then
        perform events.refuse_closed_event(the_terms);
    end if;
    perform events.refuse_after_no_shows(the_terms);
    if the_terms.price_cents > 0 then
        -- Refuses always: the request names no payment method.
        the_method := events.resolve_payment_method(
            the_terms,
            payments.quote_seats(the_terms, the_booking.customer_id, the_booking.seats, null),
            the_booking.seats,
            null,
            recheck_terms.idempotency_key,
            recheck_terms.total_cents
        );
    end if;
    perform events.limit_seats(the_terms, the_booking.customer_id, the_booking.seats, 'own');

    update events.bookings as b
    set policy = the_terms.policy
    where b.id = the_booking.id;
end;
$$;

comment on function events.recheck_terms(uuid, text, bigint) is
'Apply terms that changed while a free booking waited for its event, or refuse the booking.';
