-- events.cancel_booking: cancel a booking and return its seats.
--
-- Customers cancel their own bookings until the event starts. Staff cancel any booking of their organization, and may
-- waive the cost of a late cancellation. Locks the event's inventory. In this transaction the seats are offered to the
-- waitlist. The price less the kept part, or the units of a pass, are refunded according to the booking's own policy
-- (events.late_cancellation_cents). A late fee for a booking without a price is charged to the wallet or owed. A promo
-- code stays used after a late cancellation, unless the booking was never paid or staff waive the fee. A repeated call
-- returns the same response.
--
-- Refuses: 403 forbidden, 404 booking_not_found, 409 event_begun, 409 invalid_transition, with the allowed states.

create or replace function events.cancel_booking(booking_id uuid, reason text default null, waive boolean default false)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    is_staff boolean;
    is_waived boolean := coalesce(cancel_booking.waive, false);
    is_late boolean;
    was_unpaid boolean;
begin
    -- Read the booking and the caller's rights, lock the event, and read them again: they may have changed while this
    -- waited for the lock.
    for reading in 1 .. 2 loop
        if reading = 2 then
            perform events.lock_inventory(the_booking.event_id);
        end if;

        perform users.refuse_erased();
        select b.* into the_booking
        from events.bookings as b
        where b.id = cancel_booking.booking_id;

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

    if the_booking.status not in ('cancelled', 'refunded') then
        select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;

        if the_terms.starts_at <= statement_timestamp() and not is_staff then
            raise exception using errcode = 'PT409', message = 'event_begun',
                detail = jsonb_build_object('starts_at', the_terms.starts_at)::text;
        end if;

        was_unpaid := the_booking.status = 'pending_payment';
        is_late := statement_timestamp() > the_terms.starts_at
        - make_interval(hours => coalesce((the_booking.policy ->> 'cancel_hours_before')::integer, 0));

        update events.bookings as b
        set
            status = 'cancelled',
            status_reason = left(cancel_booking.reason, 500),
            cancelled_at = statement_timestamp(),
            late = is_late,
            fee_cents = case
                when is_late and not is_waived and b.status = 'confirmed' then events.late_cancellation_cents(b)
                else 0
            end
        where b.id = the_booking.id
        returning b.* into the_booking;

        update events.holds as h
        set status = 'released'
        where h.id = the_booking.hold_id and h.status = 'active';

        if the_booking.payment_method not in ('none', 'comp') then
            perform payments.reverse_sales(
                array[the_booking.id], 'cancelled', the_booking.policy ->> 'refund_to',
                array[
                    case
                        when the_booking.payment_method <> 'pass' then the_booking.price_cents - the_booking.fee_cents
                        when is_late and not is_waived
                            and coalesce((the_booking.policy ->> 'late_credit_lost')::boolean, true) then 0
                        else the_booking.seats
                    end
                ]
            );
        end if;

        if was_unpaid or is_waived or not is_late then
            perform payments.release_promo_codes(array[the_booking.id]);
        end if;

        if the_booking.price_cents = 0 then
            perform payments.charge_fee(the_booking);
        end if;

        insert into public.outbox (topic, key, payload)
        values (
            'booking.cancelled', the_booking.event_id::text,
            events.booking_payload(the_booking) || '{"by_organizer": false}'
        );

        perform events.offer_seats(the_booking.event_id);
    end if;

    return events.booking_payload(the_booking) - 'organization_id'
    || jsonb_build_object('reason', the_booking.status_reason);
end;
$$;

comment on function events.cancel_booking(uuid, text, boolean) is
'Cancel a booking, and offer its seats to the waitlist. Returns the cancelled booking.';

grant execute on function events.cancel_booking(uuid, text, boolean) to authenticated, service_role;
