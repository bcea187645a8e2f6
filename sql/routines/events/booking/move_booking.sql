-- events.move_booking: move a confirmed booking to another event of the same organization, all of it or nothing.
--
-- One transaction ends the booking by its own policy, as a cancellation (events.end_booking). It books the same seats
-- at the other event like a new booking (events.book). Any refusal keeps the original. Customers move their own
-- bookings until the event starts, staff any booking of their organization; staff may waive the late cost.
--
-- Only the difference of the prices moves. The refund by the policy, up to the new price, becomes wallet money, which
-- pays the new booking. A higher price takes the difference from the wallet. The rest of a higher old price is refunded
-- as the old policy says. A pass pays with a pass again, an unpaid invoice with an invoice, unless `payment_method`
-- names another way. Card and TWINT cannot pay in this transaction, so a missing difference is refused.
--
-- The names of its attendees move along. The key is bound to the request, and returns the first response. Locks the
-- customer, the inventories of both events in id order, then the sale, the payments and the wallet.
--
-- Refuses: 400 idempotency_key_required, 402 payment_required, 403 forbidden, 404 booking_not_found,
-- 404 customer_not_found, 404 event_not_found, 404 promo_code_not_found, 409 already_booked, 409 booking_not_confirmed,
-- 409 booking_window_closed, 409 event_begun, 409 event_not_bookable, 409 insufficient_credits, 409 insufficient_funds,
-- 409 other_organization, 409 price_changed, 409 promo_code_not_valid, 409 promo_code_used_up, 409 sold_out,
-- 409 too_many_held, 409 too_many_no_shows, 409 too_many_seats, 422 idempotency_conflict.

