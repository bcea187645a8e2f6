-- events.book: book seats at an event.
--
-- One call is one transaction. Checks that need no lock of the event come first. The booking is written last: counting
-- it locks the event's inventory and checks the seats.
--
-- The response is stored with the idempotency key in the same transaction. A retry gets the same text. A concurrent
-- request with the same key waits for the first, then gets its response.
--
-- A booking uses the seats that its customer holds or was offered, with or without hold_id, also if staff make it,
-- at the price at which they were held. Seats that it does not need return to the waitlist. Further seats must be on
-- sale, at the current price. A new booking does not overtake the waitlist. A promo code is used together with the
-- booking, or neither is.
--
-- The fast path serves nearly all bookings: own seats at a free event that is open to everyone, with an idempotency key
-- and without guests. It applies while the event has room, nobody waits for seats, and no seats are held. It reads in
-- one statement and writes in another, because each statement and expression of a routine costs more than the rows that
-- it reads. Its subqueries use `offset 0`, which passes on only the columns in use; a join passes on all. One warm
-- handler makes 1.2 times as many bookings per second with it as with the general path alone (the benchmark
-- bench.booking.variants measures the server's part).
--
-- All other bookings take the general path, which writes the same rows. The same routines make the response
-- (events.booking_answer) and the message (events.new_booking_payload).
--
-- Both paths lock the customer, so that limits per person hold for concurrent bookings. Whatever was read before a lock
-- may change while the routine waits for it. So the fast path checks again that the customer holds no seats, and at the
-- end that the terms are the same (events.recheck_terms). The general path locks the event before it decides, and reads
-- everything again.
--
-- Refuses: 400 idempotency_key_required, 401 unauthenticated, 402 payment_required, 403 forbidden, 404 event_not_found,
-- 404 customer_not_found, 404 promo_code_not_found, 409 already_booked, 409 booking_window_closed,
-- 409 customer_blocked, 409 event_not_bookable, 409 hold_again_later, 409 hold_expired, 409 insufficient_credits,
-- 409 insufficient_funds, 409 price_changed, 409 promo_code_not_valid, 409 promo_code_used_up, 409 sold_out,
-- 409 too_many_held, 409 too_many_no_shows, 409 too_many_seats, 422 idempotency_conflict, 422 invalid_request.

create or replace function events.book(
    event_id uuid,
    seats integer default 1,
    payment_method events.payment_method default null,
    customer_id uuid default null,
    guest boolean default false,
    hold_id uuid default null,
    idempotency_key text default null,
    promo_code text default null,
    total_cents bigint default null
)
returns text
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    the_claims jsonb := ops.claims();
    the_caller_id uuid := nullif(the_claims ->> 'sub', '')::uuid;
    -- All services share one set of idempotency keys.
    the_keyring_id uuid;
    the_request_hash bytea;
    the_situation record;
    the_terms events.terms;
    the_changed_terms events.terms;
    the_inventory events.inventory;
    the_customer_id uuid;
    the_method events.payment_method;
    the_quote payments.quotes;
    the_hold_id uuid;
    seats_reserved integer := 0;
    the_booking_id uuid;
    the_organization_id uuid;
    the_currency character(3);
    the_policy jsonb;
    the_answer text;
    the_first_answer text;
    locked boolean;
    is_locked boolean := false;
begin
    if
        book.seats between 1 and 20
        and not book.guest
        and book.idempotency_key is not null
        and book.payment_method is null
        and book.customer_id is null
        and book.hold_id is null
        and book.promo_code is null
        and (book.total_cents = 0) is not false
    then
        select
            t.organization_id,
            t.currency,
            t.policy,
            ops.uuid_v7(),
            events.booking_request_hash(
                book.event_id, book.seats, book.guest, null, null, null, null, book.total_cents
            ),
            events.lock_person(the_caller_id)
        into the_organization_id, the_currency, the_policy, the_booking_id, the_request_hash, locked
        from (
            select t.organization_id, t.currency, t.policy
            from events.terms as t
            where
                t.event_id = book.event_id
                and t.price_cents = 0
                and t.policy ->> 'blocked_after_no_shows' is null
                and events.open_to_everybody(t)
            offset 0
        ) as t,
        (
            select from events.inventory as i
            where
                i.event_id = book.event_id
                and i.waitlisted = 0
                and i.held = 0
                and (i.capacity - i.taken < book.seats) is not true
            offset 0
        ) as i,
        (select from users.profiles as p where p.id = the_caller_id and users.is_current(p, the_claims) offset 0) as p;
    end if;

    -- A booking of one own seat is always within the limit (events.remaining_seats). The general path checks several
    -- seats that may exceed it. `offset 0` makes the planner read the person's bookings. It would choose the event's
    -- bookings, which it estimates as equally few.
    if book.seats > 1 and the_booking_id is not null then
        if
            (the_policy ->> 'seats_max_per_person')::integer < book.seats
            or exists (
                select
                from (
                    select b.event_id, b.guest
                    from events.bookings as b
                    where b.customer_id = the_caller_id
                    offset 0
                ) as b
                where b.event_id = book.event_id and b.guest
            )
        then
            the_booking_id := null;
        end if;
    end if;

    if the_booking_id is not null then
        the_answer := events.booking_answer(
            the_booking_id, book.event_id, the_caller_id, book.seats, book.guest, 'none', 0, the_currency
        );

        with
        keyed as (
            insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
            select the_caller_id, 'book', book.idempotency_key, the_request_hash, the_answer
            from events.inventory as i
            where
                i.event_id = book.event_id
                and i.waitlisted = 0
                and i.held = 0
                and exists (select from users.profiles as p where p.id = the_caller_id and p.erased_at is null)
                and not exists (
                    select from organizations.customers as c
                    where
                        c.organization_id = the_organization_id
                        and c.customer_id = the_caller_id
                        and c.blocked_at is not null
                )
            on conflict do nothing
            returning true
        ),

        told as (
            insert into public.outbox (topic, key, correlation_id, payload)
            select
                'booking.confirmed', book.event_id, the_claims ->> 'correlation_id',
                events.new_booking_payload(the_answer, the_organization_id)
            from keyed
        )

        insert into events.bookings (
            id, event_id, organization_id, customer_id, seats, guest, status, payment_method, price_cents, currency,
            policy, booked_by
        )
        select
            the_booking_id, book.event_id, the_organization_id, the_caller_id, book.seats, book.guest, 'confirmed',
            'none', 0, the_currency, the_policy, the_caller_id
        from keyed
        on conflict (event_id, customer_id)
        where not guest and status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
        do nothing;

        if found then
            if not exists (
                select
                from events.terms as t
                where
                    t.event_id = book.event_id
                    and t.price_cents = 0
                    and t.policy = the_policy
                    and events.open_to_everybody(t)
            ) then
                perform events.recheck_terms(the_booking_id, book.idempotency_key, book.total_cents);
            end if;
            return the_answer;
        end if;

        -- A concurrent request took the key first, or the key is new and the customer already has a booking. Without a
        -- key, seats are held or waited for since the first statement, or the customer was erased or is blocked.
        the_first_answer := ops.idempotent_answer(the_caller_id, 'book', book.idempotency_key, the_request_hash);
        if the_first_answer = the_answer then
            perform events.refuse_already_booked(book.event_id, the_caller_id);
        end if;
        if the_first_answer is not null then
            return the_first_answer;
        end if;
    end if;

    if (book.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

    the_keyring_id := coalesce(the_caller_id, '00000000-0000-0000-0000-000000000000');
    the_request_hash := events.booking_request_hash(
        book.event_id, book.seats, book.guest, book.payment_method, book.customer_id, book.hold_id, book.promo_code,
        book.total_cents
    );
    the_customer_id := the_caller_id;
    the_method := 'none';
    the_booking_id := ops.uuid_v7();

    -- Read the event, the key and the caller in one statement.
    select
        t as terms,
        k as first_request,
        exists (
            select from users.profiles as p where p.id = the_caller_id and users.is_current(p, the_claims)
        ) as caller_is_known
    into the_situation
    from (select book.event_id as event_id) as asked
    left join events.terms as t on t.event_id = asked.event_id
    left join ops.idempotency_keys as k
        on k.caller_id = the_keyring_id and k.operation = 'book' and k.key = book.idempotency_key;
    the_terms := the_situation.terms;

    if the_situation.first_request is not null then
        return ops.idempotent_answer(the_keyring_id, 'book', book.idempotency_key, the_request_hash);
    end if;

    if not events.open_to_everybody(the_terms) then
        the_terms := events.bookable_terms(book.event_id);
    end if;
    if book.customer_id is not null or not the_situation.caller_is_known then
        the_customer_id := events.ensure_customer(the_caller_id, book.customer_id, the_terms.organization_id);
    end if;
    -- Seats held for a card payment also count against the caller, because staff have a limit of their own.
    perform events.lock_customer(
        the_customer_id, the_terms.organization_id,
        the_customer_id is distinct from the_caller_id and book.payment_method in ('card', 'twint')
    );
    the_answer := ops.idempotent_answer(the_keyring_id, 'book', book.idempotency_key, the_request_hash);
    if the_answer is not null then
        return the_answer;
    end if;
    the_terms := events.bookable_terms(book.event_id);
    select i.* into the_inventory from events.inventory as i where i.event_id = book.event_id;

    -- A second pass, under the event's lock, quotes again: terms, settings and promo codes may have changed while the
    -- first waited. Free seats need it only if the terms changed.
    loop
        -- Held seats of an event that is free may have a price.
        if
            the_terms.price_cents > 0
            or the_inventory.held > 0
            or coalesce(book.payment_method::text, book.promo_code, book.total_cents::text) is not null
        then
            the_quote := payments.quote_seats(
                the_terms, the_customer_id, book.seats, book.promo_code,
                case
                    when the_inventory.held > 0
                    then payments.kept_list_cents(the_terms, the_customer_id, book.seats)
                end
            );
            the_method := events.resolve_payment_method(
                the_terms, the_quote, book.seats, book.payment_method, book.idempotency_key, book.total_cents
            );
        end if;
        the_answer := events.booking_answer(
            the_booking_id, book.event_id, the_customer_id, book.seats, book.guest, the_method,
            case when the_method in ('comp', 'pass') then 0 else coalesce(the_quote.total_cents, 0) end,
            the_terms.currency
        );
        if is_locked then
            update ops.idempotency_keys as k
            set response = the_answer
            where
                k.caller_id = the_keyring_id
                and k.operation = 'book'
                and k.key = book.idempotency_key
                and k.response <> the_answer;
            exit;
        end if;

        -- The key comes before the event, so that nobody waits for a key who has locked an event (deadlock).
        if book.idempotency_key is not null then
            insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
            values (the_keyring_id, 'book', book.idempotency_key, the_request_hash, the_answer)
            on conflict do nothing;

            if not found then
                return ops.idempotent_answer(the_keyring_id, 'book', book.idempotency_key, the_request_hash);
            end if;
        end if;

        if the_customer_id = the_caller_id and book.hold_id is null then
            locked := events.queue_for_event(book.event_id);
        end if;
        the_inventory := events.lock_inventory(book.event_id);
        is_locked := true;

        -- The caller's role may have changed while this waited.
        if the_customer_id is distinct from the_caller_id then
            perform events.ensure_customer(the_caller_id, the_customer_id, the_terms.organization_id);
        end if;
        the_changed_terms := events.bookable_terms(book.event_id);
        exit when
            the_changed_terms is not distinct from the_terms and the_quote is null and the_inventory.held = 0;
        the_terms := the_changed_terms;
    end loop;

    -- An overdue hold may end in an offer to this customer, so it expires first.
    if the_inventory.held > 0 and exists (
        select
        from events.holds as h
        where h.event_id = book.event_id and h.status = 'active' and h.expires_at <= statement_timestamp()
    ) then
        perform events.expire_event_holds(book.event_id);
        the_inventory := events.lock_inventory(book.event_id);
    end if;

    if the_inventory.held > 0 or book.hold_id is not null then
        seats_reserved := events.reserved_seats(book.event_id, the_customer_id, book.hold_id);
    end if;
    -- The event may be open only for the reserved seats (events.bookable_terms).
    if seats_reserved < book.seats and not events.open_to_everybody(the_terms) then
        perform events.refuse_closed_event(the_terms);
    end if;
    -- Before the reservations are used, because a refusal reports what the customer can do with them.
    if events.seats_on_sale(the_inventory) + seats_reserved < book.seats then
        perform events.require_seats(the_terms, the_customer_id, book.seats - seats_reserved, book.guest);
    end if;
    if seats_reserved > 0 then
        select u.hold_id into the_hold_id
        from events.use_reservations(book.event_id, the_customer_id, book.hold_id, the_booking_id) as u;
    end if;

    perform events.limit_seats(
        the_terms, the_customer_id, book.seats, case when book.guest then 'guest' else 'own' end
    );

    the_booking_id := events.place_booking(
        the_booking_id, the_terms, the_customer_id, book.seats, book.guest, the_method, the_quote, the_hold_id,
        the_caller_id
    );

    if the_inventory.held > 0 or the_inventory.waitlisted > 0 then
        perform events.end_reservations(
            book.event_id, the_customer_id, the_booking_id, greatest(seats_reserved - book.seats, 0)
        );
    end if;
    return the_answer;
end;
$$;

comment on function events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text, text, bigint) is
'Book seats at an event. Idempotent per caller and key. Returns the booking as JSON text.';

grant execute on function events.book(uuid, integer, events.payment_method, uuid, boolean, uuid, text, text, bigint)
to authenticated, service_role;