create or replace function events.move_booking(
    booking_id uuid,
    event_id uuid,
    payment_method events.payment_method default null,
    promo_code text default null,
    total_cents bigint default null,
    waive boolean default false,
    idempotency_key text default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    the_former_terms events.terms;
    the_quote payments.quotes;
    the_method events.payment_method;
    the_answer text;
    is_staff boolean;
    is_waived boolean := coalesce(move_booking.waive, false);
    is_invoiced boolean;
    seats_reserved integer;
    the_hold_id uuid;
    the_new_id uuid := ops.uuid_v7();
    the_value_cents bigint;
    the_carried_cents bigint;
    the_spendable_cents bigint;
begin
    if move_booking.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;

    -- Read the booking and the caller's rights, lock the person and the events, and read them again: they may have
    -- changed while this waited for the locks.
    for reading in 1 .. 2 loop
        if reading = 2 then
            the_answer := ops.first_answer(
                'move_booking', move_booking.idempotency_key,
                jsonb_build_array(
                    move_booking.booking_id, move_booking.event_id, move_booking.payment_method,
                    upper(trim(move_booking.promo_code)), move_booking.total_cents, is_waived
                )
            );
            if the_answer is null then
                perform events.lock_customer(the_booking.customer_id, the_booking.organization_id);
                perform events.lock_inventory(least(the_booking.event_id, move_booking.event_id));
                perform events.lock_inventory(greatest(the_booking.event_id, move_booking.event_id));
            end if;
        end if;

        perform users.refuse_erased();
        select b.* into the_booking from events.bookings as b where b.id = move_booking.booking_id;
        is_staff := found and events.is_staff(the_booking.organization_id);
        if the_booking.id is null or (the_booking.customer_id is distinct from ops.caller_id() and not is_staff) then
            raise exception using errcode = 'PT404', message = 'booking_not_found';
        end if;
        if is_waived and not is_staff then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may waive a fee. Omit `waive`.'
                )::text;
        end if;
    end loop;
    if the_answer is not null then
        return the_answer::jsonb || jsonb_build_object('customer_id', the_booking.customer_id);
    end if;

    if the_booking.status <> 'confirmed' then
        raise exception using errcode = 'PT409', message = 'booking_not_confirmed',
            detail = jsonb_build_object('status', the_booking.status)::text;
    end if;
    select t.* into the_former_terms from events.terms as t where t.event_id = the_booking.event_id;
    if the_former_terms.starts_at <= statement_timestamp() and not is_staff then
        raise exception using errcode = 'PT409', message = 'event_begun',
            detail = jsonb_build_object('starts_at', the_former_terms.starts_at)::text;
    end if;
    perform events.expire_event_holds(move_booking.event_id);
    the_terms := events.bookable_terms(move_booking.event_id);
    if the_terms.organization_id <> the_booking.organization_id then
        raise exception using errcode = 'PT409', message = 'other_organization';
    end if;
    if the_terms.event_id = the_booking.event_id then
        perform events.refuse_already_booked(the_terms.event_id, the_booking.customer_id);
    end if;

    the_quote := payments.quote_seats(
        the_terms, the_booking.customer_id, the_booking.seats, move_booking.promo_code,
        payments.kept_list_cents(the_terms, the_booking.customer_id, the_booking.seats)
    );
    is_invoiced := the_booking.payment_method = 'invoice' and not payments.invoice_is_paid(the_booking.id);
    the_method := coalesce(
        move_booking.payment_method,
        case
            when the_booking.payment_method in ('pass', 'comp') then the_booking.payment_method
            when is_invoiced then 'invoice'
            else 'wallet'
        end
    );
    if the_method in ('card', 'twint') and the_quote.total_cents > 0 then
        perform events.refuse_difference(the_quote, the_terms.event_id, the_booking.seats, null);
    end if;
    the_method := events.resolve_payment_method(
        the_terms, the_quote, the_booking.seats, the_method, move_booking.idempotency_key, move_booking.total_cents
    );

    -- The seats, as for a new booking.
    seats_reserved := events.reserved_seats(the_terms.event_id, the_booking.customer_id);
    if seats_reserved < the_booking.seats then
        if not events.open_to_everybody(the_terms) then
            perform events.refuse_closed_event(the_terms);
        end if;
        perform events.require_seats(
            the_terms, the_booking.customer_id, the_booking.seats - seats_reserved, the_booking.guest
        );
    end if;
    if seats_reserved > 0 then
        select u.hold_id into the_hold_id
        from events.use_reservations(the_terms.event_id, the_booking.customer_id, null, the_new_id) as u;
    end if;
    perform events.limit_seats(
        the_terms, the_booking.customer_id, the_booking.seats, case when the_booking.guest then 'guest' else 'own' end
    );

    -- The refund by the policy pays the new price first; the end of the booking refunds the rest.
    the_value_cents := the_booking.price_cents - case
        when not is_waived and statement_timestamp() > the_former_terms.starts_at
            - make_interval(hours => coalesce((the_booking.policy ->> 'cancel_hours_before')::integer, 0))
            then events.late_cancellation_cents(the_booking)
        else 0
    end;
    the_carried_cents := case
        when the_method = 'wallet' then greatest(least(the_value_cents, the_quote.total_cents), 0)
        else 0
    end;
    if the_carried_cents > 0 then
        perform payments.refund_seats(the_booking.id, 'moved', 'wallet', the_carried_cents, 0);
    end if;
    the_booking := events.end_booking(the_booking, 'Moved to another event.', is_waived);

    if the_method = 'wallet' then
        the_spendable_cents := payments.spendable_cents(payments.account(
            'user', the_booking.customer_id, 'credits', the_terms.currency, the_terms.organization_id
        ));
        if the_spendable_cents < the_quote.total_cents then
            perform events.refuse_difference(
                the_quote, the_terms.event_id, the_booking.seats, the_quote.total_cents - the_spendable_cents
            );
        end if;
    end if;
    perform events.place_booking(
        the_new_id, the_terms, the_booking.customer_id, the_booking.seats, the_booking.guest, the_method, the_quote,
        the_hold_id, ops.caller_id()
    );
    update events.booking_names as n
    set booking_id = the_new_id
    where n.booking_id = the_booking.id;
    perform events.end_reservations(
        the_terms.event_id, the_booking.customer_id, the_new_id, greatest(seats_reserved - the_booking.seats, 0)
    );
    perform events.offer_seats(the_booking.event_id);

    return ops.keep_answer(
        'move_booking', move_booking.idempotency_key,
        (
            select
                events.booking_payload(b) - array['organization_id', 'cancelled_at', 'late', 'fee_cents']
                || jsonb_build_object(
                    'moved_from', the_booking.id, 'late', the_booking.late, 'fee_cents', the_booking.fee_cents,
                    'refund_cents', greatest(the_value_cents - the_carried_cents, 0)
                )
            from events.bookings as b
            where b.id = the_new_id
        )
    );
end;
$$;

comment on function events.move_booking(
    uuid, uuid, events.payment_method, text, bigint, boolean, text
) is
'Move a confirmed booking to another event of the same organization. Returns the new booking.';

grant execute on function events.move_booking(uuid, uuid, events.payment_method, text, bigint, boolean, text)
to authenticated, service_role;
