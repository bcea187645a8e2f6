-- The whole structure, for reading. Made from sql/migrations, sql/routines and sql/views by `make schema`; do not edit.

CREATE SCHEMA events;

COMMENT ON SCHEMA events IS 'Series, events, seats, bookings, holds and waitlists.';

CREATE SCHEMA messaging;

COMMENT ON SCHEMA messaging IS 'What people are told.';

CREATE SCHEMA ops;

COMMENT ON SCHEMA ops IS 'What keeps the system running: identity, limits, queues, metrics, jobs.';

CREATE SCHEMA organizations;

COMMENT ON SCHEMA organizations IS 'Tenants: who belongs to them, where they are, how they sell.';

CREATE SCHEMA payments;

COMMENT ON SCHEMA payments IS 'Money: the ledger and what posts to it.';

CREATE SCHEMA rating;

CREATE SCHEMA rating_archive;

COMMENT ON SCHEMA rating_archive IS 'Months of events that were counted long ago. Nobody may use it but the owner.';

CREATE SCHEMA ref;

COMMENT ON SCHEMA ref IS 'Reference data: read by everybody, written by migrations.';

CREATE SCHEMA staging;

COMMENT ON SCHEMA staging IS 'Exports of an earlier system as they came, and what became of each row.';

CREATE SCHEMA users;

COMMENT ON SCHEMA users IS 'People.';

CREATE TYPE events.booking_status AS ENUM (
    'pending_payment',
    'held',
    'confirmed',
    'cancelled',
    'refunded',
    'attended',
    'no_show',
    'expired'
);

CREATE DOMAIN events.cents AS bigint
	CONSTRAINT cents_are_not_negative CHECK ((VALUE >= 0));

CREATE TYPE events.event_listing AS (
	id uuid,
	series_id uuid,
	title text,
	category text,
	language text,
	starts_at timestamp with time zone,
	ends_at timestamp with time zone,
	time_zone text,
	price_cents bigint,
	currency text,
	price_tier text,
	organization_id uuid,
	organization_name text,
	location_id uuid,
	location_name text,
	city text,
	country text,
	instructor_id uuid,
	instructor_name text,
	capacity integer,
	seats_left integer,
	availability text,
	waitlisted integer
);

COMMENT ON TYPE events.event_listing IS 'An event as public lists show it: no private column of any table is in it.';

CREATE TYPE events.event_status AS ENUM (
    'draft',
    'scheduled',
    'cancelled',
    'completed'
);

CREATE TYPE events.hold_purpose AS ENUM (
    'online',
    'desk',
    'offer',
    'payment'
);

CREATE TYPE events.hold_status AS ENUM (
    'active',
    'consumed',
    'released',
    'expired'
);

CREATE TYPE events.payment_method AS ENUM (
    'none',
    'comp',
    'card',
    'twint',
    'wallet',
    'pass',
    'invoice'
);

CREATE DOMAIN events.seat_count AS integer
	CONSTRAINT seat_count_is_not_negative CHECK ((VALUE >= 0));

CREATE DOMAIN events.seats AS smallint
	CONSTRAINT seats_are_few CHECK (((VALUE >= 1) AND (VALUE <= 20)));

CREATE TYPE events.series_status AS ENUM (
    'active',
    'paused',
    'archived'
);

CREATE TYPE events.visibility AS ENUM (
    'public',
    'private'
);

CREATE TYPE events.waitlist_status AS ENUM (
    'waiting',
    'offered',
    'accepted',
    'expired',
    'left'
);

CREATE TYPE organizations.member_role AS ENUM (
    'viewer',
    'editor',
    'admin',
    'owner',
    'instructor',
    'front_desk',
    'accountant'
);

CREATE TYPE payments.account_type AS ENUM (
    'cash',
    'escrow',
    'receivable',
    'payable',
    'revenue',
    'fees',
    'taxes',
    'credits',
    'clearing',
    'unclaimed'
);

CREATE DOMAIN payments.cents AS bigint
	CONSTRAINT payment_cents_are_not_negative CHECK ((VALUE >= 0));

CREATE DOMAIN payments.credit_amount AS bigint
	CONSTRAINT credits_are_some CHECK ((VALUE > 0));

CREATE TYPE payments.credit_kind AS ENUM (
    'wallet',
    'pass'
);

CREATE DOMAIN payments.credit_rest AS bigint
	CONSTRAINT credits_never_below_zero CHECK ((VALUE >= 0));

CREATE TYPE payments.credit_source AS ENUM (
    'purchase',
    'grant',
    'refund',
    'promotion'
);

CREATE DOMAIN payments.credit_use AS text
	CONSTRAINT credits_are_used_for_a_price_or_a_fee CHECK ((VALUE = ANY (ARRAY['price'::text, 'no_show'::text])));

CREATE DOMAIN payments.guarded_cents AS bigint
	CONSTRAINT balance_never_below_zero CHECK ((VALUE >= 0));

CREATE TYPE payments.intent_status AS ENUM (
    'created',
    'open',
    'processing',
    'succeeded',
    'cancelled'
);

CREATE TYPE payments.invoice_kind AS ENUM (
    'invoice',
    'credit_note'
);

CREATE TYPE payments.owner_kind AS ENUM (
    'organization',
    'user',
    'platform'
);

CREATE TYPE payments.promo_kind AS ENUM (
    'percent',
    'amount',
    'credits'
);

CREATE TYPE payments.purchase_status AS ENUM (
    'pending',
    'granted',
    'refunded',
    'expired'
);

CREATE TYPE payments.refund_status AS ENUM (
    'created',
    'pending',
    'succeeded',
    'failed'
);

CREATE DOMAIN payments.signed_cents AS bigint
	CONSTRAINT cents_are_not_zero CHECK ((VALUE <> 0));

CREATE DOMAIN payments.slug AS character varying(60)
	CONSTRAINT slug_is_plain CHECK (((VALUE)::text ~ '^[a-z]+([_.][a-z]+)*$'::text));

CREATE TYPE payments.webhook_status AS ENUM (
    'received',
    'failed',
    'handled',
    'ignored',
    'parked'
);

CREATE DOMAIN rating.client_id AS text
	CONSTRAINT id_is_1_to_128_long CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 128)));

CREATE TYPE rating.event_kind AS ENUM (
    'vote',
    'slider',
    'fire'
);

CREATE TYPE rating.ingestion AS (
	number integer,
	organization_id uuid,
	caller_id uuid,
	is_service boolean,
	events json
);

COMMENT ON TYPE rating.ingestion IS 'A request of events: whose, and an array of them as they came. Internal.';

CREATE TYPE rating.model AS ENUM (
    'bayes',
    'elo'
);

CREATE TYPE rating.outcome AS (
	number integer,
	place integer,
	organization_id uuid,
	key text,
	content bigint,
	status text,
	code text,
	detail text,
	event_id bigint
);

COMMENT ON TYPE rating.outcome IS 'What became of an event of a request; no status: its key was known. Internal.';

CREATE TYPE rating.vote_kind AS ENUM (
    'normal',
    'super'
);

CREATE FUNCTION events.abandon_unpaid(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
begin
    update events.bookings as b
    set status = 'expired', status_reason = 'The payment was given up.'
    where b.id = abandon_unpaid.booking_id and b.status = 'pending_payment'
    returning b.* into the_booking;

if not found then
        return false;
    end if;

update events.holds as h
    set status = 'released'
    where h.id = the_booking.hold_id and h.status = 'active';

perform payments.give_back_promo_codes(array[the_booking.id]);

insert into public.outbox (topic, key, payload)
    values (
        'booking.expired', the_booking.event_id::text,
        jsonb_build_object(
            'booking_id', the_booking.id, 'event_id', the_booking.event_id, 'customer_id', the_booking.customer_id,
            'organization_id', the_booking.organization_id, 'seats', the_booking.seats
        )
    );
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

COMMENT ON FUNCTION events.abandon_unpaid(booking_id uuid) IS 'End a booking whose payment was given up; answers whether there was one.';

CREATE FUNCTION events.accept_offer(entry_id uuid, payment_method events.payment_method DEFAULT NULL::events.payment_method, idempotency_key text DEFAULT NULL::text, promo_code text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry events.waitlist_entries;
    the_terms events.terms;
    the_quote payments.quotes;
    the_method events.payment_method;
    the_booking_id uuid;
begin
    perform events.lock_people(
        w.customer_id, case when accept_offer.payment_method in ('card', 'twint') then ops.caller_id() end
    )
    from events.waitlist_entries as w
    where w.id = accept_offer.entry_id;
    the_entry := events.own_entry(accept_offer.entry_id);

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
    the_method := events.method_of_payment(
        the_terms, the_quote, accept_offer.payment_method, accept_offer.idempotency_key
    );

perform events.consume_hold(
        the_entry.hold_id, the_entry.event_id, the_entry.customer_id, the_entry.seats, 'offer'
    );
    perform events.limit_seats(the_terms, the_entry.customer_id, the_entry.seats, 'own');
    the_booking_id := events.place_booking(
        ops.uuid_v7(), the_terms, the_entry.customer_id, the_entry.seats, false, the_method, the_quote,
        the_entry.hold_id, ops.caller_id()
    );
    perform events.settle_entry(the_entry.id, the_booking_id, the_entry.seats);
    return events.waitlist_answer(the_entry.id);
end;
$$;

COMMENT ON FUNCTION events.accept_offer(entry_id uuid, payment_method events.payment_method, idempotency_key text, promo_code text) IS 'Take the seats that the waitlist offered; answers the entry with its booking.';

CREATE FUNCTION events.availability(capacity integer, taken integer, held integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (capacity IS NULL) THEN 'unlimited'::text WHEN ((taken + held) >= capacity) THEN 'full'::text WHEN (((taken + held) * 5) >= ((capacity)::bigint * 4)) THEN 'filling'::text ELSE 'available'::text END;

COMMENT ON FUNCTION events.availability(capacity integer, taken integer, held integer) IS 'How full an event is, in one word.';

CREATE FUNCTION events.book(event_id uuid, seats integer DEFAULT 1, payment_method events.payment_method DEFAULT NULL::events.payment_method, customer_id uuid DEFAULT NULL::uuid, guest boolean DEFAULT false, hold_id uuid DEFAULT NULL::uuid, idempotency_key text DEFAULT NULL::text, promo_code text DEFAULT NULL::text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    the_claims jsonb := ops.claims();
    the_caller_id uuid := nullif(the_claims ->> 'sub', '')::uuid;
    -- Services share one keyring.
    the_keyring_id uuid;
    the_request_hash bytea;
    the_situation record;
    the_terms events.terms;
    the_inventory events.inventory;
    the_customer_id uuid;
    the_method events.payment_method;
    the_quote payments.quotes;
    the_entry events.waitlist_entries;
    the_hold_id uuid;
    the_booking_id uuid;
    the_organization_id uuid;
    the_currency character(3);
    the_policy jsonb;
    the_answer text;
    the_first_answer text;
    locked boolean;
begin
    if
        book.seats between 1 and 20
        and not book.guest
        and book.idempotency_key is not null
        and book.payment_method is null
        and book.customer_id is null
        and book.hold_id is null
        and book.promo_code is null
    then
        select
            t.organization_id,
            t.currency,
            t.policy,
            ops.uuid_v7(),
            events.booking_request_hash(book.event_id, book.seats, book.guest, null, null, null, null)
        into the_organization_id, the_currency, the_policy, the_booking_id, the_request_hash
        from (
            select t.organization_id, t.currency, t.policy
            from events.terms as t
            where t.event_id = book.event_id and t.price_cents = 0 and events.open_to_everybody(t)
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

-- One seat for oneself always fits: see events.seats_left_for. Of more, the longer way judges those that may not.
    -- The person's bookings are read, never the event's, which the planner takes for as few: `offset 0` decides it.
    if book.seats > 1 and the_booking_id is not null then
        locked := events.lock_person(the_caller_id);
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
            values (the_caller_id, 'book', book.idempotency_key, the_request_hash, the_answer)
            on conflict do nothing
            returning true
        ),

        told as (
            insert into public.outbox (topic, key, correlation_id, payload)
            select
                'booking.confirmed', book.event_id, the_claims ->> 'correlation_id',
                format(
                    '{"booking_id": "%s", "event_id": "%s", "customer_id": "%s", "organization_id": "%s", "seats": %s}',
                    the_booking_id, book.event_id, the_caller_id, the_organization_id, book.seats
                )::jsonb
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
            return the_answer;
        end if;

-- The key is somebody's who was faster, or it is ours and the customer has a booking.
        the_first_answer := ops.first_answer(the_caller_id, 'book', book.idempotency_key, the_request_hash);
        if the_first_answer = the_answer then
            perform events.refuse_already_booked(book.event_id, the_caller_id);
        end if;
        return the_first_answer;
    end if;

if (book.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

the_keyring_id := coalesce(the_caller_id, '00000000-0000-0000-0000-000000000000');
    the_request_hash := events.booking_request_hash(
        book.event_id, book.seats, book.guest, book.payment_method, book.customer_id, book.hold_id, book.promo_code
    );
    the_customer_id := the_caller_id;
    the_method := 'none';
    the_hold_id := book.hold_id;
    the_booking_id := ops.uuid_v7();

-- All that another one must know.
    select
        t as terms,
        i as inventory,
        k as first_request,
        exists (
            select from users.profiles as p where p.id = the_caller_id and users.is_current(p, the_claims)
        ) as caller_is_known
    into the_situation
    from (select book.event_id as event_id) as asked
    left join events.terms as t on t.event_id = asked.event_id
    left join events.inventory as i on i.event_id = asked.event_id
    left join ops.idempotency_keys as k
        on k.caller_id = the_keyring_id and k.operation = 'book' and k.key = book.idempotency_key;
    the_terms := the_situation.terms;
    the_inventory := the_situation.inventory;

if the_situation.first_request is not null then
        return ops.first_answer(the_keyring_id, 'book', book.idempotency_key, the_request_hash);
    end if;

if not events.open_to_everybody(the_terms) then
        perform events.refuse_unless_staff(the_terms);
    end if;
    if book.customer_id is not null or not the_situation.caller_is_known then
        the_customer_id := events.ensure_customer(the_caller_id, book.customer_id, the_terms.organization_id);
    end if;
    -- The caller too where seats are held until they are paid: staff have a limit of their own for that.
    if the_customer_id is distinct from the_caller_id and book.payment_method in ('card', 'twint') then
        locked := events.lock_people(the_customer_id, the_caller_id);
    else
        locked := events.lock_person(the_customer_id);
    end if;
    if the_terms.price_cents > 0 or book.payment_method is not null or book.promo_code is not null then
        the_quote := payments.quote_seats(the_terms, the_customer_id, book.seats, book.promo_code);
        the_method := events.method_of_payment(the_terms, the_quote, book.payment_method, book.idempotency_key);
    end if;
    the_answer := events.booking_answer(
        the_booking_id, book.event_id, the_customer_id, book.seats, book.guest, the_method,
        case when the_method in ('comp', 'pass') then 0 else coalesce(the_quote.total_cents, 0) end, the_terms.currency
    );

if book.idempotency_key is not null then
        insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
        values (the_keyring_id, 'book', book.idempotency_key, the_request_hash, the_answer)
        on conflict do nothing;

if not found then
            return ops.first_answer(the_keyring_id, 'book', book.idempotency_key, the_request_hash);
        end if;
    end if;

if the_inventory.waitlisted > 0 or the_inventory.held > 0 then
        the_entry := events.entry_of(book.event_id, the_customer_id);
    end if;

if book.hold_id is not null then
        perform events.consume_hold(book.hold_id, book.event_id, the_customer_id, book.seats, 'online', 'desk');
    elsif the_entry.status = 'offered' and the_entry.seats = book.seats then
        the_hold_id := the_entry.hold_id;
        perform events.consume_hold(the_hold_id, book.event_id, the_customer_id, book.seats, 'offer');
    elsif
        the_inventory.waitlisted > 0
        or the_inventory.capacity - the_inventory.taken - the_inventory.held < book.seats
    then
        -- Whoever asks for guests is not told of the booking that they have: it is not in the way.
        perform events.make_room(the_terms, case when not book.guest then the_customer_id end, book.seats);
    end if;

perform events.limit_seats(
        the_terms, the_customer_id, book.seats, case when book.guest then 'guest' else 'own' end
    );

the_booking_id := events.place_booking(
        the_booking_id, the_terms, the_customer_id, book.seats, book.guest, the_method, the_quote, the_hold_id,
        the_caller_id
    );

if the_entry.id is not null then
        perform events.settle_entry(the_entry.id, the_booking_id, book.seats);
    end if;
    return the_answer;
end;
$$;

COMMENT ON FUNCTION events.book(event_id uuid, seats integer, payment_method events.payment_method, customer_id uuid, guest boolean, hold_id uuid, idempotency_key text, promo_code text) IS 'Take seats at an event. Idempotent per caller and key; answers the booking as JSON text.';

CREATE TABLE events.terms (
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    status events.event_status NOT NULL,
    visibility events.visibility NOT NULL,
    price_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    opens_at timestamp with time zone,
    closes_at timestamp with time zone NOT NULL,
    last_offer_at timestamp with time zone NOT NULL,
    policy jsonb NOT NULL
);

COMMENT ON TABLE events.terms IS 'What a booking must know of its event, copied by a trigger: one small row instead of a search through partitions.';

CREATE FUNCTION events.bookable_terms(event_id uuid) RETURNS events.terms
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms
    from events.terms as t
    where t.event_id = bookable_terms.event_id;

if not events.open_to_everybody(the_terms) then
        perform events.refuse_unless_staff(the_terms);
    end if;
    return the_terms;
end;
$$;

COMMENT ON FUNCTION events.bookable_terms(event_id uuid) IS 'The terms of an event that the caller may book now.';

CREATE FUNCTION events.booking_answer(booking_id uuid, event_id uuid, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, price_cents bigint, currency text) RETURNS text
    LANGUAGE sql STABLE
    RETURN format((((('{"id" : "%s", "event_id" : "%s", "customer_id" : "%s", "seats" : %s, "guest" : %s, "status" : "'::text || CASE WHEN (payment_method = ANY (ARRAY['card'::events.payment_method, 'twint'::events.payment_method])) THEN 'pending_payment'::text ELSE 'confirmed'::text END) || '", "payment_method" : "%s", "price_cents" : '::text) || (price_cents)::text) || ', "currency" : "%s", "created_at" : %s}'::text), booking_id, event_id, customer_id, seats, (guest)::text, payment_method, currency, to_json(transaction_timestamp()));

COMMENT ON FUNCTION events.booking_answer(booking_id uuid, event_id uuid, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, price_cents bigint, currency text) IS 'The answer to a booking request, as JSON text.';

CREATE FUNCTION events.booking_request_hash(event_id uuid, seats integer, guest boolean, payment_method events.payment_method, customer_id uuid, hold_id uuid, promo_code text) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN sha256(convert_to(format('%s|%s|%s%s'::text, event_id, seats, guest, (((((('|'::text || COALESCE((payment_method)::text, ''::text)) || '|'::text) || COALESCE((customer_id)::text, ''::text)) || '|'::text) || COALESCE((hold_id)::text, ''::text)) || COALESCE(('|'::text || upper(TRIM(BOTH FROM promo_code))), ''::text))), 'UTF8'::name));

COMMENT ON FUNCTION events.booking_request_hash(event_id uuid, seats integer, guest boolean, payment_method events.payment_method, customer_id uuid, hold_id uuid, promo_code text) IS 'A hash of what a booking request asked for.';

CREATE FUNCTION events.cancel_booking(booking_id uuid, reason text DEFAULT NULL::text, waive boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    is_staff boolean;
    is_waived boolean := coalesce(cancel_booking.waive, false);
    is_late boolean;
    was_unpaid boolean;
begin
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

perform events.lock_inventory(the_booking.event_id);
    select b.* into the_booking from events.bookings as b where b.id = cancel_booking.booking_id;

if the_booking.status not in ('cancelled', 'refunded') then
        select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;

if the_terms.ends_at <= statement_timestamp() and not is_staff then
            raise exception using errcode = 'PT409', message = 'event_over',
                detail = jsonb_build_object('ended_at', the_terms.ends_at)::text;
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
                when is_late and not is_waived and b.status = 'confirmed'
                then least(b.price_cents, coalesce((b.policy ->> 'late_fee_cents')::bigint, 0))
                else 0
            end
        where b.id = the_booking.id
        returning b.* into the_booking;

update events.holds as h
        set status = 'released'
        where h.id = the_booking.hold_id and h.status = 'active';

if was_unpaid or is_waived then
            perform payments.give_back_promo_codes(array[the_booking.id]);
        end if;
        if the_booking.payment_method not in ('none', 'comp') then
            perform payments.undo_sales(
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

insert into public.outbox (topic, key, payload)
        values ('booking.cancelled', the_booking.event_id::text, events.cancelled_payload(the_booking));

perform events.offer_seats(the_booking.event_id);
    end if;

return jsonb_build_object(
        'id', the_booking.id,
        'event_id', the_booking.event_id,
        'customer_id', the_booking.customer_id,
        'seats', the_booking.seats,
        'guest', the_booking.guest,
        'status', the_booking.status,
        'payment_method', the_booking.payment_method,
        'price_cents', the_booking.price_cents,
        'currency', the_booking.currency,
        'created_at', the_booking.created_at,
        'cancelled_at', the_booking.cancelled_at,
        'reason', the_booking.status_reason,
        'late', the_booking.late,
        'fee_cents', the_booking.fee_cents
    );
end;
$$;

COMMENT ON FUNCTION events.cancel_booking(booking_id uuid, reason text, waive boolean) IS 'Give a booking''s seats back; they are offered onwards at once. Answers the cancelled booking.';

CREATE FUNCTION events.cancel_event(event_id uuid, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := events.require_staff(cancel_event.event_id, 'editor', 'admin', 'owner');
begin
    perform events.lock_inventory(cancel_event.event_id);
    select t.* into the_terms from events.terms as t where t.event_id = cancel_event.event_id;

if the_terms.status <> 'cancelled' then
        if the_terms.status = 'completed' or the_terms.ends_at <= statement_timestamp() then
            raise exception using errcode = 'PT409', message = 'event_over',
                detail = jsonb_build_object('ended_at', the_terms.ends_at)::text;
        end if;
        perform events.cancel_events(array[cancel_event.event_id], cancel_event.reason);
    end if;
    return events.event_answer(cancel_event.event_id);
end;
$$;

COMMENT ON FUNCTION events.cancel_event(event_id uuid, reason text) IS 'Cancel an event for its organizer; answers the event.';

CREATE FUNCTION events.cancel_events(event_ids uuid[], reason text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_reason text := left(cancel_events.reason, 500);
    cancelled uuid[];
    ended_ids uuid[];
begin
    perform
    from events.inventory as i
    where i.event_id = any (cancel_events.event_ids)
    order by i.event_id
    for no key update;

with changed as (
        update events.events as e
        set status = 'cancelled', status_reason = the_reason, updated_at = statement_timestamp()
        from events.terms as t
        where
            t.event_id = any (cancel_events.event_ids)
            and e.id = t.event_id
            and e.starts_at = t.starts_at
            and e.status in ('draft', 'scheduled')
        returning e.id
    )
    select array_agg(c.id) into cancelled from changed as c;

update events.inventory as i
    set closed = true
    where i.event_id = any (cancelled);

with ended as (
        update events.bookings as b
        set
            status = case when b.status = 'held' then 'expired' else 'cancelled' end::events.booking_status,
            status_reason = the_reason,
            cancelled_at = statement_timestamp(),
            late = false,
            fee_cents = 0
        where b.event_id = any (cancelled) and b.status in ('pending_payment', 'held', 'confirmed')
        returning b.*
    ),
    told as (
        insert into public.outbox (topic, key, payload)
        select
            'booking.cancelled', e.event_id::text,
            jsonb_build_object(
                'booking_id', e.id, 'event_id', e.event_id, 'customer_id', e.customer_id,
                'organization_id', e.organization_id, 'seats', e.seats, 'late', false,
                'fee_cents', 0, 'currency', e.currency, 'by_organizer', true
            )
        from ended as e
        order by e.event_id, e.id
    )
    select array_agg(e.id) into ended_ids from ended as e;

perform payments.undo_sales(ended_ids, 'event_cancelled');

with ended as (
        update events.waitlist_entries as w
        set status = 'expired', status_reason = the_reason
        where w.event_id = any (cancelled) and w.status in ('waiting', 'offered')
        returning w.*
    )
    insert into public.outbox (topic, key, payload)
    select
        'waitlist.expired', e.event_id::text,
        jsonb_build_object(
            'entry_id', e.id, 'event_id', e.event_id, 'customer_id', e.customer_id,
            'organization_id', t.organization_id, 'seats', e.seats, 'by_organizer', true
        )
    from ended as e
    inner join events.terms as t on t.event_id = e.event_id
    order by e.event_id, e.place;

update events.holds as h
    set status = 'released'
    where h.event_id = any (cancelled) and h.status = 'active';

insert into public.outbox (topic, key, payload)
    select
        'event.cancelled', t.event_id::text,
        jsonb_build_object(
            'event_id', t.event_id, 'organization_id', t.organization_id, 'starts_at', t.starts_at
        )
    from events.terms as t
    where t.event_id = any (cancelled)
    order by t.event_id;

return coalesce(cardinality(ended_ids), 0);
end;
$$;

COMMENT ON FUNCTION events.cancel_events(event_ids uuid[], reason text) IS 'Cancel events for their organizer, with their bookings, holds and waits; answers how many bookings ended.';

CREATE FUNCTION ops.is_text(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (value !~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]'::text);

COMMENT ON FUNCTION ops.is_text(value text) IS 'Whether a text of several lines is fit to be read: as ops.is_line, but for tabs and line ends.';

CREATE FUNCTION ops.uuid_v7() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    RETURN (encode(set_bit(set_bit((substr(int8send(((date_part('epoch'::text, clock_timestamp()) * (1000)::double precision))::bigint), 3) || substr(uuid_send(gen_random_uuid()), 7)), (52)::bigint, 1), (53)::bigint, 1), 'hex'::text))::uuid;

COMMENT ON FUNCTION ops.uuid_v7() IS 'A version 7 UUID: sorts by the time it was made.';

CREATE TABLE events.bookings (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    guest boolean DEFAULT false NOT NULL,
    status events.booking_status NOT NULL,
    status_reason character varying(500),
    payment_method events.payment_method NOT NULL,
    price_cents events.cents NOT NULL,
    currency character(3) NOT NULL,
    policy jsonb NOT NULL,
    hold_id uuid,
    booked_by uuid,
    late boolean DEFAULT false NOT NULL,
    fee_cents events.cents DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    cancelled_at timestamp with time zone,
    CONSTRAINT booking_reason_is_readable CHECK (ops.is_text((status_reason)::text))
);

COMMENT ON COLUMN events.bookings.guest IS 'Extra seats for guests: the customer may have another booking of the event.';

COMMENT ON COLUMN events.bookings.price_cents IS 'What all its seats cost together.';

COMMENT ON COLUMN events.bookings.policy IS 'The event''s policy as it was when booked: what cancelling costs.';

COMMENT ON COLUMN events.bookings.booked_by IS 'Who did it: the customer, or somebody of the staff; null for a service.';

COMMENT ON COLUMN events.bookings.late IS 'Cancelled after the policy''s cut-off.';

COMMENT ON COLUMN events.bookings.fee_cents IS 'What a late cancellation or a no-show costs by the policy.';

CREATE FUNCTION events.cancelled_payload(booking events.bookings) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN jsonb_build_object('booking_id', (booking).id, 'event_id', (booking).event_id, 'customer_id', (booking).customer_id, 'organization_id', (booking).organization_id, 'seats', (booking).seats, 'late', (booking).late, 'fee_cents', (booking).fee_cents, 'currency', (booking).currency);

COMMENT ON FUNCTION events.cancelled_payload(booking events.bookings) IS 'What the world is told of a cancelled booking.';

CREATE FUNCTION events.change_inventory(event_id uuid, taken integer, held integer, waitlisted integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    -- Seats sold, which is what most changes are: the same in fewer words, for rivals wait meanwhile.
    if change_inventory.taken > 0 and change_inventory.held = 0 and change_inventory.waitlisted = 0 then
        update events.inventory as i
        set taken = i.taken + change_inventory.taken
        where
            i.event_id = change_inventory.event_id
            and not i.closed
            and (i.capacity is null or i.taken + i.held + change_inventory.taken <= i.capacity)
            and (i.waitlisted = 0 or events.may_pass(i.event_id));
    else
        update events.inventory as i
        set
            taken = i.taken + change_inventory.taken,
            held = i.held + change_inventory.held,
            waitlisted = i.waitlisted + change_inventory.waitlisted
        where
            i.event_id = change_inventory.event_id
            and (
                change_inventory.taken + change_inventory.held + change_inventory.waitlisted <= 0
                or (
                    not i.closed
                    and (
                        change_inventory.taken + change_inventory.held <= 0
                        or (
                            (
                                i.capacity is null
                                or i.taken + i.held + change_inventory.taken + change_inventory.held <= i.capacity
                            )
                            and (i.waitlisted = 0 or events.may_pass(i.event_id))
                        )
                    )
                )
            );
    end if;

if found then
        return true;
    end if;

if not exists (select from events.inventory as i where i.event_id = change_inventory.event_id) then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

if exists (select from events.inventory as i where i.event_id = change_inventory.event_id and i.closed) then
        raise exception using errcode = 'PT409', message = 'event_not_bookable',
            detail = jsonb_build_object('status', 'cancelled')::text;
    end if;
    perform events.refuse_sold_out(change_inventory.event_id);
    return false;
end;
$$;

COMMENT ON FUNCTION events.change_inventory(event_id uuid, taken integer, held integer, waitlisted integer) IS 'Add to an event''s counters, never past its capacity. For the counting triggers only.';

CREATE FUNCTION events.check_references(organization_id uuid, details jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    unknown jsonb;
begin
    select jsonb_agg(
        jsonb_build_object(
            'path', jsonb_build_array('body', c.place),
            'kind', 'unknown',
            'message', 'There is nothing with this name or id.'
        )
        order by c.place
    ) into unknown
    from (
        values
        ('location_id', exists (
            select from organizations.locations as l
            where l.id = (details ->> 'location_id')::uuid and l.organization_id = check_references.organization_id
        )),
        ('instructor_id', exists (
            select from organizations.instructors as i
            where i.id = (details ->> 'instructor_id')::uuid and i.organization_id = check_references.organization_id
        )),
        ('policy_id', exists (
            select from organizations.policies as p
            where p.id = (details ->> 'policy_id')::uuid and p.organization_id = check_references.organization_id
        )),
        ('category', exists (select from ref.event_categories as c where c.slug = details ->> 'category')),
        ('language', exists (select from ref.languages as l where l.code = details ->> 'language')),
        ('time_zone', exists (select from ref.timezones as z where z.name = details ->> 'time_zone')),
        ('currency', exists (select from ref.currencies as c where c.code = details ->> 'currency'))
    ) as c (place, is_known)
    where details ->> c.place is not null and not c.is_known;

if unknown is not null then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', unknown
            )::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.check_references(organization_id uuid, details jsonb) IS 'Refuse references to what does not exist in the organization.';

CREATE FUNCTION events.check_times(starts_at timestamp with time zone, ends_at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    wrong text[] := case
        when check_times.starts_at <= statement_timestamp()
        then array['starts_at', 'An event must start in the future.']
        when check_times.starts_at > statement_timestamp() + interval '5 years'
        then array['starts_at', 'An event must start within five years from now.']
        when check_times.ends_at <= check_times.starts_at
        then array['ends_at', 'An event must end after its start.']
        when check_times.ends_at > check_times.starts_at + interval '31 days'
        then array['ends_at', 'An event may last at most 31 days.']
    end;
begin
    if wrong is not null then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', jsonb_build_array(
                    jsonb_build_object('path', array['body', wrong[1]], 'kind', 'range', 'message', wrong[2])
                )
            )::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.check_times(starts_at timestamp with time zone, ends_at timestamp with time zone) IS 'Refuse times that no event can have.';

CREATE TABLE events.waitlist_entries (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    place integer NOT NULL,
    status events.waitlist_status DEFAULT 'waiting'::events.waitlist_status NOT NULL,
    status_reason text,
    hold_id uuid,
    offered_at timestamp with time zone,
    offer_expires_at timestamp with time zone,
    offers_lapsed integer DEFAULT 0 NOT NULL,
    booking_id uuid,
    joined_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT accepted_has_a_booking CHECK (((status = 'accepted'::events.waitlist_status) = (booking_id IS NOT NULL))),
    CONSTRAINT offered_has_a_hold CHECK (((status = 'offered'::events.waitlist_status) <= ((hold_id IS NOT NULL) AND (offered_at IS NOT NULL) AND (offer_expires_at IS NOT NULL)))),
    CONSTRAINT waitlist_reason_is_readable CHECK (ops.is_text(status_reason))
);

COMMENT ON COLUMN events.waitlist_entries.place IS 'Order of the queue; it only grows. Whoever lets an offer lapse takes a new one at the end.';

CREATE FUNCTION events.close_entry(entry events.waitlist_entries, final_status events.waitlist_status, reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    update events.holds as h
    set status = 'released'
    where h.id = (close_entry.entry).hold_id and h.status = 'active';

update events.waitlist_entries as w
    set status = close_entry.final_status, status_reason = close_entry.reason
    where w.id = (close_entry.entry).id;
end;
$$;

COMMENT ON FUNCTION events.close_entry(entry events.waitlist_entries, final_status events.waitlist_status, reason text) IS 'End a waitlist entry and release the seats kept for it.';

CREATE FUNCTION events.confirm_paid(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
begin
    update events.holds as h
    set status = 'consumed'
    from events.bookings as b
    where b.id = confirm_paid.booking_id and h.id = b.hold_id and h.status = 'active';

update events.bookings as b
    set status = 'confirmed', status_reason = null
    where b.id = confirm_paid.booking_id
    returning b.* into the_booking;

insert into public.outbox (topic, key, payload)
    values (
        'booking.confirmed', the_booking.event_id::text,
        jsonb_build_object(
            'booking_id', the_booking.id, 'event_id', the_booking.event_id, 'customer_id', the_booking.customer_id,
            'organization_id', the_booking.organization_id, 'seats', the_booking.seats,
            'price_cents', the_booking.price_cents, 'currency', the_booking.currency
        )
    );
end;
$$;

COMMENT ON FUNCTION events.confirm_paid(booking_id uuid) IS 'Confirm a booking whose payment has come.';

CREATE FUNCTION events.consume_hold(hold_id uuid, event_id uuid, customer_id uuid, seats integer, VARIADIC purposes events.hold_purpose[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform events.lock_inventory(consume_hold.event_id);

update events.holds as h
    set status = 'consumed'
    where
        h.id = consume_hold.hold_id
        and h.event_id = consume_hold.event_id
        and h.customer_id = consume_hold.customer_id
        and h.seats = consume_hold.seats
        and h.purpose = any (consume_hold.purposes)
        and h.status = 'active'
        and h.expires_at > statement_timestamp();

if not found then
        raise exception using errcode = 'PT409', message = 'hold_expired';
    end if;
end;
$$;

COMMENT ON FUNCTION events.consume_hold(hold_id uuid, event_id uuid, customer_id uuid, seats integer, VARIADIC purposes events.hold_purpose[]) IS 'Use up a hold, for the booking that follows.';

CREATE FUNCTION events.copy_details(series_id uuid, changes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series;
    coming uuid[];
    starts timestamptz[];
begin
    select s.* into the_series from events.series as s where s.id = copy_details.series_id;

select array_agg(e.id order by e.id), array_agg(e.starts_at order by e.id) into coming, starts
    from events.events as e
    where
        e.series_id = the_series.id
        and e.starts_at > statement_timestamp()
        and not e.detached
        and e.status in ('draft', 'scheduled');

if
        changes ?| array[
            'title', 'description', 'category', 'language', 'price_cents', 'location_id', 'instructor_id', 'policy_id',
            'visibility'
        ]
    then
        update events.events as e
        set
            title = the_series.title,
            description = the_series.description,
            category = the_series.category,
            language = the_series.language,
            price_cents = the_series.price_cents,
            location_id = the_series.location_id,
            instructor_id = the_series.instructor_id,
            visibility = the_series.visibility,
            policy = case
                when changes ? 'policy_id' then events.policy_snapshot(the_series.policy_id) else e.policy
            end,
            updated_at = statement_timestamp()
        from unnest(coming, starts) as c (event_id, starts_at)
        where e.id = c.event_id and e.starts_at = c.starts_at;
    end if;

if changes ? 'capacity' then
        perform events.set_capacities(coming, the_series.capacity);
    end if;

if changes ? 'location_id' then
        perform events.tell_of_change(coming, starts, array['location_id']);
    end if;
end;
$$;

COMMENT ON FUNCTION events.copy_details(series_id uuid, changes jsonb) IS 'Copy what changed about a series to its coming events.';

CREATE FUNCTION events.copy_terms() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    last_offer_minutes integer;
begin
    select o.last_offer_minutes into last_offer_minutes
    from organizations.organizations as o
    where o.id = new.organization_id;

insert into events.terms as t (
        event_id, organization_id, starts_at, ends_at, status, visibility, price_cents, currency,
        opens_at, closes_at, last_offer_at, policy
    )
    values (
        new.id, new.organization_id, new.starts_at, new.ends_at, new.status, new.visibility, new.price_cents,
        new.currency,
        new.starts_at - make_interval(days => (new.policy ->> 'opens_days_before')::integer),
        least(
            new.ends_at,
            new.starts_at - make_interval(mins => coalesce((new.policy ->> 'closes_minutes_before')::integer, 0))
        ),
        new.starts_at - make_interval(mins => last_offer_minutes),
        new.policy
    )
    on conflict (event_id) do update
    set
        starts_at = excluded.starts_at,
        ends_at = excluded.ends_at,
        status = excluded.status,
        visibility = excluded.visibility,
        price_cents = excluded.price_cents,
        currency = excluded.currency,
        opens_at = excluded.opens_at,
        closes_at = excluded.closes_at,
        last_offer_at = excluded.last_offer_at,
        policy = excluded.policy
    where
        (
            t.starts_at, t.ends_at, t.status, t.visibility, t.price_cents, t.currency,
            t.opens_at, t.closes_at, t.last_offer_at, t.policy
        ) is distinct from (
            excluded.starts_at, excluded.ends_at, excluded.status, excluded.visibility, excluded.price_cents,
            excluded.currency, excluded.opens_at, excluded.closes_at, excluded.last_offer_at, excluded.policy
        );
    return null;
end;
$$;

CREATE FUNCTION events.count_booking() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    waited boolean;
begin
    if new.status in ('confirmed', 'attended', 'no_show') then
        if new.booked_by = new.customer_id and new.hold_id is null then
            waited := events.take_turn(new.event_id);
        end if;

update events.inventory as i
        set taken = i.taken + new.seats
        where
            i.event_id = new.event_id
            and (i.closed or i.waitlisted > 0 or i.taken + i.held + new.seats > i.capacity) is not true;

if not found then
            perform events.change_inventory(new.event_id, new.seats, 0, 0);
        end if;
    end if;
    return null;
end;
$$;

CREATE FUNCTION events.count_bookings() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    change record;
    changed boolean;
begin
    if tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(n.seats) as amount
            from old_rows as n
            where n.status in ('confirmed', 'attended', 'no_show')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.change_inventory(change.event_id, change.amount::integer, 0, 0);
        end loop;
    else
        for change in
            select c.event_id, sum(c.amount) as amount
            from (
                select n.event_id, n.seats as amount
                from new_rows as n
                where n.status in ('confirmed', 'attended', 'no_show')
                union all
                select n.event_id, -n.seats from old_rows as n where n.status in ('confirmed', 'attended', 'no_show')
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.change_inventory(change.event_id, change.amount::integer, 0, 0);
        end loop;
    end if;
    return null;
end;
$$;

CREATE FUNCTION events.count_holds() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    change record;
    changed boolean;
begin
    if tg_op = 'INSERT' then
        if new.status in ('active') then
            changed := events.change_inventory(new.event_id, 0, new.seats, 0);
        end if;
    elsif tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(n.seats) as amount
            from old_rows as n
            where n.status in ('active')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.change_inventory(change.event_id, 0, change.amount::integer, 0);
        end loop;
    else
        for change in
            select c.event_id, sum(c.amount) as amount
            from (
                select n.event_id, n.seats as amount from new_rows as n where n.status in ('active')
                union all
                select n.event_id, -n.seats from old_rows as n where n.status in ('active')
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.change_inventory(change.event_id, 0, change.amount::integer, 0);
        end loop;
    end if;
    return null;
end;
$$;

CREATE FUNCTION events.count_waitlist() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    change record;
    changed boolean;
begin
    if tg_op = 'INSERT' then
        if new.status in ('waiting') then
            changed := events.change_inventory(new.event_id, 0, 0, 1);
        end if;
    elsif tg_op = 'DELETE' then
        for change in
            select n.event_id, -sum(1) as amount
            from old_rows as n
            where n.status in ('waiting')
            group by n.event_id
            order by n.event_id
        loop
            changed := events.change_inventory(change.event_id, 0, 0, change.amount::integer);
        end loop;
    else
        for change in
            select c.event_id, sum(c.amount) as amount
            from (
                select n.event_id, 1 as amount from new_rows as n where n.status in ('waiting')
                union all
                select n.event_id, -1 from old_rows as n where n.status in ('waiting')
            ) as c
            group by c.event_id
            having sum(c.amount) <> 0
            order by c.event_id
        loop
            changed := events.change_inventory(change.event_id, 0, 0, change.amount::integer);
        end loop;
    end if;
    return null;
end;
$$;

CREATE FUNCTION events.create_event(details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization organizations.organizations := events.require_organization(
        (details ->> 'organization_id')::uuid, 'editor', 'admin', 'owner'
    );
    the_event events.events;
    the_id uuid := ops.uuid_v7();
begin
    the_event := jsonb_populate_record(
        null::events.events,
        jsonb_build_object(
            'language', the_organization.language,
            'time_zone', the_organization.time_zone,
            'currency', the_organization.currency,
            'price_cents', 0,
            'visibility', 'public',
            'status', 'scheduled'
        ) || jsonb_strip_nulls(details)
    );
    the_event.id := events.first_made('create_event', create_event.idempotency_key, details, the_id);
    if the_event.id <> the_id then
        return events.event_answer(the_event.id);
    end if;

perform events.limit_programme(the_organization.id, 'event');
    perform events.check_references(the_organization.id, details);
    perform events.check_times(the_event.starts_at, the_event.ends_at);

insert into events.events (
        id, starts_at, ends_at, organization_id, title, description, category, language, time_zone, price_cents,
        currency, location_id, instructor_id, policy, visibility, status
    )
    values (
        the_event.id, the_event.starts_at, the_event.ends_at, the_organization.id, the_event.title,
        the_event.description, the_event.category, the_event.language, the_event.time_zone,
        the_event.price_cents, the_event.currency,
        the_event.location_id, the_event.instructor_id, events.policy_snapshot((details ->> 'policy_id')::uuid),
        the_event.visibility, the_event.status
    );
    insert into events.inventory (event_id, capacity)
    values (the_event.id, (details ->> 'capacity')::integer);

return events.event_answer(the_event.id);
end;
$$;

COMMENT ON FUNCTION events.create_event(details jsonb, idempotency_key text) IS 'Make a single event. Idempotent per caller and key.';

CREATE FUNCTION ops.is_line(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (value !~ '[\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f]'::text);

COMMENT ON FUNCTION ops.is_line(value text) IS 'Whether a text of one line is fit to be read: no control characters, nothing that changes its direction.';

CREATE TABLE events.series (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    title text NOT NULL,
    description text,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    recurrence text NOT NULL,
    local_start_time time without time zone NOT NULL,
    start_date date NOT NULL,
    end_date date,
    duration_minutes integer NOT NULL,
    capacity integer,
    price_cents bigint DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    location_id uuid,
    instructor_id uuid,
    policy_id uuid,
    visibility events.visibility DEFAULT 'public'::events.visibility NOT NULL,
    status events.series_status DEFAULT 'active'::events.series_status NOT NULL,
    status_reason text,
    generated_until date,
    continues_series_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT duration_is_sensible CHECK (((duration_minutes >= 10) AND (duration_minutes <= 600))),
    CONSTRAINT recurrence_is_short CHECK (((length(recurrence) >= 1) AND (length(recurrence) <= 8000))),
    CONSTRAINT series_capacity_is_sensible CHECK (((capacity >= 0) AND (capacity <= 1000000))),
    CONSTRAINT series_description_fits CHECK ((length(description) <= 20000)),
    CONSTRAINT series_ends_after_it_starts CHECK ((end_date >= start_date)),
    CONSTRAINT series_price_is_not_negative CHECK (((price_cents >= 0) AND (price_cents <= 100000000))),
    CONSTRAINT series_texts_are_readable CHECK ((ops.is_line(title) AND ops.is_text(description) AND ops.is_text(status_reason))),
    CONSTRAINT series_title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200)))
);

COMMENT ON COLUMN events.series.recurrence IS 'RFC 5545 lines in local time without DTSTART: RRULE, and any number of RDATE and EXDATE.';

COMMENT ON COLUMN events.series.generated_until IS 'Occurrences up to and including this local date are there.';

COMMENT ON COLUMN events.series.continues_series_id IS 'The series that this one was split from.';

CREATE FUNCTION events.create_series(details jsonb, idempotency_key text DEFAULT NULL::text) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization organizations.organizations := events.require_organization(
        (details ->> 'organization_id')::uuid, 'editor', 'admin', 'owner'
    );
    the_series events.series;
    first_id uuid;
begin
    the_series := jsonb_populate_record(
        null::events.series,
        jsonb_build_object(
            'id', ops.uuid_v7(),
            'language', the_organization.language,
            'time_zone', the_organization.time_zone,
            'currency', the_organization.currency,
            'price_cents', 0,
            'visibility', 'public'
        ) || jsonb_strip_nulls(details) || jsonb_build_object(
            'status', 'active',
            'created_at', statement_timestamp(),
            'updated_at', statement_timestamp()
        )
    );
    first_id := events.first_made('create_series', create_series.idempotency_key, details, the_series.id);
    if first_id <> the_series.id then
        select s.* into the_series from events.series as s where s.id = first_id;
        return the_series;
    end if;

perform events.limit_programme(the_organization.id, 'series');
    perform events.check_references(the_organization.id, details);
    insert into events.series
    select the_series.*
    returning * into the_series;
    return the_series;
end;
$$;

COMMENT ON FUNCTION events.create_series(details jsonb, idempotency_key text) IS 'Make a series. Idempotent per caller and key.';

CREATE FUNCTION events.customer_dashboard(most integer DEFAULT 20) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_customer_id uuid := ops.caller_id();
begin
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

return (
        select jsonb_build_object(
            'customer_id', the_customer_id,
            'bookings', jsonb_build_object(
                'total', count(*),
                'pending', count(*) filter (where b.status in ('pending_payment', 'held')),
                'confirmed', count(*) filter (where b.status = 'confirmed'),
                'cancelled', count(*) filter (where b.status = 'cancelled'),
                'refunded', count(*) filter (where b.status = 'refunded'),
                'attended', count(*) filter (where b.status = 'attended'),
                'no_show', count(*) filter (where b.status = 'no_show'),
                'expired', count(*) filter (where b.status = 'expired'),
                'upcoming', count(*) filter (where b.status = 'confirmed' and t.starts_at > statement_timestamp())
            ),
            'last_booked_at', max(b.created_at)
        )
        from events.bookings as b
        inner join events.terms as t on t.event_id = b.event_id
        where b.customer_id = the_customer_id
    ) || jsonb_build_object(
        'spent', (
            select coalesce(jsonb_agg(
                jsonb_build_object('currency', s.currency, 'amount_cents', s.amount_cents) order by s.currency
            ), '[]')
            from (
                select b.currency, sum(events.spent_cents(b.status, b.price_cents, b.fee_cents)) as amount_cents
                from events.bookings as b
                where b.customer_id = the_customer_id
                group by b.currency
            ) as s
            where s.amount_cents > 0
        ),
        'upcoming', (
            select coalesce(jsonb_agg(
                events.summary_of(u.event_id) || jsonb_build_object('booking_id', u.id, 'seats', u.seats)
                order by u.starts_at, u.id
            ), '[]')
            from (
                select b.id, b.event_id, b.seats, t.starts_at
                from events.bookings as b
                inner join events.terms as t on t.event_id = b.event_id
                where
                    b.customer_id = the_customer_id
                    and b.status = 'confirmed'
                    and t.starts_at > statement_timestamp()
                order by t.starts_at, b.id
                limit customer_dashboard.most
            ) as u
        ),
        'waitlist', (
            select coalesce(jsonb_agg(
                events.summary_of(w.event_id) || jsonb_build_object(
                    'entry_id', w.id,
                    'seats', w.seats,
                    'wait', w.status,
                    'position', case when w.status = 'waiting' then w.position end,
                    'offer_expires_at', w.offer_expires_at
                )
                order by w.starts_at, w.id
            ), '[]')
            from (
                select
                    w.id,
                    w.event_id,
                    w.seats,
                    w.status,
                    w.offer_expires_at,
                    t.starts_at,
                    (
                        select count(*)
                        from events.waitlist_entries as o
                        where o.event_id = w.event_id and o.status = 'waiting' and o.place <= w.place
                    ) as position
                from events.waitlist_entries as w
                inner join events.terms as t on t.event_id = w.event_id
                where w.customer_id = the_customer_id and w.status in ('waiting', 'offered')
                order by t.starts_at, w.id
                limit customer_dashboard.most
            ) as w
        )
    );
end;
$$;

COMMENT ON FUNCTION events.customer_dashboard(most integer) IS 'The caller''s bookings, spending and waits at a glance.';

CREATE FUNCTION events.decline_offer(entry_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry events.waitlist_entries := events.own_entry(decline_offer.entry_id);
begin
    if the_entry.status not in ('left', 'expired') then
        perform events.close_entry(the_entry, 'left', 'The customer left.');
        perform events.offer_seats(the_entry.event_id);
    end if;
    return events.waitlist_answer(the_entry.id);
end;
$$;

COMMENT ON FUNCTION events.decline_offer(entry_id uuid) IS 'Leave the waitlist; what was offered goes to the next person.';

CREATE FUNCTION events.drop_events(event_ids uuid[], reason text, cancel_booked boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    unused uuid[];
begin
    select array_agg(i.event_id) into unused
    from (
        select i.event_id
        from events.inventory as i
        where i.event_id = any (drop_events.event_ids)
        order by i.event_id
        for update skip locked
    ) as i;

-- After the seats: everybody who locks both takes them in this order, but for a new booking, which is passed over.
    select array_agg(t.event_id) into unused
    from (
        select t.event_id
        from events.terms as t
        where t.event_id = any (unused)
        order by t.event_id
        for update skip locked
    ) as t;

-- A statement by itself, to see what was booked before the locks were had.
    select array_agg(u.event_id) into unused
    from unnest(unused) as u (event_id)
    where
        not exists (select from events.bookings as b where b.event_id = u.event_id)
        and not exists (select from events.holds as h where h.event_id = u.event_id)
        and not exists (select from events.waitlist_entries as w where w.event_id = u.event_id);

delete from events.occurrences as o where o.event_id = any (unused);
    delete from events.events as e
    using events.terms as t
    where t.event_id = any (unused) and e.id = t.event_id and e.starts_at = t.starts_at;

if drop_events.cancel_booked then
        perform events.cancel_events(
            array(select d.id from unnest(drop_events.event_ids) as d (id) where d.id <> all (coalesce(unused, '{}'))),
            drop_events.reason
        );
    end if;
end;
$$;

COMMENT ON FUNCTION events.drop_events(event_ids uuid[], reason text, cancel_booked boolean) IS 'Delete events that nobody had to do with; cancel the others, or leave them.';

CREATE FUNCTION events.edit_series(series_id uuid) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series := events.require_series(edit_series.series_id, 'editor', 'admin', 'owner');
begin
    if the_series.status = 'archived' then
        raise exception using errcode = 'PT409', message = 'series_archived';
    end if;
    return the_series;
end;
$$;

COMMENT ON FUNCTION events.edit_series(series_id uuid) IS 'A series, locked for an edit by its organization''s staff.';

CREATE FUNCTION events.end_refunded(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
begin
    update events.bookings as b
    set status = 'refunded', status_reason = 'The price was given back.', cancelled_at = statement_timestamp()
    where b.id = end_refunded.booking_id and b.status = 'confirmed'
    returning b.* into the_booking;

if not found then
        return false;
    end if;

insert into public.outbox (topic, key, payload)
    values ('booking.cancelled', the_booking.event_id::text, events.cancelled_payload(the_booking));
    perform events.offer_seats(the_booking.event_id);
    return true;
end;
$$;

COMMENT ON FUNCTION events.end_refunded(booking_id uuid) IS 'End a booking whose price was given back in full; answers whether it was still to come.';

CREATE FUNCTION events.end_waits(at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_event_id uuid;
    the_organization_id uuid;
    the_entry events.waitlist_entries;
    waits_ended integer := 0;
begin
    for the_event_id, the_organization_id in
        select i.event_id, t.organization_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where
            (t.starts_at <= end_waits.at or t.status <> 'scheduled')
            and i.event_id in (
                select w.event_id from events.waitlist_entries as w where w.status in ('waiting', 'offered')
            )
        order by i.event_id
        limit end_waits.most
        for no key update of i skip locked
    loop
        for the_entry in
            select w.*
            from events.waitlist_entries as w
            where w.event_id = the_event_id and w.status in ('waiting', 'offered')
            order by w.place
        loop
            perform events.close_entry(the_entry, 'expired', 'The event began.');
            insert into public.outbox (topic, key, payload)
            values (
                'waitlist.expired', the_event_id::text,
                jsonb_build_object(
                    'entry_id', the_entry.id, 'event_id', the_event_id, 'customer_id', the_entry.customer_id,
                    'organization_id', the_organization_id,
                    'seats', the_entry.seats
                )
            );
            waits_ended := waits_ended + 1;
        end loop;
    end loop;
    return waits_ended;
end;
$$;

COMMENT ON FUNCTION events.end_waits(at timestamp with time zone, most integer) IS 'End the waits for events that have begun; answers how many.';

CREATE FUNCTION events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_customer_id uuid := coalesce(ensure_customer.customer_id, ensure_customer.caller_id);
begin
    if the_customer_id is null and ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found',
            detail = jsonb_build_object(
                'detail', 'A service has no profile. Name the customer by `customer_id`.'
            )::text;
    end if;
    if the_customer_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

if the_customer_id is distinct from ensure_customer.caller_id then
        if not events.is_staff(ensure_customer.organization_id) then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may act for another customer. Omit `customer_id`.'
                )::text;
        end if;
        perform organizations.require_customer(ensure_customer.organization_id, the_customer_id);
        return the_customer_id;
    end if;

if not ops.caller_is_service() then
        perform users.follow_token(ensure_customer.caller_id);
    end if;

if exists (select from users.profiles as p where p.id = the_customer_id and p.erased_at is null) then
        return the_customer_id;
    end if;

if ops.caller_is_service() then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

raise exception using errcode = 'PT403', message = 'forbidden',
        detail = jsonb_build_object('detail', 'This account was erased. Sign up with a new account.')::text;
end;
$$;

COMMENT ON FUNCTION events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid) IS 'The customer for whom the caller may act, with a profile made at the first sign-in.';

CREATE FUNCTION events.entry_of(event_id uuid, customer_id uuid) RETURNS events.waitlist_entries
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry events.waitlist_entries;
begin
    if not exists (
        select
        from events.waitlist_entries as w
        where
            w.event_id = entry_of.event_id
            and w.customer_id = entry_of.customer_id
            and w.status in ('waiting', 'offered')
    ) then
        return null;
    end if;

perform events.lock_inventory(entry_of.event_id);
    select w.* into the_entry
    from events.waitlist_entries as w
    where
        w.event_id = entry_of.event_id
        and w.customer_id = entry_of.customer_id
        and w.status in ('waiting', 'offered');
    return the_entry;
end;
$$;

COMMENT ON FUNCTION events.entry_of(event_id uuid, customer_id uuid) IS 'The customer''s live waitlist entry, its event locked; null when there is none.';

CREATE FUNCTION events.event_answer(event_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select to_jsonb(e) - array['search', 'search_config'] || jsonb_build_object(
        'capacity', i.capacity,
        'taken', i.taken,
        'held', i.held,
        'waitlisted', i.waitlisted
    )
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    inner join events.inventory as i on i.event_id = t.event_id
    where t.event_id = event_answer.event_id;
$$;

COMMENT ON FUNCTION events.event_answer(event_id uuid) IS 'An event with its seats, as JSON, for staff.';

CREATE FUNCTION events.expire_holds(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 100) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    event_ids uuid[];
    the_event_id uuid;
    holds_expired integer := 0;
    waits_ended integer;
begin
    select array_agg(i.event_id order by i.event_id) into event_ids
    from (
        select i.event_id
        from events.inventory as i
        where i.event_id in (
            select d.event_id
            from (
                select h.event_id, h.expires_at
                from events.holds as h
                where h.status = 'active' and h.expires_at <= expire_holds.at
                order by h.expires_at
                limit expire_holds.most
            ) as d
        )
        order by i.event_id
        for no key update skip locked
    ) as i;

foreach the_event_id in array coalesce(event_ids, '{}') loop
        holds_expired := holds_expired + events.expire_holds_of(the_event_id, expire_holds.at);
    end loop;

waits_ended := events.end_waits(expire_holds.at, expire_holds.most);

return jsonb_build_object(
        'events', coalesce(cardinality(event_ids), 0),
        'holds_expired', holds_expired,
        'waits_ended', waits_ended,
        'more', exists (
            select
            from events.holds as h
            where h.status = 'active' and h.expires_at <= expire_holds.at
        ) or waits_ended >= expire_holds.most
    );
end;
$$;

COMMENT ON FUNCTION events.expire_holds(at timestamp with time zone, most integer) IS 'Let lapsed holds and offers go and offer the seats onwards; a bounded piece of work for the schedule.';

CREATE FUNCTION events.expire_holds_of(event_id uuid, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_hold events.holds;
    the_entry events.waitlist_entries;
    the_organization_id uuid;
    offers_most integer;
    unpaid_ids uuid[];
    holds_expired integer := 0;
begin
    perform events.lock_inventory(expire_holds_of.event_id);

select o.id, o.offers_most into the_organization_id, offers_most
    from events.terms as t
    inner join organizations.organizations as o on o.id = t.organization_id
    where t.event_id = expire_holds_of.event_id;

for the_hold in
        select h.*
        from events.holds as h
        left join events.waitlist_entries as w on w.hold_id = h.id and w.status = 'offered'
        where h.event_id = expire_holds_of.event_id and h.status = 'active' and h.expires_at <= expire_holds_of.at
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
            select
                'booking.expired', b.event_id::text,
                jsonb_build_object(
                    'booking_id', b.id, 'event_id', b.event_id, 'customer_id', b.customer_id,
                    'organization_id', b.organization_id, 'seats', b.seats
                )
            from events.bookings as b
            where b.event_id = the_hold.event_id and b.hold_id = the_hold.id;

unpaid_ids := array(
                select b.id
                from events.bookings as b
                where b.event_id = the_hold.event_id and b.hold_id = the_hold.id
            );
            perform payments.stop_payments(unpaid_ids);
            perform payments.give_back_promo_codes(unpaid_ids);
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
            where w.id = the_entry.id;

insert into public.outbox (topic, key, payload)
            values (
                'waitlist.lapsed', the_entry.event_id::text,
                jsonb_build_object(
                    'entry_id', the_entry.id, 'event_id', the_entry.event_id, 'customer_id', the_entry.customer_id,
                    'organization_id', the_organization_id, 'seats', the_entry.seats,
                    'left_waitlist', the_entry.offers_lapsed + 1 >= offers_most
                )
            );
        end if;
    end loop;

perform events.offer_seats(expire_holds_of.event_id, expire_holds_of.at);
    return holds_expired;
end;
$$;

COMMENT ON FUNCTION events.expire_holds_of(event_id uuid, at timestamp with time zone) IS 'Let an event''s lapsed holds and offers go and offer the seats onwards; answers how many holds lapsed.';

CREATE FUNCTION events.first_made(operation text, key text, request jsonb, new_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_caller_id uuid := coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000');
    the_request_hash bytea := sha256(convert_to(request::text, 'UTF8'));
begin
    if first_made.key is null then
        return new_id;
    end if;

insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
    values (the_caller_id, first_made.operation, first_made.key, the_request_hash, new_id::text)
    on conflict do nothing;

if found then
        return new_id;
    end if;
    return ops.first_answer(the_caller_id, first_made.operation, first_made.key, the_request_hash)::uuid;
end;
$$;

COMMENT ON FUNCTION events.first_made(operation text, key text, request jsonb, new_id uuid) IS 'The id that belongs to a keyed request: of what its first sending made, or the new one.';

CREATE PROCEDURE events.guard_states()
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    guarded record;
begin
    for guarded in
        select g.*
        from (
            values
            ('events.bookings', 'booking'),
            ('events.holds', 'hold'),
            ('events.waitlist_entries', 'waitlist'),
            ('events.events', 'event'),
            ('events.series', 'series'),
            ('payments.intents', 'intent'),
            ('payments.refunds', 'refund'),
            ('payments.purchases', 'purchase')
        ) as g (table_name, machine)
    loop
        execute format(
            'create or replace trigger enforce_transition before update of status on %s '
            'for each row when (old.status is distinct from new.status) '
            'execute function ops.enforce_transition(%L)',
            guarded.table_name, guarded.machine
        );
    end loop;
end;
$$;

CREATE FUNCTION events.hold_seats(event_id uuid, seats integer DEFAULT 1, customer_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
    the_customer_id uuid;
    the_hold events.holds;
    for_somebody_else boolean;
begin
    if (hold_seats.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

the_terms := events.bookable_terms(hold_seats.event_id);
    the_customer_id := events.ensure_customer(
        ops.caller_id(), hold_seats.customer_id, the_terms.organization_id
    );
    for_somebody_else := the_customer_id is distinct from ops.caller_id();
    perform events.lock_people(the_customer_id, ops.caller_id());

perform events.expire_holds_of(hold_seats.event_id);

select h.* into the_hold
    from events.holds as h
    where
        h.event_id = hold_seats.event_id
        and h.customer_id = the_customer_id
        and h.purpose in ('online', 'desk')
        and h.status = 'active';

if found and the_hold.seats <> hold_seats.seats then
        raise exception using errcode = 'PT409', message = 'already_held',
            detail = jsonb_build_object('hold_id', the_hold.id, 'seats', the_hold.seats)::text;
    end if;

if not found then
        perform events.limit_held_seats(
            the_terms, the_customer_id, hold_seats.seats, ops.caller_id(),
            case when for_somebody_else then 'desk' else 'online' end::events.hold_purpose
        );
        perform events.limit_seats(the_terms, the_customer_id, hold_seats.seats, 'hold');
        perform events.make_room(the_terms, the_customer_id, hold_seats.seats);

insert into events.holds (event_id, customer_id, seats, purpose, expires_at, held_by)
        select
            hold_seats.event_id, the_customer_id, hold_seats.seats,
            case when for_somebody_else then 'desk' else 'online' end::events.hold_purpose,
            least(
                the_terms.ends_at,
                statement_timestamp() + make_interval(
                    mins => case when for_somebody_else then o.desk_hold_minutes else o.online_hold_minutes end
                )
            ),
            ops.caller_id()
        from organizations.organizations as o
        where o.id = the_terms.organization_id
        returning * into the_hold;
    end if;

return jsonb_build_object(
        'id', the_hold.id, 'event_id', the_hold.event_id, 'customer_id', the_hold.customer_id,
        'seats', the_hold.seats, 'purpose', the_hold.purpose, 'status', the_hold.status,
        'expires_at', the_hold.expires_at
    );
end;
$$;

COMMENT ON FUNCTION events.hold_seats(event_id uuid, seats integer, customer_id uuid) IS 'Keep seats for a customer for some minutes; answers the hold.';

CREATE FUNCTION events.hold_until_paid(terms events.terms, customer_id uuid, seats integer, held_by uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_hold_id uuid := ops.uuid_v7();
begin
    perform events.limit_held_seats(
        hold_until_paid.terms, hold_until_paid.customer_id, hold_until_paid.seats, hold_until_paid.held_by, 'payment'
    );

insert into events.holds (id, event_id, customer_id, seats, purpose, expires_at, held_by)
    values (
        the_hold_id, (hold_until_paid.terms).event_id, hold_until_paid.customer_id, hold_until_paid.seats, 'payment',
        least(
            (hold_until_paid.terms).ends_at,
            statement_timestamp() + make_interval(
                mins => coalesce(
                    (
                        select s.payment_minutes
                        from organizations.payout_settings as s
                        where s.organization_id = (hold_until_paid.terms).organization_id
                    ),
                    15
                )
            )
        ),
        hold_until_paid.held_by
    );
    return the_hold_id;
end;
$$;

COMMENT ON FUNCTION events.hold_until_paid(terms events.terms, customer_id uuid, seats integer, held_by uuid) IS 'Keep seats while somebody pays for them; answers the hold.';

CREATE FUNCTION events.instructor_schedule(instructor_id uuid, first_day date DEFAULT NULL::date, last_day date DEFAULT NULL::date, most integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_instructor organizations.instructors;
    the_zone text;
    first_at timestamptz;
    end_at timestamptz;
begin
    select p.* into the_instructor
    from organizations.instructors as p
    where p.id = instructor_schedule.instructor_id;

if not found then
        raise exception using errcode = 'PT404', message = 'instructor_not_found';
    end if;

if
        (
            the_instructor.user_id = ops.caller_id()
            and the_instructor.organization_id in (select public.user_orgs())
        ) is not true
        and not organizations.caller_is(
            the_instructor.organization_id, 'front_desk', 'viewer', 'editor', 'admin', 'owner'
        )
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only the instructor and staff of the organization may see a schedule.'
            )::text;
    end if;

select o.time_zone into the_zone
    from organizations.organizations as o
    where o.id = the_instructor.organization_id;

first_day := coalesce(
        instructor_schedule.first_day,
        least(instructor_schedule.last_day, (statement_timestamp() at time zone the_zone)::date)
    );
    last_day := coalesce(instructor_schedule.last_day, least(first_day + 27, date '9999-12-31'));
    if last_day < first_day or last_day - first_day > 91 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A schedule covers 1 to 92 days. Choose `from` and `to` within this limit.'
            )::text;
    end if;

first_at := first_day::timestamp at time zone the_zone;
    end_at := (last_day + 1)::timestamp at time zone the_zone;

return (
        select jsonb_build_object(
            'instructor_id', the_instructor.id,
            'name', the_instructor.name,
            'organization_id', the_instructor.organization_id,
            'time_zone', the_zone,
            'from', first_day,
            'to', last_day,
            'events', coalesce(jsonb_agg(to_jsonb(s) - 'instructor_id' - 'instructor_name' - 'organization_id'), '[]'),
            'totals', jsonb_build_object(
                'events', count(*) filter (where s.status <> 'cancelled'),
                'minutes', coalesce(sum(extract(epoch from s.ends_at - s.starts_at)::integer / 60) filter (
                    where s.status <> 'cancelled'
                ), 0),
                'seats_taken', coalesce(sum(s.seats_taken) filter (where s.status <> 'cancelled'), 0),
                'attended', coalesce(sum(s.attended), 0)
            )
        )
        from (
            select v.*
            from public.instructor_schedule_mv as v
            where
                v.organization_id = the_instructor.organization_id
                and v.instructor_id = the_instructor.id
                and v.starts_at >= first_at
                and v.starts_at < end_at
            order by v.starts_at, v.event_id
            limit instructor_schedule.most
        ) as s
    );
end;
$$;

COMMENT ON FUNCTION events.instructor_schedule(instructor_id uuid, first_day date, last_day date, most integer) IS 'What an instructor leads between two days, for them and for staff.';

CREATE FUNCTION events.is_door_staff(event_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms from events.terms as t where t.event_id = is_door_staff.event_id;

return organizations.caller_is(the_terms.organization_id, 'front_desk', 'editor', 'admin', 'owner')
        or (
            organizations.caller_is(the_terms.organization_id, 'instructor')
            and exists (
                select
                from events.events as e
                inner join organizations.instructors as i on i.id = e.instructor_id
                where
                    e.id = the_terms.event_id
                    and e.starts_at = the_terms.starts_at
                    and i.user_id = ops.caller_id()
            )
        );
end;
$$;

COMMENT ON FUNCTION events.is_door_staff(event_id uuid) IS 'Whether the caller sees who comes to an event: staff of its organization, or the instructor who leads it.';

CREATE FUNCTION organizations.caller_is(organization_id uuid, VARIADIC roles organizations.member_role[]) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return ops.caller_is_service() or exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where
            m.user_id = ops.caller_id()
            and m.organization_id = caller_is.organization_id
            and m.role = any (caller_is.roles)
    );
end;
$$;

COMMENT ON FUNCTION organizations.caller_is(organization_id uuid, VARIADIC roles organizations.member_role[]) IS 'Whether the caller has one of these roles in the organization; a service has them all.';

CREATE FUNCTION events.is_staff(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN organizations.caller_is(organization_id, VARIADIC ARRAY['front_desk'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]);

COMMENT ON FUNCTION events.is_staff(organization_id uuid) IS 'Whether the caller may act for customers of this organization.';

CREATE FUNCTION events.join_waitlist(event_id uuid, seats integer DEFAULT 1, customer_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
    the_customer_id uuid;
    the_inventory events.inventory;
    the_entry_id uuid;
begin
    if (join_waitlist.seats between 1 and 20) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`seats` must be from 1 to 20. Ask for a number in this range.'
            )::text;
    end if;

the_terms := events.bookable_terms(join_waitlist.event_id);
    the_customer_id := events.ensure_customer(
        ops.caller_id(), join_waitlist.customer_id, the_terms.organization_id
    );

perform events.lock_person(the_customer_id);
    perform events.expire_holds_of(join_waitlist.event_id);
    the_inventory := events.lock_inventory(join_waitlist.event_id);

select w.id into the_entry_id
    from events.waitlist_entries as w
    where
        w.event_id = join_waitlist.event_id
        and w.customer_id = the_customer_id
        and w.status in ('waiting', 'offered');

if found then
        return events.waitlist_answer(the_entry_id);
    end if;

if exists (
        select
        from events.bookings as b
        where
            b.event_id = join_waitlist.event_id
            and b.customer_id = the_customer_id
            and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
    ) then
        perform events.refuse_already_booked(join_waitlist.event_id, the_customer_id);
    end if;

if statement_timestamp() >= the_terms.last_offer_at or the_inventory.capacity < join_waitlist.seats then
        raise exception using errcode = 'PT409', message = 'waitlist_closed',
            detail = jsonb_build_object(
                'last_offer_at', the_terms.last_offer_at, 'capacity', the_inventory.capacity
            )::text;
    end if;

if
        the_inventory.waitlisted = 0
        and (
            the_inventory.capacity is null
            or the_inventory.taken + the_inventory.held + join_waitlist.seats <= the_inventory.capacity
        )
    then
        raise exception using errcode = 'PT409', message = 'seats_available',
            detail = jsonb_build_object(
                'seats_left', the_inventory.capacity - the_inventory.taken - the_inventory.held
            )::text;
    end if;

perform events.limit_waits(the_terms.organization_id, the_customer_id);
    perform events.limit_seats(the_terms, the_customer_id, join_waitlist.seats, 'wait');

insert into events.waitlist_entries (event_id, customer_id, seats, place)
    select
        join_waitlist.event_id, the_customer_id, join_waitlist.seats,
        coalesce(max(w.place), 0) + 1
    from events.waitlist_entries as w
    where w.event_id = join_waitlist.event_id
    returning id into the_entry_id;

insert into public.outbox (topic, key, payload)
    values (
        'waitlist.joined', join_waitlist.event_id::text,
        jsonb_build_object(
            'entry_id', the_entry_id, 'event_id', join_waitlist.event_id, 'customer_id', the_customer_id,
            'organization_id', the_terms.organization_id, 'seats', join_waitlist.seats
        )
    );
    return events.waitlist_answer(the_entry_id);
end;
$$;

COMMENT ON FUNCTION events.join_waitlist(event_id uuid, seats integer, customer_id uuid) IS 'Wait for seats at a full event; answers the entry with its position.';

CREATE FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry_id uuid;
begin
    if coalesce(leave_waitlist.customer_id, ops.caller_id()) is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

if leave_waitlist.customer_id is distinct from ops.caller_id() then
        perform organizations.require_customer(t.organization_id, leave_waitlist.customer_id)
        from events.terms as t
        where
            t.event_id = leave_waitlist.event_id
            and leave_waitlist.customer_id is not null
            and events.is_staff(t.organization_id);
    end if;

select w.id into the_entry_id
    from events.waitlist_entries as w
    where
        w.event_id = leave_waitlist.event_id
        and w.customer_id = coalesce(leave_waitlist.customer_id, ops.caller_id())
    order by (w.status in ('waiting', 'offered')) desc, w.joined_at desc
    limit 1;

if not found then
        raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
    end if;
    return events.decline_offer(the_entry_id);
end;
$$;

COMMENT ON FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid) IS 'Leave an event''s waitlist; answers the entry.';

CREATE FUNCTION events.limit_held_seats(terms events.terms, customer_id uuid, seats integer, held_by uuid, purpose events.hold_purpose) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    is_own boolean := limit_held_seats.held_by is not distinct from limit_held_seats.customer_id;
    again_at timestamptz;
    seats_max integer := ops.limit_of('held_seats_per_person');
    seats_held integer;
begin
    if is_own then
        select max(h.ended_at + (h.ended_at - h.created_at) * (coalesce(ops.limit_of('hold_pause_percent'), 0) / 100.0))
        into again_at
        from (
            select
                h.status,
                h.created_at,
                h.ended_at,
                count(*) filter (where h.ended_at > statement_timestamp() - interval '1 hour') over () as lately
            from events.holds as h
            where
                h.customer_id = limit_held_seats.customer_id
                and h.event_id = (limit_held_seats.terms).event_id
                and h.status in ('expired', 'released')
                and h.held_by = h.customer_id
                and (h.purpose = 'payment' or (h.purpose = 'online' and limit_held_seats.purpose <> 'payment'))
        ) as h
        where h.status = 'expired' or h.lately > ops.limit_of('hold_releases_per_hour');

if again_at > statement_timestamp() then
            raise exception using errcode = 'PT409', message = 'hold_again_later',
                detail = jsonb_build_object(
                    'again_at', again_at,
                    'retry_after_seconds', ceil(extract(epoch from again_at - statement_timestamp()))
                )::text;
        end if;
    end if;

select coalesce(sum(h.seats), 0) into seats_held
    from events.holds as h
    inner join events.terms as t on t.event_id = h.event_id
    where
        h.customer_id = limit_held_seats.customer_id
        and h.status = 'active'
        and h.expires_at > statement_timestamp()
        and h.purpose <> 'offer'
        and (
            t.organization_id = (limit_held_seats.terms).organization_id
            or (is_own and h.held_by = h.customer_id)
        );

if not is_own and seats_held + limit_held_seats.seats <= coalesce(seats_max, 2147483647) then
        seats_max := ops.limit_of('held_seats_per_staff_member');

select coalesce(sum(h.seats), 0) into seats_held
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where
            h.held_by = limit_held_seats.held_by
            and h.held_by <> h.customer_id
            and h.status = 'active'
            and h.expires_at > statement_timestamp()
            and t.organization_id = (limit_held_seats.terms).organization_id;
    end if;

if seats_held + limit_held_seats.seats > seats_max then
        raise exception using errcode = 'PT409', message = 'too_many_held',
            detail = jsonb_build_object(
                'seats_held', seats_held, 'seats_max', seats_max, 'seats_left', greatest(seats_max - seats_held, 0)
            )::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.limit_held_seats(terms events.terms, customer_id uuid, seats integer, held_by uuid, purpose events.hold_purpose) IS 'Refuse to keep more seats unbooked than allowed, or to keep them again too soon.';

CREATE FUNCTION events.limit_programme(organization_id uuid, kind text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    number_there bigint;
begin
    if ops.caller_is_service() then
        return;
    end if;
    perform pg_advisory_xact_lock(uuid_hash_extended(limit_programme.organization_id, 2));

if limit_programme.kind = 'series' then
        select count(*) into number_there
        from events.series as s
        where s.organization_id = limit_programme.organization_id and s.status <> 'archived';

if number_there >= ops.limit_of('series_per_organization') then
            raise exception using errcode = 'PT409', message = 'too_many_series',
                detail = jsonb_build_object('most', ops.limit_of('series_per_organization'))::text;
        end if;
        return;
    end if;

select count(*) into number_there
    from events.events as e
    where
        e.organization_id = limit_programme.organization_id
        and e.starts_at > statement_timestamp()
        and e.series_id is null
        and e.status in ('draft', 'scheduled');

if number_there >= ops.limit_of('events_per_organization') then
        raise exception using errcode = 'PT409', message = 'too_many_events',
            detail = jsonb_build_object('most', ops.limit_of('events_per_organization'))::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.limit_programme(organization_id uuid, kind text) IS 'Refuse another series or single event of an organization that has as many as allowed.';

CREATE FUNCTION events.limit_seats(terms events.terms, customer_id uuid, seats integer, purpose text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    seats_left integer := events.seats_left_for(
        (limit_seats.terms).event_id, (limit_seats.terms).policy, limit_seats.customer_id, limit_seats.purpose
    );
begin
    if limit_seats.seats <= seats_left or events.is_staff((limit_seats.terms).organization_id) then
        return;
    end if;
    seats_left := greatest(seats_left, 0);

raise exception using errcode = 'PT409', message = 'too_many_seats',
        detail = jsonb_build_object(
            'seats_left', seats_left,
            'detail', case
                when seats_left = 0
                    then 'You have as many seats of this event as one person may have. Ask the organizer for more.'
                else format(
                    'You may have %s more seats of this event. Ask for %s or fewer, or ask the organizer for more.',
                    seats_left, seats_left
                )
            end
        )::text;
end;
$$;

COMMENT ON FUNCTION events.limit_seats(terms events.terms, customer_id uuid, seats integer, purpose text) IS 'Refuse more seats than one person may have at an event.';

CREATE FUNCTION events.limit_waits(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    waits integer;
    waits_here integer;
    waits_max integer := ops.limit_of('waits_per_person');
    waits_here_max integer := ops.limit_of('waits_per_person_and_organization');
begin
    select count(*), count(*) filter (where t.organization_id = limit_waits.organization_id)
    into waits, waits_here
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    where w.customer_id = limit_waits.customer_id and w.status in ('waiting', 'offered');

if waits_here >= waits_here_max then
        raise exception using errcode = 'PT409', message = 'too_many_waits',
            detail = jsonb_build_object('waits', waits_here, 'waits_max', waits_here_max)::text;
    end if;
    if waits >= waits_max and limit_waits.customer_id = ops.caller_id() then
        raise exception using errcode = 'PT409', message = 'too_many_waits',
            detail = jsonb_build_object('waits', waits, 'waits_max', waits_max)::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.limit_waits(organization_id uuid, customer_id uuid) IS 'Refuse another waitlist entry of somebody who has as many as allowed.';

CREATE TABLE events.inventory (
    event_id uuid NOT NULL,
    capacity events.seat_count,
    taken events.seat_count DEFAULT 0 NOT NULL,
    held events.seat_count DEFAULT 0 NOT NULL,
    waitlisted events.seat_count DEFAULT 0 NOT NULL,
    closed boolean DEFAULT false NOT NULL,
    CONSTRAINT seats_never_oversold CHECK ((((taken)::integer + (held)::integer) <= (capacity)::integer))
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='200');

COMMENT ON TABLE events.inventory IS 'The seats of an event: the only counters, written by the counting triggers alone.';

COMMENT ON COLUMN events.inventory.capacity IS 'Null: without limit.';

COMMENT ON COLUMN events.inventory.taken IS 'Seats of bookings that are confirmed, attended or not shown up for.';

COMMENT ON COLUMN events.inventory.held IS 'Seats of active holds.';

COMMENT ON COLUMN events.inventory.waitlisted IS 'Entries that wait for an offer.';

COMMENT ON COLUMN events.inventory.closed IS 'The event was cancelled: nothing is added to its seats and its waitlist.';

CREATE FUNCTION events.lock_inventory(event_id uuid) RETURNS events.inventory
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_inventory events.inventory;
begin
    perform set_config('events.inventory_locked', 'yes', true);

select i.* into the_inventory
    from events.inventory as i
    where i.event_id = lock_inventory.event_id
    for no key update;

if not found then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;
    return the_inventory;
end;
$$;

COMMENT ON FUNCTION events.lock_inventory(event_id uuid) IS 'Lock an event''s seats until the transaction ends.';

CREATE FUNCTION events.lock_people(VARIADIC people uuid[]) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
declare
    person_id uuid;
    locked boolean := true;
begin
    for person_id in
        select distinct p.id
        from unnest(lock_people.people) as p (id)
        order by p.id
    loop
        locked := events.lock_person(person_id);
    end loop;
    return locked;
end;
$$;

COMMENT ON FUNCTION events.lock_people(VARIADIC people uuid[]) IS 'Lock what these people take, until the transaction ends. Before any event''s inventory.';

CREATE FUNCTION events.lock_person(person_id uuid) RETURNS boolean
    LANGUAGE sql
    RETURN CASE WHEN (person_id IS NULL) THEN true ELSE (pg_advisory_xact_lock(uuid_hash_extended(person_id, (1)::bigint)) IS NOT NULL) END;

COMMENT ON FUNCTION events.lock_person(person_id uuid) IS 'Lock what a person takes, until the transaction ends. Before any event''s inventory.';

CREATE FUNCTION events.make_room(terms events.terms, customer_id uuid, seats integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if exists (
        select
        from events.holds as h
        where
            h.event_id = (make_room.terms).event_id
            and h.status = 'active'
            and h.expires_at <= statement_timestamp()
    ) then
        perform events.expire_holds_of((make_room.terms).event_id);
    end if;

if exists (
        select
        from events.inventory as i
        where
            i.event_id = (make_room.terms).event_id
            and (i.capacity is null or i.capacity - i.taken - i.held >= make_room.seats)
            and (i.waitlisted = 0 or statement_timestamp() >= (make_room.terms).last_offer_at)
    ) then
        return;
    end if;

if exists (
        select
        from events.bookings as b
        where
            b.event_id = (make_room.terms).event_id
            and b.customer_id = make_room.customer_id
            and not b.guest
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
    ) then
        perform events.refuse_already_booked((make_room.terms).event_id, make_room.customer_id);
    end if;
    perform events.refuse_sold_out((make_room.terms).event_id);
end;
$$;

COMMENT ON FUNCTION events.make_room(terms events.terms, customer_id uuid, seats integer) IS 'See that the seats are there, letting go what has lapsed, or refuse.';

CREATE FUNCTION events.may_come_back(booking events.bookings) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where
            i.event_id = (may_come_back.booking).event_id
            and t.status = 'scheduled'
            and t.ends_at > statement_timestamp()
            and not exists (
                select
                from users.profiles as p
                where p.id = (may_come_back.booking).customer_id and p.erased_at is not null
            )
            and i.waitlisted = 0
            and (i.capacity is null or i.capacity - i.taken - i.held >= (may_come_back.booking).seats)
            and (
                -- Staff may have gone beyond the maximum.
                (may_come_back.booking).booked_by is distinct from (may_come_back.booking).customer_id
                or events.seats_left_for(
                    i.event_id, (may_come_back.booking).policy, (may_come_back.booking).customer_id,
                    case when (may_come_back.booking).guest then 'guest' else 'own' end
                ) >= (may_come_back.booking).seats
            )
            and (
                (may_come_back.booking).guest
                or not exists (
                    select
                    from events.bookings as b
                    where
                        b.event_id = i.event_id
                        and b.customer_id = (may_come_back.booking).customer_id
                        and not b.guest
                        and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
                )
            )
    );
$$;

COMMENT ON FUNCTION events.may_come_back(booking events.bookings) IS 'Whether a booking that was not paid in time can have its seats after all.';

CREATE FUNCTION events.may_pass(event_id uuid) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        coalesce(current_setting('events.inventory_locked', true), '') <> ''
        or exists (
            select
            from events.terms as t
            where t.event_id = may_pass.event_id and statement_timestamp() >= t.last_offer_at
        );
$$;

COMMENT ON FUNCTION events.may_pass(event_id uuid) IS 'Whether seats may be added although somebody waits for some.';

CREATE TABLE payments.quotes (
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    list_cents payments.cents NOT NULL,
    discount_cents payments.cents NOT NULL,
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    total_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    tax_country character(2) NOT NULL,
    tax_category text NOT NULL,
    tax_bps integer NOT NULL,
    tax_added boolean NOT NULL,
    promo_code_id uuid,
    CONSTRAINT discount_is_part_of_the_price CHECK (((discount_cents)::bigint <= (list_cents)::bigint)),
    CONSTRAINT total_is_net_and_tax CHECK (((total_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint)))
);

COMMENT ON TABLE payments.quotes IS 'How the price of a paid booking came about, whatever it is paid with.';

COMMENT ON COLUMN payments.quotes.tax_added IS 'Whether the tax came on top of the price, by the country''s custom.';

CREATE FUNCTION events.method_of_payment(terms events.terms, quote payments.quotes, payment_method events.payment_method, idempotency_key text) RETURNS events.payment_method
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    methods events.payment_method[];
begin
    if
        (method_of_payment.quote).promo_code_id is not null
        and (method_of_payment.payment_method in ('comp', 'pass') or (method_of_payment.quote).list_cents = 0)
    then
        raise exception using errcode = 'PT409', message = 'promo_code_not_valid',
            detail = jsonb_build_object('reason', 'nothing_to_pay')::text;
    end if;

if method_of_payment.payment_method = 'comp' then
        if not events.is_staff((method_of_payment.terms).organization_id) then
            raise exception using errcode = 'PT403', message = 'forbidden',
                detail = jsonb_build_object(
                    'detail', 'Only staff of the organization may give seats away. Choose another `payment_method`.'
                )::text;
        end if;
        return 'comp';
    end if;

if (method_of_payment.terms).price_cents = 0 then
        return 'none';
    end if;

if method_of_payment.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;

if (method_of_payment.quote).total_cents = 0 then
        return 'none';
    end if;

methods := payments.methods_of(
        (method_of_payment.terms).organization_id, (method_of_payment.terms).currency
    );
    if method_of_payment.payment_method = any (methods) then
        return method_of_payment.payment_method;
    end if;

raise exception using errcode = 'PT402', message = 'payment_required',
        detail = (
            payments.quote_answer(method_of_payment.quote) || jsonb_build_object('methods', to_jsonb(methods))
        )::text;
end;
$$;

COMMENT ON FUNCTION events.method_of_payment(terms events.terms, quote payments.quotes, payment_method events.payment_method, idempotency_key text) IS 'How these seats are paid for; what is not paid for is refused with its price.';

CREATE FUNCTION events.move_occurrences(series_id uuid, occurrences jsonb, until date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series;
    local_today date;
    kept jsonb;
    dropped uuid[];
    moved uuid[];
    previous_starts timestamptz[];
    next_starts timestamptz[];
begin
    select s.* into the_series from events.series as s where s.id = move_occurrences.series_id;
    local_today := (statement_timestamp() at time zone the_series.time_zone)::date;

with existing as (
        select o.event_id, o.local_start
        from events.occurrences as o
        where o.series_id = the_series.id and o.local_start >= local_today
    ),
    wanted as (
        select w.local_start, w.starts_at
        from jsonb_to_recordset(move_occurrences.occurrences) as w (local_start timestamp, starts_at timestamptz)
    ),
    existing_left as (
        select
            e.*,
            row_number() over (partition by e.local_start::date order by e.local_start) as place
        from existing as e
        where e.local_start not in (select w.local_start from wanted as w)
    ),
    wanted_left as (
        select
            w.*,
            row_number() over (partition by w.local_start::date order by w.local_start) as place
        from wanted as w
        where w.local_start not in (select e.local_start from existing as e)
    ),
    pairs as (
        select e.event_id, e.local_start as previous, w.local_start, w.starts_at
        from existing as e
        inner join wanted as w on w.local_start = e.local_start
        union all
        select e.event_id, e.local_start, w.local_start, w.starts_at
        from existing_left as e
        inner join wanted_left as w on w.local_start::date = e.local_start::date and w.place = e.place
    )
    select
        coalesce((select jsonb_agg(to_jsonb(p)) from pairs as p), '[]'),
        (
            select array_agg(e.event_id)
            from existing as e
            inner join events.terms as t on t.event_id = e.event_id
            inner join events.events as v on v.id = t.event_id and v.starts_at = t.starts_at
            where
                e.event_id not in (select p.event_id from pairs as p)
                and not v.detached
                and v.status in ('draft', 'scheduled')
                and v.starts_at > statement_timestamp()
        )
    into kept, dropped;

-- First all out, then all in: two a day may change places.
    delete from events.occurrences as o
    where o.event_id in (
        select k.event_id
        from jsonb_to_recordset(kept) as k (event_id uuid, previous timestamp, local_start timestamp)
        where k.local_start <> k.previous
    );
    insert into events.occurrences (series_id, local_start, event_id)
    select the_series.id, k.local_start, k.event_id
    from jsonb_to_recordset(kept) as k (event_id uuid, previous timestamp, local_start timestamp)
    where k.local_start <> k.previous;

select
        array_agg(t.event_id order by t.event_id),
        array_agg(t.starts_at order by t.event_id),
        array_agg(k.starts_at order by t.event_id)
    into moved, previous_starts, next_starts
    from jsonb_to_recordset(kept) as k (event_id uuid, starts_at timestamptz)
    inner join events.terms as t on t.event_id = k.event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where
        not e.detached
        and e.status in ('draft', 'scheduled')
        and e.starts_at > statement_timestamp()
        and k.starts_at > statement_timestamp()
        and (e.starts_at, e.ends_at, e.time_zone) is distinct from (
            k.starts_at, k.starts_at + make_interval(mins => the_series.duration_minutes), the_series.time_zone
        );

perform
    from events.inventory as i
    where i.event_id = any (moved)
    order by i.event_id
    for no key update;

update events.events as e
    set
        starts_at = m.next_start,
        ends_at = m.next_start + make_interval(mins => the_series.duration_minutes),
        time_zone = the_series.time_zone,
        updated_at = statement_timestamp()
    from unnest(moved, previous_starts, next_starts) as m (event_id, previous_start, next_start)
    where e.id = m.event_id and e.starts_at = m.previous_start;

perform events.tell_of_change(moved, previous_starts, array['starts_at', 'ends_at']);
    perform events.drop_events(dropped, 'The series was changed.');
    perform events.record_occurrences(
        jsonb_build_array(
            jsonb_build_object('series_id', the_series.id, 'occurrences', move_occurrences.occurrences)
        ),
        move_occurrences.until
    );
end;
$$;

COMMENT ON FUNCTION events.move_occurrences(series_id uuid, occurrences jsonb, until date) IS 'Fit a series'' coming events to its changed rule: move, make, delete or cancel them.';

CREATE FUNCTION events.offer_seats(event_id uuid, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_inventory events.inventory := events.lock_inventory(offer_seats.event_id);
    the_terms events.terms;
    offer_minutes integer;
    seats_free integer := the_inventory.capacity - the_inventory.taken - the_inventory.held;
    next_entry events.waitlist_entries;
    the_hold_id uuid;
    the_expiry timestamptz;
    offers_made integer := 0;
begin
    if the_inventory.waitlisted = 0 or seats_free <= 0 then
        return 0;
    end if;

select t.* into the_terms from events.terms as t where t.event_id = offer_seats.event_id;
    if the_terms.status <> 'scheduled' or offer_seats.at >= the_terms.last_offer_at then
        return 0;
    end if;

select o.offer_minutes into offer_minutes
    from organizations.organizations as o
    where o.id = the_terms.organization_id;

-- An offer ends when booking does: nobody could take it later.
    the_expiry := least(offer_seats.at + make_interval(mins => offer_minutes), the_terms.closes_at);
    if the_expiry <= offer_seats.at then
        return 0;
    end if;

loop
        select w.* into next_entry
        from events.waitlist_entries as w
        where w.event_id = offer_seats.event_id and w.status = 'waiting'
        order by w.place
        limit 1;

exit when not found or (seats_free is not null and next_entry.seats > seats_free);

insert into events.holds (event_id, customer_id, seats, purpose, expires_at)
        values (offer_seats.event_id, next_entry.customer_id, next_entry.seats, 'offer', the_expiry)
        returning id into the_hold_id;

update events.waitlist_entries as w
        set
            status = 'offered',
            status_reason = 'A seat became free.',
            hold_id = the_hold_id,
            offered_at = offer_seats.at,
            offer_expires_at = the_expiry
        where w.id = next_entry.id;

insert into public.outbox (topic, key, payload)
        values (
            'waitlist.offered', offer_seats.event_id::text,
            jsonb_build_object(
                'entry_id', next_entry.id, 'event_id', offer_seats.event_id, 'customer_id', next_entry.customer_id,
                'organization_id', the_terms.organization_id, 'seats', next_entry.seats, 'offer_expires_at', the_expiry
            )
        );

seats_free := seats_free - next_entry.seats;
        offers_made := offers_made + 1;
        exit when seats_free <= 0;
    end loop;

return offers_made;
end;
$$;

COMMENT ON FUNCTION events.offer_seats(event_id uuid, at timestamp with time zone) IS 'Offer free seats to the waitlist, first come first served; answers how many offers were made.';

CREATE FUNCTION events.open_to_everybody(terms events.terms) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN COALESCE((((terms).visibility = 'public'::events.visibility) AND ((terms).status = 'scheduled'::events.event_status) AND (statement_timestamp() < LEAST((terms).ends_at, (terms).closes_at)) AND ((statement_timestamp() < (terms).opens_at) IS NOT TRUE)), false);

COMMENT ON FUNCTION events.open_to_everybody(terms events.terms) IS 'Whether anybody may book the event now.';

CREATE FUNCTION events.organization_analytics(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not exists (
        select
        from organizations.organizations as o
        where o.id = organization_analytics.organization_id
    ) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

if not organizations.caller_is(
        organization_analytics.organization_id, 'accountant', 'viewer', 'editor', 'admin', 'owner'
    ) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only members of the organization may see these figures.')::text;
    end if;

return (
        select to_jsonb(a)
        from public.org_analytics_mv as a
        where a.organization_id = organization_analytics.organization_id
    );
end;
$$;

COMMENT ON FUNCTION events.organization_analytics(organization_id uuid) IS 'How an organization does, for its members.';

CREATE FUNCTION events.own_entry(entry_id uuid) RETURNS events.waitlist_entries
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry events.waitlist_entries;
begin
    select w.* into the_entry
    from events.waitlist_entries as w
    inner join events.terms as t on t.event_id = w.event_id
    where
        w.id = own_entry.entry_id
        and (
            w.customer_id = ops.caller_id()
            or events.is_staff(t.organization_id)
        );

if not found then
        raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
    end if;

perform events.lock_inventory(the_entry.event_id);
    select w.* into the_entry from events.waitlist_entries as w where w.id = own_entry.entry_id;
    return the_entry;
end;
$$;

COMMENT ON FUNCTION events.own_entry(entry_id uuid) IS 'A waitlist entry that the caller may act on, with its event locked.';

CREATE FUNCTION events.place_booking(booking_id uuid, terms events.terms, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, quote payments.quotes, hold_id uuid, booked_by uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    goes_through_stripe boolean := place_booking.payment_method in ('card', 'twint');
    -- What is given away, or paid with a pass, costs nothing.
    the_price_cents bigint := case
        when place_booking.payment_method in ('comp', 'pass') then 0
        else coalesce((place_booking.quote).total_cents, 0)
    end;
    the_hold_id uuid := place_booking.hold_id;
begin
    if goes_through_stripe then
        the_hold_id := events.hold_until_paid(
            place_booking.terms, place_booking.customer_id, place_booking.seats, place_booking.booked_by
        );
    else
        insert into public.outbox (topic, key, payload)
        values (
            'booking.confirmed', (place_booking.terms).event_id,
            jsonb_build_object(
                'booking_id', place_booking.booking_id, 'event_id', (place_booking.terms).event_id,
                'customer_id', place_booking.customer_id, 'organization_id', (place_booking.terms).organization_id,
                'seats', place_booking.seats
            )
        );
    end if;

insert into events.bookings (
        id, event_id, organization_id, customer_id, seats, guest, status, payment_method, price_cents, currency,
        policy, hold_id, booked_by
    )
    values (
        place_booking.booking_id, (place_booking.terms).event_id, (place_booking.terms).organization_id,
        place_booking.customer_id, place_booking.seats, place_booking.guest,
        case when goes_through_stripe then 'pending_payment' else 'confirmed' end::events.booking_status,
        place_booking.payment_method, the_price_cents, (place_booking.terms).currency,
        (place_booking.terms).policy, the_hold_id, place_booking.booked_by
    )
    on conflict do nothing;

if not found then
        perform events.refuse_already_booked((place_booking.terms).event_id, place_booking.customer_id);
    end if;

if place_booking.payment_method <> 'comp' and (place_booking.quote).list_cents > 0 then
        perform payments.charge(place_booking.booking_id, place_booking.quote);
    end if;
    return place_booking.booking_id;
end;
$$;

COMMENT ON FUNCTION events.place_booking(booking_id uuid, terms events.terms, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, quote payments.quotes, hold_id uuid, booked_by uuid) IS 'Write a booking with its payment and its message. For the routines that have checked that it may be.';

CREATE FUNCTION events.policy_snapshot(policy_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'opens_days_before', p.opens_days_before,
        'closes_minutes_before', coalesce(p.closes_minutes_before, 0),
        'cancel_hours_before', coalesce(p.cancel_hours_before, 24),
        'late_fee_cents', coalesce(p.late_fee_cents, 0),
        'late_credit_lost', coalesce(p.late_credit_lost, true),
        'no_show_fee_cents', coalesce(p.no_show_fee_cents, 0),
        'refund_to', coalesce(p.refund_to, 'original'),
        -- Null is a choice of the policy: the platform's maximum. Without a policy it is the column's default.
        'seats_max_per_person', case when p.id is null then 20 else p.seats_max_per_person end
    )
    from (select policy_snapshot.policy_id as id) as wanted
    left join organizations.policies as p on p.id = wanted.id;
$$;

COMMENT ON FUNCTION events.policy_snapshot(policy_id uuid) IS 'A booking policy''s rules as JSON, to be kept with an event.';

CREATE FUNCTION events.price_tier(price_cents bigint, decimal_places integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (price_cents = 0) THEN 'free'::text WHEN ((price_cents)::numeric < ((20)::numeric * power((10)::numeric, (decimal_places)::numeric))) THEN 'under_20'::text WHEN ((price_cents)::numeric < ((50)::numeric * power((10)::numeric, (decimal_places)::numeric))) THEN 'under_50'::text ELSE 'more'::text END;

COMMENT ON FUNCTION events.price_tier(price_cents bigint, decimal_places integer) IS 'What a seat costs, in one word.';

CREATE FUNCTION events.promote_waitlist(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform events.require_staff(promote_waitlist.event_id, 'front_desk', 'editor', 'admin', 'owner');
    perform events.expire_holds_of(promote_waitlist.event_id);
    return jsonb_build_object(
        'event_id', promote_waitlist.event_id,
        'offered', (
            select coalesce(jsonb_agg(events.waitlist_answer(w.id) order by w.place), '[]')
            from events.waitlist_entries as w
            where w.event_id = promote_waitlist.event_id and w.status = 'offered'
        ),
        'waiting', (
            select i.waitlisted from events.inventory as i where i.event_id = promote_waitlist.event_id
        )
    );
end;
$$;

COMMENT ON FUNCTION events.promote_waitlist(event_id uuid) IS 'Offer an event''s free seats to its waitlist now; answers the open offers.';

CREATE FUNCTION events.promote_waitlists(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 100) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_event_id uuid;
    offers_made integer := 0;
begin
    for the_event_id in
        select i.event_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        cross join lateral (
            select w.seats
            from events.waitlist_entries as w
            where w.event_id = i.event_id and w.status = 'waiting'
            order by w.place
            limit 1
        ) as head
        where
            i.event_id in (select w.event_id from events.waitlist_entries as w where w.status = 'waiting')
            and i.waitlisted > 0
            and (i.capacity is null or i.capacity - i.taken - i.held >= head.seats)
            and t.status = 'scheduled'
            and t.last_offer_at > promote_waitlists.at
        order by i.event_id
        limit promote_waitlists.most
        for no key update of i skip locked
    loop
        offers_made := offers_made + events.offer_seats(the_event_id, promote_waitlists.at);
    end loop;
    return jsonb_build_object('offers_made', offers_made);
end;
$$;

COMMENT ON FUNCTION events.promote_waitlists(at timestamp with time zone, most integer) IS 'Offer seats that are free while somebody waits; a bounded piece of work for the schedule.';

CREATE FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean DEFAULT false) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
    the_terms events.terms;
    the_status events.booking_status := case when record_attendance.attended then 'attended' else 'no_show' end;
begin
    select b.* into the_booking
    from events.bookings as b
    where b.id = record_attendance.booking_id;

if not found or not events.is_door_staff(the_booking.event_id) then
        raise exception using
            errcode = case when the_booking.customer_id = ops.caller_id() then 'PT403' else 'PT404' end,
            message = case when the_booking.customer_id = ops.caller_id() then 'forbidden' else 'booking_not_found' end;
    end if;

if record_attendance.attended is null then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`attended` must be true or false.')::text;
    end if;

select t.* into the_terms from events.terms as t where t.event_id = the_booking.event_id;
    perform events.lock_inventory(the_booking.event_id);
    select b.* into the_booking from events.bookings as b where b.id = record_attendance.booking_id;

if statement_timestamp() < the_terms.starts_at - interval '1 hour' then
        raise exception using errcode = 'PT409', message = 'too_early',
            detail = jsonb_build_object('from', the_terms.starts_at - interval '1 hour')::text;
    end if;

if the_booking.status = the_status and record_attendance.waive and the_booking.fee_cents > 0 then
        update events.bookings as b
        set fee_cents = 0
        where b.id = the_booking.id
        returning b.* into the_booking;
        perform payments.take_back_fee(the_booking.id);
    end if;

if the_booking.status <> the_status then
        update events.bookings as b
        set
            status = the_status,
            fee_cents = case
                when record_attendance.attended or record_attendance.waive then 0
                else coalesce((b.policy ->> 'no_show_fee_cents')::bigint, 0)
            end
        where b.id = the_booking.id
        returning b.* into the_booking;

if the_booking.fee_cents > 0 then
            perform payments.charge_fee(the_booking);
        else
            perform payments.take_back_fee(the_booking.id);
        end if;

insert into public.outbox (topic, key, payload)
        values (
            'booking.' || the_status, the_booking.event_id::text,
            jsonb_build_object(
                'booking_id', the_booking.id, 'event_id', the_booking.event_id, 'customer_id', the_booking.customer_id,
                'organization_id', the_booking.organization_id, 'seats', the_booking.seats,
                'fee_cents', the_booking.fee_cents, 'currency', the_booking.currency
            )
        );
    end if;

return jsonb_build_object(
        'id', the_booking.id, 'event_id', the_booking.event_id, 'customer_id', the_booking.customer_id,
        'seats', the_booking.seats, 'status', the_booking.status, 'fee_cents', the_booking.fee_cents,
        'currency', the_booking.currency
    );
end;
$$;

COMMENT ON FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean) IS 'Write down that a customer came or did not; answers the booking.';

CREATE FUNCTION events.record_hold_end() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    new.ended_at := case when new.status = 'expired' then new.expires_at else statement_timestamp() end;
    return new;
end;
$$;

CREATE FUNCTION events.record_occurrences(slice jsonb, until date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    running uuid[];
    event_ids uuid[];
begin
    select array_agg(s.id) into running
    from (
        select s.id, s.organization_id
        from events.series as s
        where
            s.id in (select g.series_id from jsonb_to_recordset(slice) as g (series_id uuid))
            and s.status = 'active'
        order by s.id
        for no key update
    ) as s
    where organizations.caller_is(s.organization_id, 'editor', 'admin', 'owner');

if running is null then
        return 0;
    end if;

with wanted as (
        select
            s.id as series_id,
            o.local_start,
            o.starts_at
        from jsonb_to_recordset(slice) as g (series_id uuid, occurrences jsonb)
        inner join events.series as s on s.id = g.series_id
        cross join jsonb_to_recordset(g.occurrences) as o (local_start timestamp, starts_at timestamptz)
        where
            s.id = any (running)
            and o.starts_at > statement_timestamp()
            and o.local_start::date >= s.start_date
            and (s.end_date is null or o.local_start::date <= s.end_date)
    ),
    new_occurrences as (
        insert into events.occurrences (series_id, local_start, event_id)
        select w.series_id, w.local_start, ops.uuid_v7()
        from wanted as w
        order by w.series_id, w.local_start
        on conflict do nothing
        returning series_id, local_start, event_id
    ),
    policies as materialized (
        select s.id as series_id, events.policy_snapshot(s.policy_id) as policy
        from events.series as s
        where s.id = any (running)
    ),
    new_events as (
        insert into events.events (
            id, starts_at, ends_at, organization_id, series_id, title, description, category, language, time_zone,
            price_cents, currency, location_id, instructor_id, policy, visibility, status
        )
        select
            o.event_id, w.starts_at, w.starts_at + make_interval(mins => s.duration_minutes), s.organization_id, s.id,
            s.title, s.description, s.category, s.language, s.time_zone, s.price_cents, s.currency, s.location_id,
            s.instructor_id, p.policy, s.visibility, 'scheduled'
        from new_occurrences as o
        inner join wanted as w on w.series_id = o.series_id and w.local_start = o.local_start
        inner join events.series as s on s.id = o.series_id
        inner join policies as p on p.series_id = o.series_id
        returning id
    )
    select array_agg(n.id) into event_ids
    from new_events as n;

insert into events.inventory (event_id, capacity)
    select o.event_id, s.capacity
    from events.occurrences as o
    inner join events.series as s on s.id = o.series_id
    where o.event_id = any (event_ids);

update events.series as s
    set generated_until = greatest(s.generated_until, record_occurrences.until)
    where s.id = any (running);

return coalesce(cardinality(event_ids), 0);
end;
$$;

COMMENT ON FUNCTION events.record_occurrences(slice jsonb, until date) IS 'Make the events of series at these occurrences, each once; answers how many were new.';

CREATE FUNCTION events.refuse_already_booked(event_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using errcode = 'PT409', message = 'already_booked',
        detail = jsonb_build_object(
            'booking_id', (
                select b.id
                from events.bookings as b
                where
                    b.event_id = refuse_already_booked.event_id
                    and b.customer_id = refuse_already_booked.customer_id
                    and not b.guest
                    and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
            )
        )::text;
end;
$$;

COMMENT ON FUNCTION events.refuse_already_booked(event_id uuid, customer_id uuid) IS 'Raise already_booked, naming the booking that is there.';

CREATE FUNCTION events.refuse_sold_out(event_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    seats_left integer;
    waitlist boolean;
begin
    select i.capacity - i.taken - i.held, t.last_offer_at > statement_timestamp() and t.status = 'scheduled'
    into seats_left, waitlist
    from events.inventory as i
    inner join events.terms as t on t.event_id = i.event_id
    where i.event_id = refuse_sold_out.event_id;

raise exception using errcode = 'PT409', message = 'sold_out',
        detail = jsonb_build_object('seats_left', greatest(seats_left, 0), 'waitlist', waitlist)::text;
end;
$$;

COMMENT ON FUNCTION events.refuse_sold_out(event_id uuid) IS 'Raise sold_out, saying how many seats are left and whether one can wait.';

CREATE FUNCTION events.refuse_unless_staff(terms events.terms) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := refuse_unless_staff.terms;
begin
    if
        the_terms.event_id is null
        or (
            (the_terms.visibility <> 'public' or the_terms.status = 'draft')
            and not events.is_staff(the_terms.organization_id)
        )
    then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

if the_terms.status <> 'scheduled' then
        raise exception using errcode = 'PT409', message = 'event_not_bookable',
            detail = jsonb_build_object('status', the_terms.status)::text;
    end if;

if
        statement_timestamp() >= the_terms.ends_at
        or (
            (statement_timestamp() >= the_terms.closes_at or statement_timestamp() < the_terms.opens_at)
            and not events.is_staff(the_terms.organization_id)
        )
    then
        raise exception using errcode = 'PT409', message = 'booking_window_closed',
            detail = jsonb_build_object('opens_at', the_terms.opens_at, 'closes_at', the_terms.closes_at)::text;
    end if;
end;
$$;

COMMENT ON FUNCTION events.refuse_unless_staff(terms events.terms) IS 'Say why an event that is not open to everybody cannot be booked; staff may more.';

CREATE FUNCTION events.release_hold(hold_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_hold events.holds;
begin
    select h.* into the_hold
    from events.holds as h
    inner join events.terms as t on t.event_id = h.event_id
    where
        h.id = release_hold.hold_id
        and h.purpose in ('online', 'desk')
        and (
            h.customer_id = ops.caller_id()
            or events.is_staff(t.organization_id)
        );

if not found then
        raise exception using errcode = 'PT404', message = 'hold_not_found';
    end if;

perform events.lock_inventory(the_hold.event_id);
    select h.* into the_hold from events.holds as h where h.id = release_hold.hold_id;

if the_hold.status not in ('released', 'expired') then
        update events.holds as h
        set status = 'released'
        where h.id = the_hold.id
        returning h.* into the_hold;
        perform events.offer_seats(the_hold.event_id);
    end if;

return jsonb_build_object(
        'id', the_hold.id, 'event_id', the_hold.event_id, 'customer_id', the_hold.customer_id,
        'seats', the_hold.seats, 'purpose', the_hold.purpose, 'status', the_hold.status,
        'expires_at', the_hold.expires_at
    );
end;
$$;

COMMENT ON FUNCTION events.release_hold(hold_id uuid) IS 'Let a hold go before it lapses; answers the hold.';

CREATE FUNCTION events.require_cancelled_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using errcode = 'check_violation', constraint = 'cancelled_has_a_time', schema = 'events',
        table = 'bookings', message = format('Booking %s was cancelled without a time.', new.id);
end;
$$;

COMMENT ON FUNCTION events.require_cancelled_at() IS 'Refuse a cancelled booking that does not say when.';

CREATE FUNCTION events.require_door_staff(event_id uuid) RETURNS events.terms
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := events.require_staff(
        require_door_staff.event_id, 'instructor', 'front_desk', 'editor', 'admin', 'owner'
    );
begin
    if not events.is_door_staff(require_door_staff.event_id) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'An instructor may see this only for their own events.')::text;
    end if;
    return the_terms;
end;
$$;

COMMENT ON FUNCTION events.require_door_staff(event_id uuid) IS 'An event''s terms, for those who may see who comes to it.';

CREATE TABLE organizations.organizations (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    country character(2) NOT NULL,
    currency character(3) NOT NULL,
    time_zone text NOT NULL,
    language character(2) DEFAULT 'en'::bpchar NOT NULL,
    branding jsonb DEFAULT '{}'::jsonb NOT NULL,
    online_hold_minutes integer DEFAULT 15 NOT NULL,
    desk_hold_minutes integer DEFAULT 5 NOT NULL,
    offer_minutes integer DEFAULT 15 NOT NULL,
    last_offer_minutes integer DEFAULT 60 NOT NULL,
    offers_most integer DEFAULT 2 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    reminder_hours integer DEFAULT 24 NOT NULL,
    CONSTRAINT branding_is_an_object CHECK ((jsonb_typeof(branding) = 'object'::text)),
    CONSTRAINT branding_is_readable CHECK ((ops.is_text((branding)::text) AND ((branding)::text !~ '(^|[^\\])(\\\\)*\\(u00[01]|[bf])'::text))),
    CONSTRAINT desk_hold_is_short CHECK (((desk_hold_minutes >= 1) AND (desk_hold_minutes <= 120))),
    CONSTRAINT last_offer_is_before_the_start CHECK (((last_offer_minutes >= 0) AND (last_offer_minutes <= 10080))),
    CONSTRAINT offer_is_short CHECK (((offer_minutes >= 1) AND (offer_minutes <= 1440))),
    CONSTRAINT online_hold_is_short CHECK (((online_hold_minutes >= 1) AND (online_hold_minutes <= 120))),
    CONSTRAINT organization_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT organization_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT reminder_is_within_a_week CHECK (((reminder_hours >= 0) AND (reminder_hours <= 168))),
    CONSTRAINT slug_is_plain CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 80))),
    CONSTRAINT somebody_gets_an_offer CHECK (((offers_most >= 1) AND (offers_most <= 10)))
);

COMMENT ON COLUMN organizations.organizations.offer_minutes IS 'How long a waitlist offer keeps its seats.';

COMMENT ON COLUMN organizations.organizations.last_offer_minutes IS 'No offers from this long before the start on.';

COMMENT ON COLUMN organizations.organizations.offers_most IS 'A person who lets this many offers lapse leaves the waitlist; until then each lapse sends them to its end.';

COMMENT ON COLUMN organizations.organizations.reminder_hours IS 'Customers are reminded so many hours before the start; 0: not at all.';

CREATE FUNCTION events.require_organization(organization_id uuid, VARIADIC roles organizations.member_role[]) RETURNS organizations.organizations
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization organizations.organizations;
begin
    select o.* into the_organization
    from organizations.organizations as o
    where o.id = require_organization.organization_id;

if not found then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

if not organizations.caller_is(the_organization.id, variadic require_organization.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', format(
                    'Only members of the organization with one of these roles may do this: %s.',
                    array_to_string(require_organization.roles, ', ')
                )
            )::text;
    end if;
    return the_organization;
end;
$$;

COMMENT ON FUNCTION events.require_organization(organization_id uuid, VARIADIC roles organizations.member_role[]) IS 'An organization, for its staff in one of these roles.';

CREATE FUNCTION events.require_series(series_id uuid, VARIADIC roles organizations.member_role[]) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series;
begin
    select s.* into the_series
    from events.series as s
    where s.id = require_series.series_id
    for no key update;

if not found or (
        the_series.organization_id not in (select public.user_orgs())
        and not ops.caller_is_service()
        and (the_series.visibility <> 'public' or the_series.status = 'archived')
    ) then
        raise exception using errcode = 'PT404', message = 'series_not_found';
    end if;

if not organizations.caller_is(the_series.organization_id, variadic require_series.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', format(
                    'Only members of the series'' organization with one of these roles may do this: %s.',
                    array_to_string(require_series.roles, ', ')
                )
            )::text;
    end if;
    return the_series;
end;
$$;

COMMENT ON FUNCTION events.require_series(series_id uuid, VARIADIC roles organizations.member_role[]) IS 'A series, locked, for staff of its organization in one of these roles.';

CREATE FUNCTION events.require_staff(event_id uuid, VARIADIC roles organizations.member_role[]) RETURNS events.terms
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms
    from events.terms as t
    where t.event_id = require_staff.event_id;

if not found or (
        the_terms.organization_id not in (select public.user_orgs())
        and not ops.caller_is_service()
        and (the_terms.visibility <> 'public' or the_terms.status = 'draft')
    ) then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

if not organizations.caller_is(the_terms.organization_id, variadic require_staff.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only members of the event''s organization with one of these roles may do this: '
                || array_to_string(require_staff.roles, ', ') || '.'
            )::text;
    end if;
    return the_terms;
end;
$$;

COMMENT ON FUNCTION events.require_staff(event_id uuid, VARIADIC roles organizations.member_role[]) IS 'An event''s terms, for staff of its organization in one of these roles.';

CREATE FUNCTION events.roster(event_id uuid, after uuid DEFAULT NULL::uuid, most integer DEFAULT 100) RETURNS TABLE(booking_id uuid, customer_id uuid, name text, email text, seats smallint, guest boolean, status events.booking_status, payment_method text, created_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := events.require_door_staff(roster.event_id);
begin
    return query
    with page as materialized (
        select
            b.id, b.customer_id, p.name, users.address_of(p) as email, b.seats::smallint as seats, b.guest, b.status,
            b.payment_method::text as payment_method, b.created_at
        from events.bookings as b
        inner join users.profiles as p on p.id = b.customer_id
        where
            b.event_id = roster.event_id
            and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
            and (roster.after is null or b.id > roster.after)
        order by b.id
        limit least(roster.most, 200)
    ),

    recorded as materialized (
        select ops.record_access(
            operation => 'roster',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_terms.organization_id, 'person', g.customer_id, 'rows', 1
                ))
                from page as g
            ),
            event_id => roster.event_id
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.id;
end;
$$;

COMMENT ON FUNCTION events.roster(event_id uuid, after uuid, most integer) IS 'Who has a place at an event, for its staff; one page by booking id.';

CREATE FUNCTION events.search_events(q text DEFAULT NULL::text, city text DEFAULT NULL::text, category text DEFAULT NULL::text, organization_id uuid DEFAULT NULL::uuid, series_id uuid DEFAULT NULL::uuid, instructor_id uuid DEFAULT NULL::uuid, availability text DEFAULT NULL::text, price text DEFAULT NULL::text, starts_from timestamp with time zone DEFAULT NULL::timestamp with time zone, starts_before timestamp with time zone DEFAULT NULL::timestamp with time zone, after_starts_at timestamp with time zone DEFAULT NULL::timestamp with time zone, after_id uuid DEFAULT NULL::uuid, most integer DEFAULT 20) RETURNS SETOF events.event_listing
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    first_start timestamptz := greatest(coalesce(search_events.starts_from, statement_timestamp()), after_starts_at);
    words tsquery;
    configs regconfig[];
    words_by_config tsquery[];
    categories text[];
    location_ids uuid[];
    the_organization_id uuid := search_events.organization_id;
    sources text := 'events.events as e';
    conditions text := 'e.visibility = ''public'' and e.status = ''scheduled'' and e.starts_at >= $1';
begin
    if starts_before is not null then
        conditions := conditions || ' and e.starts_at < $2';
    end if;
    if after_id is not null then
        conditions := conditions || ' and (e.starts_at, e.id) > ($3, $4)';
    end if;

if q is not null then
        words := events.words_of(q);
        conditions := conditions || ' and e.search @@ $5';
        if q ~ '(^|\s)-\S' then
            select array_agg(l.search_config), array_agg(websearch_to_tsquery(l.search_config, q))
            into configs, words_by_config
            from (select distinct l.search_config from ref.languages as l) as l;
            conditions := conditions || ' and coalesce(e.search @@ ($15)[array_position($6, e.search_config)], false)';
        end if;
    end if;

if search_events.category is not null then
        with recursive chosen as (
            select c.slug from ref.event_categories as c where c.slug = search_events.category
            union
            select c.slug from ref.event_categories as c inner join chosen as p on c.parent_slug = p.slug
        )
        select array_agg(c.slug) into categories from chosen as c;
        conditions := conditions || ' and e.category = any ($7)';
    end if;

if search_events.city is not null then
        location_ids := array(
            select l.id from organizations.locations as l where lower(l.city) = lower(search_events.city)
        );
        conditions := conditions || ' and e.location_id = any ($8)';
    end if;

if search_events.instructor_id is not null then
        the_organization_id := (
            select i.organization_id
            from organizations.instructors as i
            where
                i.id = search_events.instructor_id
                and i.organization_id = coalesce(the_organization_id, i.organization_id)
        );
        conditions := conditions || ' and e.instructor_id = $10 and e.organization_id = $9';
    elsif the_organization_id is not null then
        conditions := conditions || ' and e.organization_id = $9';
    end if;

if search_events.series_id is not null then
        conditions := conditions || ' and e.series_id = $11';
    end if;

if search_events.availability is not null then
        sources := sources || ' inner join events.inventory as n on n.event_id = e.id';
        conditions := conditions || ' and coalesce(events.availability(n.capacity, n.taken, n.held) = $12, false)';
    end if;

if price is not null then
        sources := sources || ' inner join ref.currencies as m on m.code = e.currency';
        conditions := conditions || ' and coalesce(events.price_tier(e.price_cents, m.decimal_places) = $13, false)';
    end if;

return query execute format(
        $query$
        select
            e.id, e.series_id, e.title, e.category, e.language::text, e.starts_at, e.ends_at, e.time_zone,
            e.price_cents, e.currency::text, events.price_tier(e.price_cents, c.decimal_places), e.organization_id,
            o.name, e.location_id, l.name, l.city, l.country::text, e.instructor_id, p.name, i.capacity::integer,
            i.capacity - i.taken - i.held, events.availability(i.capacity, i.taken, i.held),
            i.waitlisted::integer
        from (
            select
                e.id, e.series_id, e.title, e.category, e.language, e.starts_at, e.ends_at, e.time_zone, e.price_cents,
                e.currency, e.organization_id, e.location_id, e.instructor_id
            from %s
            where %s
            order by e.starts_at, e.id
            limit $14
        ) as e
        inner join events.inventory as i on i.event_id = e.id
        inner join organizations.organizations as o on o.id = e.organization_id
        inner join ref.currencies as c on c.code = e.currency
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as p on p.id = e.instructor_id
        order by e.starts_at, e.id
        $query$,
        sources, conditions
    )
    using
        first_start, starts_before, after_starts_at, after_id, words, configs, categories, location_ids,
        the_organization_id, search_events.instructor_id, search_events.series_id, search_events.availability, price,
        most, words_by_config;
end;
$_$;

COMMENT ON FUNCTION events.search_events(q text, city text, category text, organization_id uuid, series_id uuid, instructor_id uuid, availability text, price text, starts_from timestamp with time zone, starts_before timestamp with time zone, after_starts_at timestamp with time zone, after_id uuid, most integer) IS 'A page of public events to come, by words, place, time, seats left, price and who leads them.';

CREATE FUNCTION events.seats_left_for(event_id uuid, policy jsonb, customer_id uuid, purpose text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
begin
    return (
        select (
            least(
                case
                    when seats_left_for.policy ? 'seats_max_per_person'
                        then (seats_left_for.policy ->> 'seats_max_per_person')::integer
                    else 20
                end,
                ops.limit_of('seats_per_person_and_event')
            )
            - b.guest_seats
            - case
                when seats_left_for.purpose = 'guest' then greatest(1, b.own_seats + h.seats + w.seats)
                else b.own_seats + h.seats + w.seats
            end
        )::integer
        from (
            select
                coalesce(sum(b.seats) filter (where b.guest), 0) as guest_seats,
                coalesce(sum(b.seats) filter (where not b.guest), 0) as own_seats
            from (
                -- The person's bookings, never the event's, which the planner takes for as few.
                select b.id, b.event_id, b.seats, b.guest, b.status
                from events.bookings as b
                where b.customer_id = seats_left_for.customer_id
                offset 0
            ) as b
            where
                b.event_id = seats_left_for.event_id
                and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
                and (b.guest or seats_left_for.purpose <> 'own')
        ) as b,
        -- What is booked and not paid is held too, and counted as a booking.
        (
            select coalesce(sum(h.seats), 0) as seats
            from events.holds as h
            where
                h.customer_id = seats_left_for.customer_id
                and h.event_id = seats_left_for.event_id
                and h.status = 'active'
                and h.expires_at > statement_timestamp()
                and h.purpose <> 'payment'
                and (h.purpose <> 'offer' or seats_left_for.purpose <> 'own')
        ) as h,
        (
            select coalesce(sum(w.seats), 0) as seats
            from events.waitlist_entries as w
            where
                w.customer_id = seats_left_for.customer_id
                and w.event_id = seats_left_for.event_id
                and w.status = 'waiting'
                and seats_left_for.purpose <> 'own'
        ) as w
    );
end;
$$;

COMMENT ON FUNCTION events.seats_left_for(event_id uuid, policy jsonb, customer_id uuid, purpose text) IS 'Return how many more seats a person may have at an event.';

CREATE FUNCTION events.series_to_extend(series_ids uuid[]) RETURNS SETOF events.series
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select s.*
    from events.series as s
    where s.id = any (series_to_extend.series_ids) and s.status = 'active'
    order by s.id
    for no key update skip locked;
$$;

COMMENT ON FUNCTION events.series_to_extend(series_ids uuid[]) IS 'Running series, locked, for their events to be generated.';

CREATE FUNCTION events.series_to_generate(until date, after uuid DEFAULT NULL::uuid, most integer DEFAULT 100) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select s.id
    from events.series as s
    where
        s.status = 'active'
        and (s.generated_until is null or s.generated_until < least(series_to_generate.until, s.end_date))
        and s.id > coalesce(series_to_generate.after, '00000000-0000-0000-0000-000000000000')
    order by s.id
    limit series_to_generate.most;
$$;

COMMENT ON FUNCTION events.series_to_generate(until date, after uuid, most integer) IS 'Ids of series to generate, after an id, in its order.';

CREATE FUNCTION events.set_capacities(event_ids uuid[], capacity integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    oversold jsonb;
    the_event_id uuid;
begin
    perform
    from events.inventory as i
    where i.event_id = any (set_capacities.event_ids)
    order by i.event_id
    for no key update;

select jsonb_agg(
        jsonb_build_object('event_id', o.event_id, 'starts_at', o.starts_at, 'taken', o.taken, 'held', o.held)
        order by o.starts_at, o.event_id
    ) into oversold
    from (
        select i.event_id, t.starts_at, i.taken, i.held
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        where i.event_id = any (set_capacities.event_ids) and i.taken + i.held > set_capacities.capacity
        order by t.starts_at, i.event_id
        limit 20
    ) as o;

if oversold is not null then
        raise exception using errcode = 'PT409', message = 'capacity_below_sold',
            detail = jsonb_build_object(
                'detail', 'More seats are sold and held than this capacity allows. Choose a higher capacity.',
                'capacity', set_capacities.capacity,
                'events', oversold
            )::text;
    end if;

update events.inventory as i
    set capacity = set_capacities.capacity
    where i.event_id = any (set_capacities.event_ids) and i.capacity is distinct from set_capacities.capacity;

for the_event_id in
        select i.event_id
        from events.inventory as i
        where i.event_id = any (set_capacities.event_ids) and i.waitlisted > 0
        order by i.event_id
    loop
        perform events.offer_seats(the_event_id);
    end loop;
end;
$$;

COMMENT ON FUNCTION events.set_capacities(event_ids uuid[], capacity integer) IS 'Give events a capacity, never below what is sold and held; new seats go to those who wait.';

CREATE FUNCTION events.set_capacity(event_id uuid, capacity integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select events.set_capacities(array[set_capacity.event_id], set_capacity.capacity);
$$;

COMMENT ON FUNCTION events.set_capacity(event_id uuid, capacity integer) IS 'Give an event a capacity, never below what is sold and held.';

CREATE FUNCTION events.set_search_config() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    new.search_config := (select l.search_config from ref.languages as l where l.code = new.language);
    return new;
end;
$$;

CREATE FUNCTION events.set_series_status(series_id uuid, status events.series_status, reason text DEFAULT NULL::text) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series := events.require_series(set_series_status.series_id, 'editor', 'admin', 'owner');
begin
    if the_series.status <> set_series_status.status then
        update events.series as s
        set
            status = set_series_status.status,
            status_reason = left(set_series_status.reason, 500),
            updated_at = statement_timestamp()
        where s.id = the_series.id
        returning s.* into the_series;

if the_series.status = 'archived' then
            perform events.drop_events(
                array(
                    select e.id
                    from events.events as e
                    where
                        e.series_id = the_series.id
                        and e.starts_at > statement_timestamp()
                        and e.status in ('draft', 'scheduled')
                ),
                set_series_status.reason,
                cancel_booked => false
            );
        end if;
    end if;
    return the_series;
end;
$$;

COMMENT ON FUNCTION events.set_series_status(series_id uuid, status events.series_status, reason text) IS 'Pause, resume or archive a series.';

CREATE FUNCTION events.settle_entry(entry_id uuid, booking_id uuid, seats integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry events.waitlist_entries;
begin
    select w.* into the_entry from events.waitlist_entries as w where w.id = settle_entry.entry_id;

if
        the_entry.status = 'offered'
        and the_entry.seats = settle_entry.seats
        and exists (select from events.holds as h where h.id = the_entry.hold_id and h.status = 'consumed')
    then
        update events.waitlist_entries as w
        set status = 'accepted', status_reason = 'The offer was taken.', booking_id = settle_entry.booking_id
        where w.id = the_entry.id;
    elsif the_entry.status in ('waiting', 'offered') then
        perform events.close_entry(the_entry, 'left', 'The customer booked without the waitlist.');
        perform events.offer_seats(the_entry.event_id);
    end if;
end;
$$;

COMMENT ON FUNCTION events.settle_entry(entry_id uuid, booking_id uuid, seats integer) IS 'Close the waitlist entry of a customer who has just booked.';

CREATE FUNCTION events.spent_cents(status events.booking_status, price_cents bigint, fee_cents bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (status = ANY (ARRAY['confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status])) THEN (price_cents + fee_cents) WHEN (status = 'cancelled'::events.booking_status) THEN fee_cents ELSE (0)::bigint END;

COMMENT ON FUNCTION events.spent_cents(status events.booking_status, price_cents bigint, fee_cents bigint) IS 'What a booking brought: its price while it stands, and its fees.';

CREATE FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series := events.edit_series(split_series.series_id);
    rest events.series := the_series;
    event_ids uuid[];
begin
    if
        (split_series.first_date > the_series.start_date) is not true
        or split_series.first_date > the_series.end_date
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The date must be after the first and not after the last date of the series.'
            )::text;
    end if;

perform events.limit_programme(the_series.organization_id, 'series');
    rest.id := ops.uuid_v7();
    rest.recurrence := split_series.recurrence;
    rest.start_date := split_series.first_date;
    rest.continues_series_id := the_series.id;
    rest.created_at := statement_timestamp();
    rest.updated_at := statement_timestamp();
    insert into events.series select rest.*;

update events.series as s
    set end_date = split_series.first_date - 1, updated_at = statement_timestamp()
    where s.id = the_series.id;

with handed_over as (
        update events.occurrences as o
        set series_id = rest.id
        where o.series_id = the_series.id and o.local_start >= split_series.first_date
        returning o.event_id
    )
    select array_agg(h.event_id) into event_ids from handed_over as h;

update events.events as e
    set series_id = rest.id, updated_at = statement_timestamp()
    from events.terms as t
    where t.event_id = any (event_ids) and e.id = t.event_id and e.starts_at = t.starts_at;

return rest;
end;
$$;

COMMENT ON FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) IS 'Split a series at a local date; answers the new series, which has the events from there on.';

CREATE FUNCTION events.summary_of(event_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'event_id', e.id,
        'title', e.title,
        'status', e.status,
        'starts_at', e.starts_at,
        'ends_at', e.ends_at,
        'local_start', to_char(e.starts_at at time zone e.time_zone, 'YYYY-MM-DD"T"HH24:MI:SS'),
        'time_zone', e.time_zone,
        'organization_id', o.id,
        'organization', o.name,
        'location', l.name
    )
    from events.events as e
    inner join organizations.organizations as o on o.id = e.organization_id
    left join organizations.locations as l on l.id = e.location_id
    where
        e.id = summary_of.event_id
        and e.starts_at = (select t.starts_at from events.terms as t where t.event_id = summary_of.event_id);
$$;

COMMENT ON FUNCTION events.summary_of(event_id uuid) IS 'What an event is, in a few words.';

CREATE FUNCTION events.take_turn(event_id uuid) RETURNS boolean
    LANGUAGE sql
    RETURN CASE WHEN (COALESCE(current_setting('events.inventory_locked'::text, true), ''::text) = ''::text) THEN (pg_advisory_xact_lock(uuid_hash_extended(event_id, (0)::bigint)) IS NOT NULL) ELSE false END;

COMMENT ON FUNCTION events.take_turn(event_id uuid) IS 'Wait for one''s turn at an event; ends with the transaction.';

CREATE FUNCTION events.tell_of_change(event_ids uuid[], previous_starts timestamp with time zone[], changed text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into public.outbox (topic, key, payload)
    select
        'event.changed', t.event_id::text,
        jsonb_build_object(
            'event_id', t.event_id, 'organization_id', t.organization_id, 'customer_id', c.customer_id,
            'booking_id', c.booking_id, 'changed', to_jsonb(tell_of_change.changed), 'starts_at', t.starts_at,
            'ends_at', t.ends_at, 'previous_starts_at', m.previous_starts_at
        )
    from unnest(tell_of_change.event_ids, tell_of_change.previous_starts) as m (event_id, previous_starts_at)
    inner join events.terms as t on t.event_id = m.event_id
    inner join lateral (
        select distinct on (p.customer_id) p.customer_id, p.booking_id
        from (
            select b.customer_id, b.id as booking_id
            from events.bookings as b
            where b.event_id = m.event_id and b.status in ('pending_payment', 'held', 'confirmed')
            union all
            select w.customer_id, null
            from events.waitlist_entries as w
            where w.event_id = m.event_id and w.status in ('waiting', 'offered')
        ) as p
        order by p.customer_id, p.booking_id
    ) as c on true
    order by t.event_id, c.customer_id;
$$;

COMMENT ON FUNCTION events.tell_of_change(event_ids uuid[], previous_starts timestamp with time zone[], changed text[]) IS 'Tell the customers of events what changed about them.';

CREATE FUNCTION events.update_event(event_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := events.require_staff(update_event.event_id, 'editor', 'admin', 'owner');
    the_event events.events;
    edited events.events;
    told text[];
begin
    perform events.lock_inventory(update_event.event_id);
    select e.* into the_event
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where t.event_id = update_event.event_id;

if the_event.status not in ('draft', 'scheduled') then
        raise exception using errcode = 'PT409', message = 'event_not_editable',
            detail = jsonb_build_object('status', the_event.status)::text;
    end if;
    if the_event.starts_at <= statement_timestamp() then
        raise exception using errcode = 'PT409', message = 'event_begun',
            detail = jsonb_build_object('starts_at', the_event.starts_at)::text;
    end if;

perform events.check_references(the_event.organization_id, changes);
    edited := jsonb_populate_record(the_event, changes);
    perform events.check_times(edited.starts_at, edited.ends_at);

update events.events as e
    set
        title = edited.title,
        description = edited.description,
        category = edited.category,
        language = edited.language,
        time_zone = edited.time_zone,
        starts_at = edited.starts_at,
        ends_at = edited.ends_at,
        price_cents = edited.price_cents,
        location_id = edited.location_id,
        instructor_id = edited.instructor_id,
        visibility = edited.visibility,
        status = edited.status,
        policy = case
            when changes ? 'policy_id' then events.policy_snapshot((changes ->> 'policy_id')::uuid) else e.policy
        end,
        detached = e.series_id is not null,
        updated_at = statement_timestamp()
    where e.id = the_event.id and e.starts_at = the_event.starts_at;

if changes ? 'capacity' then
        perform events.set_capacity(the_event.id, (changes ->> 'capacity')::integer);
    end if;

told := array_remove(
        array[
            case when edited.starts_at <> the_event.starts_at then 'starts_at' end,
            case when edited.ends_at <> the_event.ends_at then 'ends_at' end,
            case when edited.location_id is distinct from the_event.location_id then 'location_id' end
        ],
        null
    );
    if cardinality(told) > 0 then
        perform events.tell_of_change(array[the_event.id], array[the_event.starts_at], told);
    end if;
    return events.event_answer(the_event.id);
end;
$$;

COMMENT ON FUNCTION events.update_event(event_id uuid, changes jsonb) IS 'Edit one event; answers it.';

CREATE FUNCTION events.update_series(series_id uuid, changes jsonb, occurrences jsonb DEFAULT NULL::jsonb, until date DEFAULT NULL::date) RETURNS events.series
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_series events.series := events.edit_series(update_series.series_id);
    edited events.series;
begin
    perform events.check_references(the_series.organization_id, changes);
    edited := jsonb_populate_record(the_series, changes);

update events.series as s
    set
        title = edited.title,
        description = edited.description,
        category = edited.category,
        language = edited.language,
        time_zone = edited.time_zone,
        recurrence = edited.recurrence,
        local_start_time = edited.local_start_time,
        start_date = edited.start_date,
        end_date = edited.end_date,
        duration_minutes = edited.duration_minutes,
        capacity = edited.capacity,
        price_cents = edited.price_cents,
        location_id = edited.location_id,
        instructor_id = edited.instructor_id,
        policy_id = edited.policy_id,
        visibility = edited.visibility,
        updated_at = statement_timestamp()
    where s.id = the_series.id;

if update_series.occurrences is not null then
        perform events.move_occurrences(the_series.id, update_series.occurrences, update_series.until);
    end if;
    perform events.copy_details(the_series.id, changes);

select s.* into the_series from events.series as s where s.id = the_series.id;
    return the_series;
end;
$$;

COMMENT ON FUNCTION events.update_series(series_id uuid, changes jsonb, occurrences jsonb, until date) IS 'Edit a series and all its coming events.';

CREATE FUNCTION events.waitlist_answer(entry_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'id', w.id,
        'event_id', w.event_id,
        'customer_id', w.customer_id,
        'seats', w.seats,
        'status', w.status,
        'position', case
            when w.status = 'waiting'
            then (
                select count(*)
                from events.waitlist_entries as o
                where o.event_id = w.event_id and o.status = 'waiting' and o.place <= w.place
            )
        end,
        'offered_at', case when w.status = 'offered' then w.offered_at end,
        'offer_expires_at', case when w.status = 'offered' then w.offer_expires_at end,
        'booking_id', w.booking_id,
        'joined_at', w.joined_at
    )
    from events.waitlist_entries as w
    where w.id = waitlist_answer.entry_id;
$$;

COMMENT ON FUNCTION events.waitlist_answer(entry_id uuid) IS 'A waitlist entry with its position, as JSON.';

CREATE FUNCTION events.waitlist_entries_of(event_id uuid, after integer DEFAULT 0, most integer DEFAULT 100) RETURNS TABLE(entry_id uuid, customer_id uuid, name text, seats smallint, place integer, status events.waitlist_status, offer_expires_at timestamp with time zone, joined_at timestamp with time zone)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms := events.require_door_staff(waitlist_entries_of.event_id);
begin
    return query
    with page as materialized (
        select
            w.id, w.customer_id, p.name, w.seats::smallint as seats, w.place, w.status, w.offer_expires_at, w.joined_at
        from events.waitlist_entries as w
        inner join users.profiles as p on p.id = w.customer_id
        where
            w.event_id = waitlist_entries_of.event_id
            and w.status in ('waiting', 'offered')
            and w.place > waitlist_entries_of.after
        order by w.place
        limit least(waitlist_entries_of.most, 200)
    ),

    recorded as materialized (
        select ops.record_access(
            operation => 'waitlist',
            read => (
                select jsonb_agg(jsonb_build_object(
                    'organization_id', the_terms.organization_id, 'person', g.customer_id, 'rows', 1
                ))
                from page as g
            ),
            event_id => waitlist_entries_of.event_id
        )
    )

    select g.*
    from page as g
    cross join recorded as r
    order by g.place;
end;
$$;

COMMENT ON FUNCTION events.waitlist_entries_of(event_id uuid, after integer, most integer) IS 'An event''s waitlist in order, for its staff; one page by place.';

CREATE FUNCTION events.waitlist_place(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_entry_id uuid;
begin
    if ops.caller_id() is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

select w.id into the_entry_id
    from events.waitlist_entries as w
    where w.event_id = waitlist_place.event_id and w.customer_id = ops.caller_id()
    order by (w.status in ('waiting', 'offered')) desc, w.joined_at desc
    limit 1;

if not found then
        raise exception using errcode = 'PT404', message = 'waitlist_entry_not_found';
    end if;
    return events.waitlist_answer(the_entry_id);
end;
$$;

COMMENT ON FUNCTION events.waitlist_place(event_id uuid) IS 'The caller''s entry on an event''s waitlist, with its position.';

CREATE FUNCTION events.words_of(q text) RETURNS tsquery
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    reading tsquery;
    words tsquery;
begin
    for reading in
        select distinct websearch_to_tsquery(l.search_config, words_of.q) as reading
        from ref.languages as l
        order by reading
    loop
        if numnode(reading) > 0 then
            words := coalesce(words || reading, reading);
        end if;
    end loop;
    return words;
end;
$$;

COMMENT ON FUNCTION events.words_of(q text) IS 'What somebody typed, as a query in any language.';

CREATE FUNCTION messaging.add_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    delete from messaging.webhook_secrets as s
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at <= add_webhook_secret.at;

if 4 <= (
        select count(*) from messaging.webhook_secrets as s where s.endpoint_id = add_webhook_secret.endpoint_id
    ) then
        raise exception using errcode = 'PT409', message = 'rotated_too_often',
            detail = jsonb_build_object(
                'detail', 'The endpoint has four valid secrets, the maximum. A replaced one expires after 24 hours.'
            )::text;
    end if;

update messaging.webhook_secrets as s
    set expires_at = add_webhook_secret.at + interval '24 hours'
    where s.endpoint_id = add_webhook_secret.endpoint_id and s.expires_at is null;

insert into messaging.webhook_secrets (endpoint_id, sealed, created_at)
    values (add_webhook_secret.endpoint_id, add_webhook_secret.sealed_secret, add_webhook_secret.at);
end;
$$;

COMMENT ON FUNCTION messaging.add_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) IS 'Give an endpoint a new sealed secret, and the previous one a day.';

CREATE FUNCTION messaging.audience(topic text, payload jsonb, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(user_id uuid, email text, name text, language text, organization_id uuid, facts jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with matter as (
        select
            o.id as organization_id,
            coalesce((audience.payload ->> 'customer_id')::uuid, i.user_id) as person_id,
            case
                when audience.topic like 'webhook_endpoint.%' then '{admin,owner}'
                when audience.topic in ('refund.exceeded', 'refund.failed', 'payment.disputed', 'payout.failed')
                    then '{accountant,admin,owner}'
            end::organizations.member_role[] as staff,
            jsonb_build_object(
                'organization', o.name, 'title', coalesce(e.title, k.name, audience.payload ->> 'url'),
                'starts_at', e.starts_at, 'ends_at', e.ends_at, 'time_zone', coalesce(e.time_zone, o.time_zone),
                'place', nullif(concat_ws(', ', l.name, l.address, l.city), ''),
                'customer', c.name, 'price_cents', b.price_cents, 'currency', b.currency,
                'payment_method', b.payment_method,
                'reason', messaging.reason_of(audience.topic, audience.payload)
            ) as facts
        from (select) as nobody
        left join events.bookings as b on b.id = (audience.payload ->> 'booking_id')::uuid
        left join events.events as e
            on
                e.id = coalesce((audience.payload ->> 'event_id')::uuid, b.event_id)
                and e.starts_at = (
                    select t.starts_at
                    from events.terms as t
                    where
                        t.event_id = coalesce((audience.payload ->> 'event_id')::uuid, (
                            select f.event_id
                            from events.bookings as f
                            where f.id = (audience.payload ->> 'booking_id')::uuid
                        ))
                )
        left join organizations.organizations as o
            on o.id = coalesce((audience.payload ->> 'organization_id')::uuid, e.organization_id)
        left join organizations.locations as l on l.id = e.location_id
        left join organizations.instructors as i
            on
                i.id = e.instructor_id
                and exists (
                    select
                    from organizations.memberships as f
                    where f.user_id = i.user_id and f.organization_id = i.organization_id
                )
        left join payments.purchases as u on u.id = (audience.payload ->> 'purchase_id')::uuid
        left join payments.packages as k on k.id = u.package_id
        left join users.profiles as c on c.id = coalesce(b.customer_id, u.customer_id)
        where audience.topic <> 'booking.reminder' or (b.status = 'confirmed' and e.starts_at > audience.at)
    )

    select p.id, users.address_of(p), p.name, p.language::text, m.organization_id, m.facts
    from matter as m
    inner join users.profiles as p on p.id = m.person_id
    where m.staff is null and p.erased_at is null

    union all

    select p.id, users.address_of(p), p.name, p.language::text, m.organization_id, m.facts
    from matter as m
    inner join organizations.memberships as s on s.organization_id = m.organization_id and s.role = any (m.staff)
    inner join users.profiles as p on p.id = s.user_id
    where p.erased_at is null

    union all

    select null, r.email, null, 'en', null, '{}'
    from ops.alert_recipients as r
    where
        (
            audience.topic like 'alert.%'
            or audience.topic = 'reconciliation.differs'
            or (audience.topic = 'payout.failed' and audience.payload ->> 'organization_id' is null)
        )
        and (r.severity_least = 'warning' or audience.payload ->> 'severity' = 'critical');
$$;

COMMENT ON FUNCTION messaging.audience(topic text, payload jsonb, at timestamp with time zone) IS 'Who is to be told of something, and the facts to tell them.';

CREATE FUNCTION messaging.begin_telling(outbox_id bigint, topic text, user_id uuid, organization_id uuid, subject text, body text, email text, lease_seconds integer DEFAULT 120, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_status text;
    may_have_gone_out boolean;
    the_subject_id uuid;
begin
    if begin_telling.user_id is not null then
        select nullif((o.payload ->> 'customer_id')::uuid, begin_telling.user_id) into the_subject_id
        from public.outbox as o
        where o.id = begin_telling.outbox_id;

-- An erasure at this moment has locked the profile: wait for it, then look again.
        perform
        from users.profiles as p
        where p.id in (begin_telling.user_id, the_subject_id)
        order by p.id
        for share;

perform
        from users.profiles as p
        where p.id in (begin_telling.user_id, the_subject_id) and p.erased_at is not null;
        if found then
            return 'done';
        end if;

insert into messaging.notifications (user_id, about_id, organization_id, outbox_id, topic, subject, body)
        values (
            begin_telling.user_id, the_subject_id, begin_telling.organization_id, begin_telling.outbox_id,
            begin_telling.topic, begin_telling.subject, begin_telling.body
        )
        on conflict on constraint told_once do nothing;
    end if;

if begin_telling.email is null then
        return 'done';
    end if;

insert into messaging.deliveries as d (outbox_id, channel, recipient, user_id, status, lease_until)
    values (
        begin_telling.outbox_id, 'email', begin_telling.email, begin_telling.user_id, 'sending',
        begin_telling.at + make_interval(secs => begin_telling.lease_seconds)
    )
    on conflict on constraint deliveries_pkey do update
    set
        attempts = d.attempts + 1,
        uncertain = d.uncertain or d.lease_until is not null,
        lease_until = excluded.lease_until
    where d.status = 'sending' and (d.lease_until <= begin_telling.at) is not false
    returning d.uncertain into may_have_gone_out;

if found then
        return case when may_have_gone_out then 'send_again' else 'send' end;
    end if;

select d.status into the_status
    from messaging.deliveries as d
    where
        d.outbox_id = begin_telling.outbox_id
        and d.channel = 'email'
        and d.recipient = begin_telling.email;
    return case when the_status = 'sending' then 'busy' else 'done' end;
end;
$$;

COMMENT ON FUNCTION messaging.begin_telling(outbox_id bigint, topic text, user_id uuid, organization_id uuid, subject text, body text, email text, lease_seconds integer, at timestamp with time zone) IS 'Write the notification and take the sending of the e-mail; answers send, send_again, done or busy.';

CREATE FUNCTION messaging.claim_webhook_deliveries(most integer DEFAULT 64, per_endpoint integer DEFAULT 8, lease_seconds integer DEFAULT 90, at timestamp with time zone DEFAULT statement_timestamp(), sealed boolean DEFAULT false) RETURNS TABLE(id uuid, endpoint_id uuid, url text, secrets text[], topic text, key text, payload jsonb, occurred_at timestamp with time zone, attempt integer, try integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform pg_advisory_xact_lock(hashtextextended('messaging.claim_webhook_deliveries', 0));

return query
    with due as materialized (
        select c.id
        from messaging.webhook_endpoints as e
        cross join lateral (
            select count(*) as number
            from messaging.webhook_deliveries as f
            where f.endpoint_id = e.id and f.lease_until > claim_webhook_deliveries.at
        ) as in_flight
        cross join lateral (
            select d.id, d.next_attempt_at, d.outbox_id
            from messaging.webhook_deliveries as d
            where
                d.endpoint_id = e.id
                and d.status = 'pending'
                and d.next_attempt_at <= claim_webhook_deliveries.at
                and (d.lease_until <= claim_webhook_deliveries.at) is not false
                and (d.attempts > 0 or not exists (
                    select
                    from messaging.webhook_deliveries as f
                    where
                        f.endpoint_id = e.id
                        and f.key = d.key
                        and f.lease_until > claim_webhook_deliveries.at
                        and f.attempts = 1
                ))
            order by d.next_attempt_at, d.outbox_id
            limit greatest(claim_webhook_deliveries.per_endpoint - in_flight.number, 0)
        ) as c
        where
            e.enabled
            and (claim_webhook_deliveries.sealed or not exists (
                select from messaging.webhook_secrets as s where s.endpoint_id = e.id and s.sealed is not null
            ))
        order by c.next_attempt_at, c.outbox_id
        limit claim_webhook_deliveries.most
    ),

    locked as materialized (
        select d.id
        from messaging.webhook_deliveries as d
        where d.id in (select u.id from due as u) and d.status = 'pending'
        order by d.id
        for update skip locked
    ),

    claimed as (
        update messaging.webhook_deliveries as d
        set
            lease_until = claim_webhook_deliveries.at + make_interval(secs => claim_webhook_deliveries.lease_seconds),
            attempts = d.attempts + 1,
            tries = d.tries + 1
        from locked as l
        where l.id = d.id
        returning d.*
    )

    select
        c.id, c.endpoint_id, e.url,
        array(
            select coalesce(s.sealed, s.secret)
            from messaging.webhook_secrets as s
            where s.endpoint_id = c.endpoint_id and (s.expires_at <= claim_webhook_deliveries.at) is not true
            order by s.expires_at desc nulls first
        ),
        c.topic, c.key,
        case
            when c.topic in ('booking.cancelled', 'waitlist.expired', 'event.cancelled')
            then c.payload || jsonb_build_object('reason', messaging.reason_of(c.topic, c.payload))
            else c.payload
        end,
        c.occurred_at, c.attempts, c.tries
    from claimed as c
    inner join messaging.webhook_endpoints as e on e.id = c.endpoint_id
    order by c.next_attempt_at, c.outbox_id;
end;
$$;

COMMENT ON FUNCTION messaging.claim_webhook_deliveries(most integer, per_endpoint integer, lease_seconds integer, at timestamp with time zone, sealed boolean) IS 'Take deliveries that are due under a lease, with what it takes to send and sign them.';

CREATE FUNCTION messaging.create_webhook_endpoint(id uuid, url text, topics text[], description text, sealed_secret text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization_id uuid := messaging.webhook_organization();
    the_endpoint messaging.webhook_endpoints;
begin
    perform from organizations.organizations as o where o.id = the_organization_id for no key update;

if 20 <= (
        select count(*) from messaging.webhook_endpoints as e where e.organization_id = the_organization_id
    ) then
        raise exception using errcode = 'PT409', message = 'too_many_webhook_endpoints',
            detail = jsonb_build_object(
                'detail', 'The organization has 20 endpoints, the maximum. Delete one first.', 'most', 20
            )::text;
    end if;

insert into messaging.webhook_endpoints (id, organization_id, url, topics, description)
    values (
        create_webhook_endpoint.id, the_organization_id, create_webhook_endpoint.url, create_webhook_endpoint.topics,
        create_webhook_endpoint.description
    )
    returning * into the_endpoint;

perform messaging.add_webhook_secret(the_endpoint.id, create_webhook_endpoint.sealed_secret);
    return to_jsonb(the_endpoint);
end;
$$;

COMMENT ON FUNCTION messaging.create_webhook_endpoint(id uuid, url text, topics text[], description text, sealed_secret text) IS 'Create an endpoint for the caller''s organization, with its sealed secret.';

CREATE FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform messaging.require_webhook_endpoint(delete_webhook_endpoint.endpoint_id);

delete from messaging.webhook_endpoints as e
    where e.id = delete_webhook_endpoint.endpoint_id;
end;
$$;

COMMENT ON FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) IS 'Forget an endpoint with its secrets and deliveries.';

CREATE FUNCTION messaging.disable_webhook_endpoint(endpoint_id uuid, reason text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    update messaging.webhook_endpoints as e
    set
        enabled = false,
        disabled_at = disable_webhook_endpoint.at,
        disabled_reason = disable_webhook_endpoint.reason,
        updated_at = disable_webhook_endpoint.at
    where e.id = disable_webhook_endpoint.endpoint_id and e.enabled
    returning * into the_endpoint;

if not found then
        return false;
    end if;

with locked as materialized (
        select d.id
        from messaging.webhook_deliveries as d
        where d.endpoint_id = the_endpoint.id and d.status = 'pending'
        order by d.id
        for update
    )

    update messaging.webhook_deliveries as d
    set status = 'failed', next_attempt_at = null, lease_until = null, last_error = 'endpoint_disabled'
    from locked as l
    where l.id = d.id;

if disable_webhook_endpoint.reason <> 'by_hand' then
        insert into public.outbox (topic, key, payload)
        values (
            'webhook_endpoint.disabled', 'webhook_endpoint:' || the_endpoint.id,
            jsonb_strip_nulls(jsonb_build_object(
                'endpoint_id', the_endpoint.id, 'organization_id', the_endpoint.organization_id,
                'url', the_endpoint.url, 'why', the_endpoint.disabled_reason,
                'gone', case when the_endpoint.disabled_reason = 'gone' then true end,
                'failing_since', case
                    when the_endpoint.disabled_reason = 'failing'
                        then to_char(the_endpoint.failing_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
                end
            ))
        );
    end if;
    return true;
end;
$$;

COMMENT ON FUNCTION messaging.disable_webhook_endpoint(endpoint_id uuid, reason text, at timestamp with time zone) IS 'Send nothing more to an endpoint; answers whether it was on.';

CREATE FUNCTION messaging.fan_out_webhooks(happenings jsonb, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    made integer;
begin
    insert into messaging.webhook_deliveries (
        endpoint_id, outbox_id, topic, key, payload, occurred_at, next_attempt_at
    )
    select e.id, h.id, h.topic, h.key, h.payload, h.created_at, fan_out_webhooks.at
    from jsonb_to_recordset(fan_out_webhooks.happenings) as h (
        id bigint, topic text, key text, payload jsonb, created_at timestamptz
    )
    inner join messaging.webhook_endpoints as e on e.organization_id = (h.payload ->> 'organization_id')::uuid
    where
        e.enabled
        and (e.topics is null or h.topic = any(e.topics))
        and h.created_at >= e.created_at
    order by e.id, h.id
    on conflict on constraint one_delivery_a_cause do nothing;

get diagnostics made = row_count;
    return made;
end;
$$;

COMMENT ON FUNCTION messaging.fan_out_webhooks(happenings jsonb, at timestamp with time zone) IS 'Make a delivery for each endpoint that wants to hear of these happenings; answers how many.';

CREATE FUNCTION messaging.finish_telling(outbox_id bigint, email text, provider_id text DEFAULT NULL::text, error text DEFAULT NULL::text, permanent boolean DEFAULT false, uncertain boolean DEFAULT false, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    update messaging.deliveries as d
    set
        status = case
            when finish_telling.provider_id is not null then 'sent'
            when finish_telling.permanent then 'failed'
            else 'sending'
        end,
        provider_id = finish_telling.provider_id,
        last_error = left(finish_telling.error, 2000),
        uncertain = d.uncertain or finish_telling.uncertain,
        lease_until = null,
        sent_at = case when finish_telling.provider_id is not null then finish_telling.at end
    where
        d.outbox_id = finish_telling.outbox_id
        and d.channel = 'email'
        and d.recipient = finish_telling.email
        and d.status = 'sending';
$$;

COMMENT ON FUNCTION messaging.finish_telling(outbox_id bigint, email text, provider_id text, error text, permanent boolean, uncertain boolean, at timestamp with time zone) IS 'Write down that an e-mail was sent, has failed for good, or is to be tried again.';

CREATE FUNCTION messaging.finish_webhook_deliveries(results jsonb, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    delivered integer;
    failed integer;
    given_up integer;
    disabled integer;
begin
    perform
    from messaging.webhook_endpoints as e
    where e.id in (
        select d.endpoint_id
        from messaging.webhook_deliveries as d
        where
            d.id in (select r.id from jsonb_to_recordset(finish_webhook_deliveries.results) as r (id uuid))
    )
    order by e.id
    for no key update;

with result as materialized (
        select r.*, d.endpoint_id, d.status as status_before, d.attempts
        from jsonb_to_recordset(finish_webhook_deliveries.results) as r (
            id uuid, attempt integer, outcome text, started_at timestamptz, duration_ms integer, status_code integer,
            error text, response text, retry_seconds double precision
        )
        inner join messaging.webhook_deliveries as d on d.id = r.id
        order by r.id
        for update of d
    ),

    written as (
        insert into messaging.webhook_attempts (
            delivery_id, number, started_at, duration_ms, status_code, error, response
        )
        select r.id, r.attempt, r.started_at, r.duration_ms, r.status_code, r.error, left(r.response, 1024)
        from result as r
        where r.outcome <> 'untried'
        on conflict on constraint webhook_attempts_pkey do nothing
        returning delivery_id as id
    ),

    changed as (
        update messaging.webhook_deliveries as d
        set
            status = case
                when r.outcome = 'delivered' then 'delivered'
                when r.outcome = 'untried' or (r.outcome = 'failed' and r.retry_seconds is not null) then 'pending'
                else 'failed'
            end,
            attempts = d.attempts - (r.outcome = 'untried')::integer,
            tries = d.tries - (r.outcome = 'untried')::integer,
            lease_until = null,
            next_attempt_at = case
                when r.outcome = 'untried' and r.retry_seconds is null then d.next_attempt_at
                when r.outcome = 'untried'
                    then finish_webhook_deliveries.at + make_interval(secs => r.retry_seconds)
                when r.outcome = 'failed'
                    then finish_webhook_deliveries.at + make_interval(secs => r.retry_seconds)
            end,
            delivered_at = case when r.outcome = 'delivered' then finish_webhook_deliveries.at end,
            last_status_code = case when r.outcome = 'untried' then d.last_status_code else r.status_code end,
            last_error = case when r.outcome = 'untried' then coalesce(r.error, d.last_error) else r.error end,
            last_duration_ms = case when r.outcome = 'untried' then d.last_duration_ms else r.duration_ms end
        from result as r
        where
            d.id = r.id
            and case
                when r.outcome = 'delivered' then d.status <> 'delivered'
                else d.status = 'pending' and d.attempts = r.attempt
            end
        returning d.id, d.status
    ),

    by_endpoint as (
        select
            r.endpoint_id,
            bool_or(r.outcome = 'delivered') as any_delivered,
            count(*) filter (where r.outcome <> 'delivered') as failures,
            min(r.started_at) as first_failed_at
        from result as r
        inner join written as w on w.id = r.id
        group by r.endpoint_id
    ),

    judged as (
        update messaging.webhook_endpoints as e
        set
            failing_since = case when not b.any_delivered then coalesce(e.failing_since, b.first_failed_at) end,
            failures = case when b.any_delivered then 0 else e.failures + b.failures end
        from by_endpoint as b
        where e.id = b.endpoint_id and (not b.any_delivered or e.failures > 0)
    )

    select
        count(*) filter (where c.status = 'delivered'),
        count(*) filter (where c.status = 'pending' and r.outcome <> 'untried'),
        count(*) filter (where c.status = 'failed')
    into delivered, failed, given_up
    from changed as c
    inner join result as r on r.id = c.id;

select count(*) filter (where messaging.disable_webhook_endpoint(j.id, j.reason, finish_webhook_deliveries.at))
    into disabled
    from (
        select e.id, case when bool_or(r.outcome = 'gone') then 'gone' else 'failing' end as reason
        from jsonb_to_recordset(finish_webhook_deliveries.results) as r (id uuid, outcome text)
        inner join messaging.webhook_deliveries as d on d.id = r.id
        inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
        where e.enabled
        group by e.id
        having
            bool_or(r.outcome = 'gone')
            or (e.failing_since <= finish_webhook_deliveries.at - interval '5 days' and e.failures >= 10)
        order by e.id
    ) as j;

return jsonb_build_object('delivered', delivered, 'failed', failed, 'given_up', given_up, 'disabled', disabled);
end;
$$;

COMMENT ON FUNCTION messaging.finish_webhook_deliveries(results jsonb, at timestamp with time zone) IS 'Write down what came of attempts, and disable endpoints that are gone or take nothing; answers how many.';

CREATE FUNCTION messaging.reason_of(topic text, payload jsonb) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select case reason_of.topic
        when 'booking.cancelled' then (
            select b.status_reason::text
            from events.bookings as b
            where b.id = (reason_of.payload ->> 'booking_id')::uuid
        )
        when 'waitlist.expired' then (
            select w.status_reason
            from events.waitlist_entries as w
            where w.id = (reason_of.payload ->> 'entry_id')::uuid
        )
        when 'event.cancelled' then (
            select e.status_reason
            from events.terms as t
            inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
            where t.event_id = (reason_of.payload ->> 'event_id')::uuid
        )
    end;
$$;

COMMENT ON FUNCTION messaging.reason_of(topic text, payload jsonb) IS 'The reason that people gave for what a message tells, read where it is kept.';

CREATE FUNCTION messaging.refuse_plain_secret() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using errcode = 'check_violation', constraint = 'new_secrets_are_sealed',
        message = 'A secret that signs webhooks is stored sealed only.';
end;
$$;

CREATE TABLE messaging.webhook_endpoints (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    url text NOT NULL,
    topics text[],
    description text DEFAULT ''::text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    disabled_at timestamp with time zone,
    disabled_reason text,
    failing_since timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    previous_secret_expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT disabled_reason_is_known CHECK ((disabled_reason = ANY (ARRAY['by_hand'::text, 'gone'::text, 'failing'::text]))),
    CONSTRAINT disabled_says_when_and_why CHECK (((enabled = (disabled_at IS NULL)) AND (enabled = (disabled_reason IS NULL)))),
    CONSTRAINT endpoint_description_is_readable CHECK (ops.is_text(description)),
    CONSTRAINT endpoint_description_is_short CHECK ((length(description) <= 500)),
    CONSTRAINT endpoint_url_is_plain CHECK (((url ~ '^https?://[!-~]+$'::text) AND (length(url) <= 2000))),
    CONSTRAINT failing_has_failures CHECK (((failing_since IS NULL) = (failures = 0))),
    CONSTRAINT failures_are_counted CHECK ((failures >= 0)),
    CONSTRAINT topics_are_some CHECK (((cardinality(topics) >= 1) AND (cardinality(topics) <= 100)))
);

COMMENT ON TABLE messaging.webhook_endpoints IS 'Where an organization wants to hear what happens.';

COMMENT ON COLUMN messaging.webhook_endpoints.topics IS 'What it wants to hear of; null: everything.';

COMMENT ON COLUMN messaging.webhook_endpoints.failing_since IS 'The first failure since anything was taken.';

CREATE FUNCTION messaging.require_webhook_endpoint(endpoint_id uuid) RETURNS messaging.webhook_endpoints
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    select e.* into the_endpoint
    from messaging.webhook_endpoints as e
    where
        e.id = require_webhook_endpoint.endpoint_id
        and e.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid
        and (ops.caller_is_service() or e.organization_id in (select public.user_orgs()))
    for no key update;

if not found then
        raise exception using errcode = 'PT404', message = 'webhook_endpoint_not_found';
    end if;

perform messaging.webhook_organization();
    return the_endpoint;
end;
$$;

COMMENT ON FUNCTION messaging.require_webhook_endpoint(endpoint_id uuid) IS 'An endpoint of the caller''s organization, locked, for its admins.';

CREATE FUNCTION messaging.resend_webhook_delivery(delivery_id uuid, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints;
begin
    select e.* into the_endpoint
    from messaging.webhook_deliveries as d
    inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
    where
        d.id = resend_webhook_delivery.delivery_id
        and e.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid
        and (ops.caller_is_service() or e.organization_id in (select public.user_orgs()));

if not found then
        raise exception using errcode = 'PT404', message = 'webhook_delivery_not_found';
    end if;

the_endpoint := messaging.require_webhook_endpoint(the_endpoint.id);
    if not the_endpoint.enabled then
        raise exception using errcode = 'PT409', message = 'webhook_endpoint_disabled';
    end if;

update messaging.webhook_deliveries as d
    set
        status = 'pending', tries = 0, next_attempt_at = resend_webhook_delivery.at, lease_until = null,
        delivered_at = null
    where
        d.id = resend_webhook_delivery.delivery_id
        and (d.lease_until <= resend_webhook_delivery.at) is not false;

return resend_webhook_delivery.delivery_id;
end;
$$;

COMMENT ON FUNCTION messaging.resend_webhook_delivery(delivery_id uuid, at timestamp with time zone) IS 'Send a delivery again now, under its webhook-id; answers the id.';

CREATE FUNCTION messaging.rotate_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(rotate_webhook_secret.endpoint_id);
begin
    perform messaging.add_webhook_secret(
        the_endpoint.id, rotate_webhook_secret.sealed_secret, rotate_webhook_secret.at
    );

update messaging.webhook_endpoints as e
    set
        previous_secret_expires_at = rotate_webhook_secret.at + interval '24 hours',
        updated_at = rotate_webhook_secret.at
    where e.id = the_endpoint.id
    returning * into the_endpoint;

return to_jsonb(the_endpoint);
end;
$$;

COMMENT ON FUNCTION messaging.rotate_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) IS 'Replace an endpoint''s secret by a sealed one; the previous one stays valid for a day.';

CREATE FUNCTION messaging.seal_webhook_secrets(secrets jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    stored integer;
begin
    update messaging.webhook_secrets as s
    set secret = null, sealed = n.sealed
    from jsonb_to_recordset(seal_webhook_secrets.secrets) as n (id uuid, sealed text)
    where s.id = n.id;

get diagnostics stored = row_count;
    return stored;
end;
$$;

COMMENT ON FUNCTION messaging.seal_webhook_secrets(secrets jsonb) IS 'Store secrets sealed by the current key, in place of what is stored of them.';

CREATE FUNCTION messaging.send_reminders(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 2000, events_most integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    latest timestamptz := send_reminders.at
        + make_interval(hours => (select max(o.reminder_hours) from organizations.organizations as o));
    result jsonb;
begin
    with due_events as materialized (
        select e.id as event_id, e.organization_id, e.starts_at, d.due_at
        from events.events as e
        inner join organizations.organizations as o on o.id = e.organization_id
        cross join lateral (select e.starts_at - make_interval(hours => o.reminder_hours) as due_at) as d
        where
            e.status = 'scheduled'
            and e.starts_at > send_reminders.at
            and e.starts_at <= latest
            and o.reminder_hours > 0
            and d.due_at <= send_reminders.at
            and not exists (
                select
                from messaging.reminded_events as r
                where r.event_id = e.id and r.due_at = d.due_at
            )
        order by e.starts_at, e.id
        limit send_reminders.events_most
    ),

    due as materialized (
        select b.id as booking_id, b.event_id, b.customer_id, b.seats, e.organization_id, e.starts_at
        from due_events as e
        inner join events.bookings as b on b.event_id = e.event_id
        where
            b.status = 'confirmed'
            and b.created_at <= e.due_at
            and not exists (select from messaging.reminders as r where r.booking_id = b.id)
        order by e.starts_at, b.event_id, b.id
        limit send_reminders.most
    ),

    reminded as (
        insert into messaging.reminders (booking_id, reminded_at)
        select d.booking_id, send_reminders.at
        from due as d
        order by d.starts_at, d.event_id, d.booking_id
        on conflict (booking_id) do nothing
        returning booking_id
    ),

    told as (
        insert into public.outbox (topic, key, payload)
        select
            'booking.reminder', d.event_id::text,
            jsonb_build_object(
                'booking_id', d.booking_id, 'event_id', d.event_id, 'customer_id', d.customer_id,
                'organization_id', d.organization_id, 'seats', d.seats, 'starts_at', d.starts_at
            )
        from due as d
        inner join reminded as r on r.booking_id = d.booking_id
        order by d.starts_at, d.event_id, d.booking_id
    ),

    done as (
        insert into messaging.reminded_events as r (event_id, due_at)
        select e.event_id, e.due_at
        from due_events as e
        where (select count(*) from due) < send_reminders.most
        order by e.starts_at, e.event_id
        on conflict (event_id) do update set due_at = excluded.due_at
    )

    select jsonb_build_object(
        'reminded', (select count(*) from reminded),
        'more',
        (select count(*) from due) = send_reminders.most
        or (select count(*) from due_events) = send_reminders.events_most
    ) into result;
    return result;
end;
$$;

COMMENT ON FUNCTION messaging.send_reminders(at timestamp with time zone, most integer, events_most integer) IS 'Have customers reminded of events that begin soon; answers how many, and whether there may be more.';

CREATE FUNCTION messaging.test_webhook_endpoint(endpoint_id uuid, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(test_webhook_endpoint.endpoint_id);
    the_delivery_id uuid;
begin
    if not the_endpoint.enabled then
        raise exception using errcode = 'PT409', message = 'webhook_endpoint_disabled';
    end if;

if 10 <= (
        select count(*)
        from messaging.webhook_deliveries as d
        where d.endpoint_id = the_endpoint.id and d.status = 'pending' and d.outbox_id is null
    ) then
        raise exception using errcode = 'PT409', message = 'tests_pending',
            detail = jsonb_build_object(
                'detail', 'Ten tests of this endpoint are not yet delivered, the maximum. Wait for them.'
            )::text;
    end if;

insert into messaging.webhook_deliveries (endpoint_id, topic, key, payload, occurred_at, next_attempt_at)
    values (
        the_endpoint.id, 'webhook.test', 'webhook_endpoint:' || the_endpoint.id,
        jsonb_build_object('endpoint_id', the_endpoint.id, 'organization_id', the_endpoint.organization_id),
        test_webhook_endpoint.at, test_webhook_endpoint.at
    )
    returning id into the_delivery_id;
    return the_delivery_id;
end;
$$;

COMMENT ON FUNCTION messaging.test_webhook_endpoint(endpoint_id uuid, at timestamp with time zone) IS 'Have a test sent to an endpoint; answers the id of its delivery.';

CREATE FUNCTION messaging.update_webhook_endpoint(endpoint_id uuid, changes jsonb, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_endpoint messaging.webhook_endpoints := messaging.require_webhook_endpoint(update_webhook_endpoint.endpoint_id);
    the_changed messaging.webhook_endpoints := jsonb_populate_record(the_endpoint, update_webhook_endpoint.changes);
begin
    if the_endpoint.enabled and not the_changed.enabled then
        perform messaging.disable_webhook_endpoint(the_endpoint.id, 'by_hand', update_webhook_endpoint.at);
    end if;

update messaging.webhook_endpoints as e
    set
        url = the_changed.url,
        topics = the_changed.topics,
        description = the_changed.description,
        enabled = the_changed.enabled,
        disabled_at = case when not the_changed.enabled then e.disabled_at end,
        disabled_reason = case when not the_changed.enabled then e.disabled_reason end,
        failing_since = case when the_endpoint.enabled then e.failing_since end,
        failures = case when the_endpoint.enabled then e.failures else 0 end,
        updated_at = update_webhook_endpoint.at
    where e.id = the_endpoint.id
    returning * into the_endpoint;

return to_jsonb(the_endpoint);
end;
$$;

COMMENT ON FUNCTION messaging.update_webhook_endpoint(endpoint_id uuid, changes jsonb, at timestamp with time zone) IS 'Change where an endpoint is, what it hears, or whether it is on.';

CREATE FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select to_jsonb(d)
    from messaging.webhook_delivery_details as d
    inner join messaging.webhook_endpoints as e on e.id = d.endpoint_id
    where
        d.id = webhook_delivery_answer.delivery_id
        and organizations.caller_is(e.organization_id, 'viewer', 'editor', 'admin', 'owner');
$$;

COMMENT ON FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) IS 'A delivery as callers see it, within the statement that changed it.';

CREATE FUNCTION messaging.webhook_organization() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization_id uuid := nullif(ops.claims() ->> 'org_id', '')::uuid;
begin
    if the_organization_id is null or not organizations.caller_is(the_organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'A token for an organization (`org_id`) is required whose admin or owner you are.'
            )::text;
    end if;
    return the_organization_id;
end;
$$;

COMMENT ON FUNCTION messaging.webhook_organization() IS 'The organization that the caller acts for, as one of its admins.';

CREATE FUNCTION messaging.webhook_secrets_to_seal(key_id text, after uuid DEFAULT NULL::uuid, most integer DEFAULT 100, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(id uuid, endpoint_id uuid, secret text, sealed text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    delete from messaging.webhook_secrets as s
    where s.id in (
        select o.id
        from messaging.webhook_secrets as o
        where o.expires_at <= webhook_secrets_to_seal.at
        order by o.id
        limit webhook_secrets_to_seal.most
        for update skip locked
    );

return query
    select s.id, s.endpoint_id, s.secret, s.sealed
    from messaging.webhook_secrets as s
    where
        s.key_id is distinct from webhook_secrets_to_seal.key_id
        and (webhook_secrets_to_seal.after is null or s.id > webhook_secrets_to_seal.after)
    order by s.id
    limit webhook_secrets_to_seal.most
    for update skip locked;
end;
$$;

COMMENT ON FUNCTION messaging.webhook_secrets_to_seal(key_id text, after uuid, most integer, at timestamp with time zone) IS 'Lock secrets that are plain or sealed by another key than the current one.';

CREATE FUNCTION ops.act_as(claims jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    claimed text := coalesce(
        act_as.claims ->> 'role',
        case when act_as.claims ->> 'sub' is null then 'anon' else 'authenticated' end
    );
begin
    if
        claimed not in ('anon', 'authenticated', 'service_role')
        or (claimed = 'authenticated' and coalesce(act_as.claims ->> 'sub', '') = '')
    then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

perform set_config(
        'request.jwt.claims',
        (
            case claimed
                when 'service_role' then act_as.claims - 'sub'
                else coalesce(act_as.claims, '{}'::jsonb)
            end
        )::text,
        true
    );
    perform set_config('role', claimed, true);
end;
$$;

COMMENT ON FUNCTION ops.act_as(claims jsonb) IS 'Set the caller''s claims and role for the rest of this transaction.';

CREATE FUNCTION ops.after_migration() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    outcome jsonb;
    gone text;
begin
    insert into ref.timezones (name)
    select z.name
    from pg_catalog.pg_timezone_names as z
    where z.name ~ '^[A-Z]' and z.name !~ '^(posix|right)/'
    on conflict do nothing;

for gone in
        select t.name
        from ref.timezones as t
        where not exists (select from pg_catalog.pg_timezone_names as z where z.name = t.name)
    loop
        begin
            delete from ref.timezones as t
            where t.name = gone;
        exception
            when foreign_key_violation then
                null;  -- in use
        end;
    end loop;

execute format('revoke temporary on database %I from public', current_database());
    if has_database_privilege('anon', current_database(), 'temporary') then
        raise warning 'The callers of the API may make temporary objects. As the owner of the database, run: %',
            format('revoke temporary on database %I from public', current_database());
    end if;

outcome := ops.maintain_partitions();
    if outcome -> 'failed' <> '[]' then
        raise exception 'partitions could not be made: %', outcome -> 'failed';
    end if;
end;
$$;

COMMENT ON FUNCTION ops.after_migration() IS 'Make partitions, refresh time zones, revoke the right to temporary objects.';

CREATE FUNCTION ops.age_figure(name text, since timestamp with time zone, warning double precision, critical double precision, at timestamp with time zone) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        age_figure.name,
        a.seconds::double precision,
        'seconds',
        ops.judge(a.seconds, age_figure.warning, age_figure.critical),
        jsonb_build_object('since', case when a.seconds > 0 then age_figure.since end)
    from (select greatest(0, coalesce(extract(epoch from age_figure.at - age_figure.since), 0)) as seconds) as a;
$$;

COMMENT ON FUNCTION ops.age_figure(name text, since timestamp with time zone, warning double precision, critical double precision, at timestamp with time zone) IS 'The age of something as a figure.';

CREATE TABLE ops.retention (
    table_name text NOT NULL,
    column_name text NOT NULL,
    rule text DEFAULT ''::text NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    period interval,
    is_old text,
    at_end text,
    on_erasure text NOT NULL,
    found_by text,
    replacement text,
    reason text,
    CONSTRAINT change_names_its_rows CHECK (((on_erasure <> ALL (ARRAY['null'::text, 'replace'::text])) OR (found_by IS NOT NULL))),
    CONSTRAINT deleted_rows_are_named CHECK (((kind <> 'row'::text) OR (on_erasure <> 'delete'::text) OR (found_by IS NOT NULL))),
    CONSTRAINT end_is_known CHECK ((at_end = ANY (ARRAY['delete'::text, 'null'::text, 'replace'::text]))),
    CONSTRAINT erasure_is_known CHECK ((on_erasure = ANY (ARRAY['delete'::text, 'null'::text, 'replace'::text, 'keep'::text]))),
    CONSTRAINT keeping_personal_data_has_a_reason CHECK (((on_erasure <> 'keep'::text) OR (kind = ANY (ARRAY['row'::text, 'code'::text, 'content'::text, 'system'::text])) OR (reason IS NOT NULL))),
    CONSTRAINT kind_is_known CHECK ((kind = ANY (ARRAY['row'::text, 'person'::text, 'name'::text, 'address'::text, 'text'::text, 'document'::text, 'secret'::text, 'code'::text, 'content'::text, 'system'::text]))),
    CONSTRAINT only_rows_are_deleted_at_the_end CHECK ((((at_end = 'delete'::text) AND (kind = 'row'::text)) OR (at_end <> 'delete'::text))),
    CONSTRAINT period_has_a_rule CHECK (((period IS NULL) OR (rule <> ''::text))),
    CONSTRAINT period_is_not_negative CHECK ((period >= '00:00:00'::interval)),
    CONSTRAINT period_says_what_ends_how CHECK ((((period IS NULL) = (is_old IS NULL)) AND ((period IS NULL) = (at_end IS NULL)))),
    CONSTRAINT replacement_is_given CHECK (((replacement IS NOT NULL) OR ((on_erasure <> 'replace'::text) AND (at_end IS DISTINCT FROM 'replace'::text))))
);

COMMENT ON TABLE ops.retention IS 'What each column holds, how long it is kept, and what erasing a person does. See docs/privacy.md.';

COMMENT ON COLUMN ops.retention.table_name IS 'With its schema; of a partitioned table the parent.';

COMMENT ON COLUMN ops.retention.column_name IS 'A column, or * for the whole row.';

COMMENT ON COLUMN ops.retention.rule IS 'Names the period: the key in the answer of ops.clean_up. Empty for what has no period of its own.';

COMMENT ON COLUMN ops.retention.place IS 'Erasure follows this order.';

COMMENT ON COLUMN ops.retention.kind IS 'person: a person''s id. code: ids of things, listed words. content: an organization''s. system: written by us.';

COMMENT ON COLUMN ops.retention.is_old IS 'A condition on the row r; $1 is the moment at which the period began.';

COMMENT ON COLUMN ops.retention.found_by IS 'A condition on the row r: $1 is the person''s id, $2 the e-mail address, $3 the names of their instructor pages.';

COMMENT ON COLUMN ops.retention.replacement IS 'An expression over the row r.';

CREATE FUNCTION ops.apply_retention(rule ops.retention, at timestamp with time zone, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    the_value text := case when (rule).at_end = 'replace' then (rule).replacement else 'null' end;
    ended integer;
begin
    execute
        format(
            'with old as materialized ('
            '    select r.tableoid, r.ctid from %s as r where (%s)%s limit $2 for update skip locked'
            ') ',
            (rule).table_name, (rule).is_old,
            case
                when (rule).at_end = 'delete' then ''
                when (rule).at_end = 'null' then format(' and r.%I is not null', (rule).column_name)
                else format(' and r.%I is distinct from (%s)', (rule).column_name, the_value)
            end
        )
        || case
            when (rule).at_end = 'delete'
            then format(
                'delete from %s as r using old as o where r.tableoid = o.tableoid and r.ctid = o.ctid',
                (rule).table_name
            )
            else format(
                'update %s as r set %I = %s from old as o where r.tableoid = o.tableoid and r.ctid = o.ctid',
                (rule).table_name, (rule).column_name, the_value
            )
        end
    using apply_retention.at - (rule).period, apply_retention.most;
    get diagnostics ended = row_count;
    return ended;
end;
$_$;

COMMENT ON FUNCTION ops.apply_retention(rule ops.retention, at timestamp with time zone, most integer) IS 'End what one rule of ops.retention says has been kept long enough; returns the number of rows.';

CREATE FUNCTION ops.begin_job(job text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into ops.job_runs (job) values (begin_job.job) returning id;
$$;

COMMENT ON FUNCTION ops.begin_job(job text) IS 'Write down that a job starts; answers the number of the run.';

CREATE FUNCTION ops.caller_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'sub'::text), ''::text))::uuid;

COMMENT ON FUNCTION ops.caller_id() IS 'Who calls: the id of a profile, or null for anonymous callers and services.';

CREATE FUNCTION ops.caller_is_service() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN ((current_setting('role'::text) = ANY (ARRAY['service_role'::text, 'none'::text])) AND COALESCE((((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'role'::text) = 'service_role'::text), false));

COMMENT ON FUNCTION ops.caller_is_service() IS 'Whether the role and the claims are those of a schedule, a queue or another service.';

CREATE FUNCTION ops.check_health(database_ms double precision DEFAULT NULL::double precision, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    before jsonb;
    figures jsonb;
    last_id bigint;
    newest_id bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.check_health', 0));

before := (select coalesce(jsonb_object_agg(c.name, c.details), '{}') from ops.health_checks as c);
    figures := (
        select jsonb_agg(to_jsonb(m))
        from ops.measure(before, check_health.database_ms, check_health.at) as m
    );

insert into ops.health_checks as c (name, status, value, unit, details, checked_at, changed_at)
    select f.name, f.status, f.value, f.unit, f.details, check_health.at, check_health.at
    from jsonb_to_recordset(figures) as f (name text, value double precision, unit text, status text, details jsonb)
    order by f.name
    on conflict on constraint health_checks_pkey do update
    set
        status = excluded.status,
        value = excluded.value,
        unit = excluded.unit,
        details = excluded.details,
        checked_at = excluded.checked_at,
        changed_at = case when c.status = excluded.status then c.changed_at else excluded.changed_at end;

insert into ops.performance_metrics (recorded_at, name, value, unit)
    select check_health.at, f.name, f.value, f.unit
    from jsonb_to_recordset(figures) as f (name text, value double precision, unit text)
    where f.value is not null;

last_id := (before -> 'happenings' ->> 'last_id')::bigint;
    newest_id := (select max(o.id) from public.outbox as o);

insert into ops.performance_metrics (recorded_at, name, value, unit, tags)
    select check_health.at, 'happenings', count(*), 'messages', jsonb_build_object('topic', o.topic)
    from public.outbox as o
    where o.id > greatest(last_id, newest_id - 100000) and o.id <= newest_id
    group by o.topic;

insert into ops.health_checks as c (name, status, details, checked_at, changed_at)
    values (
        'happenings', 'healthy', jsonb_build_object('last_id', coalesce(newest_id, last_id, 0)),
        check_health.at, check_health.at
    )
    on conflict on constraint health_checks_pkey do update
    set details = excluded.details, checked_at = excluded.checked_at;

return jsonb_build_object(
        'status', (
            select coalesce((array['healthy', 'warning', 'critical'])[max(
                array_position(array['healthy', 'warning', 'critical'], f.status)
            )], 'healthy')
            from jsonb_to_recordset(figures) as f (status text)
        ),
        'checks', (
            select jsonb_object_agg(f.name, f.status)
            from jsonb_to_recordset(figures) as f (name text, status text)
        )
    );
end;
$$;

COMMENT ON FUNCTION ops.check_health(database_ms double precision, at timestamp with time zone) IS 'Take the system''s figures, judge and record them; answers the worst judgement and each.';

CREATE FUNCTION ops.claim_outbox(most integer DEFAULT 500, lease_seconds integer DEFAULT 60, after bigint DEFAULT 0, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(id bigint, topic text, key text, payload jsonb, correlation_id text, created_at timestamp with time zone, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    scan_most integer := claim_outbox.most * 2;
    scanned integer;
    chosen bigint[];
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.claim_outbox', 0));

-- Wider and wider, for the case that many in front are not to be had.
    loop
        with unfinished as materialized (
            select
                o.id,
                o.key,
                o.available_at <= claim_outbox.at and (o.lease_until <= claim_outbox.at) is not false as ready
            from public.outbox as o
            where o.relayed_at is null and o.parked_at is null and o.id > claim_outbox.after
            order by o.id
            limit scan_most
        ),

        in_order as materialized (
            select u.id, u.key, bool_and(u.ready) over (partition by u.key order by u.id) as ready
            from unfinished as u
        ),

        held_back as (
            select e.key
            from (select distinct i.key from in_order as i where i.ready) as k
            cross join lateral (
                select o.key
                from public.outbox as o
                where o.key = k.key and o.id <= claim_outbox.after and o.relayed_at is null and o.parked_at is null
                limit 1
            ) as e
        )

        select
            (select count(*) from unfinished),
            array(
                select i.id
                from in_order as i
                where i.ready and i.key not in (select h.key from held_back as h)
                order by i.id
                limit claim_outbox.most
            )
        into scanned, chosen;

exit when cardinality(chosen) >= claim_outbox.most or scanned < scan_most;
        scan_most := scan_most * 4;
    end loop;

return query
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(chosen) and o.relayed_at is null and o.parked_at is null
        order by o.id
        for update skip locked
    ),

    whole as (
        select o.id, bool_and(l.id is not null) over (partition by o.key order by o.id) as is_whole
        from public.outbox as o
        left join locked as l on l.id = o.id
        where o.id = any(chosen)
    ),

    claimed as (
        update public.outbox as o
        set lease_until = claim_outbox.at + make_interval(secs => claim_outbox.lease_seconds)
        from whole as w
        where w.id = o.id and w.is_whole
        returning o.*
    )

    select c.id, c.topic::text, c.key::text, c.payload, c.correlation_id, c.created_at, c.attempts
    from claimed as c
    order by c.id;
end;
$$;

COMMENT ON FUNCTION ops.claim_outbox(most integer, lease_seconds integer, after bigint, at timestamp with time zone) IS 'Take the next messages to relay under a lease, in order, and in order per key.';

CREATE FUNCTION ops.claims() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (current_setting('role'::text) = ANY (ARRAY['authenticated'::text, 'service_role'::text, 'none'::text])) THEN (NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ELSE NULL::jsonb END;

COMMENT ON FUNCTION ops.claims() IS 'The verified claims of the caller of this transaction; null for anonymous callers and where none were set.';

CREATE FUNCTION ops.clean_up(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 5000) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_rule ops.retention;
    ended jsonb := '{}';
begin
    for the_rule in
        select r.*
        from ops.retention as r
        where r.period is not null
        order by r.place
    loop
        ended := ended || jsonb_build_object(
            the_rule.rule, ops.apply_retention(the_rule, clean_up.at, clean_up.most)
        );
    end loop;

return ended || jsonb_build_object(
        'more', exists (select from jsonb_each_text(ended) as e where e.value::integer >= clean_up.most)
    );
end;
$$;

COMMENT ON FUNCTION ops.clean_up(at timestamp with time zone, most integer) IS 'End what has been kept long enough; returns the number of rows for each rule, and whether there is more.';

CREATE FUNCTION ops.complete_events(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    completed integer;
begin
    with due as materialized (
        select e.id, e.starts_at
        from events.events as e
        where e.status = 'scheduled' and e.ends_at <= complete_events.at
        order by e.ends_at, e.id
        limit complete_events.most
        for no key update skip locked
    )

    update events.events as e
    set status = 'completed', status_reason = 'It is over.', updated_at = complete_events.at
    from due as d
    where e.id = d.id and e.starts_at = d.starts_at;

get diagnostics completed = row_count;
    return jsonb_build_object('completed', completed, 'more', completed = complete_events.most);
end;
$$;

COMMENT ON FUNCTION ops.complete_events(at timestamp with time zone, most integer) IS 'Complete scheduled events that are over; answers how many, and whether there may be more.';

CREATE FUNCTION ops.count_drift(event_ids uuid[]) RETURNS TABLE(event_id uuid, counted jsonb, found jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        d.event_id,
        jsonb_build_object('taken', d.taken, 'held', d.held, 'waitlisted', d.waitlisted),
        jsonb_build_object('taken', d.seats_taken, 'held', d.seats_held, 'waitlisted', d.entries_waiting)
    from (
        select
            i.event_id,
            i.taken,
            i.held,
            i.waitlisted,
            (
                select coalesce(sum(b.seats), 0)
                from events.bookings as b
                where b.event_id = i.event_id and b.status in ('confirmed', 'attended', 'no_show')
            ) as seats_taken,
            (
                select coalesce(sum(h.seats), 0)
                from events.holds as h
                where h.event_id = i.event_id and h.status = 'active'
            ) as seats_held,
            (
                select count(*)
                from events.waitlist_entries as w
                where w.event_id = i.event_id and w.status = 'waiting'
            ) as entries_waiting
        from events.inventory as i
        where i.event_id = any(count_drift.event_ids)
    ) as d
    where (d.taken, d.held, d.waitlisted) is distinct from (d.seats_taken, d.seats_held, d.entries_waiting);
$$;

COMMENT ON FUNCTION ops.count_drift(event_ids uuid[]) IS 'Events among these whose counters differ from their rows.';

CREATE FUNCTION ops.create_partition(parent regclass, month date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $_$
declare
    aside constant interval := interval '8766000 hours';
    starts_at timestamptz := date_trunc('month', create_partition.month::timestamptz);
    ends_at timestamptz := starts_at + interval '1 month';
    parent_schema name;
    parent_name name;
    time_column name;
    partition_name text;
    moved integer;
    returned integer;
begin
    select n.nspname, c.relname, a.attname
    into parent_schema, parent_name, time_column
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    inner join pg_catalog.pg_partitioned_table as p on p.partrelid = c.oid
    inner join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = p.partattrs[0]
    where c.oid = create_partition.parent;

partition_name := format('%I.%I', parent_schema, parent_name || to_char(starts_at, '_YYYY_MM'));
    if to_regclass(partition_name) is not null then
        return null;
    end if;

execute format('create table %s (like %s including all)', partition_name, create_partition.parent);
    execute format('alter table %s enable row level security', partition_name);
    execute format('revoke all on %s from public, app_read, app_write, service_role', partition_name);

execute format(
        'update %1$s as r set %2$I = r.%2$I - $1 where r.%2$I >= $2 and r.%2$I < $3',
        create_partition.parent, time_column
    ) using aside, starts_at, ends_at;
    get diagnostics moved = row_count;

execute format(
        'alter table %s attach partition %s for values from (%L) to (%L)',
        create_partition.parent, partition_name, starts_at, ends_at
    );

if moved > 0 then
        execute format(
            'update %1$s as r set %2$I = r.%2$I + $1 where r.%2$I >= $2 - $1 and r.%2$I < $3 - $1',
            create_partition.parent, time_column
        ) using aside, starts_at, ends_at;
        get diagnostics returned = row_count;

if returned <> moved then
            raise exception 'of % rows that stepped aside, % came back', moved, returned;
        end if;
    end if;
    return moved;
end;
$_$;

COMMENT ON FUNCTION ops.create_partition(parent regclass, month date) IS 'Make a month''s partition; answers how many rows came out of the default one, or null when it was there.';

CREATE FUNCTION ops.drop_partitions(parent regclass, ended_by timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    old record;
    dropped text[] := '{}';
    kept text[] := '{}';
begin
    for old in
        select b.partition
        from ops.partition_bounds(drop_partitions.parent) as b
        where b.ends_at <= drop_partitions.ended_by
    loop
        begin
            execute format('alter table %s detach partition %s', drop_partitions.parent, old.partition);
            dropped := dropped || old.partition::text;
            execute format('drop table %s', old.partition);
        exception
            when foreign_key_violation then
                kept := kept || old.partition::text;
        end;
    end loop;
    return jsonb_build_object('dropped', dropped, 'kept', kept);
end;
$$;

COMMENT ON FUNCTION ops.drop_partitions(parent regclass, ended_by timestamp with time zone) IS 'Detach and drop the partitions that ended by a time; those still referenced stay.';

CREATE FUNCTION ops.enforce_transition() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not exists (
        select
        from ops.transitions as t
        where t.machine = tg_argv[0] and t.from_state = old.status::text and t.to_state = new.status::text
    ) then
        raise exception using errcode = 'PT409', message = 'invalid_transition',
            detail = jsonb_build_object(
                'machine', tg_argv[0],
                'from', old.status,
                'to', new.status,
                'allowed', (
                    select coalesce(jsonb_agg(t.to_state order by t.to_state), '[]')
                    from ops.transitions as t
                    where t.machine = tg_argv[0] and t.from_state = old.status::text
                )
            )::text;
    end if;

insert into ops.state_history (machine, subject_id, from_state, to_state, actor_id, actor_role, reason)
    values (
        tg_argv[0], new.id, old.status, new.status, ops.caller_id(),
        case
            when ops.caller_is_service() then 'service_role'
            when ops.caller_id() is null then 'owner'
            else 'authenticated'
        end,
        to_jsonb(new) ->> 'status_reason'
    );

return new;
end;
$$;

COMMENT ON FUNCTION ops.enforce_transition() IS 'Refuse unknown changes of state; record the others with actor and reason.';

CREATE FUNCTION ops.erase_person(user_id uuid, email text, instructor_names text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_statement record;
    changed integer;
    totals jsonb := '{}';
begin
    for the_statement in
        select
            r.table_name,
            case
                when bool_or(r.kind = 'row') then format('delete from %s as r where %s', r.table_name, r.found_by)
                else format(
                    'update %s as r set %s where (%s) and (%s)',
                    r.table_name,
                    string_agg(format('%I = %s', r.column_name, coalesce(r.replacement, 'null')), ', ' order by r.place),
                    r.found_by,
                    string_agg(
                        format('r.%I is distinct from (%s)', r.column_name, coalesce(r.replacement, 'null')), ' or '
                        order by r.place
                    )
                )
            end as command
        from ops.retention as r
        where r.on_erasure <> 'keep' and r.found_by is not null
        group by r.table_name, r.found_by, r.kind = 'row'
        order by min(r.place)
    loop
        execute the_statement.command
        using erase_person.user_id, erase_person.email, erase_person.instructor_names;
        get diagnostics changed = row_count;
        totals := totals || jsonb_build_object(
            the_statement.table_name, coalesce((totals ->> the_statement.table_name)::integer, 0) + changed
        );
    end loop;
    return totals;
end;
$$;

COMMENT ON FUNCTION ops.erase_person(user_id uuid, email text, instructor_names text[]) IS 'End everything about a person that ops.retention says ends with them; returns the number of rows for each table.';

CREATE FUNCTION ops.evaluate_alerts(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_rule ops.alert_rules;
    the_alert ops.alerts;
    the_value double precision;
    is_crossed boolean;
    fired text[] := '{}';
    resolved text[] := '{}';
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.evaluate_alerts', 0));

for the_rule in
        select r.* from ops.alert_rules as r order by r.name
    loop
        the_value := ops.metric_aggregate(
            the_rule.metric, the_rule.aggregate, the_rule.window_seconds, evaluate_alerts.at
        );
        is_crossed := the_rule.enabled and coalesce(
            case the_rule.comparison
                when '>' then the_value > the_rule.threshold
                else the_value < the_rule.threshold
            end,
            false
        );

select a.* into the_alert
        from ops.alerts as a
        where a.rule = the_rule.name and a.resolved_at is null;

if the_alert.id is null and is_crossed and not exists (
            select
            from ops.alerts as a
            where
                a.rule = the_rule.name
                and a.resolved_at > evaluate_alerts.at - make_interval(secs => the_rule.cool_down_seconds)
        ) then
            insert into ops.alerts (rule, severity, value, pending_since)
            values (the_rule.name, the_rule.severity, the_value, evaluate_alerts.at)
            returning * into the_alert;
        end if;

if the_alert.id is null then
            continue;
        end if;

if
            is_crossed
            and the_alert.fired_at is null
            and evaluate_alerts.at >= the_alert.pending_since + make_interval(secs => the_rule.for_seconds)
        then
            update ops.alerts as a
            set fired_at = evaluate_alerts.at, value = the_value
            where a.id = the_alert.id;
            perform ops.tell_of_alert('alert.fired', the_alert.id);
            fired := fired || the_rule.name;
        elsif not is_crossed and the_alert.fired_at is null then
            delete from ops.alerts as a
            where a.id = the_alert.id;
        elsif not is_crossed then
            update ops.alerts as a
            set resolved_at = evaluate_alerts.at
            where a.id = the_alert.id;
            perform ops.tell_of_alert('alert.resolved', the_alert.id);
            resolved := resolved || the_rule.name;
        end if;
    end loop;

return jsonb_build_object(
        'fired', fired,
        'resolved', resolved,
        'open', (select count(*) from ops.alerts as a where a.fired_at is not null and a.resolved_at is null)
    );
end;
$$;

COMMENT ON FUNCTION ops.evaluate_alerts(at timestamp with time zone) IS 'Raise and resolve alerts by their rules; answers which.';

CREATE FUNCTION ops.fail_outbox(ids bigint[], error text, permanent boolean DEFAULT false, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    parked integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(fail_outbox.ids) and o.relayed_at is null and o.parked_at is null
        order by o.id
        for update
    ),

    failed as (
        update public.outbox as o
        set
            attempts = o.attempts + 1,
            last_error = left(fail_outbox.error, 2000),
            lease_until = null,
            available_at = fail_outbox.at + make_interval(secs => 10 * 3 ^ least(o.attempts, 4)),
            parked_at = case when fail_outbox.permanent or o.attempts >= 4 then fail_outbox.at end
        from locked as l
        where l.id = o.id
        returning o.parked_at
    )

    select count(f.parked_at) into parked
    from failed as f;
    return parked;
end;
$$;

COMMENT ON FUNCTION ops.fail_outbox(ids bigint[], error text, permanent boolean, at timestamp with time zone) IS 'Put messages back for a later attempt, or park them; answers how many were parked.';

CREATE FUNCTION ops.finish_job(run_id bigint, result jsonb DEFAULT NULL::jsonb, error text DEFAULT NULL::text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    update ops.job_runs as r
    set
        finished_at = clock_timestamp(),
        succeeded = finish_job.error is null,
        result = finish_job.result,
        error = left(finish_job.error, 2000)
    where r.id = finish_job.run_id and r.finished_at is null;
$$;

COMMENT ON FUNCTION ops.finish_job(run_id bigint, result jsonb, error text) IS 'Write down how a job''s run ended; without an error, well.';

CREATE FUNCTION ops.finish_outbox(ids bigint[], at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    finished integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(finish_outbox.ids) and o.relayed_at is null
        order by o.id
        for update
    )

    update public.outbox as o
    set relayed_at = finish_outbox.at, parked_at = null, lease_until = null
    from locked as l
    where l.id = o.id;

get diagnostics finished = row_count;
    return finished;
end;
$$;

COMMENT ON FUNCTION ops.finish_outbox(ids bigint[], at timestamp with time zone) IS 'Mark messages as relayed; answers how many were not before.';

CREATE FUNCTION ops.first_answer(caller_id uuid, operation text, key text, request_hash bytea) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    first_request ops.idempotency_keys;
begin
    select k.* into first_request
    from ops.idempotency_keys as k
    where
        k.caller_id = first_answer.caller_id
        and k.operation = first_answer.operation
        and k.key = first_answer.key;

if found and first_request.request_hash <> first_answer.request_hash then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object(
                'detail', 'This Idempotency-Key was sent with another request. Send a new key for a new request.'
            )::text;
    end if;
    return first_request.response;
end;
$$;

COMMENT ON FUNCTION ops.first_answer(caller_id uuid, operation text, key text, request_hash bytea) IS 'The first answer to this caller''s key, or null.';

CREATE FUNCTION ops.get_booking_performance_summary(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'operations', (
            select coalesce(jsonb_object_agg(d.operation, to_jsonb(d) - 'operation'), '{}')
            from (
                select
                    coalesce(m.tags ->> 'operation', 'unknown') as operation,
                    count(*) as count,
                    round(avg(m.value)::numeric, 1) as average_ms,
                    round((percentile_cont(0.95) within group (order by m.value))::numeric, 1) as p95_ms,
                    round(max(m.value)::numeric, 1) as maximum_ms
                from ops.performance_metrics as m
                where
                    m.name = 'booking_operation_duration'
                    and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                    and m.recorded_at <= get_booking_performance_summary.at
                group by 1
            ) as d
        ),
        'happenings', (
            select coalesce(jsonb_object_agg(h.topic, h.happened), '{}')
            from (
                select m.tags ->> 'topic' as topic, sum(m.value) as happened
                from ops.performance_metrics as m
                where
                    m.name = 'happenings'
                    and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                    and m.recorded_at <= get_booking_performance_summary.at
                group by 1
            ) as h
        ),
        'requests', (
            select coalesce(sum((m.tags ->> 'of')::double precision), 0)
            from ops.performance_metrics as m
            where
                m.name = 'request_errors'
                and m.recorded_at > get_booking_performance_summary.at - interval '24 hours'
                and m.recorded_at <= get_booking_performance_summary.at
        ),
        'error_rate_percent', ops.metric_aggregate('request_errors', 'rate', 86400, get_booking_performance_summary.at)
    );
$$;

COMMENT ON FUNCTION ops.get_booking_performance_summary(at timestamp with time zone) IS 'Booking durations and what happened, of the last 24 hours.';

CREATE FUNCTION ops.get_system_health_summary(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'status', case
            when
                c.checked_at is null
                or c.checked_at < get_system_health_summary.at - interval '5 minutes'
            then 'critical'
            else (array['healthy', 'warning', 'critical'])[c.worst]
        end,
        'checked_at', c.checked_at,
        'books', payments.books_state(get_system_health_summary.at),
        'checks', coalesce(c.checks, '{}'),
        'alerts', (
            select coalesce(jsonb_agg(to_jsonb(a) order by a.fired_at), '[]')
            from ops.active_alerts as a
        ),
        'jobs', (
            select jsonb_agg(to_jsonb(j) order by j.job)
            from ops.job_states(get_system_health_summary.at) as j
        ),
        'figures', ops.get_booking_performance_summary(get_system_health_summary.at)
    )
    from (
        select
            max(h.checked_at) as checked_at,
            max(array_position(array['healthy', 'warning', 'critical'], h.status)) as worst,
            jsonb_object_agg(
                h.name,
                jsonb_build_object(
                    'status', h.status, 'value', h.value, 'unit', h.unit, 'since', h.changed_at, 'details', h.details
                )
            ) filter (where h.value is not null) as checks
        from ops.health_checks as h
    ) as c;
$$;

COMMENT ON FUNCTION ops.get_system_health_summary(at timestamp with time zone) IS 'The state of every check, alert and job, and booking figures.';

CREATE FUNCTION ops.job_states(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(job text, last_started_at timestamp with time zone, last_succeeded_at timestamp with time zone, last_error text, late boolean, failing boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        j.name,
        started.started_at,
        succeeded.finished_at,
        case when not ended.succeeded then ended.error end,
        job_states.at - coalesce(succeeded.finished_at, j.expected_since) > make_interval(secs => j.late_after_seconds),
        coalesce(not ended.succeeded, false)
    from ops.jobs as j
    left join lateral (
        select r.started_at from ops.job_runs as r where r.job = j.name order by r.id desc limit 1
    ) as started on true
    left join lateral (
        select r.finished_at from ops.job_runs as r where r.job = j.name and r.succeeded order by r.id desc limit 1
    ) as succeeded on true
    left join lateral (
        select r.succeeded, r.error
        from ops.job_runs as r
        where r.job = j.name and r.finished_at is not null
        order by r.id desc
        limit 1
    ) as ended on true
    order by j.name;
$$;

COMMENT ON FUNCTION ops.job_states(at timestamp with time zone) IS 'How each expected job does: last run, last success, late, failing.';

CREATE FUNCTION ops.judge(value double precision, warning double precision, critical double precision) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (value >= critical) THEN 'critical'::text WHEN (value >= warning) THEN 'warning'::text ELSE 'healthy'::text END;

COMMENT ON FUNCTION ops.judge(value double precision, warning double precision, critical double precision) IS 'What a figure means, by the limits of warning and critical.';

CREATE FUNCTION ops.limit_of(name text) RETURNS integer
    LANGUAGE plpgsql STABLE
    AS $$
begin
    return (select l.value from ops.limits as l where l.name = limit_of.name);
end;
$$;

COMMENT ON FUNCTION ops.limit_of(name text) IS 'Return a limit''s value; null: there is no limit.';

CREATE FUNCTION ops.list_accesses(person text DEFAULT NULL::text, before_at timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id uuid DEFAULT NULL::uuid, most integer DEFAULT 100) RETURNS TABLE(id uuid, accessed_at timestamp with time zone, organization_id uuid, operation text, caller_id uuid, caller_name text, caller_role text, event_id uuid, people text[], row_count bigint, request_id text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization_id uuid := (ops.claims() ->> 'org_id')::uuid;
    found_rows bigint;
begin
    if
        not ops.caller_is_service()
        and (
            the_organization_id is null
            or organizations.caller_is(the_organization_id, 'admin', 'owner') is not true
        )
    then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'A token for an organization (`org_id`) is required whose admin or owner you are.'
            )::text;
    end if;

return query
    select
        a.id, a.accessed_at, a.organization_id, a.operation, a.caller_id, p.name, a.caller_role, a.event_id, a.people,
        a.row_count, a.request_id
    from ops.access_log as a
    left join users.profiles as p on p.id = a.caller_id
    where
        (the_organization_id is null or a.organization_id = the_organization_id)
        and (list_accesses.person is null or a.people @> array[list_accesses.person])
        and (
            list_accesses.before_at is null
            or (a.accessed_at, a.id) < (list_accesses.before_at, list_accesses.before_id)
        )
    order by a.accessed_at desc, a.id desc
    limit least(list_accesses.most, 200);
    get diagnostics found_rows = row_count;

if found_rows > 0 then
        perform ops.record_access(
            operation => 'access_log',
            read => jsonb_build_array(jsonb_build_object(
                'organization_id', the_organization_id, 'person', list_accesses.person, 'rows', found_rows
            ))
        );
    end if;
end;
$$;

COMMENT ON FUNCTION ops.list_accesses(person text, before_at timestamp with time zone, before_id uuid, most integer) IS 'List who read personal data of an organization''s people, the newest first.';

CREATE FUNCTION ops.maintain_partitions(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
    this_month date := date_trunc('month', maintain_partitions.at);
    the_policy ops.partition_policies;
    moved_here integer;
    dropped_here jsonb;
    created integer := 0;
    moved integer := 0;
    dropped jsonb := '[]';
    kept jsonb := '[]';
    failed jsonb := '[]';
begin
    perform pg_advisory_xact_lock(hashtextextended('ops.maintain_partitions', 0));

for the_policy in
        select p.* from ops.partition_policies as p order by p.table_name
    loop
        begin
            for months in -the_policy.months_behind..the_policy.months_ahead loop
                moved_here := ops.create_partition(
                    the_policy.table_name::regclass, (this_month + make_interval(months => months))::date
                );
                created := created + (moved_here is not null)::integer;
                moved := moved + coalesce(moved_here, 0);
            end loop;

if the_policy.retention_months is not null then
                dropped_here := ops.drop_partitions(
                    the_policy.table_name::regclass,
                    this_month - make_interval(months => the_policy.retention_months)
                );
                dropped := dropped || (dropped_here -> 'dropped');
                kept := kept || (dropped_here -> 'kept');
            end if;
        exception
            when others then
                failed := failed || jsonb_build_object('table', the_policy.table_name, 'error', sqlerrm);
        end;
    end loop;

return jsonb_build_object(
        'created', created,
        'moved', moved,
        'dropped', dropped,
        'kept', kept,
        'in_default', (select coalesce(sum(s.in_default), 0) from ops.partition_states(maintain_partitions.at) as s),
        'failed', failed
    );
end;
$$;

COMMENT ON FUNCTION ops.maintain_partitions(at timestamp with time zone) IS 'Make the months ahead of every partitioned table, empty its default partition, drop what is past retention.';

CREATE FUNCTION ops.measure(before jsonb DEFAULT '{}'::jsonb, database_ms double precision DEFAULT NULL::double precision, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    drifted uuid[];
    unoffered uuid[];
    unoffered_since timestamptz;
    oldest timestamptz;
    amount bigint;
    states jsonb;
begin
    if measure.database_ms is not null then
        return query
        select
            'database_response_ms', measure.database_ms, 'milliseconds',
            ops.judge(measure.database_ms, 100, 500), '{}'::jsonb;
    end if;

drifted := array(
        select d.event_id
        from ops.count_drift(array(
            select i.event_id
            from events.inventory as i
            where
                i.taken <= 20000
                and i.event_id in (
                    select case when o.key ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then o.key::uuid end
                    from (select r.key from public.outbox as r order by r.id desc limit 2000) as o
                )
        )) as d
    );
    return query
    select
        'booking_counters_drifted', cardinality(drifted)::double precision, 'events',
        ops.judge(cardinality(drifted), 1, 1), jsonb_build_object('events', drifted[1:10]);

unoffered := array(
        select i.event_id
        from events.inventory as i
        inner join events.terms as t on t.event_id = i.event_id
        cross join lateral (
            select w.seats
            from events.waitlist_entries as w
            where w.event_id = i.event_id and w.status = 'waiting'
            order by w.place
            limit 1
        ) as head
        where
            i.waitlisted > 0
            and (i.capacity is null or i.capacity - i.taken - i.held >= head.seats)
            and t.status = 'scheduled'
            and least(t.last_offer_at, t.closes_at) > measure.at
        limit 100
    );
    unoffered_since := case
        when cardinality(unoffered) > 0
        then coalesce((measure.before -> 'waitlist_offer_delay_seconds' ->> 'since')::timestamptz, measure.at)
    end;
    amount := coalesce(extract(epoch from measure.at - unoffered_since), 0);
    return query
    select
        'waitlist_offer_delay_seconds', amount::double precision, 'seconds', ops.judge(amount, 60, 300),
        jsonb_build_object('since', unoffered_since, 'events', unoffered[1:10]);

select min(h.expires_at) into oldest
    from events.holds as h
    where h.status = 'active';
    return query select * from ops.age_figure('expired_hold_age_seconds', oldest, 120, 300, measure.at);

select o.created_at into oldest
    from public.outbox as o
    where o.relayed_at is null and o.parked_at is null
    order by o.id
    limit 1;
    return query select * from ops.age_figure('outbox_lag_seconds', oldest, 60, 300, measure.at);

select count(*) into amount
    from (select from public.outbox as o where o.parked_at is not null limit 1000) as p;
    return query
    select 'outbox_parked', amount::double precision, 'messages', ops.judge(amount, 1, 100), '{}'::jsonb;

select min(d.created_at) into oldest
    from messaging.deliveries as d
    where d.status = 'sending';
    return query select * from ops.age_figure('delivery_age_seconds', oldest, 900, 3600, measure.at);

return query
    select
        'partition_months_ahead', min(p.months_ahead)::double precision, 'months',
        case
            when bool_or(p.months_ahead < 1) then 'critical'
            when bool_or(p.months_ahead < p.months_wanted - 1) then 'warning'
            else 'healthy'
        end,
        jsonb_object_agg(p.table_name, p.months_ahead)
    from ops.partition_states(measure.at) as p;

return query
    select
        'default_partition_rows', sum(p.in_default)::double precision, 'rows', ops.judge(sum(p.in_default), 1, 1000),
        coalesce(jsonb_object_agg(p.table_name, p.in_default) filter (where p.in_default > 0), '{}')
    from ops.partition_states(measure.at) as p;

return query select * from payments.ledger_figures(measure.at);
    return query select * from payments.inbox_figures(measure.at);
    return query select * from rating.queue_figures(measure.at);

states := (select jsonb_agg(s) from ops.job_states(measure.at) as s);
    return query
    select
        'jobs_late', count(*)::double precision, 'jobs', ops.judge(count(*), 1, 1),
        jsonb_build_object('jobs', coalesce(jsonb_agg(s.value ->> 'job'), '[]'))
    from jsonb_array_elements(states) as s (value)
    where (s.value ->> 'late')::boolean;

return query
    select
        'jobs_failing', count(*)::double precision, 'jobs', ops.judge(count(*), 1, null),
        coalesce(jsonb_object_agg(s.value ->> 'job', s.value ->> 'last_error'), '{}')
    from jsonb_array_elements(states) as s (value)
    where (s.value ->> 'failing')::boolean;

return query
    select
        'partition_maintenance_failed', count(*)::double precision, 'jobs', ops.judge(count(*), 1, null), '{}'::jsonb
    from jsonb_array_elements(states) as s (value)
    where s.value ->> 'job' = 'partitions' and (s.value ->> 'failing')::boolean;
end;
$_$;

COMMENT ON FUNCTION ops.measure(before jsonb, database_ms double precision, at timestamp with time zone) IS 'How the system does now, as figures with a judgement.';

CREATE FUNCTION ops.metric_aggregate(metric text, aggregate text, window_seconds integer, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        case metric_aggregate.aggregate
            when 'p95' then percentile_cont(0.95) within group (order by m.value)
            when 'average' then avg(m.value)
            when 'maximum' then max(m.value)
            when 'count' then count(*)
            when 'rate' then 100 * sum(m.value) / nullif(sum(coalesce((m.tags ->> 'of')::double precision, 1)), 0)
            when 'latest' then (array_agg(m.value order by m.recorded_at desc))[1]
        end
    from ops.performance_metrics as m
    where
        m.name = metric_aggregate.metric
        and m.recorded_at > metric_aggregate.at - make_interval(secs => metric_aggregate.window_seconds)
        and m.recorded_at <= metric_aggregate.at;
$$;

COMMENT ON FUNCTION ops.metric_aggregate(metric text, aggregate text, window_seconds integer, at timestamp with time zone) IS 'One number for a metric over a window of time.';

CREATE FUNCTION ops.partition_bounds(parent regclass) RETURNS TABLE(partition regclass, starts_at timestamp with time zone, ends_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
    select
        c.oid::regclass,
        substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''([^'']+)''\)')::timestamptz,
        substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz
    from pg_catalog.pg_inherits as i
    inner join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where i.inhparent = partition_bounds.parent
    order by 2 nulls last;
$$;

COMMENT ON FUNCTION ops.partition_bounds(parent regclass) IS 'A table''s partitions and their bounds in time.';

CREATE FUNCTION ops.partition_states(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(table_name text, months_ahead integer, months_wanted integer, in_default integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
    the_policy ops.partition_policies;
    parent regclass;
    default_partition regclass;
begin
    for the_policy in
        select p.* from ops.partition_policies as p order by p.table_name
    loop
        partition_states.table_name := the_policy.table_name;
        partition_states.months_wanted := the_policy.months_ahead;

partition_states.in_default := 0;
        parent := to_regclass(the_policy.table_name);

select min(m.number) - 1 into partition_states.months_ahead
        from generate_series(0, the_policy.months_ahead + 1) as m (number)
        where not exists (
            select
            from ops.partition_bounds(parent) as b
            where b.starts_at = date_trunc('month', partition_states.at) + make_interval(months => m.number)
        );

select nullif(p.partdefid, 0)::regclass into default_partition
        from pg_catalog.pg_partitioned_table as p
        where p.partrelid = parent;

if default_partition is not null then
            execute format('select count(*) from (select from %s limit 1000) as r', default_partition)
            into partition_states.in_default;
        end if;
        return next;
    end loop;
end;
$$;

COMMENT ON FUNCTION ops.partition_states(at timestamp with time zone) IS 'How far ahead each partitioned table has its months, and how many rows lie in its default partition.';

CREATE FUNCTION ops.record_access(operation text, read jsonb, event_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into ops.access_log (
        organization_id, caller_id, caller_role, operation, event_id, people, row_count, request_id
    )
    select
        r.organization_id,
        ops.caller_id(),
        coalesce(ops.claims() ->> 'role', 'authenticated'),
        record_access.operation,
        record_access.event_id,
        coalesce(array_agg(distinct r.person) filter (where r.person is not null), '{}'),
        sum(r.rows),
        left(ops.claims() ->> 'correlation_id', 200)
    from jsonb_to_recordset(record_access.read) as r (organization_id uuid, person text, rows bigint)
    where r.person is null or r.person is distinct from ops.caller_id()::text
    group by r.organization_id;
$$;

COMMENT ON FUNCTION ops.record_access(operation text, read jsonb, event_id uuid) IS 'Record that the caller reads personal data of others; their own is not recorded.';

CREATE FUNCTION ops.record_job(job text, seconds double precision, result jsonb, error text DEFAULT NULL::text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into ops.job_runs (job, started_at, finished_at, succeeded, result, error)
    values (
        record_job.job,
        clock_timestamp() - make_interval(secs => record_job.seconds),
        clock_timestamp(),
        record_job.error is null,
        record_job.result,
        left(record_job.error, 2000)
    )
    returning id;
$$;

COMMENT ON FUNCTION ops.record_job(job text, seconds double precision, result jsonb, error text) IS 'Write down a job''s run that took so long, and how it ended; answers the number of the run.';

CREATE FUNCTION ops.record_metrics(metrics jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    written integer;
begin
    insert into ops.performance_metrics (recorded_at, name, value, unit, tags)
    select coalesce(m.recorded_at, statement_timestamp()), m.name, m.value, m.unit, coalesce(m.tags, '{}')
    from jsonb_to_recordset(record_metrics.metrics) as m (
        recorded_at timestamptz, name text, value double precision, unit text, tags jsonb
    );

get diagnostics written = row_count;
    return written;
end;
$$;

COMMENT ON FUNCTION ops.record_metrics(metrics jsonb) IS 'Write a batch of measurements; answers how many.';

CREATE FUNCTION ops.record_samples(metrics jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if
        jsonb_typeof(record_samples.metrics) is distinct from 'array'
        or jsonb_array_length(record_samples.metrics) > 200
        or exists (
            select
            from jsonb_to_recordset(record_samples.metrics) as m (
                recorded_at timestamptz, name text, value double precision, unit text, tags jsonb
            )
            where
                (
                    (m.name, m.unit) in (
                        ('request_errors', 'requests'), ('booking_operation_duration', 'milliseconds')
                    )
                    and m.value between 0 and 900000
                    and coalesce(m.recorded_at, statement_timestamp())
                    between statement_timestamp() - interval '10 minutes' and statement_timestamp() + interval '1 minute'
                    and coalesce(length(m.tags::text), 0) <= 100
                ) is not true
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request';
    end if;

return ops.record_metrics(record_samples.metrics);
end;
$$;

COMMENT ON FUNCTION ops.record_samples(metrics jsonb) IS 'Write samples of requests, as any caller; returns how many.';

CREATE FUNCTION ops.refuse_access_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    aside constant interval := interval '8766000 hours';
begin
    if
        tg_op = 'UPDATE'
        and to_jsonb(new) - 'accessed_at' = to_jsonb(old) - 'accessed_at'
        and new.accessed_at in (old.accessed_at - aside, old.accessed_at + aside)
    then
        return new;
    end if;

-- A row that returns from aside enters another partition, which is a deletion in the old one.
    if tg_op = 'DELETE' and old.accessed_at < timestamptz '1900-01-01 00:00:00+00' then
        return old;
    end if;

raise exception using errcode = 'integrity_constraint_violation', constraint = 'access_log_is_append_only',
        message = format('The access log is only ever added to: %s is refused.', lower(tg_op));
end;
$$;

CREATE FUNCTION ops.release_outbox(ids bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    released integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.id = any(release_outbox.ids) and o.relayed_at is null
        order by o.id
        for update
    )

    update public.outbox as o
    set lease_until = null
    from locked as l
    where l.id = o.id;

get diagnostics released = row_count;
    return released;
end;
$$;

COMMENT ON FUNCTION ops.release_outbox(ids bigint[]) IS 'Give claimed messages back without an attempt; answers how many.';

CREATE FUNCTION ops.roll_up_metrics(at timestamp with time zone DEFAULT statement_timestamp(), hours_most integer DEFAULT 48) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
    first_hour timestamptz := (select max(h.hour) from ops.performance_metrics_hourly as h);
    last_hour timestamptz := date_trunc('hour', roll_up_metrics.at - interval '10 minutes');
    next_hour timestamptz;
    next_measured_at timestamptz;
begin
    select min(m.recorded_at) into next_measured_at
    from ops.performance_metrics as m
    where first_hour is null or m.recorded_at >= first_hour + interval '1 hour';

-- Nothing was measured for longer than one call looks at: go on where something was.
    if first_hour is null or next_measured_at >= first_hour + make_interval(hours => roll_up_metrics.hours_most) then
        first_hour := date_trunc('hour', next_measured_at);
    end if;

next_hour := least(first_hour + make_interval(hours => roll_up_metrics.hours_most), last_hour);
    if first_hour is null or next_hour <= first_hour then
        return jsonb_build_object('hours', 0, 'more', false);
    end if;

insert into ops.performance_metrics_hourly as h (hour, name, unit, count, sum, minimum, maximum, p50, p95)
    select
        date_trunc('hour', m.recorded_at),
        m.name,
        m.unit,
        count(*),
        sum(m.value),
        min(m.value),
        max(m.value),
        percentile_cont(0.5) within group (order by m.value),
        percentile_cont(0.95) within group (order by m.value)
    from ops.performance_metrics as m
    where m.recorded_at >= first_hour and m.recorded_at < next_hour
    group by 1, 2, 3
    on conflict on constraint performance_metrics_hourly_pkey do update
    set
        count = excluded.count,
        sum = excluded.sum,
        minimum = excluded.minimum,
        maximum = excluded.maximum,
        p50 = excluded.p50,
        p95 = excluded.p95;

return jsonb_build_object(
        'hours', extract(epoch from next_hour - first_hour)::integer / 3600,
        'more', exists (
            select
            from ops.performance_metrics as m
            where m.recorded_at >= next_hour and m.recorded_at < last_hour
        )
    );
end;
$$;

COMMENT ON FUNCTION ops.roll_up_metrics(at timestamp with time zone, hours_most integer) IS 'Sum metrics up by the hour; answers how many hours were looked at.';

CREATE FUNCTION ops.take_token(operation text, subject text, per_minute integer, burst integer) RETURNS double precision
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    interval_of_one interval := make_interval(secs => 60.0 / take_token.per_minute);
    full_in_most interval := interval_of_one * take_token.burst;
    will_be_full_at timestamptz;
begin
    insert into ops.rate_limits as l (operation, subject, full_at)
    values (take_token.operation, take_token.subject, clock_timestamp() + interval_of_one)
    on conflict on constraint rate_limits_pkey do update
    set full_at = greatest(l.full_at, clock_timestamp()) + interval_of_one
    where greatest(l.full_at, clock_timestamp()) + interval_of_one <= clock_timestamp() + full_in_most;

if found then
        return null;
    end if;

select l.full_at into will_be_full_at
    from ops.rate_limits as l
    where l.operation = take_token.operation and l.subject = take_token.subject;

return greatest(0.001, extract(epoch from will_be_full_at + interval_of_one - full_in_most - clock_timestamp()));
end;
$$;

COMMENT ON FUNCTION ops.take_token(operation text, subject text, per_minute integer, burst integer) IS 'Take one token from a bucket; null when it was taken, else the seconds to wait.';

CREATE FUNCTION ops.take_tokens(operation text, address text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_rule ops.rate_limit_rules;
    wait_seconds double precision;
begin
    select r.* into the_rule
    from ops.rate_limit_rules as r
    where r.operation = take_tokens.operation;

if not found or ops.caller_is_service() then
        return;
    end if;

if ops.caller_id() is not null then
        wait_seconds := ops.take_token(
            take_tokens.operation, 'caller:' || ops.caller_id(), the_rule.per_minute, the_rule.burst
        );
    end if;

if wait_seconds is null and take_tokens.address is not null then
        wait_seconds := ops.take_token(
            take_tokens.operation, 'address:' || left(take_tokens.address, 100),
            the_rule.address_per_minute, the_rule.address_burst
        );
    end if;

if wait_seconds is not null then
        raise exception using errcode = 'PT429', message = 'rate_limited',
            detail = jsonb_build_object('retry_after_seconds', ceil(wait_seconds))::text;
    end if;
exception
    when sqlstate 'PT429' then
        raise;
    when others then
        raise warning using errcode = 'PT199', message = 'rate_limiter_failed', detail = sqlerrm;
end;
$$;

COMMENT ON FUNCTION ops.take_tokens(operation text, address text) IS 'Take one token from the caller''s bucket and one from the address''s.';

CREATE FUNCTION ops.tell_of_alert(topic text, alert_id bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into public.outbox (topic, key, payload)
    select
        tell_of_alert.topic,
        'alert:' || a.rule,
        jsonb_build_object(
            'alert_id', a.id, 'rule', a.rule, 'severity', a.severity, 'metric', r.metric, 'aggregate', r.aggregate,
            'window_seconds', r.window_seconds, 'comparison', r.comparison, 'threshold', r.threshold, 'value', a.value,
            'pending_since', a.pending_since, 'fired_at', a.fired_at, 'resolved_at', a.resolved_at
        )
    from ops.alerts as a
    inner join ops.alert_rules as r on r.name = a.rule
    where a.id = tell_of_alert.alert_id;
$$;

COMMENT ON FUNCTION ops.tell_of_alert(topic text, alert_id bigint) IS 'Write the message about an alert.';

CREATE FUNCTION ops.unpark_outbox(topic text DEFAULT NULL::text, most integer DEFAULT 1000) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    unparked integer;
begin
    with locked as materialized (
        select o.id
        from public.outbox as o
        where o.parked_at is not null and (unpark_outbox.topic is null or o.topic = unpark_outbox.topic)
        order by o.id
        limit unpark_outbox.most
        for update skip locked
    )

    update public.outbox as o
    set parked_at = null, attempts = 0, available_at = '-infinity', lease_until = null
    from locked as l
    where l.id = o.id;

get diagnostics unparked = row_count;
    return unparked;
end;
$$;

COMMENT ON FUNCTION ops.unpark_outbox(topic text, most integer) IS 'Let parked messages be tried again; answers how many.';

CREATE FUNCTION ops.verify_counters(after uuid DEFAULT NULL::uuid, most integer DEFAULT 1000) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    event_ids uuid[] := array(
        select i.event_id
        from events.inventory as i
        where verify_counters.after is null or i.event_id > verify_counters.after
        order by i.event_id
        limit verify_counters.most
    );
    drifted uuid[] := array(select d.event_id from ops.count_drift(event_ids) as d order by d.event_id);
begin
    if cardinality(drifted) > 0 then
        perform ops.record_metrics(jsonb_build_array(jsonb_build_object(
            'name', 'booking_counters_drifted', 'value', cardinality(drifted), 'unit', 'events',
            'tags', jsonb_build_object('events', drifted[1:10])
        )));
    end if;

return jsonb_build_object(
        'checked', cardinality(event_ids),
        'drifted', drifted,
        'last', case when cardinality(event_ids) = verify_counters.most then event_ids[cardinality(event_ids)] end
    );
end;
$$;

COMMENT ON FUNCTION ops.verify_counters(after uuid, most integer) IS 'Compare the counters of a page of events with their rows; answers those that differ, and where to go on.';

CREATE FUNCTION organizations.has_customer(organization_id uuid, customer_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    return exists (
        select
        from events.bookings as b
        where b.customer_id = has_customer.customer_id and b.organization_id = has_customer.organization_id
    ) or exists (
        select
        from organizations.memberships as m
        where m.user_id = has_customer.customer_id and m.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.accounts as a
        where
            a.owner_kind = 'user'
            and a.owner_id = has_customer.customer_id
            and a.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.credit_lots as l
        where l.customer_id = has_customer.customer_id and l.organization_id = has_customer.organization_id
    ) or exists (
        select
        from payments.purchases as p
        where p.customer_id = has_customer.customer_id and p.organization_id = has_customer.organization_id
    ) or exists (
        select
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.customer_id = has_customer.customer_id and t.organization_id = has_customer.organization_id
    ) or exists (
        select
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where h.customer_id = has_customer.customer_id and t.organization_id = has_customer.organization_id
    );
end;
$$;

COMMENT ON FUNCTION organizations.has_customer(organization_id uuid, customer_id uuid) IS 'Whether a person came to an organization.';

CREATE FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id() and m.role = any (orgs_as.roles);
$$;

COMMENT ON FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) IS 'The organizations in which the caller has one of these roles.';

CREATE FUNCTION organizations.require_customer(organization_id uuid, customer_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if
        (
            ops.caller_is_service()
            or organizations.has_customer(require_customer.organization_id, require_customer.customer_id)
        ) is not true
        or not exists (
            select from users.profiles as p where p.id = require_customer.customer_id and p.erased_at is null
        )
    then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;
end;
$$;

COMMENT ON FUNCTION organizations.require_customer(organization_id uuid, customer_id uuid) IS 'Refuse a person whom the caller may not name as a customer of an organization.';

CREATE FUNCTION payments.account(owner_kind payments.owner_kind, owner_id uuid, type payments.account_type, currency character, organization_id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_account_id uuid;
begin
    for attempt in 1..2 loop
        -- `is not distinct from` would use no index.
        select a.id into the_account_id
        from payments.accounts as a
        where
            a.owner_kind = account.owner_kind
            and (a.owner_id = account.owner_id or (a.owner_id is null and account.owner_id is null))
            and a.type = account.type
            and a.currency = account.currency
            and (a.organization_id = account.organization_id
                or (a.organization_id is null and account.organization_id is null));

exit when the_account_id is not null;

insert into payments.accounts as a (owner_kind, owner_id, type, currency, organization_id)
        values (account.owner_kind, account.owner_id, account.type, account.currency, account.organization_id)
        on conflict on constraint one_account_per_owner_type_and_currency do nothing
        returning a.id into the_account_id;

exit when the_account_id is not null;
    end loop;
    return the_account_id;
end;
$$;

COMMENT ON FUNCTION payments.account(owner_kind payments.owner_kind, owner_id uuid, type payments.account_type, currency character, organization_id uuid) IS 'The account of an owner, of a type and currency; made if there is none.';

CREATE TABLE payments.intents (
    id uuid NOT NULL,
    booking_id uuid,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    amount_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    status payments.intent_status DEFAULT 'created'::payments.intent_status NOT NULL,
    stripe_payment_intent_id text,
    client_secret text,
    stripe_charge_id text,
    stripe_fee_cents payments.cents,
    last_error jsonb,
    observed_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone DEFAULT (now() + '00:00:30'::interval) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    succeeded_at timestamp with time zone,
    purchase_id uuid,
    CONSTRAINT intent_goes_through_stripe CHECK ((method = ANY (ARRAY['card'::events.payment_method, 'twint'::events.payment_method]))),
    CONSTRAINT intent_is_for_one_thing CHECK ((num_nonnulls(booking_id, purchase_id) = 1))
);

COMMENT ON TABLE payments.intents IS 'A payment that Stripe is asked for: written before Stripe is called, completed by what Stripe says of it.';

COMMENT ON COLUMN payments.intents.id IS 'Stripe''s idempotency key derives from it. That of a booking is the booking''s.';

COMMENT ON COLUMN payments.intents.observed_at IS 'When Stripe was asked for what is known here; what was seen earlier does not overwrite it.';

COMMENT ON COLUMN payments.intents.available_at IS 'From when on the sweep looks after it.';

CREATE TABLE payments.refunds (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    booking_id uuid,
    intent_id uuid,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    destination text NOT NULL,
    cause character varying(255) NOT NULL,
    sold boolean NOT NULL,
    status payments.refund_status DEFAULT 'created'::payments.refund_status NOT NULL,
    status_reason text,
    stripe_refund_id text,
    attempts integer DEFAULT 0 NOT NULL,
    reopened integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone DEFAULT now() NOT NULL,
    last_error jsonb,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    settled_at timestamp with time zone,
    purchase_id uuid,
    beyond boolean DEFAULT false NOT NULL,
    earlier_stripe_ids text[] DEFAULT '{}'::text[] NOT NULL,
    debt_outcome text,
    debt_transaction_id uuid,
    debt_settled_at timestamp with time zone,
    debt_settled_by uuid,
    debt_reason text,
    CONSTRAINT beyond_gives_back_no_sale CHECK ((NOT (beyond AND sold))),
    CONSTRAINT debt_outcome_is_known CHECK ((debt_outcome = ANY (ARRAY['paid'::text, 'forgiven'::text]))),
    CONSTRAINT debt_reason_is_short CHECK ((length(debt_reason) <= 500)),
    CONSTRAINT destination_is_known CHECK ((destination = ANY (ARRAY['original'::text, 'wallet'::text, 'invoice'::text, 'dispute'::text]))),
    CONSTRAINT only_what_went_beyond_is_a_debt CHECK ((beyond OR (debt_outcome IS NULL))),
    CONSTRAINT original_way_is_by_stripe CHECK (((destination <> 'original'::text) OR (intent_id IS NOT NULL))),
    CONSTRAINT refund_is_of_one_thing CHECK ((num_nonnulls(booking_id, purchase_id) = 1)),
    CONSTRAINT refund_is_positive CHECK ((amount_cents > 0)),
    CONSTRAINT refund_reasons_are_readable CHECK ((ops.is_text(status_reason) AND ops.is_text(debt_reason))),
    CONSTRAINT settled_debt_is_posted CHECK ((((debt_outcome IS NULL) = (debt_transaction_id IS NULL)) AND ((debt_outcome IS NULL) = (debt_settled_at IS NULL))))
);

COMMENT ON TABLE payments.refunds IS 'Money that goes back: written with its cause, sent by the sweep, settled by what Stripe says of it.';

COMMENT ON COLUMN payments.refunds.cause IS 'Why, in a word that is used once per booking: exactly one refund for it.';

COMMENT ON COLUMN payments.refunds.sold IS 'Whether it gives back a sale; else a payment that came too late to buy anything.';

COMMENT ON COLUMN payments.refunds.reopened IS 'How often it was sent again after Stripe could not deliver it.';

COMMENT ON COLUMN payments.refunds.beyond IS 'Somebody sent it at Stripe beyond all that was left to give back: the customer owes it.';

COMMENT ON COLUMN payments.refunds.earlier_stripe_ids IS 'What Stripe called it before it was sent anew; news of these is old.';

COMMENT ON COLUMN payments.refunds.debt_outcome IS 'What became of the debt; should Stripe fail to deliver the refund afterwards, that was taken back.';

COMMENT ON COLUMN payments.refunds.debt_settled_by IS 'Who wrote it down.';

CREATE FUNCTION payments.adopt_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint) RETURNS payments.refunds
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
begin
    select r.* into the_refund
    from payments.refunds as r
    where
        r.intent_id = (adopt_refund.intent).id
        and r.destination = 'original'
        and not r.beyond
        and r.stripe_refund_id is distinct from adopt_refund.stripe_id
        and (
            r.status = 'failed'
            or (
                r.status = 'created'
                and (
                    r.attempts = 0
                    or adopt_refund.returned_cents + r.amount_cents > (adopt_refund.intent).amount_cents
                )
            )
        )
    order by
        r.amount_cents >= adopt_refund.amount_cents desc,
        abs(r.amount_cents - adopt_refund.amount_cents),
        r.id
    limit 1;

if the_refund.amount_cents > adopt_refund.amount_cents then
        return payments.split_refund(
            the_refund.id, adopt_refund.amount_cents, 'stripe:' || adopt_refund.stripe_id || ':part'
        );
    end if;

-- One that Stripe could not deliver is another one to it now, as if it had been reopened.
    update payments.refunds as r
    set
        status = 'created', status_reason = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + (r.stripe_refund_id is not null)::integer
    where r.id = the_refund.id
    returning r.* into the_refund;

return the_refund;
end;
$$;

COMMENT ON FUNCTION payments.adopt_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint) IS 'Find the refund of ours whose money somebody has sent back by hand.';

CREATE FUNCTION payments.apply_disputes(intent payments.intents, disputes jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    dispute record;
    takes_money boolean;
    the_posting_key text;
    the_currency text;
    did text[] := '{}';
begin
    for dispute in
        select d.*
        from jsonb_to_recordset(apply_disputes.disputes) as d (
            stripe_id text, amount_cents bigint, currency text, status text, reason text
        )
        order by d.stripe_id
    loop
        the_posting_key := 'dispute:' || dispute.stripe_id;
        the_currency := coalesce(upper(dispute.currency), (apply_disputes.intent).currency);
        takes_money := dispute.status in ('needs_response', 'under_review', 'lost');

if takes_money then
            perform payments.move(
                kind => 'dispute',
                currency => the_currency,
                legs => jsonb_build_array(
                    jsonb_build_object(
                        'owner', 'organization', 'id', (apply_disputes.intent).organization_id, 'type', 'receivable',
                        'cents', dispute.amount_cents
                    ),
                    jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -dispute.amount_cents)
                ),
                idempotency_key => the_posting_key,
                reference_type => 'payment',
                reference_id => (apply_disputes.intent).id
            );
        elsif dispute.status = 'won' then
            perform payments.reverse_transaction(
                transaction_id => t.id, idempotency_key => 'dispute_won:' || dispute.stripe_id,
                reason => 'The dispute was won.'
            )
            from payments.transactions as t
            where t.idempotency_key = the_posting_key;
        end if;

insert into payments.disputes as d (
            stripe_dispute_id, intent_id, organization_id, amount_cents, currency, reason, status, withdrawn
        )
        values (
            dispute.stripe_id, (apply_disputes.intent).id, (apply_disputes.intent).organization_id,
            dispute.amount_cents, the_currency, dispute.reason, dispute.status, takes_money
        )
        on conflict (stripe_dispute_id) do update
        set status = excluded.status, withdrawn = excluded.withdrawn, updated_at = statement_timestamp()
        where d.status <> excluded.status;

if found then
            did := did || ('dispute_' || dispute.status);
            insert into public.outbox (topic, key, payload)
            values (
                'payment.disputed', (apply_disputes.intent).id::text,
                jsonb_build_object(
                    'booking_id', (apply_disputes.intent).booking_id,
                    'purchase_id', (apply_disputes.intent).purchase_id,
                    'customer_id', (apply_disputes.intent).customer_id,
                    'organization_id', (apply_disputes.intent).organization_id,
                    'dispute', dispute.stripe_id, 'status', dispute.status, 'amount_cents', dispute.amount_cents,
                    'currency', the_currency
                )
            );
        end if;
    end loop;
    perform payments.settle_by_dispute((apply_disputes.intent).id);
    return did;
end;
$$;

COMMENT ON FUNCTION payments.apply_disputes(intent payments.intents, disputes jsonb) IS 'Keep a payment''s disputes as Stripe has them, and the ledger with them.';

CREATE FUNCTION payments.apply_payment(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_intent payments.intents;
    the_observed_at timestamptz := (apply_payment.facts ->> 'observed_at')::timestamptz;
    the_status payments.intent_status := case apply_payment.facts ->> 'status'
        when 'succeeded' then 'succeeded'
        when 'canceled' then 'cancelled'
        when 'processing' then 'processing'
        else 'open'
    end;
    is_first_success boolean;
    did text[] := '{}';
begin
    select i.* into the_intent
    from payments.intents as i
    where
        i.stripe_payment_intent_id = apply_payment.facts ->> 'stripe_id'
        or (i.id = (apply_payment.facts ->> 'intent_id')::uuid and i.stripe_payment_intent_id is null)
    order by i.stripe_payment_intent_id is null
    limit 1;

if not found then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;

perform events.lock_person(the_intent.customer_id);
    perform events.lock_inventory(b.event_id)
    from events.bookings as b
    where b.id = the_intent.booking_id;

select i.* into the_intent
    from payments.intents as i
    where i.id = the_intent.id
    for no key update;

if the_observed_at < the_intent.observed_at then
        return jsonb_build_object('intent_id', the_intent.id, 'status', the_intent.status, 'did', did, 'stale', true);
    end if;

if
        the_intent.amount_cents is distinct from (apply_payment.facts ->> 'amount_cents')::bigint
        or the_intent.currency is distinct from upper(apply_payment.facts ->> 'currency')
        or (
            the_status = 'succeeded'
            and the_intent.amount_cents is distinct from (apply_payment.facts ->> 'received_cents')::bigint
        )
    then
        raise exception using errcode = 'PT409', message = 'payment_mismatch',
            detail = jsonb_build_object(
                'amount_cents', the_intent.amount_cents, 'currency', the_intent.currency
            )::text;
    end if;

is_first_success := the_status = 'succeeded' and the_intent.status <> 'succeeded';

update payments.intents as i
    set
        -- Also what was given up here may have been paid; then it is, for good.
        status = case
            when i.status = 'succeeded' or (i.status = 'cancelled' and the_status <> 'succeeded') then i.status
            else the_status
        end,
        stripe_payment_intent_id = apply_payment.facts ->> 'stripe_id',
        stripe_charge_id = coalesce(apply_payment.facts ->> 'charge_id', i.stripe_charge_id),
        stripe_fee_cents = coalesce((apply_payment.facts ->> 'fee_cents')::bigint, i.stripe_fee_cents),
        last_error = case
            when the_status = 'open' then coalesce(nullif(apply_payment.facts -> 'error', 'null'), i.last_error)
        end,
        observed_at = the_observed_at,
        succeeded_at = case when is_first_success then statement_timestamp() else i.succeeded_at end,
        available_at = statement_timestamp() + interval '20 minutes'
    where i.id = the_intent.id
    returning i.* into the_intent;

if is_first_success then
        perform payments.receive_payment(the_intent);
        did := did || payments.fulfil(the_intent);
    elsif the_intent.status = 'cancelled' then
        did := did || payments.give_up(the_intent);
    end if;

perform payments.book_stripe_fee(
        the_intent, apply_payment.facts ->> 'balance_transaction_id', apply_payment.facts ->> 'fee_currency'
    );
    did := did || payments.apply_refunds(the_intent, coalesce(apply_payment.facts -> 'refunds', '[]'));
    did := did || payments.apply_disputes(the_intent, coalesce(apply_payment.facts -> 'disputes', '[]'));

return jsonb_build_object('intent_id', the_intent.id, 'status', the_intent.status, 'did', did, 'stale', false);
end;
$$;

COMMENT ON FUNCTION payments.apply_payment(facts jsonb) IS 'Bring a payment to the state in which Stripe has it, and everything that hangs on it.';

CREATE FUNCTION payments.apply_payout(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization_id uuid;
    the_payout payments.payouts;
    had_failed boolean;
    did text[] := '{}';
begin
    -- There may be no row yet that two who hear of it at once could wait for.
    perform pg_advisory_xact_lock(hashtextextended('payments.payout:' || (apply_payout.facts ->> 'stripe_id'), 0));

if apply_payout.facts ->> 'account_id' is not null then
        select a.organization_id into the_organization_id
        from organizations.payout_accounts as a
        where a.stripe_account_id = apply_payout.facts ->> 'account_id';

if not found then
            raise exception using errcode = 'PT404', message = 'account_not_found';
        end if;
    elsif
        payments.store_balance_transactions(coalesce(apply_payout.facts -> 'balance_transactions', '[]')) > 0
    then
        did := did || 'booked'::text;
    end if;

select p.status = 'failed' into had_failed
    from payments.payouts as p
    where p.stripe_payout_id = apply_payout.facts ->> 'stripe_id';

insert into payments.payouts as p (
        stripe_payout_id, organization_id, amount_cents, currency, status, arrives_on, failure_code, failure_message,
        observed_at
    )
    values (
        apply_payout.facts ->> 'stripe_id', the_organization_id, (apply_payout.facts ->> 'amount_cents')::bigint,
        upper(apply_payout.facts ->> 'currency'), apply_payout.facts ->> 'status',
        (apply_payout.facts ->> 'arrives_on')::date, apply_payout.facts ->> 'failure_code',
        apply_payout.facts ->> 'failure_message', (apply_payout.facts ->> 'observed_at')::timestamptz
    )
    on conflict (stripe_payout_id) do update
    set
        status = excluded.status, arrives_on = excluded.arrives_on, failure_code = excluded.failure_code,
        failure_message = excluded.failure_message, observed_at = excluded.observed_at
    where p.observed_at <= excluded.observed_at
    returning p.* into the_payout;

if the_payout.status = 'failed' and had_failed is not true then
        did := did || 'failed'::text;
        insert into public.outbox (topic, key, payload)
        values (
            'payout.failed', the_payout.stripe_payout_id,
            jsonb_strip_nulls(jsonb_build_object(
                'payout', the_payout.stripe_payout_id, 'organization_id', the_payout.organization_id,
                'amount_cents', the_payout.amount_cents, 'currency', the_payout.currency,
                'why', coalesce(the_payout.failure_message, the_payout.failure_code)
            ))
        );
    end if;
    return jsonb_build_object('payout', apply_payout.facts ->> 'stripe_id', 'did', did);
end;
$$;

COMMENT ON FUNCTION payments.apply_payout(facts jsonb) IS 'Keep a payout to a bank as Stripe has it, and tell whom it failed for; answers what was done.';

CREATE FUNCTION payments.apply_refund(refund_id uuid, stripe_id text, stripe_status text, failure_reason text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
    the_status payments.refund_status := case
        when apply_refund.stripe_status = 'succeeded' then 'succeeded'
        when apply_refund.stripe_status in ('failed', 'canceled') then 'failed'
        else 'pending'
    end;
    the_posting_key text;
begin
    select r.* into the_refund
    from payments.refunds as r
    where r.id = apply_refund.refund_id
    for no key update;

if
        not found
        or the_refund.status = the_status
        -- What Stripe would not take may be there all the same, from an attempt whose answer was lost.
        or (the_refund.status = 'failed' and the_refund.stripe_refund_id is not null and the_status <> 'failed')
        or (the_refund.status = 'succeeded' and the_status = 'pending')
    then
        return;
    end if;

the_posting_key := 'refund_sent:' || the_refund.id || ':' || the_refund.reopened;
    perform payments.move(
        kind => 'refund_sent',
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', the_refund.amount_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -the_refund.amount_cents)
        ),
        idempotency_key => the_posting_key,
        reference_type => 'refund',
        reference_id => the_refund.id
    );

if the_status = 'failed' then
        perform payments.reverse_transaction(
            transaction_id => t.id,
            idempotency_key => 'refund_failed:' || the_refund.id || ':' || the_refund.reopened,
            reason => coalesce(apply_refund.failure_reason, 'Stripe could not deliver it.')
        )
        from payments.transactions as t
        where t.idempotency_key = the_posting_key;
        perform payments.take_back_debt(the_refund);
    end if;

update payments.refunds as r
    set
        status = the_status,
        stripe_refund_id = coalesce(apply_refund.stripe_id, r.stripe_refund_id),
        status_reason = case
            when r.beyond then r.status_reason
            when the_status = 'failed' then left(apply_refund.failure_reason, 500)
        end,
        last_error = null,
        settled_at = case when the_status in ('succeeded', 'failed') then statement_timestamp() end
    where r.id = the_refund.id
    returning r.* into the_refund;

if the_status in ('succeeded', 'failed') and not the_refund.beyond then
        insert into public.outbox (topic, key, payload)
        values (
            case when the_status = 'succeeded' then 'refund.succeeded' else 'refund.failed' end,
            coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
            payments.refund_payload(the_refund)
        );
    end if;
end;
$$;

COMMENT ON FUNCTION payments.apply_refund(refund_id uuid, stripe_id text, stripe_status text, failure_reason text) IS 'Bring one refund to the state in which Stripe has it, and the ledger with it.';

CREATE FUNCTION payments.apply_refunds(intent payments.intents, refunds jsonb) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    refund record;
    the_own_id uuid;
    the_returned bigint := (
        select sum(r.amount_cents)
        from jsonb_to_recordset(apply_refunds.refunds) as r (amount_cents bigint, status text)
        where r.status not in ('failed', 'canceled')
    );
    did text[] := '{}';
begin
    perform
    from payments.refunds as r
    where r.intent_id = (apply_refunds.intent).id
    order by r.id
    for no key update;

for refund in
        select r.*, r.status in ('failed', 'canceled') as has_failed
        from jsonb_to_recordset(apply_refunds.refunds) as r (
            stripe_id text, refund_id uuid, key text, amount_cents bigint, status text, failure_reason text
        )
        order by r.status not in ('failed', 'canceled'), r.refund_id is null, r.stripe_id
    loop
        if not payments.knows_refund((apply_refunds.intent).id, refund.stripe_id) then
            select r.id into the_own_id
            from payments.refunds as r
            where
                r.intent_id = (apply_refunds.intent).id
                and r.id = refund.refund_id
                and r.stripe_refund_id is null
                and r.destination = 'original'
                -- One that failed before it was reopened has another key.
                and coalesce(refund.key = payments.refund_key(r), true);

if found then
                perform payments.apply_refund(
                    the_own_id, refund.stripe_id, refund.status, refund.failure_reason
                );
            elsif refund.refund_id is null or not refund.has_failed then
                did := did || payments.take_over_refund(
                    apply_refunds.intent, refund.stripe_id, refund.amount_cents, the_returned, refund.has_failed
                );
            end if;
        end if;

perform payments.apply_refund(r.id, refund.stripe_id, refund.status, refund.failure_reason)
        from (
            select r.id
            from payments.refunds as r
            where r.intent_id = (apply_refunds.intent).id and r.stripe_refund_id = refund.stripe_id
            order by r.id
        ) as r;
    end loop;
    return did;
end;
$$;

COMMENT ON FUNCTION payments.apply_refunds(intent payments.intents, refunds jsonb) IS 'Bring a payment''s refunds to the states in which Stripe has them.';

CREATE FUNCTION payments.apply_transfer(facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_transfer payments.transfers;
    moved record;
    did text[] := '{}';
begin
    insert into payments.transfers as t (
        stripe_transfer_id, organization_id, stripe_account_id, amount_cents, currency
    )
    select
        apply_transfer.facts ->> 'stripe_id', a.organization_id, a.stripe_account_id,
        (apply_transfer.facts ->> 'amount_cents')::bigint, upper(apply_transfer.facts ->> 'currency')
    from organizations.payout_accounts as a
    where a.stripe_account_id = apply_transfer.facts ->> 'account_id'
    on conflict (stripe_transfer_id) do nothing;

select t.* into the_transfer
    from payments.transfers as t
    where t.stripe_transfer_id = apply_transfer.facts ->> 'stripe_id'
    for no key update;

if not found then
        raise exception using errcode = 'PT404', message = 'account_not_found';
    end if;

for moved in
        select 'transfer' as kind, the_transfer.stripe_transfer_id as stripe_id, the_transfer.amount_cents as cents
        union all
        select 'transfer_reversal', r.stripe_id, -r.amount_cents
        from jsonb_to_recordset(apply_transfer.facts -> 'reversals') as r (stripe_id text, amount_cents bigint)
        order by 1, 2
    loop
        continue when exists (
            select
            from payments.transactions as t
            where t.idempotency_key = moved.kind || ':' || moved.stripe_id
        );
        perform payments.move(
            kind => moved.kind,
            currency => the_transfer.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'organization', 'id', the_transfer.organization_id, 'type', 'receivable',
                    'cents', moved.cents
                ),
                jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', -moved.cents)
            ),
            idempotency_key => moved.kind || ':' || moved.stripe_id,
            reference_type => null,
            reference_id => null
        );
        update payments.transfers as t
        set reversed_cents = t.reversed_cents - least(moved.cents, 0)
        where t.stripe_transfer_id = the_transfer.stripe_transfer_id;
        did := did || moved.kind;
    end loop;
    return jsonb_build_object('transfer', the_transfer.stripe_transfer_id, 'did', did);
end;
$$;

COMMENT ON FUNCTION payments.apply_transfer(facts jsonb) IS 'Keep a transfer to an organizer as Stripe has it, and the ledger with it; answers what was done.';

CREATE FUNCTION payments.balance(account_id uuid, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_balance_cents bigint;
begin
    select payments.normal_side(a.type) * payments.signed_balance(a.id, balance.at)
    into the_balance_cents
    from payments.accounts as a
    where a.id = balance.account_id;

if not found then
        raise exception using errcode = 'PT404', message = 'account_not_found',
            detail = jsonb_build_object('account_id', balance.account_id)::text;
    end if;
    return the_balance_cents;
end;
$$;

COMMENT ON FUNCTION payments.balance(account_id uuid, at timestamp with time zone) IS 'What an account holds in its normal sign, now or at a moment in the past.';

CREATE FUNCTION payments.balance_before(account_id uuid, moment timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(
        (
            select payments.normal_side(a.type)
                * payments.signed_balance(a.id, balance_before.moment - interval '1 microsecond')
            from payments.accounts as a
            where a.id = balance_before.account_id
        ),
        0
    )::bigint;
$$;

COMMENT ON FUNCTION payments.balance_before(account_id uuid, moment timestamp with time zone) IS 'What an account held just before a moment.';

CREATE FUNCTION payments.begin_payout_account(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    answer jsonb := payments.payout_account_of(begin_payout_account.organization_id);
begin
    if not organizations.caller_is(begin_payout_account.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;
    return answer;
end;
$$;

COMMENT ON FUNCTION payments.begin_payout_account(organization_id uuid) IS 'Whether the caller may have an organization sign up at Stripe, and what with.';

CREATE TABLE payments.balance_transactions (
    id text NOT NULL,
    type text NOT NULL,
    source_id text,
    amount_cents bigint NOT NULL,
    fee_cents bigint NOT NULL,
    net_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE payments.balance_transactions IS 'What moved in Stripe''s balance, as Stripe lists it: net of the fees that it kept.';

COMMENT ON COLUMN payments.balance_transactions.source_id IS 'What it was about: a charge, a refund, a dispute, a payout.';

CREATE FUNCTION payments.book_balance_transaction(transaction payments.balance_transactions) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select payments.move(
        kind => 'stripe_balance',
        currency => (book_balance_transaction.transaction).currency,
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', b.cents),
            jsonb_build_object('owner', 'platform', 'type', b.account, 'cents', -b.cents)
        ),
        idempotency_key => 'stripe_balance:' || (book_balance_transaction.transaction).id,
        reference_type => null,
        reference_id => null
    )
    from (
        select
            case
                when (book_balance_transaction.transaction).type in ('payout', 'payout_failure', 'payout_cancel')
                then 'cash'
                else 'fees'
            end as account,
            case
                when (book_balance_transaction.transaction).type in ('adjustment', 'payment_failure_refund')
                then -(book_balance_transaction.transaction).fee_cents
                else (book_balance_transaction.transaction).net_cents
            end as cents
    ) as b
    where
        (book_balance_transaction.transaction).type in (
            'payout', 'payout_failure', 'payout_cancel', 'stripe_fee', 'stripe_fx_fee', 'tax_fee', 'adjustment'
        )
        and b.cents <> 0;
$$;

COMMENT ON FUNCTION payments.book_balance_transaction(transaction payments.balance_transactions) IS 'Book what nothing but Stripe''s balance tells of: payouts to the bank, fees.';

CREATE FUNCTION payments.book_stripe_fee(intent payments.intents, balance_transaction_id text, fee_currency text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select payments.move(
        kind => 'stripe_fee',
        currency => coalesce(book_stripe_fee.fee_currency, (book_stripe_fee.intent).currency),
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'fees', 'cents', (book_stripe_fee.intent).stripe_fee_cents),
            jsonb_build_object(
                'owner', 'platform', 'type', 'clearing', 'cents', -(book_stripe_fee.intent).stripe_fee_cents
            )
        ),
        idempotency_key => 'stripe_fee:' || book_stripe_fee.balance_transaction_id,
        reference_type => 'payment',
        reference_id => (book_stripe_fee.intent).id
    )
    where book_stripe_fee.balance_transaction_id is not null and (book_stripe_fee.intent).stripe_fee_cents > 0;
$$;

COMMENT ON FUNCTION payments.book_stripe_fee(intent payments.intents, balance_transaction_id text, fee_currency text) IS 'Book what Stripe kept of a payment; once per balance transaction.';

CREATE FUNCTION payments.books_state(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select case
        when count(*) < 2 then 'unknown'
        when bool_and(h.status = 'healthy') then 'sound'
        else 'unsound'
    end
    from ops.health_checks as h
    where
        h.name in ('ledger_unbalanced_currencies', 'ledger_findings')
        and h.checked_at > books_state.at - interval '5 minutes';
$$;

COMMENT ON FUNCTION payments.books_state(at timestamp with time zone) IS 'Whether the books are sound, in a word.';

CREATE FUNCTION payments.buy_package(package_id uuid, payment_method events.payment_method, idempotency_key text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_caller_id uuid := ops.caller_id();
    the_package payments.packages;
    the_quote payments.quotes;
    the_purchase_id uuid;
begin
    if the_caller_id is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if buy_package.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required';
    end if;

the_purchase_id := events.first_made(
        'buy_package', buy_package.idempotency_key,
        jsonb_build_array(buy_package.package_id, buy_package.payment_method), ops.uuid_v7()
    );

if exists (select from payments.purchases as p where p.id = the_purchase_id) then
        return payments.purchase_answer(the_purchase_id);
    end if;

select p.* into the_package from payments.packages as p where p.id = buy_package.package_id and p.active;
    if not found then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;
    perform events.ensure_customer(the_caller_id, null, the_package.organization_id);

the_quote := payments.quote_package(the_package, the_caller_id);
    if not coalesce(
        buy_package.payment_method in ('card', 'twint')
        and buy_package.payment_method = any (
            payments.methods_of(the_package.organization_id, the_package.currency)
        ),
        false
    ) then
        raise exception using errcode = 'PT402', message = 'payment_required',
            detail = (
                payments.quote_answer(the_quote) || jsonb_build_object(
                    'methods',
                    case when the_package.currency = 'CHF' then '["card", "twint"]' else '["card"]' end::jsonb
                )
            )::text;
    end if;

insert into payments.purchases (
        id, package_id, organization_id, customer_id, method, kind, credits, bonus, valid_days, categories, net_cents,
        tax_cents, tax_bps, tax_country, amount_cents, currency, fee_cents
    )
    values (
        the_purchase_id, the_package.id, the_package.organization_id, the_caller_id, buy_package.payment_method,
        the_package.kind, the_package.amount, the_package.bonus, the_package.valid_days, the_package.categories,
        the_quote.net_cents, the_quote.tax_cents, the_quote.tax_bps, the_quote.tax_country, the_quote.total_cents,
        the_package.currency,
        case
            when the_package.kind = 'pass'
            then payments.platform_fee(
                the_package.organization_id,
                the_quote.total_cents - case when the_quote.tax_added then the_quote.tax_cents else 0 end
            )
            else 0
        end
    );

insert into payments.intents (id, purchase_id, organization_id, customer_id, method, amount_cents, currency)
    select p.id, p.id, p.organization_id, p.customer_id, p.method, p.amount_cents, p.currency
    from payments.purchases as p
    where p.id = the_purchase_id;
    return payments.purchase_answer(the_purchase_id);
end;
$$;

COMMENT ON FUNCTION payments.buy_package(package_id uuid, payment_method events.payment_method, idempotency_key text) IS 'Begin to buy a package by card or TWINT; answers the purchase with its payment.';

CREATE FUNCTION payments.can_be_refunded(intent_id uuid, amount_cents bigint DEFAULT 0) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from payments.intents as i
        where
            i.id = can_be_refunded.intent_id
            and i.status = 'succeeded'
            and i.stripe_payment_intent_id is not null
            and i.succeeded_at > statement_timestamp() - interval '180 days'
            and not payments.is_disputed(i.id)
            and i.amount_cents - (
                select coalesce(sum(r.amount_cents), 0)
                from payments.refunds as r
                where r.intent_id = i.id and r.destination in ('original', 'dispute')
            ) >= can_be_refunded.amount_cents
    );
$$;

COMMENT ON FUNCTION payments.can_be_refunded(intent_id uuid, amount_cents bigint) IS 'Whether Stripe takes a refund of a payment.';

CREATE TABLE payments.accounts (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    owner_kind payments.owner_kind NOT NULL,
    owner_id uuid,
    organization_id uuid,
    type payments.account_type NOT NULL,
    currency character(3) NOT NULL,
    guarded boolean GENERATED ALWAYS AS ((type = ANY (ARRAY['escrow'::payments.account_type, 'credits'::payments.account_type]))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT only_the_platform_is_nobody CHECK (((owner_kind = 'platform'::payments.owner_kind) = (owner_id IS NULL))),
    CONSTRAINT only_users_have_accounts_within_an_organization CHECK (((organization_id IS NULL) OR (owner_kind = 'user'::payments.owner_kind)))
);

COMMENT ON TABLE payments.accounts IS 'Whose money of which kind. Made by payments.account, never changed.';

COMMENT ON COLUMN payments.accounts.organization_id IS 'Where a user''s account counts: a wallet is a user''s account of type credits within an organization.';

COMMENT ON COLUMN payments.accounts.guarded IS 'Its balance may not go below zero.';

CREATE TABLE payments.entries (
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    amount_cents payments.signed_cents NOT NULL
);

COMMENT ON TABLE payments.entries IS 'What a transaction did to which account: debit positive, credit negative, in the account''s currency.';

COMMENT ON COLUMN payments.entries.line IS 'From 1. Every statement that writes entries must write line 1 of their transaction, so that none is added later.';

CREATE TABLE payments.transactions (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    kind payments.slug NOT NULL,
    reference_type payments.slug,
    reference_id uuid,
    idempotency_key character varying(255) NOT NULL,
    description text,
    occurred_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    reverses_id uuid,
    actor_id uuid DEFAULT ops.caller_id()
);

COMMENT ON TABLE payments.transactions IS 'What happened. Written together with its entries, in one statement, by payments.post_transaction.';

COMMENT ON COLUMN payments.transactions.occurred_at IS 'When it happened; recorded_at is when it was written.';

COMMENT ON COLUMN payments.transactions.actor_id IS 'Who caused it; null for a service.';

CREATE FUNCTION payments.canonical_entry(entry payments.entries, transaction payments.transactions, account payments.accounts) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN convert_to((jsonb_build_array((entry).transaction_id, (entry).line, (entry).account_id, (account).owner_kind, (account).owner_id, (account).organization_id, (account).type, (account).currency, (entry).amount_cents, (transaction).kind, (transaction).reference_type, (transaction).reference_id, (transaction).idempotency_key, (transaction).description, ((EXTRACT(epoch FROM (transaction).occurred_at) * (1000000)::numeric))::bigint, ((EXTRACT(epoch FROM (transaction).recorded_at) * (1000000)::numeric))::bigint, (transaction).reverses_id, (transaction).actor_id))::text, 'UTF8'::name);

COMMENT ON FUNCTION payments.canonical_entry(entry payments.entries, transaction payments.transactions, account payments.accounts) IS 'The bytes of an entry that its account''s chain hashes.';

CREATE FUNCTION payments.categories_of(event_id uuid) RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(array_remove(array[max(c.slug), max(c.parent_slug)], null), '{}')
    from events.terms as t
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    inner join ref.event_categories as c on c.slug = e.category
    where t.event_id = categories_of.event_id;
$$;

COMMENT ON FUNCTION payments.categories_of(event_id uuid) IS 'The category of an event and the one above it.';

CREATE FUNCTION payments.charge(booking_id uuid, quote payments.quotes) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
begin
    select b.* into the_booking from events.bookings as b where b.id = charge.booking_id;

if the_booking.payment_method = 'pass' then
        perform payments.use_passes(the_booking);
        return;
    end if;

if (charge.quote).promo_code_id is not null then
        perform payments.use_promo_code(
            (charge.quote).promo_code_id, the_booking.id, the_booking.customer_id, (charge.quote).discount_cents
        );
    end if;

insert into payments.quotes (
        booking_id, organization_id, customer_id, list_cents, discount_cents, net_cents, tax_cents, total_cents,
        currency, tax_country, tax_category, tax_bps, tax_added, promo_code_id
    )
    select
        the_booking.id, the_booking.organization_id, the_booking.customer_id, q.list_cents, q.discount_cents,
        q.net_cents, q.tax_cents, q.total_cents, q.currency, q.tax_country, q.tax_category, q.tax_bps, q.tax_added,
        q.promo_code_id
    from (select (charge.quote).*) as q;

if the_booking.payment_method in ('card', 'twint') then
        perform payments.request_payment(the_booking.id);
    elsif the_booking.price_cents > 0 then
        perform payments.sell(the_booking.id);
    else
        perform payments.grant_promised(the_booking);
    end if;
end;
$$;

COMMENT ON FUNCTION payments.charge(booking_id uuid, quote payments.quotes) IS 'Have a booking that was just written paid, by its method, for what was quoted.';

CREATE FUNCTION payments.charge_fee(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_fee_id uuid := ops.uuid_v7();
    the_cents bigint := (charge_fee.booking).fee_cents;
    the_share_cents bigint := payments.platform_fee((charge_fee.booking).organization_id, the_cents);
    the_wallet_id uuid;
    from_wallet boolean;
    the_transaction_id uuid;
begin
    if
        the_cents = 0
        or exists (
            select
            from payments.fees as f
            where f.booking_id = (charge_fee.booking).id and f.taken_back_at is null
        )
    then
        return;
    end if;

select a.id into the_wallet_id
    from payments.accounts as a
    where
        a.owner_kind = 'user'
        and a.owner_id = (charge_fee.booking).customer_id
        and a.type = 'credits'
        and a.currency = (charge_fee.booking).currency
        and a.organization_id = (charge_fee.booking).organization_id;

perform payments.lock_wallets(array[the_wallet_id]);
    from_wallet := the_wallet_id is not null and payments.spendable(the_wallet_id) >= the_cents;
    if from_wallet then
        perform payments.use_wallet(the_wallet_id, (charge_fee.booking).id, the_cents, 'no_show');
    end if;

the_transaction_id := payments.move(
        kind => 'no_show_fee',
        currency => (charge_fee.booking).currency,
        legs => jsonb_build_array(
            payments.paying_leg(
                (charge_fee.booking).customer_id, (charge_fee.booking).organization_id,
                case when from_wallet then 'wallet' else 'invoice' end::events.payment_method
            ) || jsonb_build_object('cents', the_cents),
            jsonb_build_object(
                'owner', 'organization', 'id', (charge_fee.booking).organization_id, 'type', 'receivable',
                'cents', the_share_cents - the_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', -the_share_cents)
        ),
        idempotency_key => 'no_show_fee:' || the_fee_id,
        reference_type => 'booking',
        reference_id => (charge_fee.booking).id
    );

insert into payments.fees (
        id, booking_id, organization_id, customer_id, amount_cents, currency, paid_from, transaction_id
    )
    values (
        the_fee_id, (charge_fee.booking).id, (charge_fee.booking).organization_id, (charge_fee.booking).customer_id,
        the_cents, (charge_fee.booking).currency, case when from_wallet then 'wallet' else 'owed' end,
        the_transaction_id
    );
end;
$$;

COMMENT ON FUNCTION payments.charge_fee(booking events.bookings) IS 'Charge what not coming costs: from the wallet when it suffices, else owed; once.';

CREATE FUNCTION payments.check_transactions() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    is_whole boolean;
    is_reversing boolean;
begin
    -- As many first lines as transactions, which is cheaper to see than for each whether it has one.
    select
        count(*) = (
            select count(*) from payments.entries as e where e.transaction_id = any (array_agg(f.id)) and e.line = 1
        ),
        bool_or(f.reverses_id is not null)
    into is_whole, is_reversing
    from fresh as f;

if not is_whole then
        raise exception using errcode = 'PT422', message = 'no_entries',
            detail = jsonb_build_object(
                'idempotency_key', (
                    select min(f.idempotency_key)
                    from fresh as f
                    where not exists (select from payments.entries as e where e.transaction_id = f.id and e.line = 1)
                ),
                'detail', 'Post a transaction and its entries in one statement.'
            )::text;
    end if;

if is_reversing then
        if exists (
            select
            from fresh as f
            inner join payments.transactions as t on t.id = f.reverses_id
            where t.reverses_id is not null
        ) then
            raise exception using errcode = 'PT409', message = 'reversal_is_final';
        end if;

if exists (
            select
            from fresh as f
            cross join lateral (
                select
                from (select e.* from payments.entries as e where e.transaction_id = f.id) as n
                full join (select e.* from payments.entries as e where e.transaction_id = f.reverses_id) as o
                    on n.line = o.line
                where n.account_id is distinct from o.account_id or n.amount_cents is distinct from -o.amount_cents
                limit 1
            ) as d
            where f.reverses_id is not null
        ) then
            raise exception using errcode = 'PT422', message = 'reversal_differs';
        end if;
    end if;
    return null;
end;
$$;

CREATE FUNCTION payments.claim_inbox(event text, lease_seconds integer DEFAULT 90, attempts_max integer DEFAULT 5, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(event_id text, account text, type text, created_at timestamp with time zone, payload json, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
    return query
    with locked as materialized (
        select i.event_id, i.attempts >= claim_inbox.attempts_max as is_spent
        from payments.webhook_inbox as i
        where
            i.event_id = claim_inbox.event
            and i.status in ('received', 'failed')
            and (i.lease_until <= claim_inbox.at) is not false
        for update skip locked
    ),

    claimed as (
        update payments.webhook_inbox as i
        set
            status = case when l.is_spent then 'parked'::payments.webhook_status else i.status end,
            attempts = i.attempts + case when l.is_spent then 0 else 1 end,
            lease_until
            = case when not l.is_spent then claim_inbox.at + make_interval(secs => claim_inbox.lease_seconds) end,
            last_error
            = case when l.is_spent then coalesce(i.last_error, 'its workers died over it') else i.last_error end
        from locked as l
        where i.event_id = l.event_id
        returning i.*
    )

    select c.event_id, c.account, c.type, c.created_at, c.payload, c.attempts
    from claimed as c
    where c.status <> 'parked';
end;
$$;

COMMENT ON FUNCTION payments.claim_inbox(event text, lease_seconds integer, attempts_max integer, at timestamp with time zone) IS 'Take an event of Stripe to handle it, under a lease; no row when there is nothing to do.';

CREATE FUNCTION payments.claim_intents(most integer DEFAULT 100, lease_seconds integer DEFAULT 60) RETURNS TABLE(intent_id uuid, action text, stripe_payment_intent_id text, amount_cents bigint, currency text, method text, metadata jsonb, idempotency_key text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with due as materialized (
        select i.id
        from payments.intents as i
        where i.status in ('created', 'open', 'processing') and i.available_at <= statement_timestamp()
        order by i.available_at
        limit claim_intents.most
        for update skip locked
    )

    update payments.intents as i
    set
        attempts = i.attempts + 1,
        available_at = statement_timestamp()
        + make_interval(secs => claim_intents.lease_seconds * power(2, least(i.attempts, 8)))
    from due as d
    inner join payments.intents as t on t.id = d.id
    left join events.bookings as b on b.id = t.booking_id
    left join payments.purchases as p on p.id = t.purchase_id
    where i.id = d.id
    returning
        i.id,
        case
            when i.stripe_payment_intent_id is null then 'create'
            when
                i.status = 'open'
                and (
                    b.status <> 'pending_payment' or p.created_at < statement_timestamp() - interval '1 day'
                )
                then 'cancel'
            else 'fetch'
        end,
        i.stripe_payment_intent_id,
        i.amount_cents,
        i.currency,
        i.method,
        jsonb_build_object(
            'intent_id', i.id, 'booking_id', i.booking_id, 'purchase_id', i.purchase_id,
            'organization_id', i.organization_id
        ),
        'intent-' || i.id;
$$;

COMMENT ON FUNCTION payments.claim_intents(most integer, lease_seconds integer) IS 'Payments that Stripe is to be asked about, leased for a while.';

CREATE FUNCTION payments.claim_refunds(most integer DEFAULT 100, lease_seconds integer DEFAULT 60) RETURNS TABLE(refund_id uuid, stripe_payment_intent_id text, amount_cents bigint, currency text, idempotency_key text, reason text, look_first boolean)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with due as materialized (
        select r.id
        from payments.refunds as r
        where r.status = 'created' and r.destination = 'original' and r.available_at <= statement_timestamp()
        order by r.available_at
        limit claim_refunds.most
        for update skip locked
    )

    update payments.refunds as r
    set
        attempts = r.attempts + 1,
        available_at = statement_timestamp() + make_interval(secs => claim_refunds.lease_seconds)
    from due as d, payments.intents as i
    where r.id = d.id and i.id = r.intent_id
    returning
        r.id, i.stripe_payment_intent_id, r.amount_cents, r.currency, payments.refund_key(r), r.cause,
        r.attempts > 1 and r.created_at < statement_timestamp() - interval '20 hours';
$$;

COMMENT ON FUNCTION payments.claim_refunds(most integer, lease_seconds integer) IS 'Refunds that Stripe is to be told of, leased for a while.';

CREATE FUNCTION payments.create_package(organization_id uuid, name text, kind payments.credit_kind, price_cents bigint, currency text, amount bigint, bonus bigint DEFAULT 0, valid_days integer DEFAULT NULL::integer, categories text[] DEFAULT NULL::text[]) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_package payments.packages;
begin
    if not organizations.caller_is(create_package.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only admins and owners of the organization may create packages.'
            )::text;
    end if;
    if exists (
        select
        from unnest(create_package.categories) as g (slug)
        where not exists (select from ref.event_categories as c where c.slug = g.slug)
    ) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'There is no such category. Choose categories that exist.')::text;
    end if;

insert into payments.packages (
        organization_id, name, kind, price_cents, currency, amount, bonus, valid_days, categories
    )
    values (
        create_package.organization_id, create_package.name, create_package.kind, create_package.price_cents,
        create_package.currency, create_package.amount, create_package.bonus, create_package.valid_days,
        create_package.categories
    )
    returning * into the_package;
    return to_jsonb(the_package);
exception
    when check_violation or foreign_key_violation or not_null_violation then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'A package needs a name, a price and credits.')::text;
end;
$$;

COMMENT ON FUNCTION payments.create_package(organization_id uuid, name text, kind payments.credit_kind, price_cents bigint, currency text, amount bigint, bonus bigint, valid_days integer, categories text[]) IS 'Put credits up for sale; answers the package.';

CREATE FUNCTION payments.create_promo_code(organization_id uuid, code text, kind payments.promo_kind, percent_bps integer DEFAULT NULL::integer, amount_cents bigint DEFAULT NULL::bigint, currency text DEFAULT NULL::text, valid_from timestamp with time zone DEFAULT NULL::timestamp with time zone, valid_until timestamp with time zone DEFAULT NULL::timestamp with time zone, uses_most integer DEFAULT NULL::integer, uses_most_per_customer integer DEFAULT NULL::integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_code payments.promo_codes;
    was_made boolean;
begin
    if not organizations.caller_is(create_promo_code.organization_id, 'editor', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only editors, admins and owners of the organization may create promo codes.'
            )::text;
    end if;

insert into payments.promo_codes (
        organization_id, code, kind, percent_bps, amount_cents, currency, valid_from, valid_until, uses_most,
        uses_most_per_customer, created_by
    )
    values (
        create_promo_code.organization_id, upper(trim(create_promo_code.code)), create_promo_code.kind,
        create_promo_code.percent_bps, create_promo_code.amount_cents, create_promo_code.currency,
        coalesce(create_promo_code.valid_from, statement_timestamp()), create_promo_code.valid_until,
        create_promo_code.uses_most, create_promo_code.uses_most_per_customer, ops.caller_id()
    )
    on conflict on constraint promo_code_is_unique do nothing;
    was_made := found;

select c.* into the_code
    from payments.promo_codes as c
    where c.organization_id = create_promo_code.organization_id and c.code = upper(trim(create_promo_code.code));

if
        not was_made
        and (
            the_code.kind, the_code.percent_bps, the_code.amount_cents, the_code.currency::text, the_code.valid_until,
            the_code.uses_most, the_code.uses_most_per_customer
        ) is distinct from (
            create_promo_code.kind, create_promo_code.percent_bps, create_promo_code.amount_cents,
            create_promo_code.currency, create_promo_code.valid_until, create_promo_code.uses_most,
            create_promo_code.uses_most_per_customer
        )
    then
        raise exception using errcode = 'PT409', message = 'promo_code_exists';
    end if;
    return to_jsonb(the_code) - 'created_by';
exception
    when check_violation or foreign_key_violation or not_null_violation then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A promo code needs 3 to 40 letters and digits, and a percentage, or an amount with a'
                ' currency.'
            )::text;
end;
$$;

COMMENT ON FUNCTION payments.create_promo_code(organization_id uuid, code text, kind payments.promo_kind, percent_bps integer, amount_cents bigint, currency text, valid_from timestamp with time zone, valid_until timestamp with time zone, uses_most integer, uses_most_per_customer integer) IS 'Let customers of an organization book with a code; answers it.';

CREATE FUNCTION payments.debt_of(refund payments.refunds) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN ((refund).beyond AND ((refund).status = ANY (ARRAY['pending'::payments.refund_status, 'succeeded'::payments.refund_status]))) THEN COALESCE((refund).debt_outcome, 'owed'::text) ELSE NULL::text END;

COMMENT ON FUNCTION payments.debt_of(refund payments.refunds) IS 'What has become of the debt that a refund left.';

CREATE FUNCTION payments.dispute_cover(intent_id uuid) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        coalesce(
            (
                select sum(case when d.currency = i.currency then d.amount_cents else i.amount_cents end)::bigint
                from payments.disputes as d
                where d.intent_id = i.id and d.status = 'lost'
            ),
            0
        )
        - coalesce(
            (
                select sum(r.amount_cents)::bigint
                from payments.refunds as r
                where r.intent_id = i.id and r.destination = 'dispute'
            ),
            0
        )
    from payments.intents as i
    where i.id = dispute_cover.intent_id;
$$;

COMMENT ON FUNCTION payments.dispute_cover(intent_id uuid) IS 'How much a customer''s bank has given them that counts for no refund yet.';

CREATE FUNCTION payments.due_inbox(most integer DEFAULT 100, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    due text[];
begin
    with found as materialized (
        select i.event_id
        from payments.webhook_inbox as i
        where
            i.status in ('received', 'failed')
            and i.available_at <= due_inbox.at
            and (i.lease_until <= due_inbox.at) is not false
        order by i.available_at
        limit due_inbox.most
        for update skip locked
    ),

    put_off as (
        update payments.webhook_inbox as i
        set available_at = due_inbox.at + interval '5 min'
        from found as f
        where i.event_id = f.event_id
        returning i.event_id, i.created_at
    )

    select coalesce(array_agg(p.event_id order by p.created_at, p.event_id), '{}') into due
    from put_off as p;

return due;
end;
$$;

COMMENT ON FUNCTION payments.due_inbox(most integer, at timestamp with time zone) IS 'The ids of events of Stripe that wait to be handled and have no message to bring them.';

CREATE FUNCTION payments.end_by_dispute(refund_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
begin
    update payments.refunds as r
    set
        status = 'succeeded', status_reason = null, destination = 'dispute', last_error = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + 1, settled_at = statement_timestamp()
    where r.id = end_by_dispute.refund_id
    returning r.* into the_refund;

perform payments.move(
        kind => 'refund_by_dispute',
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', the_refund.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                'cents', -the_refund.amount_cents
            )
        ),
        idempotency_key => 'refund_by_dispute:' || the_refund.id || ':' || the_refund.reopened,
        reference_type => 'refund',
        reference_id => the_refund.id
    );

insert into public.outbox (topic, key, payload)
    values (
        'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
end;
$$;

COMMENT ON FUNCTION payments.end_by_dispute(refund_id uuid) IS 'Count a refund as arrived, because the customer''s bank has given them the money.';

CREATE FUNCTION payments.end_package(package_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_package payments.packages;
begin
    update payments.packages as p
    set active = false
    where p.id = end_package.package_id and organizations.caller_is(p.organization_id, 'admin', 'owner')
    returning p.* into the_package;

if not found then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;
    return to_jsonb(the_package);
end;
$$;

COMMENT ON FUNCTION payments.end_package(package_id uuid) IS 'Take a package off sale; answers it.';

CREATE FUNCTION payments.expire_credits(at timestamp with time zone DEFAULT statement_timestamp(), most integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_wallet_ids uuid[];
    the_postings jsonb;
    the_cents bigint;
    wallet_lots integer;
    passes integer;
begin
    select array_agg(b.account_id) into the_wallet_ids
    from (
        select b.account_id
        from payments.balances as b
        where b.account_id in (
            select d.account_id
            from (
                select l.account_id
                from payments.credit_lots as l
                where
                    l.kind = 'wallet' and l.remaining > 0 and l.expires_at <= expire_credits.at
                    and l.expires_at < 'infinity'
                order by l.expires_at
                limit expire_credits.most
            ) as d
        )
        order by b.account_id
        for no key update skip locked
    ) as b;

with due as (
        select l.id, l.remaining, l.lapsed
        from payments.credit_lots as l
        where
            l.account_id = any (the_wallet_ids) and l.remaining > 0 and l.expires_at <= expire_credits.at
        order by l.id
        limit expire_credits.most
    ),
    gone as (
        update payments.credit_lots as l
        set remaining = 0, lapsed = l.lapsed + d.remaining
        from due as d
        where l.id = d.id
        returning l.id, l.account_id, l.organization_id, l.currency, d.remaining, d.lapsed
    )

    select
        jsonb_agg(
            jsonb_build_object(
                'kind', 'credits_expired',
                'idempotency_key', 'credits_expired:' || g.id || ':' || g.lapsed,
                'reference_type', 'credits',
                'reference_id', g.id,
                'account_ids', jsonb_build_array(
                    g.account_id, payments.account('organization', g.organization_id, 'receivable', g.currency)
                ),
                'amounts_cents', jsonb_build_array(g.remaining, -g.remaining)
            )
            order by g.id
        ),
        coalesce(sum(g.remaining), 0),
        count(*)
    into the_postings, the_cents, wallet_lots
    from gone as g;

for part in 0 .. (wallet_lots - 1) / 1000 loop
        exit when wallet_lots = 0;
        perform payments.post_transactions(
            (
                select jsonb_agg(p.posting)
                from jsonb_array_elements(the_postings) with ordinality as p (posting, number)
                where p.number > part * 1000 and p.number <= part * 1000 + 1000
            )
        );
    end loop;

with due as (
        select l.id
        from payments.credit_lots as l
        where l.kind = 'pass' and l.remaining > 0 and l.expires_at <= expire_credits.at
        order by l.id
        limit expire_credits.most
        for no key update skip locked
    )

    update payments.credit_lots as l
    set remaining = 0, lapsed = l.lapsed + l.remaining
    from due as d
    where l.id = d.id;
    get diagnostics passes = row_count;

return jsonb_build_object(
        'lots', wallet_lots + passes,
        'lapsed_cents', the_cents,
        'more', wallet_lots >= expire_credits.most or passes >= expire_credits.most
    );
end;
$$;

COMMENT ON FUNCTION payments.expire_credits(at timestamp with time zone, most integer) IS 'Let credits that nobody used in time lapse; a bounded piece of work for the schedule.';

CREATE FUNCTION payments.fail_inbox(event_id text, error text, is_postponed boolean DEFAULT false, attempts_max integer DEFAULT 5, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    standing text;
begin
    update payments.webhook_inbox as i
    set
        status = case
            when fail_inbox.is_postponed or i.attempts < fail_inbox.attempts_max then 'failed'
            else 'parked'
        end::payments.webhook_status,
        attempts = greatest(i.attempts - fail_inbox.is_postponed::integer, 0),
        postponements = i.postponements + fail_inbox.is_postponed::integer,
        -- Not postponed: the sweep waits until the queue has had its attempts.
        available_at = fail_inbox.at + case
            when fail_inbox.is_postponed then least(interval '15 s' * 2 ^ least(i.postponements, 10), interval '15 min')
            else interval '30 min'
        end,
        last_error = left(fail_inbox.error, 2000),
        lease_until = null
    where i.event_id = fail_inbox.event_id and i.status in ('received', 'failed')
    returning i.status::text into standing;

return standing;
end;
$$;

COMMENT ON FUNCTION payments.fail_inbox(event_id text, error text, is_postponed boolean, attempts_max integer, at timestamp with time zone) IS 'Write down that an event of Stripe could not be dealt with; parks it after the last attempt.';

CREATE TABLE payments.sales (
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    amount_cents payments.cents NOT NULL,
    fee_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    refunded_cents payments.cents DEFAULT 0 NOT NULL,
    refunded_fee_cents payments.cents DEFAULT 0 NOT NULL,
    sold_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT fee_is_part_of_the_amount CHECK (((fee_cents)::bigint <= (amount_cents)::bigint)),
    CONSTRAINT never_refunded_more_than_paid CHECK (((refunded_cents)::bigint <= (amount_cents)::bigint)),
    CONSTRAINT never_returned_more_than_the_fee CHECK (((refunded_fee_cents)::bigint <= (fee_cents)::bigint))
);

COMMENT ON TABLE payments.sales IS 'What a paid booking brought, and how much of it went back.';

COMMENT ON COLUMN payments.sales.fee_cents IS 'The platform''s share.';

CREATE FUNCTION payments.fee_returned(sale payments.sales, amount_cents bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = (fee_returned.sale).organization_id
            ),
            true
        )
        then
            (fee_returned.sale).fee_cents * ((fee_returned.sale).refunded_cents + fee_returned.amount_cents)
            / (fee_returned.sale).amount_cents - (fee_returned.sale).refunded_fee_cents
        else 0
    end;
$$;

COMMENT ON FUNCTION payments.fee_returned(sale payments.sales, amount_cents bigint) IS 'How much of the platform''s share goes back with a refund, in cents.';

CREATE FUNCTION payments.finish_inbox(event_id text, result jsonb, is_ignored boolean DEFAULT false, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    update payments.webhook_inbox as i
    set
        status = case when finish_inbox.is_ignored then 'ignored' else 'handled' end::payments.webhook_status,
        handled_at = finish_inbox.at,
        result = finish_inbox.result,
        last_error = null,
        lease_until = null
    where i.event_id = finish_inbox.event_id;

return found;
end;
$$;

COMMENT ON FUNCTION payments.finish_inbox(event_id text, result jsonb, is_ignored boolean, at timestamp with time zone) IS 'Mark an event of Stripe as handled, or as ignored, with what was done.';

CREATE FUNCTION payments.first_posting(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, reverses_id uuid) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_id uuid;
    is_same boolean;
begin
    select
        t.id,
        (t.kind, t.reference_type, t.reference_id, t.reverses_id, e.account_ids, e.amounts_cents)
        is not distinct from (
            first_posting.kind::varchar, first_posting.reference_type::varchar, first_posting.reference_id,
            first_posting.reverses_id, g.account_ids, g.amounts_cents
        )
    into the_id, is_same
    from payments.transactions as t
    cross join lateral (
        select
            array_agg(e.account_id order by e.line) as account_ids,
            array_agg(e.amount_cents::bigint order by e.line) as amounts_cents
        from payments.entries as e
        where e.transaction_id = t.id
    ) as e
    cross join lateral (
        select
            array_agg(l.account_id order by l.line) as account_ids,
            array_agg(l.amount_cents order by l.line) as amounts_cents
        from unnest(first_posting.account_ids, first_posting.amounts_cents) with ordinality
            as l (account_id, amount_cents, line)
        where l.amount_cents is distinct from 0
    ) as g
    where t.idempotency_key = first_posting.idempotency_key;

if is_same is not true then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object('idempotency_key', first_posting.idempotency_key)::text;
    end if;
    return the_id;
end;
$$;

COMMENT ON FUNCTION payments.first_posting(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, reverses_id uuid) IS 'The transaction that was posted under a key; refuses if it was another one.';

CREATE FUNCTION payments.follow_entries() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    is_sound boolean;
    is_guarded boolean;
    change record;
begin
    -- The planner knows nothing of the size of `fresh` and must not read a whole table, nor the one for each row of the
    -- other, where a look-up by key will do: hence the array, the full join, which has no loops, and the `limit 1`.
    with
    noted as (
        insert into payments.unsealed_entries (account_id, transaction_id, line, amount_cents, recorded_at)
        select f.account_id, f.transaction_id, f.line, f.amount_cents, t.recorded_at
        from fresh as f
        full join (
            select t.id, t.recorded_at
            from payments.transactions as t
            where t.id = any (array(select f.transaction_id from fresh as f))
        ) as t on f.transaction_id = t.id
    )

    select bool_and(s.is_sound), bool_or(s.guarded)
    into is_sound, is_guarded
    from (
        select
            sum(f.amount_cents) = 0 and min(f.line) = 1 and a.currency is not null as is_sound,
            bool_or(a.guarded) as guarded
        from fresh as f
        left join lateral (
            select a.currency, a.guarded from payments.accounts as a where a.id = f.account_id limit 1
        ) as a on true
        group by f.transaction_id, a.currency
    ) as s;

-- Or sound after all: of a transaction in several currencies, only one has line 1.
    if is_sound is false then
        perform payments.refuse_entries(
            array(select row(f.transaction_id, f.line, f.account_id, f.amount_cents)::payments.entries from fresh as f)
        );
    end if;

if is_guarded then
        for change in
            select f.account_id, payments.normal_side(a.type) * sum(f.amount_cents)::bigint as amount_cents
            from fresh as f
            cross join lateral (
                select a.type from payments.accounts as a where a.id = f.account_id and a.guarded limit 1
            ) as a
            group by f.account_id, a.type
            having sum(f.amount_cents) <> 0
            order by f.account_id
        loop
            update payments.balances as b
            set balance_cents = b.balance_cents + change.amount_cents
            where b.account_id = change.account_id and b.balance_cents + change.amount_cents >= 0;

if not found then
                perform payments.refuse_insufficient_funds(change.account_id, -change.amount_cents);
            end if;
        end loop;
    end if;
    return null;
end;
$$;

CREATE FUNCTION payments.forget_webhooks(most integer DEFAULT 5000, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(sum(ops.apply_retention(r, forget_webhooks.at, forget_webhooks.most)), 0)::integer
    from ops.retention as r
    where r.rule = 'stripe_events';
$$;

COMMENT ON FUNCTION payments.forget_webhooks(most integer, at timestamp with time zone) IS 'Delete events of Stripe that were handled long ago; returns the number of events.';

CREATE FUNCTION payments.fulfil(intent payments.intents) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
begin
    if (fulfil.intent).purchase_id is not null then
        return payments.fulfil_purchase((fulfil.intent).purchase_id);
    end if;

select b.* into the_booking from events.bookings as b where b.id = (fulfil.intent).booking_id;

if the_booking.status = 'expired' and events.may_come_back(the_booking)
        and payments.use_promo_code_again(the_booking.id) then
        null;
    elsif the_booking.status <> 'pending_payment' then
        perform payments.return_payment(fulfil.intent);
        return array['returned'];
    end if;

perform events.confirm_paid(the_booking.id);
    perform payments.sell(the_booking.id);
    return array['confirmed'];
end;
$$;

COMMENT ON FUNCTION payments.fulfil(intent payments.intents) IS 'Give a paid booking its seats, or the money back where they are gone.';

CREATE FUNCTION payments.fulfil_purchase(purchase_id uuid) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_purchase payments.purchases;
    the_wallet_id uuid;
    the_expiry timestamptz;
begin
    update payments.purchases as p
    set status = 'granted', granted_at = statement_timestamp()
    where p.id = fulfil_purchase.purchase_id and p.status in ('pending', 'expired')
    returning p.* into the_purchase;

if not found then
        return '{}';
    end if;

the_expiry := coalesce(
        statement_timestamp() + make_interval(days => the_purchase.valid_days), 'infinity'
    );
    if the_purchase.kind = 'wallet' then
        the_wallet_id := payments.account(
            'user', the_purchase.customer_id, 'credits', the_purchase.currency, the_purchase.organization_id
        );
        perform payments.lock_wallets(array[the_wallet_id]);
    end if;

perform payments.move(
        kind => 'package_sold',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(
            the_purchase, the_purchase.amount_cents, the_purchase.credits, the_purchase.fee_cents
        ),
        idempotency_key => 'package:' || the_purchase.id,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

insert into payments.credit_lots (
        kind, source, organization_id, customer_id, account_id, currency, amount, remaining, expires_at, categories,
        purchase_id
    )
    select
        the_purchase.kind, l.source::payments.credit_source, the_purchase.organization_id, the_purchase.customer_id,
        the_wallet_id, case when the_purchase.kind = 'wallet' then the_purchase.currency end, l.amount, l.amount,
        the_expiry, the_purchase.categories, the_purchase.id
    from (
        values
        ('purchase', the_purchase.credits::bigint),
        ('promotion', case when the_purchase.kind = 'pass' then the_purchase.bonus::bigint else 0 end)
    ) as l (source, amount)
    where l.amount > 0;

if the_purchase.kind = 'wallet' and the_purchase.bonus > 0 then
        perform payments.grant_money(
            organization_id => the_purchase.organization_id, customer_id => the_purchase.customer_id,
            amount_cents => the_purchase.bonus, currency => the_purchase.currency, source => 'promotion',
            idempotency_key => 'package_bonus:' || the_purchase.id, expires_at => the_expiry,
            purchase_id => the_purchase.id
        );
    end if;
    perform payments.tell_of_credits(l.id, the_purchase.bonus)
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.source = 'purchase';
    return array['granted'];
end;
$$;

COMMENT ON FUNCTION payments.fulfil_purchase(purchase_id uuid) IS 'Give a customer the credits that they paid for, once.';

CREATE FUNCTION payments.give_back_promo_codes(booking_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform
    from payments.promo_codes as c
    where c.id in (
        select u.promo_code_id
        from payments.promo_uses as u
        where u.booking_id = any (give_back_promo_codes.booking_ids) and u.given_back_at is null
    )
    order by c.id
    for no key update;

if not found then
        return;
    end if;

with back as (
        update payments.promo_uses as u
        set given_back_at = statement_timestamp()
        where u.booking_id = any (give_back_promo_codes.booking_ids) and u.given_back_at is null
        returning u.promo_code_id
    )

    update payments.promo_codes as c
    set used = c.used - b.uses
    from (select b.promo_code_id, count(*) as uses from back as b group by b.promo_code_id) as b
    where c.id = b.promo_code_id;
end;
$$;

COMMENT ON FUNCTION payments.give_back_promo_codes(booking_ids uuid[]) IS 'Give back the promo codes of bookings that came to nothing.';

CREATE FUNCTION payments.give_up(intent payments.intents) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if (give_up.intent).purchase_id is not null then
        update payments.purchases as p
        set status = 'expired'
        where p.id = (give_up.intent).purchase_id and p.status = 'pending';
        return case when found then array['abandoned'] else '{}' end;
    end if;

if events.abandon_unpaid((give_up.intent).booking_id) then
        return array['abandoned'];
    end if;
    return '{}';
end;
$$;

COMMENT ON FUNCTION payments.give_up(intent payments.intents) IS 'Let go of the seats of a payment that was cancelled at Stripe.';

CREATE FUNCTION payments.grant_credits(organization_id uuid, customer_id uuid, kind payments.credit_kind, amount bigint, idempotency_key text, currency text DEFAULT NULL::text, expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone, categories text[] DEFAULT NULL::text[], note text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_lot_id uuid;
    the_key text;
begin
    if not organizations.caller_is(grant_credits.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only accountants, admins and owners of the organization may grant credits.'
            )::text;
    end if;
    -- A member's organization exists; a service may name any.
    if not exists (select from organizations.organizations as o where o.id = grant_credits.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if grant_credits.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required';
    end if;
    perform organizations.require_customer(grant_credits.organization_id, grant_credits.customer_id);
    if
        (grant_credits.amount between 1 and 100000000) is not true
        or grant_credits.expires_at <= statement_timestamp()
        or (grant_credits.kind = 'wallet') is distinct from (grant_credits.currency is not null)
        or grant_credits.kind is null
        or (grant_credits.kind = 'wallet' and grant_credits.categories is not null)
        or not exists (
            select from ref.currencies as c where c.code = coalesce(grant_credits.currency, c.code)
        )
        or exists (
            select
            from unnest(grant_credits.categories) as g (slug)
            where not exists (select from ref.event_categories as c where c.slug = g.slug)
        )
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'Credits need a positive amount, a future expiry, and a currency (money) or known'
                ' categories (pass).'
            )::text;
    end if;

the_lot_id := events.first_made(
        'grant_credits', grant_credits.idempotency_key,
        jsonb_build_array(
            grant_credits.organization_id, grant_credits.customer_id, grant_credits.kind, grant_credits.amount,
            grant_credits.currency, grant_credits.expires_at, grant_credits.categories
        ),
        ops.uuid_v7()
    );

if not exists (
        select from payments.credit_lots as l where l.id = the_lot_id
    ) then
        if grant_credits.kind = 'wallet' then
            perform payments.grant_money(
                organization_id => grant_credits.organization_id, customer_id => grant_credits.customer_id,
                amount_cents => grant_credits.amount, currency => grant_credits.currency, source => 'grant',
                idempotency_key => 'credits_granted:' || the_lot_id,
                expires_at => coalesce(grant_credits.expires_at, 'infinity'), note => grant_credits.note,
                lot_id => the_lot_id
            );
        else
            insert into payments.credit_lots (
                id, kind, source, organization_id, customer_id, amount, remaining, expires_at, categories, note,
                granted_by
            )
            values (
                the_lot_id, 'pass', 'grant', grant_credits.organization_id, grant_credits.customer_id,
                grant_credits.amount, grant_credits.amount, coalesce(grant_credits.expires_at, 'infinity'),
                grant_credits.categories, grant_credits.note, ops.caller_id()
            );
        end if;
        perform payments.tell_of_credits(the_lot_id);
    end if;

return payments.lot_answer(the_lot_id);
end;
$$;

COMMENT ON FUNCTION payments.grant_credits(organization_id uuid, customer_id uuid, kind payments.credit_kind, amount bigint, idempotency_key text, currency text, expires_at timestamp with time zone, categories text[], note text) IS 'Give a customer credits at the organization''s expense; answers them.';

CREATE FUNCTION payments.grant_money(organization_id uuid, customer_id uuid, amount_cents bigint, currency text, source payments.credit_source, idempotency_key text, expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, booking_id uuid DEFAULT NULL::uuid, purchase_id uuid DEFAULT NULL::uuid, note text DEFAULT NULL::text, lot_id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_wallet_id uuid := payments.account(
        'user', grant_money.customer_id, 'credits', grant_money.currency, grant_money.organization_id
    );
    the_lot_id uuid := coalesce(grant_money.lot_id, ops.uuid_v7());
    the_transaction_id uuid;
begin
    perform payments.lock_wallets(array[the_wallet_id]);

if exists (
        select from payments.transactions as t where t.idempotency_key = grant_money.idempotency_key
    ) then
        return null;
    end if;

the_transaction_id := payments.move(
        kind => 'credits_granted',
        currency => grant_money.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'organization', 'id', grant_money.organization_id, 'type', 'receivable',
                'cents', grant_money.amount_cents
            ),
            jsonb_build_object(
                'owner', 'user', 'id', grant_money.customer_id, 'type', 'credits',
                'within', grant_money.organization_id, 'cents', -grant_money.amount_cents
            )
        ),
        idempotency_key => grant_money.idempotency_key,
        reference_type => 'credits',
        reference_id => the_lot_id
    );

insert into payments.credit_lots (
        id, kind, source, organization_id, customer_id, account_id, currency, amount, remaining, expires_at, booking_id,
        purchase_id, note, granted_by
    )
    values (
        the_lot_id, 'wallet', grant_money.source, grant_money.organization_id, grant_money.customer_id, the_wallet_id,
        grant_money.currency, grant_money.amount_cents, grant_money.amount_cents, grant_money.expires_at,
        grant_money.booking_id, grant_money.purchase_id, grant_money.note, ops.caller_id()
    );
    return the_lot_id;
end;
$$;

COMMENT ON FUNCTION payments.grant_money(organization_id uuid, customer_id uuid, amount_cents bigint, currency text, source payments.credit_source, idempotency_key text, expires_at timestamp with time zone, booking_id uuid, purchase_id uuid, note text, lot_id uuid) IS 'Give a customer money in their wallet at an organization''s expense; answers the lot.';

CREATE FUNCTION payments.grant_promised(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_code payments.promo_codes;
begin
    select c.* into the_code
    from payments.promo_uses as u
    inner join payments.promo_codes as c on c.id = u.promo_code_id
    where u.booking_id = (grant_promised.booking).id and u.given_back_at is null and c.kind = 'credits';

if found then
        perform payments.tell_of_credits(payments.grant_money(
            organization_id => the_code.organization_id, customer_id => (grant_promised.booking).customer_id,
            amount_cents => the_code.amount_cents, currency => the_code.currency, source => 'promotion',
            idempotency_key => 'promotion:' || (grant_promised.booking).id,
            booking_id => (grant_promised.booking).id
        ));
    end if;
end;
$$;

COMMENT ON FUNCTION payments.grant_promised(booking events.bookings) IS 'Put what a booking''s promo code promises into its customer''s wallet.';

CREATE FUNCTION payments.inbox_figures(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select f.*
    from (
        select min(i.received_at) as oldest
        from payments.webhook_inbox as i
        where i.status in ('received', 'failed')
    ) as i
    cross join lateral ops.age_figure('webhook_inbox_age_seconds', i.oldest, 300, 1800, inbox_figures.at) as f
    union all
    select
        'webhooks_parked', count(*)::double precision, 'events', ops.judge(count(*), 1, 100),
        coalesce(jsonb_object_agg(i.event_id, i.type), '{}')
    from (
        select p.event_id, p.type
        from payments.webhook_inbox as p
        where p.status = 'parked'
        order by p.received_at
        limit 100
    ) as i;
$$;

COMMENT ON FUNCTION payments.inbox_figures(at timestamp with time zone) IS 'How the inbox of Stripe''s events does, for the health checks.';

CREATE FUNCTION payments.invoice_is_paid(booking_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from payments.invoices as i
        inner join payments.invoice_payments as p on p.invoice_id = i.id
        where i.booking_id = invoice_is_paid.booking_id and i.kind = 'invoice'
    );
$$;

COMMENT ON FUNCTION payments.invoice_is_paid(booking_id uuid) IS 'Whether a booking''s invoice was paid.';

CREATE FUNCTION payments.is_disputed(intent_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from payments.disputes as d
        where
            d.intent_id = is_disputed.intent_id
            and d.withdrawn
            and (d.status <> 'lost' or payments.dispute_cover(d.intent_id) > 0)
    );
$$;

COMMENT ON FUNCTION payments.is_disputed(intent_id uuid) IS 'Whether a dispute has taken a payment back.';

CREATE FUNCTION payments.is_withdrawn(intent_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from payments.disputes as d
        where d.intent_id = is_withdrawn.intent_id and d.withdrawn and d.status <> 'lost'
    );
$$;

COMMENT ON FUNCTION payments.is_withdrawn(intent_id uuid) IS 'Whether an open dispute holds a payment back.';

CREATE FUNCTION payments.issue_credit_notes(refund_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    issuer record;
    first_number integer;
begin
    for issuer in
        select r.organization_id, count(*)::integer as notes
        from payments.refunds as r
        inner join payments.invoices as i on i.booking_id = r.booking_id and i.kind = 'invoice'
        where r.id = any (issue_credit_notes.refund_ids)
        group by r.organization_id
        order by r.organization_id
    loop
        first_number := payments.next_invoice_number(issuer.organization_id, issuer.notes);

insert into payments.invoices (
            organization_id, kind, booking_id, customer_id, corrects_id, refund_id, seller, buyer, lines, net_cents,
            tax_cents, gross_cents, currency, tax_bps, tax_country, number
        )
        select
            i.organization_id, 'credit_note', i.booking_id, i.customer_id, i.id, r.id, i.seller, i.buyer, i.lines,
            r.amount_cents - t.tax_cents, t.tax_cents, r.amount_cents, i.currency, i.tax_bps, i.tax_country,
            first_number - 1 + row_number() over (order by r.id)
        from payments.refunds as r
        inner join payments.invoices as i on i.booking_id = r.booking_id and i.kind = 'invoice'
        inner join payments.sales as s on s.booking_id = r.booking_id
        cross join lateral (
            select i.tax_cents * s.refunded_cents / i.gross_cents - coalesce(sum(c.tax_cents), 0)::bigint as tax_cents
            from payments.invoices as c
            where c.corrects_id = i.id
        ) as t
        where r.id = any (issue_credit_notes.refund_ids) and r.organization_id = issuer.organization_id;
    end loop;
end;
$$;

COMMENT ON FUNCTION payments.issue_credit_notes(refund_ids uuid[]) IS 'Correct the invoices of bookings that were refunded, by what was refunded.';

CREATE FUNCTION payments.issue_invoice(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_invoice payments.invoices;
begin
    insert into payments.invoices (
        organization_id, kind, booking_id, customer_id, seller, buyer, lines, net_cents, tax_cents, gross_cents,
        currency, tax_bps, tax_country, due_on, number
    )
    select
        o.id, 'invoice', (issue_invoice.booking).id, p.id,
        jsonb_build_object('name', o.name, 'country', o.country),
        jsonb_build_object('name', p.name, 'email', users.address_of(p)),
        jsonb_build_array(
            jsonb_build_object(
                'description', e.title,
                'starts_at', to_char(e.starts_at at time zone e.time_zone, 'YYYY-MM-DD HH24:MI'),
                'seats', (issue_invoice.booking).seats,
                'list_cents', q.list_cents,
                'discount_cents', q.discount_cents
            )
        ),
        q.net_cents, q.tax_cents, q.total_cents, q.currency, q.tax_bps, q.tax_country,
        (statement_timestamp() at time zone o.time_zone)::date + 14,
        payments.next_invoice_number(o.id, 1)
    from payments.quotes as q
    inner join organizations.organizations as o on o.id = q.organization_id
    inner join users.profiles as p on p.id = q.customer_id
    inner join events.terms as t on t.event_id = (issue_invoice.booking).event_id
    inner join events.events as e on e.id = t.event_id and e.starts_at = t.starts_at
    where q.booking_id = (issue_invoice.booking).id
    returning * into the_invoice;

insert into public.outbox (topic, key, payload)
    values (
        'invoice.issued', (issue_invoice.booking).event_id::text,
        jsonb_build_object(
            'invoice_id', the_invoice.id, 'number', the_invoice.number, 'booking_id', the_invoice.booking_id,
            'event_id', (issue_invoice.booking).event_id, 'customer_id', the_invoice.customer_id,
            'organization_id', the_invoice.organization_id, 'amount_cents', the_invoice.gross_cents,
            'currency', the_invoice.currency, 'due_on', the_invoice.due_on
        )
    );
end;
$$;

COMMENT ON FUNCTION payments.issue_invoice(booking events.bookings) IS 'Write the invoice of a booking that is paid by invoice.';

CREATE FUNCTION payments.keep_payout_account(organization_id uuid, stripe_account_id text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform payments.payout_account_of(keep_payout_account.organization_id);

insert into organizations.payout_accounts (organization_id, stripe_account_id, updated_at)
    values (keep_payout_account.organization_id, keep_payout_account.stripe_account_id, '-infinity')
    on conflict do nothing;

return payments.payout_account_of(keep_payout_account.organization_id);
end;
$$;

COMMENT ON FUNCTION payments.keep_payout_account(organization_id uuid, stripe_account_id text) IS 'Keep the account that Stripe has made for an organization; answers it.';

CREATE FUNCTION payments.knows_refund(intent_id uuid, stripe_id text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from payments.refunds as r
        where
            r.intent_id = knows_refund.intent_id
            and (
                r.stripe_refund_id = knows_refund.stripe_id
                or knows_refund.stripe_id = any (r.earlier_stripe_ids)
                or r.cause = 'stripe:' || knows_refund.stripe_id
                or starts_with(r.cause, 'stripe:' || knows_refund.stripe_id || ':')
            )
    );
$$;

COMMENT ON FUNCTION payments.knows_refund(intent_id uuid, stripe_id text) IS 'Whether a refund at Stripe is one of ours, was one, or was taken over.';

CREATE FUNCTION payments.language_of(invoice_id uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select p.language::text
    from payments.invoices as i
    inner join users.profiles as p on p.id = i.customer_id
    where
        i.id = language_of.invoice_id
        and (
            i.customer_id = ops.caller_id()
            or organizations.caller_is(i.organization_id, 'accountant', 'front_desk', 'admin', 'owner')
        );
$$;

COMMENT ON FUNCTION payments.language_of(invoice_id uuid) IS 'The language of the customer whom an invoice or a credit note is for.';

CREATE FUNCTION payments.last_catch_up(job text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select r.started_at
    from ops.job_runs as r
    where r.job = last_catch_up.job and r.succeeded
    order by r.id desc
    limit 1;
$$;

COMMENT ON FUNCTION payments.last_catch_up(job text) IS 'When the last successful run of the job began that asks Stripe for missed events.';

CREATE FUNCTION payments.ledger_figures(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        'ledger_unbalanced_currencies', count(*)::double precision, 'currencies', ops.judge(count(*), 1, 1),
        coalesce(jsonb_object_agg(t.currency, t.amount_cents), '{}')
    from payments.trial_balance() as t
    where t.type is null and t.amount_cents <> 0
    union all
    select
        'ledger_findings', coalesce(r.findings, 0), 'findings', ops.judge(coalesce(r.findings, 0)::bigint, 1, 1), '{}'
    from (
        select (
            select (j.result -> 'details' ->> 'findings')::double precision
            from ops.job_runs as j
            where j.job = 'verify_ledger' and j.succeeded
            order by j.id desc
            limit 1
        ) as findings
    ) as r
    union all
    select
        'reconciliation_differences', count(*)::double precision, 'differences', ops.judge(count(*), 1, 100),
        coalesce(jsonb_object_agg(d.source_id, d.reason), '{}')
    from (
        select d.source_id, d.reason
        from payments.differences as d
        where d.resolved_at is null
        order by d.id
        limit 100
    ) as d
    union all
    select 'refunds_failed', count(*)::double precision, 'refunds', ops.judge(count(*), 1, 100), '{}'
    from (select from payments.refunds as r where r.status = 'failed' and not r.beyond limit 1000) as r
    union all
    select f.*
    from (select min(u.recorded_at) as oldest from payments.unsealed_entries as u) as u
    cross join lateral ops.age_figure('unsealed_entry_age_seconds', u.oldest, 300, 900, ledger_figures.at) as f;
$$;

COMMENT ON FUNCTION payments.ledger_figures(at timestamp with time zone) IS 'How the books do, for the health checks.';

CREATE FUNCTION payments.link(hash bytea, entry bytea) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
begin
    return sha256(link.hash || link.entry);
end;
$$;

COMMENT ON FUNCTION payments.link(hash bytea, entry bytea) IS 'The hash of a chain after one more entry.';

CREATE FUNCTION payments.lock_wallets(account_ids uuid[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform
    from payments.balances as b
    where b.account_id = any (lock_wallets.account_ids)
    order by b.account_id
    for no key update;
end;
$$;

COMMENT ON FUNCTION payments.lock_wallets(account_ids uuid[]) IS 'Make everybody else wait who would change these wallets.';

CREATE FUNCTION payments.lot_answer(lot_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'id', l.id,
        'kind', l.kind,
        'source', l.source,
        'organization_id', l.organization_id,
        'customer_id', l.customer_id,
        'currency', l.currency,
        'amount', l.amount,
        'remaining', l.remaining,
        'expires_at', nullif(l.expires_at, 'infinity'),
        'categories', l.categories,
        'created_at', l.created_at
    )
    from payments.credit_lots as l
    where l.id = lot_answer.lot_id;
$$;

COMMENT ON FUNCTION payments.lot_answer(lot_id uuid) IS 'Credits as they were given.';

CREATE FUNCTION payments.methods_of(organization_id uuid, currency text) RETURNS events.payment_method[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select array['card']::events.payment_method[]
        || case when methods_of.currency = 'CHF' then array['twint']::events.payment_method[] else '{}' end
        || array['wallet']::events.payment_method[]
        || case
            when exists (
                select
                from payments.credit_lots as l
                where l.organization_id = methods_of.organization_id and l.kind = 'pass'
            ) then array['pass']::events.payment_method[]
            else '{}'
        end
        || case
            when exists (
                select
                from organizations.payout_settings as s
                where s.organization_id = methods_of.organization_id and s.invoices_allowed
            ) then array['invoice']::events.payment_method[]
            else '{}'
        end;
$$;

COMMENT ON FUNCTION payments.methods_of(organization_id uuid, currency text) IS 'How an organization''s customers can pay; TWINT is for Swiss francs only.';

CREATE FUNCTION payments.move(kind text, currency text, legs jsonb, idempotency_key text, reference_type text, reference_id uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    account_ids uuid[];
    amounts bigint[];
begin
    select array_agg(a.account_id), array_agg(a.cents)
    into account_ids, amounts
    from (
        select
            payments.account(
                l.owner::payments.owner_kind, l.id, l.type::payments.account_type, move.currency, l.within
            ) as account_id,
            l.cents
        from jsonb_to_recordset(move.legs) as l (owner text, id uuid, type text, within uuid, cents bigint)
        where l.cents <> 0
    ) as a;

if account_ids is null then
        return null;
    end if;
    return payments.post_transaction(
        kind => move.kind, account_ids => account_ids, amounts_cents => amounts,
        idempotency_key => move.idempotency_key, reference_type => move.reference_type,
        reference_id => move.reference_id
    );
end;
$$;

COMMENT ON FUNCTION payments.move(kind text, currency text, legs jsonb, idempotency_key text, reference_type text, reference_id uuid) IS 'Post one transaction between accounts named by whose they are.';

CREATE FUNCTION payments.movements_of(account_id uuid, begins_at timestamp with time zone, ends_at timestamp with time zone) RETURNS TABLE(transaction_id uuid, kind text, reference_type text, reference_id uuid, recorded_at timestamp with time zone, amount_cents bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        t.id,
        coalesce(o.kind, t.kind),
        t.reference_type,
        t.reference_id,
        t.recorded_at,
        (payments.normal_side(a.type) * l.amount_cents)::bigint
    from payments.accounts as a
    cross join lateral (
        select s.transaction_id, s.amount_cents
        from payments.seals as s
        where
            s.account_id = a.id
            and s.latest_recorded_at >= movements_of.begins_at
            and s.recorded_at >= movements_of.begins_at
            and s.recorded_at < movements_of.ends_at
        union all
        select u.transaction_id, u.amount_cents
        from payments.unsealed_entries as u
        where
            u.account_id = a.id
            and u.recorded_at >= movements_of.begins_at
            and u.recorded_at < movements_of.ends_at
    ) as l
    inner join payments.transactions as t on t.id = l.transaction_id
    left join payments.transactions as o on o.id = t.reverses_id
    where a.id = movements_of.account_id
    order by t.recorded_at, t.id;
$$;

COMMENT ON FUNCTION payments.movements_of(account_id uuid, begins_at timestamp with time zone, ends_at timestamp with time zone) IS 'What moved in an account in a stretch of time.';

CREATE FUNCTION payments.next_invoice_number(organization_id uuid, several integer) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into payments.invoice_numbers as n (organization_id, last)
    values (next_invoice_number.organization_id, next_invoice_number.several)
    on conflict on constraint invoice_numbers_pkey do update
    set last = n.last + excluded.last
    returning n.last - next_invoice_number.several + 1;
$$;

COMMENT ON FUNCTION payments.next_invoice_number(organization_id uuid, several integer) IS 'The next number of an organization''s series of invoices, or the first of several.';

CREATE FUNCTION payments.normal_side(type payments.account_type) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (type = ANY (ARRAY['clearing'::payments.account_type, 'fees'::payments.account_type, 'payable'::payments.account_type])) THEN 1 ELSE '-1'::integer END;

COMMENT ON FUNCTION payments.normal_side(type payments.account_type) IS '1 for accounts whose balance is debits less credits, -1 for the others.';

CREATE FUNCTION payments.open_balance() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into payments.balances (account_id) values (new.id);
    return null;
end;
$$;

CREATE FUNCTION payments.organizer_statement(organization_id uuid, first_day date, last_day date, currency text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_organization organizations.organizations;
    the_account_id uuid;
    begins_at timestamptz;
    ends_at timestamptz;
    the_currency text;
begin
    select o.* into the_organization
    from organizations.organizations as o
    where o.id = organizer_statement.organization_id;

if not found or not organizations.caller_is(the_organization.id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if
        (organizer_statement.last_day - organizer_statement.first_day between 0 and 366) is not true
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A statement covers 1 to 367 days. Choose `from` and `to` within this limit.'
            )::text;
    end if;

the_currency := coalesce(upper(organizer_statement.currency), the_organization.currency);
    begins_at := organizer_statement.first_day::timestamp at time zone the_organization.time_zone;
    ends_at := (organizer_statement.last_day + 1)::timestamp at time zone the_organization.time_zone;

select a.id into the_account_id
    from payments.accounts as a
    where
        a.owner_kind = 'organization'
        and a.owner_id = the_organization.id
        and a.type = 'receivable'
        and a.currency = the_currency;

return jsonb_build_object(
        'organization_id', the_organization.id,
        'currency', the_currency,
        'time_zone', the_organization.time_zone,
        'first_day', organizer_statement.first_day,
        'last_day', organizer_statement.last_day,
        'opening_cents', payments.balance_before(the_account_id, begins_at),
        'movements', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object('kind', m.kind, 'count', m.count, 'amount_cents', m.amount_cents)
                    order by m.kind
                ),
                '[]'
            )
            from (
                select l.kind, count(*) as count, sum(l.amount_cents)::bigint as amount_cents
                from payments.movements_of(the_account_id, begins_at, ends_at) as l
                group by l.kind
            ) as m
        ),
        'closing_cents', payments.balance_before(the_account_id, ends_at)
    );
end;
$$;

COMMENT ON FUNCTION payments.organizer_statement(organization_id uuid, first_day date, last_day date, currency text) IS 'What an organizer had with us, what moved, and what it has, over days of its own zone.';

CREATE FUNCTION payments.pay_out_credits(customer_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_purchase payments.purchases;
    the_lot record;
    the_refund payments.refunds;
    the_cents bigint;
    by_stripe boolean;
    moves jsonb := '[]';
begin
    perform
    from payments.purchases as p
    where p.customer_id = pay_out_credits.customer_id
    order by p.id
    for no key update;

perform payments.lock_wallets(array(
        select a.id
        from payments.accounts as a
        where a.owner_kind = 'user' and a.owner_id = pay_out_credits.customer_id and a.type = 'credits'
    ));
    perform
    from payments.credit_lots as l
    where l.customer_id = pay_out_credits.customer_id and l.remaining > 0
    order by l.id
    for no key update;

for the_purchase in
        select p.*
        from payments.purchases as p
        where
            p.customer_id = pay_out_credits.customer_id
            and p.status = 'granted'
            and not payments.is_disputed(p.id)
            and exists (
                select
                from payments.credit_lots as l
                where l.purchase_id = p.id and l.remaining > 0 and l.expires_at > statement_timestamp()
            )
        order by p.id
    loop
        by_stripe := payments.can_be_refunded(the_purchase.id);
        the_cents := payments.return_purchase(the_purchase, 'erased', by_stripe);
        moves := moves || jsonb_build_object(
            'organization_id', the_purchase.organization_id, 'currency', the_purchase.currency,
            case when by_stripe then 'refunded_cents' else 'unclaimed_cents' end, the_cents
        );
    end loop;

for the_lot in
        select l.*, r.intent_id, r.booking_id as refunded_booking_id
        from payments.credit_lots as l
        left join payments.refunds as r on r.id = l.refund_id
        where l.customer_id = pay_out_credits.customer_id and l.remaining > 0
        order by l.id
    loop
        update payments.credit_lots as l
        set remaining = 0, lapsed = l.lapsed + l.remaining
        where l.id = the_lot.id;

if the_lot.kind = 'pass' then
            moves := moves || jsonb_build_object(
                'organization_id', the_lot.organization_id, 'lapsed_units', the_lot.remaining
            );
            continue;
        end if;

if the_lot.source <> 'refund' or the_lot.expires_at <= statement_timestamp() then
            perform payments.move(
                kind => 'credits_expired',
                currency => the_lot.currency,
                legs => jsonb_build_array(
                    jsonb_build_object(
                        'owner', 'user', 'id', the_lot.customer_id, 'type', 'credits',
                        'within', the_lot.organization_id, 'cents', the_lot.remaining
                    ),
                    jsonb_build_object(
                        'owner', 'organization', 'id', the_lot.organization_id, 'type', 'receivable',
                        'cents', -the_lot.remaining
                    )
                ),
                idempotency_key => 'credits_expired:' || the_lot.id || ':' || the_lot.lapsed,
                reference_type => 'credits',
                reference_id => the_lot.id
            );
            moves := moves || jsonb_build_object(
                'organization_id', the_lot.organization_id, 'currency', the_lot.currency,
                'lapsed_cents', the_lot.remaining
            );
            continue;
        end if;

perform payments.move(
            kind => 'wallet_refund',
            currency => the_lot.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_lot.customer_id, 'type', 'credits', 'within', the_lot.organization_id,
                    'cents', the_lot.remaining
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', the_lot.customer_id, 'type', 'cash', 'cents', -the_lot.remaining
                )
            ),
            idempotency_key => 'wallet_refund:' || the_lot.id || ':' || the_lot.lapsed,
            reference_type => 'credits',
            reference_id => the_lot.id
        );

by_stripe := payments.can_be_refunded(the_lot.intent_id, the_lot.remaining);
        if by_stripe then
            insert into payments.refunds (
                booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
            )
            values (
                the_lot.refunded_booking_id, the_lot.intent_id, the_lot.organization_id, the_lot.customer_id,
                the_lot.remaining, the_lot.currency, 'original', 'erased:' || the_lot.id || ':' || the_lot.lapsed, false
            )
            returning * into the_refund;
            insert into public.outbox (topic, key, payload)
            values (
                'refund.requested', the_refund.booking_id::text, payments.refund_payload(the_refund)
            );
        else
            perform payments.set_aside(
                the_lot.customer_id, the_lot.organization_id, the_lot.remaining, the_lot.currency,
                'wallet_set_aside:' || the_lot.id || ':' || the_lot.lapsed, 'credits', the_lot.id
            );
        end if;
        moves := moves || jsonb_build_object(
            'organization_id', the_lot.organization_id, 'currency', the_lot.currency,
            case when by_stripe then 'refunded_cents' else 'unclaimed_cents' end, the_lot.remaining
        );
    end loop;

return (
        select coalesce(jsonb_agg(to_jsonb(s) order by s.organization_id, s.currency), '[]')
        from (
            select
                m.organization_id,
                m.currency,
                coalesce(sum(m.refunded_cents), 0) as refunded_cents,
                coalesce(sum(m.unclaimed_cents), 0) as unclaimed_cents,
                coalesce(sum(m.lapsed_cents), 0) as lapsed_cents,
                coalesce(sum(m.lapsed_units), 0) as lapsed_units
            from jsonb_to_recordset(moves) as m (
                organization_id uuid, currency text, refunded_cents bigint, unclaimed_cents bigint, lapsed_cents bigint,
                lapsed_units bigint
            )
            group by m.organization_id, m.currency
        ) as s
    );
end;
$$;

COMMENT ON FUNCTION payments.pay_out_credits(customer_id uuid) IS 'Empty every wallet and pass of a person who is being erased; returns where the money went.';

CREATE FUNCTION payments.paying_leg(customer_id uuid, organization_id uuid, method events.payment_method) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN CASE WHEN (method = 'wallet'::events.payment_method) THEN jsonb_build_object('owner', 'user', 'id', customer_id, 'type', 'credits', 'within', organization_id) WHEN (method = 'invoice'::events.payment_method) THEN jsonb_build_object('owner', 'user', 'id', customer_id, 'type', 'payable', 'within', organization_id) ELSE jsonb_build_object('owner', 'user', 'id', customer_id, 'type', 'cash') END;

COMMENT ON FUNCTION payments.paying_leg(customer_id uuid, organization_id uuid, method events.payment_method) IS 'Which account of a customer pays by this method.';

CREATE FUNCTION payments.payment_answer(intent_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'intent_id', i.id,
        'booking_id', i.booking_id,
        'purchase_id', i.purchase_id,
        'method', i.method,
        'amount_cents', i.amount_cents,
        'currency', i.currency,
        'status', i.status,
        'stripe_payment_intent_id', i.stripe_payment_intent_id,
        'client_secret', case when i.status <> 'cancelled' then i.client_secret end,
        'error', i.last_error,
        'expires_at', h.expires_at
    )
    from payments.intents as i
    left join events.bookings as b on b.id = i.booking_id
    left join events.holds as h on h.id = b.hold_id
    where i.id = payment_answer.intent_id;
$$;

COMMENT ON FUNCTION payments.payment_answer(intent_id uuid) IS 'What a customer is told about a payment through Stripe.';

CREATE FUNCTION payments.payment_of(booking_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_intent payments.intents;
begin
    select i.* into the_intent from payments.intents as i where i.booking_id = payment_of.booking_id;

if
        not found
        or (
            the_intent.customer_id = ops.caller_id() or events.is_staff(the_intent.organization_id)
        ) is not true
    then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;
    if the_intent.customer_id is distinct from ops.caller_id() then
        perform ops.record_access(
            operation => 'payment',
            read => jsonb_build_array(jsonb_build_object(
                'organization_id', the_intent.organization_id, 'person', the_intent.customer_id, 'rows', 1
            ))
        );
    end if;
    return payments.payment_answer(the_intent.id);
end;
$$;

COMMENT ON FUNCTION payments.payment_of(booking_id uuid) IS 'The payment of a booking, for who pays it and for staff.';

CREATE FUNCTION payments.payout_account_of(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    answer jsonb;
begin
    select jsonb_build_object(
        'organization_id', o.id,
        'country', o.country,
        'stripe_account_id', a.stripe_account_id,
        'charges_enabled', coalesce(a.charges_enabled, false),
        'payouts_enabled', coalesce(a.payouts_enabled, false),
        'details_submitted', coalesce(a.details_submitted, false),
        'requirements', coalesce(a.requirements, '{}')
    )
    into answer
    from organizations.organizations as o
    left join organizations.payout_accounts as a on a.organization_id = o.id
    where o.id = payout_account_of.organization_id;

if answer is null or not organizations.caller_is(payout_account_of.organization_id, 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    return answer;
end;
$$;

COMMENT ON FUNCTION payments.payout_account_of(organization_id uuid) IS 'An organization''s account at Stripe, as Stripe last described it.';

CREATE FUNCTION payments.platform_fee(organization_id uuid, amount_cents bigint) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select (
        platform_fee.amount_cents * coalesce(
            (
                select s.fee_bps
                from organizations.payout_settings as s
                where s.organization_id = platform_fee.organization_id
            ),
            500
        ) + 5000
    ) / 10000;
$$;

COMMENT ON FUNCTION payments.platform_fee(organization_id uuid, amount_cents bigint) IS 'What the platform keeps of a sale, in cents.';

CREATE FUNCTION payments.post_missing(transactions jsonb) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_ids uuid[];
    repeated record;
begin
    with
    numbered as materialized (
        select ops.uuid_v7() as id, g.*
        from rows from (
            jsonb_to_recordset(post_missing.transactions) as (
                kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text,
                reference_id uuid, occurred_at timestamptz, description text
            )
        ) with ordinality as g (
            kind, account_ids, amounts_cents, idempotency_key, reference_type, reference_id, occurred_at, description,
            number
        )
    ),

    posted as (
        insert into payments.transactions as t
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description)
        select
            n.id, n.kind, n.reference_type, n.reference_id, n.idempotency_key,
            coalesce(n.occurred_at, statement_timestamp()), n.description
        from numbered as n
        order by n.idempotency_key, n.number
        on conflict on constraint one_transaction_per_key do nothing
        returning t.id
    ),

    -- Lines are numbered without those of zero, which are few: so they are counted only where there are any.
    written as (
        insert into payments.entries (transaction_id, line, account_id, amount_cents)
        select
            l.id,
            case
                when 0 = any (l.amounts_cents)
                then l.line - cardinality(array_positions(l.amounts_cents[:l.line], 0))
                else l.line
            end,
            l.account_id,
            l.amount_cents
        from (
            select
                n.id,
                n.amounts_cents,
                generate_series(1, greatest(cardinality(n.account_ids), cardinality(n.amounts_cents))) as line,
                unnest(n.account_ids) as account_id,
                unnest(n.amounts_cents) as amount_cents
            from posted as p
            inner join numbered as n on p.id = n.id
        ) as l
        where l.amount_cents is distinct from 0
    )

    select coalesce(array_agg(p.id order by n.number), '{}') into the_ids
    from numbered as n
    left join posted as p on n.id = p.id;

if array_position(the_ids, null) is not null then
        for repeated in
            select g.number, r.*
            from jsonb_array_elements(post_missing.transactions) with ordinality as g (item, number)
            cross join lateral jsonb_to_record(g.item) as r (
                kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text,
                reference_id uuid
            )
            where the_ids[g.number] is null
        loop
            the_ids[repeated.number] := payments.first_posting(
                repeated.kind, repeated.account_ids, repeated.amounts_cents, repeated.idempotency_key,
                repeated.reference_type, repeated.reference_id, null
            );
        end loop;
    end if;
    return the_ids;
end;
$$;

COMMENT ON FUNCTION payments.post_missing(transactions jsonb) IS 'Post those of many transactions whose keys are not taken; answers the ids of all in order.';

CREATE FUNCTION payments.post_transaction(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text DEFAULT NULL::text, reference_id uuid DEFAULT NULL::uuid, occurred_at timestamp with time zone DEFAULT NULL::timestamp with time zone, description text DEFAULT NULL::text, reverses_id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_id uuid := ops.uuid_v7();
begin
    if 0 = any (amounts_cents) then
        select coalesce(array_agg(l.account_id), '{}'), coalesce(array_agg(l.amount_cents), '{}')
        into account_ids, amounts_cents
        from unnest(account_ids, amounts_cents) as l (account_id, amount_cents)
        where l.amount_cents is distinct from 0;
    end if;

with
    posted as (
        insert into payments.transactions as t
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description, reverses_id)
        values (
            the_id, post_transaction.kind, post_transaction.reference_type, post_transaction.reference_id,
            post_transaction.idempotency_key, coalesce(post_transaction.occurred_at, statement_timestamp()),
            post_transaction.description, post_transaction.reverses_id
        )
        on conflict on constraint one_transaction_per_key do nothing
        returning t.id
    )

    insert into payments.entries (transaction_id, line, account_id, amount_cents)
    select p.id, l.line, l.account_id, l.amount_cents
    from posted as p
    cross join unnest(account_ids, amounts_cents) with ordinality as l (account_id, amount_cents, line);

if found then
        return the_id;
    end if;

return payments.first_posting(
        post_transaction.kind, account_ids, amounts_cents, post_transaction.idempotency_key,
        post_transaction.reference_type, post_transaction.reference_id, post_transaction.reverses_id
    );
end;
$$;

COMMENT ON FUNCTION payments.post_transaction(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, occurred_at timestamp with time zone, description text, reverses_id uuid) IS 'Move money between accounts: debits positive, credits negative. Idempotent per key; answers the transaction''s id.';

CREATE FUNCTION payments.post_transactions(transactions jsonb) RETURNS uuid[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    -- The ids are one but for their last three digits, which count.
    the_stem text := left(ops.uuid_v7()::text, 33);
    the_ids uuid[];
begin
    if jsonb_array_length(post_transactions.transactions) > 1000 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'One call posts at most 1000 transactions. Send the others in further calls.'
            )::text;
    end if;

with
    numbered as materialized (
        select (the_stem || to_hex(1024 + g.number))::uuid as id, g.*
        from rows from (
            jsonb_to_recordset(post_transactions.transactions) as (
                kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text,
                reference_id uuid, occurred_at timestamptz, description text
            )
        ) with ordinality as g (
            kind, account_ids, amounts_cents, idempotency_key, reference_type, reference_id, occurred_at, description,
            number
        )
    ),

    -- Who calls is read once and not, by the column's default, for each.
    posted as (
        insert into payments.transactions
        (id, kind, reference_type, reference_id, idempotency_key, occurred_at, description, actor_id)
        select
            n.id, n.kind, n.reference_type, n.reference_id, n.idempotency_key,
            coalesce(n.occurred_at, statement_timestamp()), n.description, (select ops.caller_id())
        from numbered as n
        order by n.idempotency_key
    ),

    -- Lines are numbered without those of zero, which are few: so they are counted only where there are any.
    written as (
        insert into payments.entries (transaction_id, line, account_id, amount_cents)
        select
            l.id,
            case
                when l.has_zeros
                then l.line - cardinality(array_positions(l.amounts_cents[:l.line], 0))
                else l.line
            end,
            l.account_ids[l.line],
            l.amounts_cents[l.line]
        from (
            select
                n.id,
                n.account_ids,
                n.amounts_cents,
                0 = any (n.amounts_cents) as has_zeros,
                generate_series(1, greatest(cardinality(n.account_ids), cardinality(n.amounts_cents))) as line
            from numbered as n
        ) as l
        where l.amounts_cents[l.line] is distinct from 0
    )

    select coalesce(array_agg(n.id order by n.number), '{}') into the_ids
    from numbered as n;

return the_ids;
exception
    when unique_violation then
        return payments.post_missing(post_transactions.transactions);
end;
$$;

COMMENT ON FUNCTION payments.post_transactions(transactions jsonb) IS 'Post many transactions, all or none; answers their ids in order. Idempotent per key.';

CREATE FUNCTION payments.purchase_answer(purchase_id uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'id', p.id,
        'package_id', p.package_id,
        'organization_id', p.organization_id,
        'customer_id', p.customer_id,
        'kind', p.kind,
        'credits', p.credits,
        'bonus', p.bonus,
        'categories', p.categories,
        'price_cents', p.amount_cents,
        'net_cents', p.net_cents,
        'tax_cents', p.tax_cents,
        'currency', p.currency,
        'status', p.status,
        'refunded_cents', p.refunded_cents,
        'created_at', p.created_at,
        'payment', payments.payment_answer(p.id)
    )
    from payments.purchases as p
    where p.id = purchase_answer.purchase_id;
$$;

COMMENT ON FUNCTION payments.purchase_answer(purchase_id uuid) IS 'A purchase as its customer is told it.';

CREATE TABLE payments.purchases (
    id uuid NOT NULL,
    package_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    method events.payment_method NOT NULL,
    kind payments.credit_kind NOT NULL,
    credits payments.credit_amount NOT NULL,
    bonus payments.credit_rest NOT NULL,
    valid_days integer,
    categories text[],
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    tax_bps integer NOT NULL,
    tax_country character(2) NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    fee_cents payments.cents DEFAULT 0 NOT NULL,
    refunded_cents payments.cents DEFAULT 0 NOT NULL,
    status payments.purchase_status DEFAULT 'pending'::payments.purchase_status NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    granted_at timestamp with time zone,
    refunded_at timestamp with time zone,
    CONSTRAINT packages_are_paid_through_stripe CHECK ((method = ANY (ARRAY['card'::events.payment_method, 'twint'::events.payment_method]))),
    CONSTRAINT purchase_is_net_and_tax CHECK (((amount_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint))),
    CONSTRAINT purchase_never_refunded_beyond_its_price CHECK (((refunded_cents)::bigint <= (amount_cents)::bigint))
);

COMMENT ON TABLE payments.purchases IS 'A package bought: what it was then, what it cost, what became of it.';

COMMENT ON COLUMN payments.purchases.fee_cents IS 'The platform''s share. None for wallet money: that comes when it is spent.';

CREATE FUNCTION payments.purchase_legs(purchase payments.purchases, paid_cents bigint, credits bigint, fee_cents bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    RETURN jsonb_build_array(jsonb_build_object('owner', 'user', 'id', (purchase).customer_id, 'type', 'cash', 'cents', paid_cents), jsonb_build_object('owner', 'user', 'id', (purchase).customer_id, 'type', 'credits', 'within', (purchase).organization_id, 'cents', CASE WHEN ((purchase).kind = 'wallet'::payments.credit_kind) THEN (- credits) ELSE (0)::bigint END), jsonb_build_object('owner', 'organization', 'id', (purchase).organization_id, 'type', 'receivable', 'cents', ((fee_cents - paid_cents) + CASE WHEN ((purchase).kind = 'wallet'::payments.credit_kind) THEN credits ELSE (0)::bigint END)), jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', (- fee_cents)));

COMMENT ON FUNCTION payments.purchase_legs(purchase payments.purchases, paid_cents bigint, credits bigint, fee_cents bigint) IS 'What a package moves, as legs for payments.move.';

CREATE FUNCTION payments.purchase_of(purchase_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_purchase payments.purchases;
begin
    select p.* into the_purchase
    from payments.purchases as p
    where
        p.id = purchase_of.purchase_id
        and (
            p.customer_id = ops.caller_id()
            or organizations.caller_is(p.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
        );

if not found then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;

perform ops.record_access(
        operation => 'purchase',
        read => jsonb_build_array(jsonb_build_object(
            'organization_id', the_purchase.organization_id, 'person', the_purchase.customer_id, 'rows', 1
        ))
    );
    return payments.purchase_answer(the_purchase.id);
end;
$$;

COMMENT ON FUNCTION payments.purchase_of(purchase_id uuid) IS 'A purchase with its payment.';

CREATE FUNCTION payments.quote(organization_id uuid, customer_id uuid, list_cents bigint, currency text, tax_country text, category text DEFAULT NULL::text, promo_code text DEFAULT NULL::text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS payments.quotes
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_quote payments.quotes;
    the_tax record;
    the_code payments.promo_codes;
    the_base_cents bigint := quote.list_cents;
    the_time_zone text := coalesce(
        (select o.time_zone from organizations.organizations as o where o.id = quote.organization_id), 'UTC'
    );
begin
    if quote.promo_code is not null then
        the_code := payments.valid_promo_code(quote.organization_id, quote.promo_code, quote.currency, quote.at);
        the_quote.promo_code_id := the_code.id;
        the_base_cents := quote.list_cents - case the_code.kind
            when 'percent' then (quote.list_cents * the_code.percent_bps + 5000) / 10000
            when 'amount' then least(quote.list_cents, the_code.amount_cents)
            else 0
        end;
    end if;

select t.* into the_tax
    from payments.tax_of(quote.tax_country, quote.category, (quote.at at time zone the_time_zone)::date) as t;

the_quote.organization_id := quote.organization_id;
    the_quote.customer_id := quote.customer_id;
    the_quote.list_cents := quote.list_cents;
    the_quote.discount_cents := quote.list_cents - the_base_cents;
    the_quote.currency := quote.currency;
    the_quote.tax_country := quote.tax_country;
    the_quote.tax_category := the_tax.category;
    the_quote.tax_bps := the_tax.rate_bps;
    the_quote.tax_added := the_tax.is_added;
    if the_tax.is_added then
        the_quote.tax_cents := (the_base_cents * the_tax.rate_bps + 5000) / 10000;
        the_quote.net_cents := the_base_cents;
    else
        the_quote.tax_cents := (2 * the_base_cents * the_tax.rate_bps + 10000 + the_tax.rate_bps)
            / (2 * (10000 + the_tax.rate_bps));
        the_quote.net_cents := the_base_cents - the_quote.tax_cents;
    end if;
    the_quote.total_cents := the_quote.net_cents + the_quote.tax_cents;
    return the_quote;
end;
$$;

COMMENT ON FUNCTION payments.quote(organization_id uuid, customer_id uuid, list_cents bigint, currency text, tax_country text, category text, promo_code text, at timestamp with time zone) IS 'What something costs: price, discount, tax, total.';

CREATE FUNCTION payments.quote_answer(quote payments.quotes) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN jsonb_build_object('price_cents', (quote).total_cents, 'list_cents', (quote).list_cents, 'discount_cents', (quote).discount_cents, 'net_cents', (quote).net_cents, 'tax_cents', (quote).tax_cents, 'tax_percent', (((quote).tax_bps)::numeric / 100.0), 'tax_added', (quote).tax_added, 'currency', (quote).currency);

COMMENT ON FUNCTION payments.quote_answer(quote payments.quotes) IS 'A quote as people are told it.';

CREATE TABLE payments.packages (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    kind payments.credit_kind NOT NULL,
    price_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    amount payments.credit_amount NOT NULL,
    bonus payments.credit_rest DEFAULT 0 NOT NULL,
    valid_days integer,
    categories text[],
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT only_passes_are_for_categories CHECK (((kind = 'pass'::payments.credit_kind) OR (categories IS NULL))),
    CONSTRAINT package_is_valid_for_a_while CHECK (((valid_days >= 1) AND (valid_days <= 3650))),
    CONSTRAINT package_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT package_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

COMMENT ON TABLE payments.packages IS 'Credits that an organization sells: money for wallets, or a pass for classes.';

COMMENT ON COLUMN payments.packages.amount IS 'Cents of wallet money, or units of a pass; the bonus comes on top.';

COMMENT ON COLUMN payments.packages.categories IS 'Categories of events that a pass admits to, with those below them; null: all.';

CREATE FUNCTION payments.quote_package(package payments.packages, customer_id uuid) RETURNS payments.quotes
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_quote payments.quotes;
begin
    select (payments.quote(
        organization_id => o.id,
        customer_id => quote_package.customer_id,
        list_cents => (quote_package.package).price_cents,
        currency => (quote_package.package).currency,
        tax_country => o.country
    )).* into the_quote
    from organizations.organizations as o
    where o.id = (quote_package.package).organization_id;

if (quote_package.package).kind = 'wallet' then
        the_quote.tax_cents := 0;
        the_quote.tax_bps := 0;
        the_quote.tax_added := false;
        the_quote.net_cents := the_quote.list_cents;
        the_quote.total_cents := the_quote.list_cents;
    end if;
    return the_quote;
end;
$$;

COMMENT ON FUNCTION payments.quote_package(package payments.packages, customer_id uuid) IS 'What a package costs.';

CREATE FUNCTION payments.quote_seats(terms events.terms, customer_id uuid, seats integer, promo_code text DEFAULT NULL::text) RETURNS payments.quotes
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select payments.quote(
        organization_id => o.id,
        customer_id => quote_seats.customer_id,
        list_cents => (quote_seats.terms).price_cents * quote_seats.seats,
        currency => (quote_seats.terms).currency,
        tax_country => coalesce(l.country, o.country),
        category => e.category,
        promo_code => quote_seats.promo_code
    )
    from organizations.organizations as o
    left join events.events as e
        on e.id = (quote_seats.terms).event_id and e.starts_at = (quote_seats.terms).starts_at
    left join organizations.locations as l on l.id = e.location_id
    where o.id = (quote_seats.terms).organization_id;
$$;

COMMENT ON FUNCTION payments.quote_seats(terms events.terms, customer_id uuid, seats integer, promo_code text) IS 'What seats at an event cost: price, discount, tax, total.';

CREATE FUNCTION payments.receive_payment(intent payments.intents) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select payments.move(
        kind => 'payment',
        currency => (receive_payment.intent).currency,
        legs => jsonb_build_array(
            jsonb_build_object('owner', 'platform', 'type', 'clearing', 'cents', (receive_payment.intent).amount_cents),
            jsonb_build_object(
                'owner', 'user', 'id', (receive_payment.intent).customer_id, 'type', 'cash',
                'cents', -(receive_payment.intent).amount_cents
            )
        ),
        idempotency_key => 'payment:' || (receive_payment.intent).id,
        reference_type => 'payment',
        reference_id => (receive_payment.intent).id
    );
$$;

COMMENT ON FUNCTION payments.receive_payment(intent payments.intents) IS 'Book a payment that Stripe has received; once.';

CREATE FUNCTION payments.receive_webhooks(events jsonb, caught_up boolean DEFAULT false, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(event_id text, is_new boolean, status text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
#variable_conflict use_column
declare
    stranger text;
begin
    if jsonb_path_exists(receive_webhooks.events, '$[*].account ? (@ <> null)') then
        select e.value ->> 'account' into stranger
        from jsonb_array_elements(receive_webhooks.events) as e
        where
            e.value ->> 'account' is not null
            and not exists (
                select
                from organizations.payout_accounts as p
                where p.stripe_account_id = e.value ->> 'account'
            )
        limit 1;

if found then
            raise exception using errcode = 'PT400', message = 'foreign_account',
                detail = jsonb_build_object(
                    'detail', 'The Stripe event is of an account that no organization here has.'
                )::text;
        end if;
    end if;

return query
    with given as materialized (
        select e.value as event, e.ordinality as place
        from jsonb_array_elements(receive_webhooks.events) with ordinality as e
    ),

    stored as (
        insert into payments.webhook_inbox
        (
            event_id, account, type, api_version, livemode, created_at, payload, received_at, caught_up, available_at
        )
        select
            g.event ->> 'event_id',
            g.event ->> 'account',
            g.event ->> 'type',
            g.event ->> 'api_version',
            (g.event ->> 'livemode')::boolean,
            (g.event ->> 'created_at')::timestamptz,
            payments.reduced_event((g.event ->> 'payload')::json),
            receive_webhooks.at,
            receive_webhooks.caught_up,
            -- Until then its own message does it; if that is lost, the sweep finds it.
            receive_webhooks.at + interval '1 minute'
        from given as g
        order by g.event ->> 'event_id'
        on conflict (event_id) do nothing
        returning event_id
    )

    select
        g.event ->> 'event_id',
        s.event_id is not null,
        coalesce(i.status::text, 'received')
    from given as g
    left join stored as s on s.event_id = g.event ->> 'event_id'
    left join payments.webhook_inbox as i on i.event_id = g.event ->> 'event_id'
    order by g.place;
end;
$_$;

COMMENT ON FUNCTION payments.receive_webhooks(events jsonb, caught_up boolean, at timestamp with time zone) IS 'Write down events of Stripe, each once; answers which are new.';

CREATE FUNCTION payments.reconcile(since timestamp with time zone DEFAULT NULL::timestamp with time zone, at timestamp with time zone DEFAULT statement_timestamp(), settled_after interval DEFAULT '03:00:00'::interval) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_since timestamptz := coalesce(reconcile.since, reconcile.at - interval '35 days');
    opened integer;
    resolved integer;
begin
    perform pg_advisory_xact_lock(hashtextextended('payments.reconcile', 0));

with moved as (
        select
            coalesce(b.source_id, b.id) as source_id, b.currency, b.net_cents as stripe_cents,
            null::bigint as ledger_cents, b.created_at as moved_at
        from payments.balance_transactions as b
        union all
        select m.source_id, m.currency, null, m.amount_cents, m.recorded_at
        from payments.clearing_movements as m
        where m.source_id is not null
    ),
    compared as (
        select
            m.source_id, m.currency,
            coalesce(sum(m.stripe_cents), 0)::bigint as stripe_cents,
            coalesce(sum(m.ledger_cents), 0)::bigint as ledger_cents,
            case
                when count(m.ledger_cents) = 0 then 'not_in_ledger'
                when count(m.stripe_cents) = 0 then 'not_at_stripe'
                else 'amount_differs'
            end as reason,
            max(m.moved_at) as moved_at
        from moved as m
        group by m.source_id, m.currency
    ),
    differing as materialized (
        select c.*
        from compared as c
        where c.stripe_cents <> c.ledger_cents
    ),
    looked_at as (
        update payments.differences as d
        set
            resolved_at = case when c.source_id is null then reconcile.at end,
            seen_at = reconcile.at,
            reason = coalesce(c.reason, d.reason),
            stripe_cents = coalesce(c.stripe_cents, d.stripe_cents),
            ledger_cents = coalesce(c.ledger_cents, d.ledger_cents)
        from payments.differences as o
        left join differing as c on c.source_id = o.source_id and c.currency = o.currency
        where d.id = o.id and d.resolved_at is null
        returning d.resolved_at
    ),
    added as (
        insert into payments.differences as d (
            source_id, currency, reason, stripe_cents, ledger_cents, opened_at, seen_at
        )
        select c.source_id, c.currency, c.reason, c.stripe_cents, c.ledger_cents, reconcile.at, reconcile.at
        from differing as c
        where
            c.moved_at >= the_since
            and c.moved_at < reconcile.at - reconcile.settled_after
        on conflict (source_id, currency) where resolved_at is null do nothing
        returning d.*
    ),
    told as (
        insert into public.outbox (topic, key, payload)
        select 'reconciliation.differs', a.source_id, to_jsonb(a) - 'resolved_at' - 'seen_at'
        from added as a
        order by a.id
    )

    select (select count(*) from added), (select count(l.resolved_at) from looked_at as l)
    into opened, resolved;

return jsonb_build_object(
        'opened', opened,
        'resolved', resolved,
        'open', (select count(*) from payments.differences as d where d.resolved_at is null)
    );
end;
$$;

COMMENT ON FUNCTION payments.reconcile(since timestamp with time zone, at timestamp with time zone, settled_after interval) IS 'Compare Stripe''s balance with the clearing account, and keep what differs.';

CREATE FUNCTION payments.record_fee_payment(fee_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_fee payments.fees := payments.require_fee(record_fee_payment.fee_id);
    the_transaction_id uuid;
begin
    if the_fee.paid_from <> 'owed' or the_fee.taken_back_at is not null then
        raise exception using errcode = 'PT409', message = 'nothing_to_pay',
            detail = jsonb_build_object(
                'detail', 'The fee was paid from the wallet, or was waived, so nothing is owed.'
            )::text;
    end if;

if the_fee.paid_at is null then
        the_transaction_id := payments.move(
            kind => 'fee_paid',
            currency => the_fee.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_fee.customer_id, 'type', 'payable',
                    'within', the_fee.organization_id, 'cents', -the_fee.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'organization', 'id', the_fee.organization_id, 'type', 'receivable',
                    'cents', the_fee.amount_cents
                )
            ),
            idempotency_key => 'fee_paid:' || the_fee.id,
            reference_type => 'booking',
            reference_id => the_fee.booking_id
        );
        update payments.fees as f
        set
            paid_at = statement_timestamp(), payment_transaction_id = the_transaction_id,
            settled_by = ops.caller_id()
        where f.id = the_fee.id;
    end if;
    return (select to_jsonb(s) from payments.fee_states as s where s.id = the_fee.id);
end;
$$;

COMMENT ON FUNCTION payments.record_fee_payment(fee_id uuid) IS 'Write down that an owed fee was paid at the organizer''s own desk or bank; answers the fee.';

CREATE FUNCTION payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_intent payments.intents;
begin
    update payments.intents as i
    set
        stripe_payment_intent_id = coalesce(i.stripe_payment_intent_id, record_intent.stripe_id),
        client_secret = coalesce(i.client_secret, record_intent.client_secret),
        status = case when i.status = 'created' then 'open' else i.status end,
        attempts = 0,
        last_error = null,
        available_at = statement_timestamp() + interval '20 minutes'
    where i.id = record_intent.intent_id and record_intent.status <> 'canceled'
    returning i.* into the_intent;

if not found then
        raise exception using errcode = 'PT404', message = 'payment_not_found';
    end if;
    return payments.payment_answer(the_intent.id);
end;
$$;

COMMENT ON FUNCTION payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text) IS 'Keep what Stripe answered when it was asked for a payment; answers the payment.';

CREATE FUNCTION payments.record_invoice_payment(invoice_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_invoice payments.invoices;
    the_open_cents bigint;
    the_transaction_id uuid;
begin
    select i.* into the_invoice from payments.invoices as i where i.id = record_invoice_payment.invoice_id;

if not found or not organizations.caller_is(the_invoice.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'invoice_not_found';
    end if;

perform from payments.sales as s where s.booking_id = the_invoice.booking_id for no key update;

if not exists (select from payments.invoice_payments as p where p.invoice_id = the_invoice.id) then
        the_open_cents := the_invoice.gross_cents - coalesce(
            (select sum(c.gross_cents) from payments.invoices as c where c.corrects_id = the_invoice.id), 0
        );
        if the_invoice.kind = 'credit_note' or the_open_cents = 0 then
            raise exception using errcode = 'PT409', message = 'nothing_to_pay';
        end if;

the_transaction_id := payments.move(
            kind => 'invoice_paid',
            currency => the_invoice.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_invoice.customer_id, 'type', 'payable',
                    'within', the_invoice.organization_id, 'cents', -the_open_cents
                ),
                jsonb_build_object(
                    'owner', 'organization', 'id', the_invoice.organization_id, 'type', 'receivable',
                    'cents', the_open_cents
                )
            ),
            idempotency_key => 'invoice_paid:' || the_invoice.id,
            reference_type => 'invoice',
            reference_id => the_invoice.id
        );
        insert into payments.invoice_payments (invoice_id, amount_cents, transaction_id, recorded_by)
        values (the_invoice.id, the_open_cents, the_transaction_id, ops.caller_id());
    end if;
    return (
        select to_jsonb(s) from payments.invoice_states as s where s.id = the_invoice.id
    );
end;
$$;

COMMENT ON FUNCTION payments.record_invoice_payment(invoice_id uuid) IS 'Write down that an invoice was paid at the organizer''s own bank; answers the invoice.';

CREATE FUNCTION payments.record_payout_account(facts jsonb) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    update organizations.payout_accounts as p
    set
        charges_enabled = (record_payout_account.facts ->> 'charges_enabled')::boolean,
        payouts_enabled = (record_payout_account.facts ->> 'payouts_enabled')::boolean,
        details_submitted = (record_payout_account.facts ->> 'details_submitted')::boolean,
        requirements = record_payout_account.facts -> 'requirements',
        updated_at = (record_payout_account.facts ->> 'observed_at')::timestamptz
    where
        p.stripe_account_id = record_payout_account.facts ->> 'stripe_account_id'
        and p.updated_at <= (record_payout_account.facts ->> 'observed_at')::timestamptz;

return found or exists (
        select
        from organizations.payout_accounts as p
        where p.stripe_account_id = record_payout_account.facts ->> 'stripe_account_id'
    );
end;
$$;

COMMENT ON FUNCTION payments.record_payout_account(facts jsonb) IS 'Keep what Stripe says of an organizer''s account; answers whether it is one of ours.';

CREATE FUNCTION payments.record_refunds(results jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    result record;
    taken integer := 0;
    retried integer := 0;
    failed integer := 0;
begin
    for result in
        select r.*
        from jsonb_to_recordset(record_refunds.results) as r (
            refund_id uuid, stripe_id text, status text, failure_reason text, error jsonb, retryable boolean
        )
        order by r.refund_id
    loop
        if result.error is null then
            perform payments.apply_refund(result.refund_id, result.stripe_id, result.status, result.failure_reason);
            taken := taken + 1;
        elsif result.retryable then
            update payments.refunds as r
            set
                last_error = result.error,
                available_at = statement_timestamp() + make_interval(secs => 30 * power(2, least(r.attempts, 10)))
            where r.id = result.refund_id and r.status = 'created';
            retried := retried + 1;
        else
            with ended as (
                update payments.refunds as r
                set
                    last_error = result.error, status = 'failed', status_reason = left(result.error ->> 'message', 500)
                where r.id = result.refund_id and r.status = 'created'
                returning r.*
            )

            insert into public.outbox (topic, key, payload)
            select
                'refund.failed', coalesce(e.booking_id, e.purchase_id)::text,
                payments.refund_payload(e::payments.refunds)
            from ended as e;
            failed := failed + found::integer;
        end if;
    end loop;
    return jsonb_build_object('taken', taken, 'retried', retried, 'failed', failed);
end;
$$;

COMMENT ON FUNCTION payments.record_refunds(results jsonb) IS 'Keep what Stripe answered to refunds that were sent.';

CREATE FUNCTION payments.reduced_event(payload json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN json_build_object('id', (payload -> 'id'::text), 'object', (payload -> 'object'::text), 'type', (payload -> 'type'::text), 'created', (payload -> 'created'::text), 'data', json_build_object('object', json_strip_nulls(json_build_object('id', (payload #> '{data,object,id}'::text[]), 'object', (payload #> '{data,object,object}'::text[]), 'status', (payload #> '{data,object,status}'::text[]), 'amount', (payload #> '{data,object,amount}'::text[]), 'currency', (payload #> '{data,object,currency}'::text[]), 'payment_intent', COALESCE((payload #> '{data,object,payment_intent,id}'::text[]), (payload #> '{data,object,payment_intent}'::text[]))))));

COMMENT ON FUNCTION payments.reduced_event(payload json) IS 'An event of Stripe without anything about people.';

CREATE FUNCTION payments.refund_answer(refund payments.refunds) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN jsonb_build_object('id', (refund).id, 'booking_id', (refund).booking_id, 'purchase_id', (refund).purchase_id, 'customer_id', (refund).customer_id, 'organization_id', (refund).organization_id, 'amount_cents', (refund).amount_cents, 'currency', (refund).currency, 'destination', (refund).destination, 'cause', (refund).cause, 'beyond', (refund).beyond, 'debt', payments.debt_of(refund), 'status', (refund).status, 'reason', (refund).status_reason, 'created_at', (refund).created_at, 'settled_at', (refund).settled_at);

COMMENT ON FUNCTION payments.refund_answer(refund payments.refunds) IS 'What a caller is told about a refund.';

CREATE FUNCTION payments.refund_booking(booking_id uuid, amount_cents bigint DEFAULT NULL::bigint, destination text DEFAULT 'original'::text, idempotency_key text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
    the_cause text := 'staff:' || refund_booking.idempotency_key;
    the_refund payments.refunds;
begin
    if refund_booking.idempotency_key is null then
        raise exception using errcode = 'PT400', message = 'idempotency_key_required',
            detail = jsonb_build_object(
                'detail', 'Send an Idempotency-Key header with a request that moves money, so that a retry never pays'
                ' twice.'
            )::text;
    end if;
    if
        refund_booking.amount_cents <= 0
        or (refund_booking.destination in ('original', 'wallet')) is not true
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', '`amount_cents` must be more than 0, and `destination` must be original or wallet.'
            )::text;
    end if;

select b.* into the_booking from events.bookings as b where b.id = refund_booking.booking_id;
    if
        not found
        or not organizations.caller_is(the_booking.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'booking_not_found';
    end if;
    perform events.lock_inventory(the_booking.event_id);

if
        payments.is_disputed(the_booking.id)
        and not exists (
            select from payments.refunds as r where r.booking_id = the_booking.id and r.cause = the_cause
        )
    then
        raise exception using errcode = 'PT409', message = 'payment_disputed',
            detail = jsonb_build_object(
                'detail', 'The customer''s bank has reversed the payment. Wait until the dispute is closed.'
            )::text;
    end if;

perform payments.refund_bookings(
        array[the_booking.id], the_cause, refund_booking.destination, array[refund_booking.amount_cents]
    );

select r.* into the_refund
    from payments.refunds as r
    where r.booking_id = the_booking.id and r.cause = the_cause;

if not found then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund';
    end if;
    if
        the_refund.amount_cents <> refund_booking.amount_cents
        or (the_refund.intent_id is not null and the_refund.destination <> refund_booking.destination)
    then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object(
                'detail', 'This Idempotency-Key was sent with another refund. Send a new key for a new refund.'
            )::text;
    end if;
    return payments.refund_answer(the_refund);
end;
$$;

COMMENT ON FUNCTION payments.refund_booking(booking_id uuid, amount_cents bigint, destination text, idempotency_key text) IS 'Give back a part of what a booking cost, or all that is left of it; answers the refund.';

CREATE FUNCTION payments.refund_bookings(booking_ids uuid[], cause text, destination text DEFAULT NULL::text, amounts_cents bigint[] DEFAULT NULL::bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    new_ids uuid[];
begin
    perform
    from payments.sales as s
    where s.booking_id = any (refund_bookings.booking_ids)
    order by s.booking_id
    for no key update;

with wanted as (
        select w.booking_id, w.amount_cents
        from unnest(refund_bookings.booking_ids, refund_bookings.amounts_cents) as w (booking_id, amount_cents)
    ),
    made as (
        insert into payments.refunds (
            booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold,
            status, settled_at
        )
        select
            s.booking_id, i.id, s.organization_id, s.customer_id,
            coalesce(w.amount_cents, s.amount_cents - s.refunded_cents), s.currency, d.destination,
            refund_bookings.cause, true,
            case when d.destination = 'original' then 'created' else 'succeeded' end::payments.refund_status,
            case when d.destination <> 'original' then statement_timestamp() end
        from wanted as w
        inner join payments.sales as s on s.booking_id = w.booking_id
        left join payments.intents as i on i.booking_id = s.booking_id
        cross join lateral (
            select case
                when payments.is_disputed(i.id) then 'original'
                when s.method = 'invoice' and payments.invoice_is_paid(s.booking_id) then 'wallet'
                when s.method = 'invoice' then 'invoice'
                when s.method = 'wallet' then 'wallet'
                else coalesce(refund_bookings.destination, 'original')
            end as destination
        ) as d
        where coalesce(w.amount_cents, s.amount_cents - s.refunded_cents) > 0
        on conflict on constraint one_refund_per_cause do nothing
        returning *
    )

    select array_agg(m.id) into new_ids from made as m;

if new_ids is null then
        return 0;
    end if;

if exists (
        select
        from payments.refunds as r
        inner join payments.sales as s on s.booking_id = r.booking_id
        where r.id = any (new_ids) and r.amount_cents > s.amount_cents - s.refunded_cents
    ) then
        raise exception using errcode = 'PT409', message = 'refund_exceeds_payment',
            detail = jsonb_build_object(
                'detail', 'The refund is more than the unrefunded part of the payment. Send a lower amount.'
            )::text;
    end if;

for part in 0 .. (cardinality(new_ids) - 1) / 1000 loop
        perform payments.post_transactions(
            payments.refund_postings(new_ids[part * 1000 + 1 : part * 1000 + 1000])
        );
    end loop;

perform payments.return_credits(new_ids, by_organizer => refund_bookings.cause = 'event_cancelled');

update payments.sales as s
    set
        refunded_cents = s.refunded_cents + r.amount_cents,
        refunded_fee_cents = s.refunded_fee_cents + payments.fee_returned(s, r.amount_cents)
    from payments.refunds as r
    where r.id = any (new_ids) and s.booking_id = r.booking_id;

-- What somebody has sent at Stripe is not what the bank has given.
    if not starts_with(refund_bookings.cause, 'stripe:') then
        perform payments.settle_by_dispute(d.intent_id)
        from (
            select distinct d.intent_id
            from payments.disputes as d
            inner join payments.refunds as r on r.intent_id = d.intent_id
            where r.id = any (new_ids) and d.status = 'lost'
            order by d.intent_id
        ) as d;
    end if;

insert into public.outbox (topic, key, payload)
    select
        case when r.status = 'succeeded' then 'refund.succeeded' else 'refund.requested' end,
        r.booking_id::text,
        payments.refund_payload(r)
    from payments.refunds as r
    where r.id = any (new_ids) and r.destination <> 'dispute'
    order by r.id;

perform payments.issue_credit_notes(new_ids);
    return cardinality(new_ids);
end;
$$;

COMMENT ON FUNCTION payments.refund_bookings(booking_ids uuid[], cause text, destination text, amounts_cents bigint[]) IS 'Give back what bookings were sold for, once per booking and cause; answers how many refunds were made.';

CREATE FUNCTION payments.refund_key(refund payments.refunds) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        'refund-' || (refund_key.refund).id
        || case when (refund_key.refund).reopened > 0 then '-' || (refund_key.refund).reopened else '' end;
$$;

COMMENT ON FUNCTION payments.refund_key(refund payments.refunds) IS 'What Stripe knows a refund by.';

CREATE FUNCTION payments.refund_payload(refund payments.refunds) RETURNS jsonb
    LANGUAGE sql STABLE
    RETURN jsonb_build_object('refund_id', (refund).id, 'booking_id', (refund).booking_id, 'purchase_id', (refund).purchase_id, 'customer_id', (refund).customer_id, 'organization_id', (refund).organization_id, 'amount_cents', (refund).amount_cents, 'currency', (refund).currency, 'destination', (refund).destination, 'cause', (refund).cause);

COMMENT ON FUNCTION payments.refund_payload(refund payments.refunds) IS 'What the world hears of a refund.';

CREATE FUNCTION payments.refund_postings(refund_ids uuid[]) RETURNS jsonb
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select jsonb_agg(
        jsonb_build_object(
            'kind', 'refund',
            'idempotency_key', 'refund:' || p.id,
            'reference_type', 'refund',
            'reference_id', p.id,
            'account_ids', p.account_ids,
            'amounts_cents', p.amounts_cents
        )
        order by p.id
    )
    from (
        select
            r.id,
            jsonb_agg(l.account_id order by l.cents) as account_ids,
            jsonb_agg(l.cents order by l.cents) as amounts_cents
        from payments.refunds as r
        inner join payments.sales as s on s.booking_id = r.booking_id
        cross join lateral (select payments.fee_returned(s, r.amount_cents) as cents) as f
        cross join lateral (
            select
                payments.account('organization', r.organization_id, 'receivable', r.currency) as account_id,
                r.amount_cents - f.cents as cents
            union all
            select payments.account('platform', null, 'revenue', r.currency), f.cents
            union all
            select
                case r.destination
                    when 'original' then payments.account('user', r.customer_id, 'cash', r.currency)
                    when 'wallet'
                    then payments.account('user', r.customer_id, 'credits', r.currency, r.organization_id)
                    else payments.account('user', r.customer_id, 'payable', r.currency, r.organization_id)
                end,
                -r.amount_cents
        ) as l
        where r.id = any (refund_postings.refund_ids) and l.cents <> 0
        group by r.id
    ) as p;
$$;

COMMENT ON FUNCTION payments.refund_postings(refund_ids uuid[]) IS 'The ledger''s transactions for new refunds of sales.';

CREATE FUNCTION payments.refund_progress(event_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms from events.terms as t where t.event_id = refund_progress.event_id;

if
        not found
        or not organizations.caller_is(the_terms.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

return (
        select jsonb_build_object(
            'event_id', refund_progress.event_id,
            'currency', the_terms.currency,
            'refunds', count(r.id),
            'amount_cents', coalesce(sum(r.amount_cents), 0),
            'waiting', count(r.id) filter (where r.status = 'created'),
            'sent', count(r.id) filter (where r.status = 'pending'),
            'settled', count(r.id) filter (where r.status = 'succeeded'),
            'failed', count(r.id) filter (where r.status = 'failed'),
            'settled_cents', coalesce(sum(r.amount_cents) filter (where r.status = 'succeeded'), 0),
            'done', coalesce(bool_and(r.status = 'succeeded'), true)
        )
        from events.bookings as b
        inner join payments.refunds as r on r.booking_id = b.id and not r.beyond
        where b.event_id = refund_progress.event_id
    );
end;
$$;

COMMENT ON FUNCTION payments.refund_progress(event_id uuid) IS 'How far the refunds of an event have come.';

CREATE FUNCTION payments.refund_purchase(purchase_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_purchase payments.purchases;
    the_cents bigint := 0;
begin
    select p.* into the_purchase
    from payments.purchases as p
    where p.id = refund_purchase.purchase_id
    for no key update;

if not found or not organizations.caller_is(the_purchase.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'purchase_not_found';
    end if;
    if the_purchase.status = 'refunded' then
        return payments.purchase_answer(the_purchase.id);
    end if;

if payments.is_withdrawn(the_purchase.id) then
        raise exception using errcode = 'PT409', message = 'payment_disputed',
            detail = jsonb_build_object(
                'detail', 'The customer''s bank has reversed the payment. Wait until the dispute is closed.'
            )::text;
    end if;

if the_purchase.status = 'granted' then
        the_cents := payments.return_purchase(the_purchase, 'staff');
    end if;
    if the_cents = 0 then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund';
    end if;
    return payments.purchase_answer(the_purchase.id);
end;
$$;

COMMENT ON FUNCTION payments.refund_purchase(purchase_id uuid) IS 'Take back what is left of a package, and give back its share of the price.';

CREATE FUNCTION payments.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    raise exception using errcode = 'PT409', message = 'ledger_is_append_only',
        detail = jsonb_build_object(
            'table', tg_table_schema || '.' || tg_table_name, 'operation', lower(tg_op),
            'detail', 'Ledger entries cannot be changed. Correct a transaction by payments.reverse_transaction.'
        )::text;
end;
$$;

CREATE FUNCTION payments.refuse_entries(entries payments.entries[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_account_id uuid;
    the_key text;
    the_sums jsonb;
begin
    select e.account_id into the_account_id
    from unnest(refuse_entries.entries) as e
    where not exists (select from payments.accounts as a where a.id = e.account_id)
    limit 1;

if found then
        raise exception using errcode = 'PT404', message = 'account_not_found',
            detail = jsonb_build_object('account_id', the_account_id)::text;
    end if;

select t.idempotency_key, s.sums into the_key, the_sums
    from (
        select c.transaction_id, jsonb_object_agg(c.currency, c.total) as sums
        from (
            select e.transaction_id, a.currency, sum(e.amount_cents) as total
            from unnest(refuse_entries.entries) as e
            inner join payments.accounts as a on a.id = e.account_id
            group by e.transaction_id, a.currency
            having sum(e.amount_cents) <> 0
        ) as c
        group by c.transaction_id
        order by c.transaction_id
        limit 1
    ) as s
    inner join payments.transactions as t on t.id = s.transaction_id;

if found then
        raise exception using errcode = 'PT422', message = 'unbalanced',
            detail = jsonb_build_object('idempotency_key', the_key, 'sums_cents', the_sums)::text;
    end if;

if exists (
        select
        from unnest(refuse_entries.entries) as e
        group by e.transaction_id
        having min(e.line) <> 1
    ) then
        raise exception using errcode = 'PT409', message = 'ledger_is_append_only',
            detail = jsonb_build_object(
                'detail', 'Entries cannot be added to a transaction that is already posted. Post a new transaction.'
            )::text;
    end if;
end;
$$;

COMMENT ON FUNCTION payments.refuse_entries(entries payments.entries[]) IS 'Raise what is wrong with entries, if anything is.';

CREATE FUNCTION payments.refuse_insufficient_funds(account_id uuid, needed_cents bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_balance_cents bigint;
begin
    select b.balance_cents into the_balance_cents
    from payments.balances as b
    where b.account_id = refuse_insufficient_funds.account_id;

raise exception using errcode = 'PT409', message = 'insufficient_funds',
        detail = jsonb_build_object(
            'account_id', refuse_insufficient_funds.account_id, 'balance_cents', the_balance_cents,
            'needed_cents', refuse_insufficient_funds.needed_cents
        )::text;
end;
$$;

COMMENT ON FUNCTION payments.refuse_insufficient_funds(account_id uuid, needed_cents bigint) IS 'Raise that an account holds less than is to be taken from it.';

CREATE FUNCTION payments.refuse_intent(intent_id uuid, error jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    standing text;
begin
    update payments.intents as i
    set
        last_error = refuse_intent.error,
        status = case
            when
                exists (
                    select from events.bookings as b where b.id = i.booking_id and b.status = 'pending_payment'
                )
                or exists (
                    select
                    from payments.purchases as p
                    where p.id = i.purchase_id and p.created_at > statement_timestamp() - interval '1 day'
                )
                then i.status
            else 'cancelled'
        end
    where
        i.id = refuse_intent.intent_id
        and i.status = 'created'
        and i.stripe_payment_intent_id is null
    returning i.status::text into standing;

return standing;
end;
$$;

COMMENT ON FUNCTION payments.refuse_intent(intent_id uuid, error jsonb) IS 'Keep why Stripe will not take a payment; ends it when its booking does not wait for it any more.';

CREATE FUNCTION payments.refuse_invoice_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if
        tg_op = 'UPDATE'
        and tg_level = 'ROW'
        and to_jsonb(new) - 'buyer' = to_jsonb(old) - 'buyer'
        and (
            to_jsonb(new) -> 'buyer' = (to_jsonb(old) -> 'buyer') - 'email'
            or (
                to_jsonb(new) -> 'buyer' = '{}'
                and (to_jsonb(old) ->> 'issued_at')::timestamptz < statement_timestamp() - interval '10 years'
            )
        )
    then
        return new;
    end if;

raise exception using errcode = 'PT409', message = 'invoice_is_final',
        detail = jsonb_build_object(
            'detail', 'An issued invoice cannot be changed. Correct it by a credit note.'
        )::text;
end;
$$;

CREATE FUNCTION payments.reopen_refund(refund_id uuid, destination text DEFAULT 'original'::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
begin
    select r.* into the_refund
    from payments.refunds as r
    where r.id = reopen_refund.refund_id
    for no key update;

if
        not found
        or not organizations.caller_is(the_refund.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;

if the_refund.beyond then
        raise exception using errcode = 'PT409', message = 'nothing_to_refund',
            detail = jsonb_build_object(
                'detail', 'This is an excess refund: the customer was not entitled to it, so it is not sent again.'
            )::text;
    end if;
    if the_refund.status = 'failed' and payments.is_disputed(the_refund.intent_id) then
        raise exception using errcode = 'PT409', message = 'payment_disputed';
    end if;

update payments.refunds as r
    set
        status = 'created', status_reason = null,
        earlier_stripe_ids = array_remove(r.earlier_stripe_ids || r.stripe_refund_id, null), stripe_refund_id = null,
        reopened = r.reopened + 1, attempts = 0,
        available_at = statement_timestamp(), settled_at = null
    where r.id = the_refund.id and r.status = 'failed'
    returning r.* into the_refund;

if found and reopen_refund.destination = 'wallet' then
        perform payments.move(
            kind => 'refund_to_wallet',
            currency => the_refund.currency,
            legs => jsonb_build_array(
                jsonb_build_object(
                    'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', the_refund.amount_cents
                ),
                jsonb_build_object(
                    'owner', 'user', 'id', the_refund.customer_id, 'type', 'credits',
                    'within', the_refund.organization_id, 'cents', -the_refund.amount_cents
                )
            ),
            idempotency_key => 'refund_to_wallet:' || the_refund.id,
            reference_type => 'refund',
            reference_id => the_refund.id
        );

update payments.refunds as r
        set status = 'succeeded', destination = 'wallet', settled_at = statement_timestamp()
        where r.id = the_refund.id
        returning r.* into the_refund;
        perform payments.return_credits(array[the_refund.id], by_organizer => false);

insert into public.outbox (topic, key, payload)
        values (
            'refund.succeeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
            payments.refund_payload(the_refund)
        );
    end if;

select r.* into the_refund from payments.refunds as r where r.id = reopen_refund.refund_id;
    return payments.refund_answer(the_refund);
end;
$$;

COMMENT ON FUNCTION payments.reopen_refund(refund_id uuid, destination text) IS 'Send a refund again that Stripe could not deliver.';

CREATE FUNCTION payments.replay_inbox(event_id text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    answer jsonb;
begin
    if not ops.caller_is_service() then
        raise exception using
            errcode = case when ops.caller_id() is null then 'PT401' else 'PT403' end,
            message = case when ops.caller_id() is null then 'unauthenticated' else 'forbidden' end;
    end if;

update payments.webhook_inbox as i
    set
        status = 'received',
        attempts = 0,
        postponements = 0,
        available_at = replay_inbox.at + interval '1 minute',
        handled_at = null,
        lease_until = null
    where i.event_id = replay_inbox.event_id
    returning
        jsonb_build_object(
            'event_id', i.event_id, 'type', i.type, 'status', i.status, 'received_at', i.received_at
        )
    into answer;

if answer is null then
        raise exception using errcode = 'PT404', message = 'webhook_not_found';
    end if;

return answer;
end;
$$;

COMMENT ON FUNCTION payments.replay_inbox(event_id text, at timestamp with time zone) IS 'Have an event of Stripe handled again; for the service alone.';

CREATE FUNCTION payments.request_payment(booking_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into payments.intents (
        id, booking_id, organization_id, customer_id, method, amount_cents, currency
    )
    select b.id, b.id, b.organization_id, b.customer_id, b.payment_method, b.price_cents, b.currency
    from events.bookings as b
    where b.id = request_payment.booking_id;
$$;

COMMENT ON FUNCTION payments.request_payment(booking_id uuid) IS 'Write down that Stripe is to be asked for a booking''s price.';

CREATE TABLE payments.fees (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    booking_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    currency character(3) NOT NULL,
    paid_from text NOT NULL,
    transaction_id uuid NOT NULL,
    charged_at timestamp with time zone DEFAULT now() NOT NULL,
    taken_back_at timestamp with time zone,
    paid_at timestamp with time zone,
    payment_transaction_id uuid,
    settled_by uuid,
    reason text,
    CONSTRAINT fee_is_paid_or_owed CHECK ((paid_from = ANY (ARRAY['wallet'::text, 'owed'::text]))),
    CONSTRAINT fee_reason_is_readable CHECK (ops.is_text(reason)),
    CONSTRAINT fee_reason_is_short CHECK ((length(reason) <= 500)),
    CONSTRAINT only_what_is_owed_is_paid CHECK (((paid_at IS NULL) OR (paid_from = 'owed'::text))),
    CONSTRAINT payment_of_a_fee_is_posted CHECK (((paid_at IS NULL) = (payment_transaction_id IS NULL)))
);

COMMENT ON TABLE payments.fees IS 'What not coming cost: taken from the wallet, or owed; taken back when corrected.';

COMMENT ON COLUMN payments.fees.settled_by IS 'Who wrote down that it was paid, or waived it.';

COMMENT ON COLUMN payments.fees.reason IS 'Why it was waived.';

CREATE FUNCTION payments.require_fee(fee_id uuid) RETURNS payments.fees
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_fee payments.fees;
begin
    select f.* into the_fee from payments.fees as f where f.id = require_fee.fee_id;

if
        not found
        or not organizations.caller_is(the_fee.organization_id, 'front_desk', 'accountant', 'admin', 'owner')
    then
        raise exception using errcode = 'PT404', message = 'fee_not_found';
    end if;

perform events.lock_inventory(b.event_id)
    from events.bookings as b
    where b.id = the_fee.booking_id;

select f.* into the_fee
    from payments.fees as f
    where f.id = require_fee.fee_id
    for no key update;
    return the_fee;
end;
$$;

COMMENT ON FUNCTION payments.require_fee(fee_id uuid) IS 'Lock a fee for those who may settle it.';

CREATE FUNCTION payments.rest_of_sale(intent payments.intents) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(
        case
            when (rest_of_sale.intent).booking_id is not null
                then (
                    select s.amount_cents - s.refunded_cents
                    from payments.sales as s
                    where s.booking_id = (rest_of_sale.intent).booking_id
                )
            else (
                select p.amount_cents - coalesce(sum(r.amount_cents), 0)::bigint
                from payments.purchases as p
                left join payments.refunds as r on r.purchase_id = p.id and not r.beyond
                where p.id = (rest_of_sale.intent).purchase_id
                group by p.amount_cents
            )
        end,
        0
    );
$$;

COMMENT ON FUNCTION payments.rest_of_sale(intent payments.intents) IS 'What is left to give back of what a payment bought.';

CREATE FUNCTION payments.return_credits(refund_ids uuid[], by_organizer boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    with used as (
        select
            r.id as refund_id,
            r.amount_cents,
            u.booking_id,
            u.lot_id,
            u.amount - u.returned as open,
            sum(u.amount - u.returned) over (
                partition by r.id order by l.expires_at desc, l.id desc
            ) - (u.amount - u.returned) as earlier
        from payments.refunds as r
        inner join payments.sales as s on s.booking_id = r.booking_id and s.method = 'wallet'
        inner join payments.credit_uses as u on u.booking_id = r.booking_id and u.purpose = 'price'
        inner join payments.credit_lots as l on l.id = u.lot_id
        where r.id = any (return_credits.refund_ids) and r.destination = 'wallet' and u.amount > u.returned
    ),
    due as (
        select u.refund_id, u.booking_id, u.lot_id, least(u.open, u.amount_cents - u.earlier) as amount
        from used as u
        where u.earlier < u.amount_cents
    ),
    noted as (
        update payments.credit_uses as u
        set returned = u.returned + d.amount
        from due as d
        where u.booking_id = d.booking_id and u.lot_id = d.lot_id and u.purpose = 'price'
    ),
    back as (
        update payments.credit_lots as l
        set
            remaining = l.remaining + d.amount,
            expires_at = case
                when return_credits.by_organizer
                then greatest(l.expires_at, statement_timestamp() + interval '30 days')
                else l.expires_at
            end
        from (select d.lot_id, sum(d.amount)::bigint as amount from due as d group by d.lot_id) as d
        where l.id = d.lot_id
    )

    insert into payments.credit_lots (
        kind, source, organization_id, customer_id, account_id, currency, amount, remaining, refund_id
    )
    select
        'wallet', 'refund', r.organization_id, r.customer_id,
        payments.account('user', r.customer_id, 'credits', r.currency, r.organization_id), r.currency, v.amount,
        v.amount, r.id
    from payments.refunds as r
    cross join lateral (
        select r.amount_cents - coalesce(sum(d.amount), 0)::bigint as amount from due as d where d.refund_id = r.id
    ) as v
    where r.id = any (return_credits.refund_ids) and r.destination = 'wallet' and v.amount > 0;
end;
$$;

COMMENT ON FUNCTION payments.return_credits(refund_ids uuid[], by_organizer boolean) IS 'Put refunds that go to wallets into their lots.';

CREATE FUNCTION payments.return_passes(booking_ids uuid[], units bigint[], by_organizer boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    perform
    from payments.credit_lots as l
    where
        l.kind = 'pass'
        and l.id in (
            select u.lot_id
            from payments.credit_uses as u
            where u.booking_id = any (return_passes.booking_ids) and u.purpose = 'price'
        )
    order by l.id
    for no key update;

with used as (
        select
            u.booking_id,
            u.lot_id,
            u.amount - u.returned as open,
            coalesce(w.units, u.amount) as units,
            sum(u.amount - u.returned) over (
                partition by u.booking_id order by l.expires_at desc, l.id desc
            ) - (u.amount - u.returned) as earlier
        from unnest(return_passes.booking_ids, return_passes.units) as w (booking_id, units)
        inner join payments.credit_uses as u on u.booking_id = w.booking_id and u.purpose = 'price'
        inner join payments.credit_lots as l on l.id = u.lot_id and l.kind = 'pass'
        where u.amount > u.returned
    ),
    due as (
        select
            u.booking_id, u.lot_id,
            case when return_passes.units is null then u.open else least(u.open, u.units - u.earlier) end as amount
        from used as u
        where return_passes.units is null or u.earlier < u.units
    ),
    noted as (
        update payments.credit_uses as u
        set returned = u.returned + d.amount
        from due as d
        where u.booking_id = d.booking_id and u.lot_id = d.lot_id and u.purpose = 'price'
    )

    update payments.credit_lots as l
    set
        remaining = l.remaining + d.amount,
        expires_at = case
            when return_passes.by_organizer then greatest(l.expires_at, statement_timestamp() + interval '30 days')
            else l.expires_at
        end
    from (select d.lot_id, sum(d.amount)::bigint as amount from due as d group by d.lot_id) as d
    where l.id = d.lot_id;
end;
$$;

COMMENT ON FUNCTION payments.return_passes(booking_ids uuid[], units bigint[], by_organizer boolean) IS 'Give units back to the passes that bookings used.';

CREATE FUNCTION payments.return_payment(intent payments.intents) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        booking_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (return_payment.intent).booking_id, (return_payment.intent).id, (return_payment.intent).organization_id,
        (return_payment.intent).customer_id, (return_payment.intent).amount_cents, (return_payment.intent).currency,
        'original', 'too_late', false
    )
    on conflict on constraint one_refund_per_cause do nothing
    returning * into the_refund;

if found then
        insert into public.outbox (topic, key, payload)
        values ('payment.returned', the_refund.booking_id::text, payments.refund_payload(the_refund));
    end if;
end;
$$;

COMMENT ON FUNCTION payments.return_payment(intent payments.intents) IS 'Give back a payment that bought nothing, because it came too late; once.';

CREATE FUNCTION payments.return_purchase(purchase payments.purchases, cause text, by_stripe boolean DEFAULT true) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_purchase payments.purchases := return_purchase.purchase;
    the_left bigint;
    the_bonus_left bigint;
    the_cents bigint;
    the_fee_cents bigint;
    the_refund payments.refunds;
begin
    perform payments.lock_wallets(array(
        select distinct l.account_id
        from payments.credit_lots as l
        where l.purchase_id = the_purchase.id and l.account_id is not null
    ));
    perform
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id
    order by l.id
    for no key update;

select
        coalesce(sum(l.remaining) filter (where l.source = 'purchase'), 0),
        coalesce(sum(l.remaining) filter (where l.source = 'promotion'), 0)
    into the_left, the_bonus_left
    from payments.credit_lots as l
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

the_cents := the_purchase.amount_cents * the_left / the_purchase.credits;
    if the_cents = 0 then
        return 0;
    end if;
    the_fee_cents := case
        when coalesce(
            (
                select s.fee_refunded
                from organizations.payout_settings as s
                where s.organization_id = the_purchase.organization_id
            ),
            true
        ) then the_purchase.fee_cents * the_left / the_purchase.credits
        else 0
    end;

update payments.credit_lots as l
    set lapsed = l.lapsed + l.remaining, remaining = 0
    where l.purchase_id = the_purchase.id and l.expires_at > statement_timestamp();

perform payments.move(
        kind => 'package_refund',
        currency => the_purchase.currency,
        legs => payments.purchase_legs(the_purchase, -the_cents, -(the_left + the_bonus_left), -the_fee_cents),
        idempotency_key => 'package_refund:' || the_purchase.id,
        reference_type => 'purchase',
        reference_id => the_purchase.id
    );

update payments.purchases as p
    set status = 'refunded', refunded_at = statement_timestamp(), refunded_cents = the_cents
    where p.id = the_purchase.id;

if not return_purchase.by_stripe then
        perform payments.set_aside(
            the_purchase.customer_id, the_purchase.organization_id, the_cents, the_purchase.currency,
            'package_set_aside:' || the_purchase.id, 'purchase', the_purchase.id
        );
        return the_cents;
    end if;

insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        the_purchase.id, the_purchase.id, the_purchase.organization_id, the_purchase.customer_id, the_cents,
        the_purchase.currency, 'original', return_purchase.cause, true
    )
    returning * into the_refund;

perform payments.settle_by_dispute(the_purchase.id);
    insert into public.outbox (topic, key, payload)
    select 'refund.requested', the_purchase.id::text, payments.refund_payload(r)
    from payments.refunds as r
    where r.id = the_refund.id and r.destination = 'original';
    return the_cents;
end;
$$;

COMMENT ON FUNCTION payments.return_purchase(purchase payments.purchases, cause text, by_stripe boolean) IS 'Take back what is left of a package, and give back its share of the price; returns the cents.';

CREATE FUNCTION payments.reverse_transaction(transaction_id uuid, idempotency_key text, reason text DEFAULT NULL::text) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_transaction payments.transactions;
    the_account_ids uuid[];
    the_amounts_cents bigint[];
    the_reversal payments.transactions;
    the_constraint text;
begin
    select t.* into the_transaction
    from payments.transactions as t
    where t.id = reverse_transaction.transaction_id;

if not found then
        raise exception using errcode = 'PT404', message = 'transaction_not_found';
    end if;

select array_agg(e.account_id order by e.line), array_agg(-e.amount_cents order by e.line)
    into the_account_ids, the_amounts_cents
    from payments.entries as e
    where e.transaction_id = the_transaction.id;

return payments.post_transaction(
        kind => 'reversal',
        account_ids => the_account_ids,
        amounts_cents => the_amounts_cents,
        idempotency_key => reverse_transaction.idempotency_key,
        reference_type => the_transaction.reference_type,
        reference_id => the_transaction.reference_id,
        description => reverse_transaction.reason,
        reverses_id => the_transaction.id
    );
exception
    when unique_violation then
        get stacked diagnostics the_constraint = constraint_name;
        if the_constraint <> 'one_reversal_per_transaction' then
            raise;
        end if;
        select t.* into the_reversal
        from payments.transactions as t
        where t.reverses_id = reverse_transaction.transaction_id;

-- Two retries may meet here rather than at their key.
        if the_reversal.idempotency_key = reverse_transaction.idempotency_key then
            return the_reversal.id;
        end if;
        raise exception using errcode = 'PT409', message = 'already_reversed',
            detail = jsonb_build_object('reversal_id', the_reversal.id)::text;
end;
$$;

COMMENT ON FUNCTION payments.reverse_transaction(transaction_id uuid, idempotency_key text, reason text) IS 'Undo a transaction by one that negates its entries; answers the id of the reversal.';

CREATE FUNCTION payments.seal_entries(until timestamp with time zone DEFAULT (statement_timestamp() - '00:00:10'::interval), most integer DEFAULT 10000) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    due_count integer;
    sealed_count integer;
begin
    if not pg_try_advisory_xact_lock(hashtextextended('payments.seal_entries', 0)) then
        return jsonb_build_object('sealed', 0, 'more', false);
    end if;

with
    due as materialized (
        select u.account_id, u.transaction_id, u.line, u.amount_cents, u.recorded_at
        from payments.unsealed_entries as u
        where u.recorded_at <= seal_entries.until
        order by u.recorded_at, u.transaction_id, u.line
        limit seal_entries.most
    ),

    -- Each `limit 1` keeps the planner from joining whole tables: what is due it takes for rarer than it is.
    numbered as (
        select
            d.account_id, d.transaction_id, d.line, d.amount_cents, d.recorded_at,
            row_number() over by_account as number,
            coalesce(h.position, 0) as head_position,
            coalesce(h.balance_cents, 0) as head_cents,
            h.latest_recorded_at as head_recorded_at,
            coalesce(h.hash, '') as head_hash,
            payments.canonical_entry(e.entry, t.transaction, a.account) as bytes
        from due as d
        cross join lateral (
            select e as entry
            from payments.entries as e
            where
                e.transaction_id = d.transaction_id
                and e.line = d.line
                and e.account_id = d.account_id
                and e.amount_cents = d.amount_cents
            limit 1
        ) as e
        cross join lateral (
            select t as transaction
            from payments.transactions as t
            where t.id = d.transaction_id and t.recorded_at = d.recorded_at
            limit 1
        ) as t
        cross join lateral (
            select a as account from payments.accounts as a where a.id = d.account_id limit 1
        ) as a
        left join lateral (
            select s.position, s.balance_cents, s.latest_recorded_at, s.hash
            from payments.seals as s
            where s.account_id = d.account_id
            order by s.position desc
            limit 1
        ) as h on true
        window by_account as (partition by d.account_id order by d.recorded_at, d.transaction_id, d.line)
    ),

    sealed as (
        insert into payments.seals (
            account_id, position, transaction_id, line, amount_cents, balance_cents, recorded_at,
            latest_recorded_at, hash
        )
        select
            n.account_id, n.head_position + n.number, n.transaction_id, n.line, n.amount_cents,
            n.head_cents + sum(n.amount_cents) over so_far,
            n.recorded_at,
            greatest(n.head_recorded_at, n.recorded_at),
            payments.chain(case when n.number = 1 then n.head_hash || n.bytes else n.bytes end) over so_far
        from numbered as n
        window so_far as (partition by n.account_id order by n.number rows unbounded preceding)
        returning account_id, transaction_id, line
    ),

    removed as (
        delete from payments.unsealed_entries as u
        using sealed as s
        where u.account_id = s.account_id and u.transaction_id = s.transaction_id and u.line = s.line
    )

    select (select count(*) from due as d), (select count(*) from sealed as s)
    into due_count, sealed_count;

return jsonb_build_object(
        'sealed', sealed_count, 'more', sealed_count > 0 and due_count = seal_entries.most
    );
end;
$$;

COMMENT ON FUNCTION payments.seal_entries(until timestamp with time zone, most integer) IS 'Add entries to the chains of their accounts; answers how many, and whether there may be more.';

CREATE FUNCTION payments.sell(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_booking events.bookings;
    the_added_cents bigint;
    the_fee_cents bigint;
    the_wallet_id uuid;
begin
    select b.* into the_booking from events.bookings as b where b.id = sell.booking_id;
    the_added_cents := coalesce(
        (select q.tax_cents from payments.quotes as q where q.booking_id = the_booking.id and q.tax_added), 0
    );
    the_fee_cents := payments.platform_fee(
        the_booking.organization_id, the_booking.price_cents - the_added_cents
    );

insert into payments.sales (
        booking_id, organization_id, customer_id, method, amount_cents, fee_cents, currency
    )
    values (
        the_booking.id, the_booking.organization_id, the_booking.customer_id, the_booking.payment_method,
        the_booking.price_cents, the_fee_cents, the_booking.currency
    )
    on conflict do nothing;

if not found then
        return;
    end if;

if the_booking.payment_method = 'wallet' then
        the_wallet_id := payments.account(
            'user', the_booking.customer_id, 'credits', the_booking.currency, the_booking.organization_id
        );
        perform payments.lock_wallets(array[the_wallet_id]);
        perform payments.use_wallet(the_wallet_id, the_booking.id, the_booking.price_cents);
    end if;

perform payments.move(
        kind => 'sale',
        currency => the_booking.currency,
        legs => jsonb_build_array(
            payments.paying_leg(the_booking.customer_id, the_booking.organization_id, the_booking.payment_method)
            || jsonb_build_object('cents', the_booking.price_cents),
            jsonb_build_object(
                'owner', 'organization', 'id', the_booking.organization_id, 'type', 'receivable',
                'cents', the_fee_cents - the_booking.price_cents
            ),
            jsonb_build_object('owner', 'platform', 'type', 'revenue', 'cents', -the_fee_cents)
        ),
        idempotency_key => 'sale:' || the_booking.id,
        reference_type => 'booking',
        reference_id => the_booking.id
    );
    perform payments.grant_promised(the_booking);

if the_booking.payment_method = 'invoice' then
        perform payments.issue_invoice(the_booking);
    end if;
end;
$$;

COMMENT ON FUNCTION payments.sell(booking_id uuid) IS 'Book what a paid booking brings; once per booking.';

CREATE FUNCTION payments.set_aside(customer_id uuid, organization_id uuid, amount_cents bigint, currency text, idempotency_key text, reference_type text, reference_id uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select payments.move(
        kind => 'set_aside',
        currency => set_aside.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', set_aside.customer_id, 'type', 'cash', 'cents', set_aside.amount_cents
            ),
            jsonb_build_object(
                'owner', 'organization', 'id', set_aside.organization_id, 'type', 'unclaimed',
                'cents', -set_aside.amount_cents
            )
        ),
        idempotency_key => set_aside.idempotency_key,
        reference_type => set_aside.reference_type,
        reference_id => set_aside.reference_id
    );
$$;

COMMENT ON FUNCTION payments.set_aside(customer_id uuid, organization_id uuid, amount_cents bigint, currency text, idempotency_key text, reference_type text, reference_id uuid) IS 'Owe a customer''s cash in the organization''s account of unclaimed balances.';

CREATE FUNCTION payments.set_beyond_apart(intent payments.intents, stripe_id text, amount_cents bigint) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
begin
    insert into payments.refunds (
        booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
        status_reason, sold, beyond
    )
    values (
        (set_beyond_apart.intent).booking_id, (set_beyond_apart.intent).purchase_id, (set_beyond_apart.intent).id,
        (set_beyond_apart.intent).organization_id, (set_beyond_apart.intent).customer_id,
        set_beyond_apart.amount_cents, (set_beyond_apart.intent).currency, 'original',
        'stripe:' || set_beyond_apart.stripe_id || ':beyond',
        'More went back at Stripe than was left to give back: the customer owes it.', false, true
    )
    returning * into the_refund;

insert into public.outbox (topic, key, payload)
    values (
        'refund.exceeded', coalesce(the_refund.booking_id, the_refund.purchase_id)::text,
        payments.refund_payload(the_refund)
    );
    return array['beyond'];
end;
$$;

COMMENT ON FUNCTION payments.set_beyond_apart(intent payments.intents, stripe_id text, amount_cents bigint) IS 'Keep what somebody has sent back at Stripe beyond all that was left to give back.';

CREATE FUNCTION payments.settle_by_dispute(intent_id uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_cover bigint := payments.dispute_cover(settle_by_dispute.intent_id);
    the_refund payments.refunds;
    settled integer := 0;
begin
    while the_cover > 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where
            r.intent_id = settle_by_dispute.intent_id
            and r.destination = 'original'
            and r.status in ('created', 'failed')
            and not r.beyond
        order by r.status desc, r.id
        limit 1
        for no key update;
        exit when not found;

if the_refund.amount_cents > the_cover then
            the_refund := payments.split_refund(
                the_refund.id, the_cover, 'dispute:' || the_refund.id || ':' || the_refund.reopened
            );
        end if;
        perform payments.end_by_dispute(the_refund.id);
        the_cover := the_cover - the_refund.amount_cents;
        settled := settled + 1;
    end loop;

while the_cover < 0 loop
        select r.* into the_refund
        from payments.refunds as r
        where r.intent_id = settle_by_dispute.intent_id and r.destination = 'dispute'
        order by r.id desc
        limit 1
        for no key update;
        exit when not found;

perform payments.reverse_transaction(
            transaction_id => t.id,
            idempotency_key => 'refund_owed_again:' || the_refund.id || ':' || the_refund.reopened,
            reason => 'The dispute was won after all.'
        )
        from payments.transactions as t
        where t.idempotency_key = 'refund_by_dispute:' || the_refund.id || ':' || the_refund.reopened;

update payments.refunds as r
        set status = 'failed', status_reason = 'The dispute was won after all.', destination = 'original'
        where r.id = the_refund.id;
        the_cover := the_cover + the_refund.amount_cents;
    end loop;
    return settled;
end;
$$;

COMMENT ON FUNCTION payments.settle_by_dispute(intent_id uuid) IS 'What a customer''s bank has given them by a lost dispute is not owed to them any more.';

CREATE FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_refund payments.refunds;
    the_transaction_id uuid;
begin
    select r.* into the_refund
    from payments.refunds as r
    where r.id = settle_debt.refund_id
    for no key update;

if not found or not organizations.caller_is(the_refund.organization_id, 'accountant', 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'refund_not_found';
    end if;

if (settle_debt.outcome in ('paid', 'forgiven')) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`outcome` must be paid or forgiven.')::text;
    end if;
    if payments.debt_of(the_refund) is distinct from 'owed' then
        if payments.debt_of(the_refund) is distinct from settle_debt.outcome then
            raise exception using errcode = 'PT409', message = 'nothing_to_pay',
                detail = jsonb_build_object('detail', 'The refund left no debt, or the debt is already settled.')::text;
        end if;
        return payments.refund_answer(the_refund);
    end if;

the_transaction_id := payments.move(
        kind => 'debt_' || settle_debt.outcome,
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', -the_refund.amount_cents
            ),
            case
                when settle_debt.outcome = 'forgiven' and ops.caller_is_service()
                then jsonb_build_object(
                    'owner', 'platform', 'type', 'revenue', 'cents', the_refund.amount_cents
                )
                else jsonb_build_object(
                    'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                    'cents', the_refund.amount_cents
                )
            end
        ),
        idempotency_key => 'debt_settled:' || the_refund.id,
        reference_type => 'refund',
        reference_id => the_refund.id
    );
    update payments.refunds as r
    set
        debt_outcome = settle_debt.outcome, debt_transaction_id = the_transaction_id,
        debt_settled_at = statement_timestamp(), debt_settled_by = ops.caller_id(), debt_reason = settle_debt.reason
    where r.id = the_refund.id
    returning r.* into the_refund;
    return payments.refund_answer(the_refund);
end;
$$;

COMMENT ON FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text) IS 'Write down that the debt of a refund was paid at the organizer''s, or forgiven; answers the refund.';

CREATE FUNCTION payments.signed_balance(account_id uuid, at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        (coalesce((
            select s.balance_cents
            from payments.seals as s
            where
                s.account_id = signed_balance.account_id
                and s.latest_recorded_at <= coalesce(signed_balance.at, 'infinity')
            order by s.latest_recorded_at desc, s.position desc
            limit 1
        ), 0)
        + coalesce((
            select sum(s.amount_cents)
            from payments.seals as s
            where
                s.account_id = signed_balance.account_id
                and s.recorded_at <= signed_balance.at
                and s.recorded_at < s.latest_recorded_at
                and s.latest_recorded_at > signed_balance.at
        ), 0)
        + coalesce((
            select sum(u.amount_cents)
            from payments.unsealed_entries as u
            where
                u.account_id = signed_balance.account_id
                and u.recorded_at <= coalesce(signed_balance.at, 'infinity')
        ), 0))::bigint;
$$;

COMMENT ON FUNCTION payments.signed_balance(account_id uuid, at timestamp with time zone) IS 'Debits less credits of an account, now or at a moment in the past.';

CREATE FUNCTION payments.spendable(account_id uuid) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(sum(l.remaining), 0)::bigint
    from payments.credit_lots as l
    where l.account_id = spendable.account_id and l.remaining > 0 and l.expires_at > statement_timestamp();
$$;

COMMENT ON FUNCTION payments.spendable(account_id uuid) IS 'How much of a wallet has not expired, in cents.';

CREATE FUNCTION payments.split_refund(refund_id uuid, amount_cents bigint, cause text) RETURNS payments.refunds
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_part payments.refunds;
begin
    update payments.refunds as r
    set
        amount_cents = r.amount_cents - split_refund.amount_cents,
        reopened = r.reopened + (r.status = 'created')::integer
    where r.id = split_refund.refund_id;

insert into payments.refunds (
        booking_id, purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause,
        sold
    )
    select
        r.booking_id, r.purchase_id, r.intent_id, r.organization_id, r.customer_id, split_refund.amount_cents,
        r.currency, r.destination, split_refund.cause, r.sold
    from payments.refunds as r
    where r.id = split_refund.refund_id
    returning * into the_part;

return the_part;
end;
$$;

COMMENT ON FUNCTION payments.split_refund(refund_id uuid, amount_cents bigint, cause text) IS 'Make a part of a refund one of its own.';

CREATE FUNCTION payments.statement_lines_of(organization_id uuid, first_day date, last_day date, currency text DEFAULT NULL::text) RETURNS TABLE(transaction_id uuid, kind text, reference_type text, reference_id uuid, recorded_at timestamp with time zone, amount_cents bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    statement jsonb := payments.organizer_statement(
        statement_lines_of.organization_id, statement_lines_of.first_day, statement_lines_of.last_day,
        statement_lines_of.currency
    );
begin
    return query
    select m.*
    from payments.accounts as a
    cross join lateral payments.movements_of(
        a.id,
        statement_lines_of.first_day::timestamp at time zone (statement ->> 'time_zone'),
        (statement_lines_of.last_day + 1)::timestamp at time zone (statement ->> 'time_zone')
    ) as m
    where
        a.owner_kind = 'organization'
        and a.owner_id = statement_lines_of.organization_id
        and a.type = 'receivable'
        and a.currency = statement ->> 'currency'
    limit 100000;
end;
$$;

COMMENT ON FUNCTION payments.statement_lines_of(organization_id uuid, first_day date, last_day date, currency text) IS 'The single movements of an organizer''s statement.';

CREATE FUNCTION payments.stop_payments(booking_ids uuid[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    update payments.intents as i
    set available_at = statement_timestamp()
    where
        i.booking_id = any (stop_payments.booking_ids)
        and i.status in ('created', 'open', 'processing')
        and i.available_at > statement_timestamp();
$$;

COMMENT ON FUNCTION payments.stop_payments(booking_ids uuid[]) IS 'Have the sweep cancel these bookings'' payments at Stripe now.';

CREATE FUNCTION payments.store_balance_transactions(transactions jsonb) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_transaction payments.balance_transactions;
    stored integer := 0;
begin
    for the_transaction in
        insert into payments.balance_transactions (
            id, type, source_id, amount_cents, fee_cents, net_cents, currency, created_at
        )
        select t.id, t.type, t.source_id, t.amount_cents, t.fee_cents, t.net_cents, upper(t.currency), t.created_at
        from jsonb_to_recordset(store_balance_transactions.transactions) as t (
            id text, type text, source_id text, amount_cents bigint, fee_cents bigint, net_cents bigint, currency text,
            created_at timestamptz
        )
        order by t.id
        on conflict do nothing
        returning *
    loop
        stored := stored + 1;
        perform payments.book_balance_transaction(the_transaction);
    end loop;
    return stored;
end;
$$;

COMMENT ON FUNCTION payments.store_balance_transactions(transactions jsonb) IS 'Keep what Stripe lists of its balance, and book what only that list tells.';

CREATE FUNCTION payments.take_back_debt(refund payments.refunds) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if (take_back_debt.refund).debt_outcome is null then
        return;
    end if;

perform payments.reverse_transaction(
        transaction_id => (take_back_debt.refund).debt_transaction_id,
        idempotency_key => 'debt_taken_back:' || (take_back_debt.refund).id,
        reason => 'The refund that left the debt was not delivered.'
    );

if (take_back_debt.refund).debt_outcome = 'paid' then
        perform payments.grant_money(
            organization_id => (take_back_debt.refund).organization_id,
            customer_id => (take_back_debt.refund).customer_id,
            amount_cents => (take_back_debt.refund).amount_cents,
            currency => (take_back_debt.refund).currency,
            source => 'refund',
            idempotency_key => 'debt_back:' || (take_back_debt.refund).id
        );
    end if;
end;
$$;

COMMENT ON FUNCTION payments.take_back_debt(refund payments.refunds) IS 'Undo that a customer''s debt was settled, because its refund never reached them.';

CREATE FUNCTION payments.take_back_fee(booking_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_fee payments.fees;
begin
    update payments.fees as f
    set taken_back_at = statement_timestamp()
    where f.booking_id = take_back_fee.booking_id and f.taken_back_at is null
    returning f.* into the_fee;

if not found then
        return;
    end if;

perform payments.reverse_transaction(
        transaction_id => the_fee.transaction_id,
        idempotency_key => 'no_show_fee_back:' || the_fee.id,
        reason => 'The fee was taken back.'
    );

if the_fee.paid_from = 'wallet' then
        with back as (
            select u.lot_id, u.amount - u.returned as amount
            from payments.credit_uses as u
            where u.booking_id = the_fee.booking_id and u.purpose = 'no_show'
        ),
        noted as (
            update payments.credit_uses as u
            set returned = u.amount
            where u.booking_id = the_fee.booking_id and u.purpose = 'no_show'
        )

        update payments.credit_lots as l
        set
            remaining = l.remaining + b.amount,
            expires_at = greatest(l.expires_at, statement_timestamp() + interval '30 days')
        from back as b
        where l.id = b.lot_id and b.amount > 0;
    end if;

if the_fee.paid_at is not null then
        perform payments.reverse_transaction(
            transaction_id => the_fee.payment_transaction_id,
            idempotency_key => 'fee_paid_back:' || the_fee.id,
            reason => 'The fee was taken back.'
        );
        perform payments.grant_money(
            organization_id => the_fee.organization_id,
            customer_id => the_fee.customer_id,
            amount_cents => the_fee.amount_cents,
            currency => the_fee.currency,
            source => 'refund',
            idempotency_key => 'fee_back:' || the_fee.id
        );
    end if;
end;
$$;

COMMENT ON FUNCTION payments.take_back_fee(booking_id uuid) IS 'Take back what not coming was charged with; once.';

CREATE FUNCTION payments.take_over_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint, has_failed boolean) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_left bigint := take_over_refund.amount_cents;
    the_rest bigint := payments.rest_of_sale(take_over_refund.intent);
    the_refund payments.refunds;
    did text[] := '{}';
begin
    while the_left > 0 and the_rest < the_left and not take_over_refund.has_failed loop
        the_refund := payments.adopt_refund(
            take_over_refund.intent, take_over_refund.stripe_id, the_left, take_over_refund.returned_cents
        );
        exit when the_refund.id is null;
        -- Marked at once, so that it is not found again.
        update payments.refunds as r
        set stripe_refund_id = take_over_refund.stripe_id
        where r.id = the_refund.id;
        the_left := the_left - the_refund.amount_cents;
    end loop;

if least(the_rest, the_left) > 0 then
        did := did || payments.undo_by_hand(
            take_over_refund.intent, take_over_refund.stripe_id, least(the_rest, the_left)
        );
        the_left := the_left - least(the_rest, the_left);
    end if;

if the_left > 0 and not take_over_refund.has_failed then
        did := did || payments.set_beyond_apart(take_over_refund.intent, take_over_refund.stripe_id, the_left);
    end if;

update payments.refunds as r
    set stripe_refund_id = take_over_refund.stripe_id
    where
        r.intent_id = (take_over_refund.intent).id
        and r.stripe_refund_id is null
        and r.cause in ('stripe:' || take_over_refund.stripe_id, 'stripe:' || take_over_refund.stripe_id || ':beyond');
    return did;
end;
$$;

COMMENT ON FUNCTION payments.take_over_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint, has_failed boolean) IS 'Keep a refund that was made at Stripe itself, to the last cent of it; answers what was done.';

CREATE FUNCTION payments.tax_of(country text, category text, on_day date) RETURNS TABLE(category text, rate_bps integer, is_added boolean)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(r.category, 'standard'), coalesce(r.rate_bps, 0), not c.prices_include_tax
    from ref.countries as c
    left join lateral (
        select t.category, t.rate_bps
        from ref.tax_rates as t
        where
            t.country = c.code
            and t.category in (tax_of.category, 'standard')
            and t.valid_from <= tax_of.on_day
        order by t.category = 'standard', t.valid_from desc
        limit 1
    ) as r on true
    where c.code = tax_of.country;
$$;

COMMENT ON FUNCTION payments.tax_of(country text, category text, on_day date) IS 'The tax rate of a country for a category of events on a day, and whether it is added to prices.';

CREATE FUNCTION payments.tell_of_credits(lot_id uuid, more bigint DEFAULT 0) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into public.outbox (topic, key, payload)
    select
        case when l.kind = 'wallet' then 'credits.granted' else 'pass.granted' end,
        l.customer_id::text,
        jsonb_strip_nulls(jsonb_build_object(
            'lot_id', l.id, 'customer_id', l.customer_id, 'organization_id', l.organization_id,
            'purchase_id', l.purchase_id, 'booking_id', l.booking_id, 'source', l.source, 'currency', l.currency,
            'amount_cents', case when l.kind = 'wallet' then l.amount + tell_of_credits.more end,
            'units', case when l.kind = 'pass' then l.amount + tell_of_credits.more end,
            'expires_on', case
                when l.expires_at < 'infinity' then (l.expires_at at time zone o.time_zone)::date
            end
        ))
    from payments.credit_lots as l
    inner join organizations.organizations as o on o.id = l.organization_id
    where l.id = tell_of_credits.lot_id;
$$;

COMMENT ON FUNCTION payments.tell_of_credits(lot_id uuid, more bigint) IS 'Have a customer hear of credits or a pass that they were given or have bought.';

CREATE FUNCTION payments.trial_balance(at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(currency character, type payments.account_type, amount_cents bigint)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select b.currency, b.type, sum(b.amount_cents)::bigint
    from (
        select a.currency, a.type, payments.signed_balance(a.id, trial_balance.at) as amount_cents
        from payments.accounts as a
    ) as b
    group by grouping sets ((b.currency, b.type), (b.currency))
    order by b.currency, b.type nulls last;
$$;

COMMENT ON FUNCTION payments.trial_balance(at timestamp with time zone) IS 'Debits less credits per currency and type of account; the total of each currency, without a type, is zero.';

CREATE FUNCTION payments.undo_by_hand(intent payments.intents, stripe_id text, amount_cents bigint) RETURNS text[]
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_cause text := 'stripe:' || undo_by_hand.stripe_id;
    the_booking_id uuid := (undo_by_hand.intent).booking_id;
    the_refund payments.refunds;
begin
    if the_booking_id is not null then
        perform payments.refund_bookings(
            array[the_booking_id], the_cause, 'original', array[undo_by_hand.amount_cents]
        );
        if payments.rest_of_sale(undo_by_hand.intent) = 0 and events.end_refunded(the_booking_id) then
            return array['refunded'];
        end if;
        return '{}';
    end if;

insert into payments.refunds (
        purchase_id, intent_id, organization_id, customer_id, amount_cents, currency, destination, cause, sold
    )
    values (
        (undo_by_hand.intent).purchase_id, (undo_by_hand.intent).id, (undo_by_hand.intent).organization_id,
        (undo_by_hand.intent).customer_id, undo_by_hand.amount_cents, (undo_by_hand.intent).currency, 'original',
        the_cause, false
    )
    returning * into the_refund;

perform payments.move(
        kind => 'refund',
        currency => the_refund.currency,
        legs => jsonb_build_array(
            jsonb_build_object(
                'owner', 'organization', 'id', the_refund.organization_id, 'type', 'receivable',
                'cents', the_refund.amount_cents
            ),
            jsonb_build_object(
                'owner', 'user', 'id', the_refund.customer_id, 'type', 'cash', 'cents', -the_refund.amount_cents
            )
        ),
        idempotency_key => 'refund:' || the_refund.id,
        reference_type => 'refund',
        reference_id => the_refund.id
    );
    return '{}';
end;
$$;

COMMENT ON FUNCTION payments.undo_by_hand(intent payments.intents, stripe_id text, amount_cents bigint) IS 'Undo as much of a sale as somebody has sent back at Stripe; answers what was done.';

CREATE FUNCTION payments.undo_sales(booking_ids uuid[], cause text, destination text DEFAULT NULL::text, amounts_cents bigint[] DEFAULT NULL::bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    sold_ids uuid[];
    rests bigint[];
    by_organizer boolean := undo_sales.cause = 'event_cancelled';
begin
    perform payments.stop_payments(undo_sales.booking_ids);

if by_organizer then
        perform payments.give_back_promo_codes(undo_sales.booking_ids);
    end if;

select
        array_agg(s.booking_id),
        array_agg(
            case
                when w.amount_cents is null then s.amount_cents - s.refunded_cents
                else greatest(least(s.amount_cents, w.amount_cents) - s.refunded_cents, 0)
            end
        )
    into sold_ids, rests
    from unnest(undo_sales.booking_ids, undo_sales.amounts_cents) as w (booking_id, amount_cents)
    inner join payments.sales as s on s.booking_id = w.booking_id;

perform payments.lock_wallets(array(
        select a.id
        from events.bookings as b
        inner join payments.accounts as a
            on
                a.owner_kind = 'user' and a.owner_id = b.customer_id and a.type = 'credits'
                and a.organization_id = b.organization_id
        where b.id = any (undo_sales.booking_ids)
    ));

update payments.credit_lots as l
    set expires_at = statement_timestamp()
    where
        l.booking_id = any (undo_sales.booking_ids) and l.source = 'promotion'
        and l.expires_at > statement_timestamp();

if sold_ids is not null then
        perform payments.refund_bookings(sold_ids, undo_sales.cause, undo_sales.destination, rests);
    end if;
    perform payments.return_passes(undo_sales.booking_ids, undo_sales.amounts_cents, by_organizer);
end;
$$;

COMMENT ON FUNCTION payments.undo_sales(booking_ids uuid[], cause text, destination text, amounts_cents bigint[]) IS 'Give back the prices of bookings that were cancelled, and stop payments that have not come yet.';

CREATE FUNCTION payments.use_passes(booking events.bookings) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_lot_ids uuid[];
    the_units bigint;
begin
    perform
    from payments.credit_lots as l
    where
        l.customer_id = (use_passes.booking).customer_id
        and l.organization_id = (use_passes.booking).organization_id
        and l.kind = 'pass'
        and l.remaining > 0
    order by l.id
    for no key update;

select array_agg(l.id), coalesce(sum(l.remaining), 0)
    into the_lot_ids, the_units
    from payments.credit_lots as l
    where
        l.customer_id = (use_passes.booking).customer_id
        and l.organization_id = (use_passes.booking).organization_id
        and l.kind = 'pass'
        and l.remaining > 0
        and l.expires_at > statement_timestamp()
        and (
            l.categories is null
            or l.categories && payments.categories_of((use_passes.booking).event_id)
        );

if the_units < (use_passes.booking).seats then
        raise exception using errcode = 'PT409', message = 'insufficient_credits',
            detail = jsonb_build_object('units', the_units, 'needed', (use_passes.booking).seats)::text;
    end if;

with fitting as (
        select
            l.id, l.remaining,
            sum(l.remaining) over (order by l.expires_at, l.id) - l.remaining as earlier
        from payments.credit_lots as l
        where l.id = any (the_lot_ids)
    ),
    taken as (
        update payments.credit_lots as l
        set remaining = l.remaining - least(f.remaining, (use_passes.booking).seats - f.earlier)
        from fitting as f
        where l.id = f.id and f.earlier < (use_passes.booking).seats
        returning l.id, least(f.remaining, (use_passes.booking).seats - f.earlier) as amount
    )

    insert into payments.credit_uses (booking_id, lot_id, purpose, amount)
    select (use_passes.booking).id, t.id, 'price', t.amount
    from taken as t;
end;
$$;

COMMENT ON FUNCTION payments.use_passes(booking events.bookings) IS 'Pay for a booking with a customer''s passes: one unit per seat, first-expiring first.';

CREATE FUNCTION payments.use_promo_code(promo_code_id uuid, booking_id uuid, customer_id uuid, discount_cents bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_code payments.promo_codes;
begin
    update payments.promo_codes as c
    set used = c.used + 1
    where c.id = use_promo_code.promo_code_id and (c.uses_most is null or c.used < c.uses_most)
    returning c.* into the_code;

if not found then
        raise exception using errcode = 'PT409', message = 'promo_code_used_up',
            detail = jsonb_build_object('limit', 'everybody')::text;
    end if;

if
        the_code.uses_most_per_customer <= (
            select count(*)
            from payments.promo_uses as u
            where
                u.promo_code_id = use_promo_code.promo_code_id
                and u.customer_id = use_promo_code.customer_id
                and u.given_back_at is null
        )
    then
        raise exception using errcode = 'PT409', message = 'promo_code_used_up',
            detail = jsonb_build_object('limit', 'customer')::text;
    end if;

insert into payments.promo_uses as u (booking_id, promo_code_id, customer_id, discount_cents)
    values (
        use_promo_code.booking_id, use_promo_code.promo_code_id, use_promo_code.customer_id,
        use_promo_code.discount_cents
    )
    on conflict on constraint promo_uses_pkey do update
    set used_at = statement_timestamp(), given_back_at = null;
end;
$$;

COMMENT ON FUNCTION payments.use_promo_code(promo_code_id uuid, booking_id uuid, customer_id uuid, discount_cents bigint) IS 'Count one more use of a promo code, for a booking.';

CREATE FUNCTION payments.use_promo_code_again(booking_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_use payments.promo_uses;
begin
    select u.* into the_use
    from payments.promo_uses as u
    where u.booking_id = use_promo_code_again.booking_id and u.given_back_at is not null;

if found then
        perform payments.use_promo_code(
            the_use.promo_code_id, the_use.booking_id, the_use.customer_id, the_use.discount_cents
        );
    end if;
    return true;
exception
    when sqlstate 'PT409' then
        return false;
end;
$$;

COMMENT ON FUNCTION payments.use_promo_code_again(booking_id uuid) IS 'Whether a booking whose promo code was given back can have it once more; then it has.';

CREATE FUNCTION payments.use_wallet(account_id uuid, booking_id uuid, amount_cents bigint, purpose text DEFAULT 'price'::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_live_cents bigint := payments.spendable(use_wallet.account_id);
begin
    if the_live_cents < use_wallet.amount_cents then
        raise exception using errcode = 'PT409', message = 'insufficient_funds',
            detail = jsonb_build_object(
                'account_id', use_wallet.account_id, 'balance_cents', the_live_cents,
                'needed_cents', use_wallet.amount_cents
            )::text;
    end if;

with live as (
        select
            l.id,
            l.remaining,
            sum(l.remaining) over (order by l.expires_at, l.id) - l.remaining as earlier
        from payments.credit_lots as l
        where
            l.account_id = use_wallet.account_id
            and l.remaining > 0
            and l.expires_at > statement_timestamp()
    ),
    taken as (
        update payments.credit_lots as l
        set remaining = l.remaining - least(v.remaining, use_wallet.amount_cents - v.earlier)
        from live as v
        where l.id = v.id and v.earlier < use_wallet.amount_cents
        returning l.id, least(v.remaining, use_wallet.amount_cents - v.earlier) as amount
    )

    insert into payments.credit_uses as u (booking_id, lot_id, purpose, amount)
    select use_wallet.booking_id, t.id, use_wallet.purpose, t.amount
    from taken as t
    on conflict on constraint credit_uses_pkey do update
    set amount = u.amount + excluded.amount;
end;
$$;

COMMENT ON FUNCTION payments.use_wallet(account_id uuid, booking_id uuid, amount_cents bigint, purpose text) IS 'Take money out of the lots of a wallet for a booking, first-expiring first.';

CREATE TABLE payments.promo_codes (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    code text NOT NULL,
    kind payments.promo_kind NOT NULL,
    percent_bps integer,
    amount_cents bigint,
    currency character(3),
    valid_from timestamp with time zone DEFAULT now() NOT NULL,
    valid_until timestamp with time zone,
    uses_most integer,
    uses_most_per_customer integer,
    used integer DEFAULT 0 NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT percent_is_a_share CHECK (((percent_bps >= 1) AND (percent_bps <= 10000))),
    CONSTRAINT percent_or_amount CHECK ((((kind = 'percent'::payments.promo_kind) = (percent_bps IS NOT NULL)) AND ((kind <> 'percent'::payments.promo_kind) = (amount_cents IS NOT NULL)) AND ((kind <> 'percent'::payments.promo_kind) = (currency IS NOT NULL)))),
    CONSTRAINT promo_amount_is_positive CHECK ((amount_cents > 0)),
    CONSTRAINT promo_code_ends_after_it_begins CHECK ((valid_until > valid_from)),
    CONSTRAINT promo_code_is_plain CHECK ((code ~ '^[A-Z0-9_-]{3,40}$'::text)),
    CONSTRAINT promo_code_never_overused CHECK (((used >= 0) AND (used <= uses_most))),
    CONSTRAINT promo_share_is_positive CHECK ((uses_most_per_customer > 0)),
    CONSTRAINT promo_total_is_positive CHECK ((uses_most > 0))
);

COMMENT ON COLUMN payments.promo_codes.amount_cents IS 'Taken off the price, or, for credits, put into the wallet.';

COMMENT ON COLUMN payments.promo_codes.used IS 'How often it is in use: counted by the routines that use it and give it back, which lock the row.';

CREATE FUNCTION payments.valid_promo_code(organization_id uuid, code text, currency text, at timestamp with time zone) RETURNS payments.promo_codes
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_code payments.promo_codes;
    the_reason text;
begin
    select c.* into the_code
    from payments.promo_codes as c
    where
        c.organization_id = valid_promo_code.organization_id
        and c.code = upper(trim(valid_promo_code.code))
        and c.active;

if not found then
        raise exception using errcode = 'PT404', message = 'promo_code_not_found';
    end if;

the_reason := case
        when valid_promo_code.at < the_code.valid_from then 'not_yet'
        when valid_promo_code.at >= the_code.valid_until then 'over'
        when the_code.currency <> valid_promo_code.currency then 'currency'
    end;
    if the_reason is not null then
        raise exception using errcode = 'PT409', message = 'promo_code_not_valid',
            detail = jsonb_build_object('reason', the_reason)::text;
    end if;
    return the_code;
end;
$$;

COMMENT ON FUNCTION payments.valid_promo_code(organization_id uuid, code text, currency text, at timestamp with time zone) IS 'An organization''s promo code, if it may be used at this time for this currency.';

CREATE FUNCTION payments.verify_credits(most integer DEFAULT 1000) RETURNS TABLE(finding text, account_id uuid, lot_id uuid, expected bigint, found bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select 'wallet_differs_from_its_lots', b.account_id, null::uuid, b.balance_cents::bigint, v.remaining
    from payments.balances as b
    inner join payments.accounts as a on a.id = b.account_id and a.type = 'credits'
    cross join lateral (
        select coalesce(sum(l.remaining), 0)::bigint as remaining
        from payments.credit_lots as l
        where l.account_id = b.account_id
    ) as v
    where b.balance_cents <> v.remaining
    union all
    select 'lot_differs_from_its_uses', l.account_id, l.id, l.amount - l.lapsed - u.used, l.remaining
    from payments.credit_lots as l
    cross join lateral (
        select coalesce(sum(u.amount - u.returned), 0)::bigint as used
        from payments.credit_uses as u
        where u.lot_id = l.id
    ) as u
    where l.remaining <> l.amount - l.lapsed - u.used
    limit verify_credits.most;
$$;

COMMENT ON FUNCTION payments.verify_credits(most integer) IS 'Wallets and lots that are not what their history makes them; none is healthy.';

CREATE FUNCTION payments.verify_ledger(since timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS TABLE(finding text, account_id uuid, transaction_id uuid, line smallint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with
    booked as materialized (
        select
            e.transaction_id, e.line, e.account_id, e.amount_cents::bigint as amount_cents,
            a.currency, t.id as known_id, t.recorded_at
        from payments.entries as e
        left join payments.transactions as t on e.transaction_id = t.id
        left join payments.accounts as a on e.account_id = a.id
        where verify_ledger.since is null or t.recorded_at is null or t.recorded_at >= verify_ledger.since
    ),

    links as (
        select
            s.*, p.position is null and s.position > 1 as is_torn,
            coalesce(p.balance_cents, 0) + s.amount_cents as expected_cents,
            greatest(p.latest_recorded_at, s.recorded_at) as expected_latest,
            e.transaction_id is null or t.id is null as is_lost,
            e.account_id = s.account_id and e.amount_cents = s.amount_cents and t.recorded_at = s.recorded_at
            and payments.link(coalesce(p.hash, ''), payments.canonical_entry(e, t, a)) = s.hash as is_true
        from payments.seals as s
        left join payments.seals as p on s.account_id = p.account_id and s.position - 1 = p.position
        left join payments.entries as e on s.transaction_id = e.transaction_id and s.line = e.line
        left join payments.transactions as t on s.transaction_id = t.id
        left join payments.accounts as a on s.account_id = a.id
        where verify_ledger.since is null or s.latest_recorded_at >= verify_ledger.since
    )

    select 'entry_without_transaction', b.account_id, b.transaction_id, b.line
    from booked as b
    where b.known_id is null
    union all
    select 'entry_without_account', b.account_id, b.transaction_id, b.line
    from booked as b
    where b.currency is null
    union all
    select 'transaction_without_entries', null, t.id, null
    from payments.transactions as t
    where
        (verify_ledger.since is null or t.recorded_at >= verify_ledger.since)
        and not exists (select from payments.entries as e where e.transaction_id = t.id)
    union all
    select distinct 'transaction_unbalanced', null::uuid, u.transaction_id, null::smallint
    from (
        select b.transaction_id
        from booked as b
        group by b.transaction_id, b.currency
        having sum(b.amount_cents) <> 0
    ) as u
    union all
    select
        case when s.position is null then 'entry_not_followed' else 'entry_followed_twice' end,
        b.account_id, b.transaction_id, b.line
    from booked as b
    left join payments.seals as s on b.transaction_id = s.transaction_id and b.line = s.line
    left join payments.unsealed_entries as u
        on b.account_id = u.account_id and b.transaction_id = u.transaction_id and b.line = u.line
    where (s.position is null) = (u.line is null)
    union all
    select
        case when e.line is null then 'unsealed_entry_lost' else 'unsealed_entry_changed' end,
        u.account_id, u.transaction_id, u.line
    from payments.unsealed_entries as u
    left join payments.entries as e
        on u.transaction_id = e.transaction_id and u.line = e.line
    left join payments.transactions as t on u.transaction_id = t.id
    where
        (e.account_id, e.amount_cents, t.recorded_at) is distinct from (u.account_id, u.amount_cents, u.recorded_at)
    union all
    select f.finding, l.account_id, l.transaction_id, l.line
    from links as l
    cross join lateral (
        values
        ('sealed_entry_lost', l.is_lost),
        ('sealed_entry_changed', not l.is_lost and not l.is_torn and l.is_true is not true),
        ('chain_torn', l.is_torn),
        (
            'sealed_balance_wrong',
            not l.is_torn
            and (l.balance_cents, l.latest_recorded_at) is distinct from (l.expected_cents, l.expected_latest)
        )
    ) as f (finding, is_so)
    where f.is_so
    union all
    select 'guarded_balance_wrong', g.account_id, null, null
    from (
        select
            coalesce(a.id, b.account_id) as account_id, b.balance_cents::bigint as balance_cents,
            payments.normal_side(a.type) * coalesce(n.amount_cents, 0) as expected_cents
        from (select a.* from payments.accounts as a where a.guarded) as a
        full join payments.balances as b on a.id = b.account_id
        left join (
            select n.account_id, sum(n.amount_cents) as amount_cents
            from payments.entries as n
            group by n.account_id
        ) as n on a.id = n.account_id
    ) as g
    where g.balance_cents is distinct from g.expected_cents or g.balance_cents < 0
    union all
    select distinct 'reversal_differs', null::uuid, t.id, null::smallint
    from payments.transactions as t
    inner join payments.entries as n on t.id = n.transaction_id
    left join payments.entries as o
        on t.reverses_id = o.transaction_id and n.line = o.line and n.account_id = o.account_id
        and n.amount_cents::bigint = -o.amount_cents::bigint
    where
        t.reverses_id is not null
        and (verify_ledger.since is null or t.recorded_at >= verify_ledger.since)
        and o.line is null;
$$;

COMMENT ON FUNCTION payments.verify_ledger(since timestamp with time zone) IS 'Everything in the ledger that is not as posting and sealing left it; no row is a sound ledger.';

CREATE FUNCTION payments.waive_fee(fee_id uuid, reason text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_fee payments.fees := payments.require_fee(waive_fee.fee_id);
begin
    if the_fee.taken_back_at is null then
        update events.bookings as b
        set fee_cents = 0
        where b.id = the_fee.booking_id;
        update payments.fees as f
        set reason = left(waive_fee.reason, 500), settled_by = ops.caller_id()
        where f.id = the_fee.id;
        perform payments.take_back_fee(the_fee.booking_id);
    end if;
    return (select to_jsonb(s) from payments.fee_states as s where s.id = the_fee.id);
end;
$$;

COMMENT ON FUNCTION payments.waive_fee(fee_id uuid, reason text) IS 'Take back what not coming was charged with, because staff say so; answers the fee.';

CREATE FUNCTION public.create_event(title text, starts_at timestamp with time zone, ends_at timestamp with time zone, capacity integer DEFAULT NULL::integer, price_cents bigint DEFAULT 0, description text DEFAULT NULL::text, organization_id uuid DEFAULT NULL::uuid) RETURNS uuid
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select (
        events.create_event(
            jsonb_build_object(
                'organization_id', coalesce(create_event.organization_id, public.current_org_id()),
                'title', create_event.title,
                'description', create_event.description,
                'starts_at', create_event.starts_at,
                'ends_at', create_event.ends_at,
                'capacity', create_event.capacity,
                'price_cents', create_event.price_cents
            )
        ) ->> 'id'
    )::uuid;
$$;

COMMENT ON FUNCTION public.create_event(title text, starts_at timestamp with time zone, ends_at timestamp with time zone, capacity integer, price_cents bigint, description text, organization_id uuid) IS 'Make a single event; answers its id.';

CREATE FUNCTION public.current_org_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id() and m.organization_id = nullif(ops.claims() ->> 'org_id', '')::uuid;
$$;

COMMENT ON FUNCTION public.current_org_id() IS 'The organization that the caller acts for, as the token claims it; null unless the caller is a member.';

CREATE FUNCTION public.get_booking_performance_summary() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select ops.get_booking_performance_summary();
$$;

COMMENT ON FUNCTION public.get_booking_performance_summary() IS 'See ops.get_booking_performance_summary.';

CREATE FUNCTION public.get_cron_job_history(hours_back integer DEFAULT 24) RETURNS TABLE(jobname text, start_time timestamp with time zone, end_time timestamp with time zone, status text, return_message text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        r.job,
        r.started_at,
        r.finished_at,
        case when r.finished_at is null then 'running' when r.succeeded then 'succeeded' else 'failed' end,
        coalesce(r.error, r.result::text)
    from ops.job_runs as r
    where r.started_at > statement_timestamp() - make_interval(hours => get_cron_job_history.hours_back)
    order by r.id desc
    limit 1000;
$$;

COMMENT ON FUNCTION public.get_cron_job_history(hours_back integer) IS 'The runs of scheduled jobs in the last hours; see ops.job_runs.';

CREATE FUNCTION public.get_cron_job_status() RETURNS TABLE(jobname text, last_run timestamp with time zone, last_success timestamp with time zone, last_error text, active boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select s.job, s.last_started_at, s.last_succeeded_at, s.last_error, not s.late
    from ops.job_states() as s;
$$;

COMMENT ON FUNCTION public.get_cron_job_status() IS 'How each scheduled job does; see ops.job_states.';

CREATE FUNCTION public.get_system_health_summary() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select ops.get_system_health_summary();
$$;

COMMENT ON FUNCTION public.get_system_health_summary() IS 'See ops.get_system_health_summary.';

CREATE FUNCTION public.migrate_class_instances_to_events() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    counts jsonb;
begin
    perform pg_advisory_xact_lock(hashtextextended('public.migrate_class_instances_to_events', 0));
    delete from staging.outcomes;

perform staging.convert_templates();
    perform staging.convert_instances();
    perform staging.convert_registrations();
    perform staging.convert_waitlists();

counts := (
        select jsonb_object_agg(f.file, jsonb_build_object(
            'read', f.rows,
            'converted', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'converted'),
            'unchanged', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'unchanged'),
            'rejected', (select count(*) from staging.outcomes as o where o.file = f.file and o.outcome = 'rejected')
        ))
        from (
            values
            ('class_templates', (select count(*) from staging.class_templates)),
            ('class_instances', (select count(*) from staging.class_instances)),
            ('class_registrations', (select count(*) from staging.class_registrations)),
            ('waitlists', (select count(*) from staging.waitlists))
        ) as f (file, rows)
    );

perform staging.verify_import(counts);
    return counts;
end;
$$;

COMMENT ON FUNCTION public.migrate_class_instances_to_events() IS 'Convert the exports in staging; repeatable. Answers the counts of each file.';

CREATE FUNCTION public.user_orgs() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select m.organization_id
    from organizations.memberships as m
    inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
    where m.user_id = ops.caller_id();
$$;

COMMENT ON FUNCTION public.user_orgs() IS 'The organizations that the caller is a member of.';

CREATE FUNCTION rating.apply_calibration(organization_id uuid, began_at timestamp with time zone, calibration_id bigint, item_ids text[], item_versions bigint[], means double precision[], deviations double precision[], voter_ids text[], voter_versions bigint[], log_odds double precision[], population jsonb, report jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    assumed jsonb;
    changed text[];
    taken_over bigint;
    voters_taken_over bigint;
begin
    perform rating.lock_periods(organization_ids => array[apply_calibration.organization_id], alone => true);

insert into rating.populations (organization_id)
    values (apply_calibration.organization_id)
    on conflict on constraint populations_pkey do nothing;

select to_jsonb(p) - 'organization_id'
    into assumed
    from rating.populations as p
    where p.organization_id = apply_calibration.organization_id;

if apply_calibration.calibration_id is distinct from (
        select max(c.id) from rating.calibrations as c where c.organization_id = apply_calibration.organization_id
    ) or apply_calibration.report ->> 'model' <> (
        rating.settings_of(organization_id => apply_calibration.organization_id)
    ).model::text then
        return jsonb_build_object('superseded', true, 'applied', 0, 'voters', 0, 'marked', 0);
    end if;

with given as materialized (
        select g.item_id, g.version, g.mean, g.deviation
        from unnest(
            apply_calibration.item_ids,
            apply_calibration.item_versions,
            apply_calibration.means,
            apply_calibration.deviations
        ) as g (item_id, version, mean, deviation)
    ),

    locked as materialized (
        select s.item_id, s.mean, s.deviation
        from rating.item_stats as s
        inner join given as g on s.item_id = g.item_id and s.version = g.version
        where
            s.organization_id = apply_calibration.organization_id
            and s.updated_at <= apply_calibration.began_at
        order by s.organization_id, s.item_id
        for update of s
    ),

    updated as (
        update rating.item_stats as s
        set
            mean = g.mean,
            deviation = g.deviation,
            version = s.version + 1,
            updated_at = statement_timestamp()
        from locked as l
        inner join given as g on l.item_id = g.item_id
        where s.organization_id = apply_calibration.organization_id and s.item_id = l.item_id
        returning s.item_id, abs(g.mean - l.mean) > 1e-6 or abs(g.deviation - l.deviation) > 1e-6 as moved
    )

    select count(*), array_agg(u.item_id::text order by u.item_id) filter (where u.moved)
    into taken_over, changed
    from updated as u;

with given as materialized (
        select g.voter_id, g.version, g.log_odds
        from unnest(
            apply_calibration.voter_ids, apply_calibration.voter_versions, apply_calibration.log_odds
        ) as g (voter_id, version, log_odds)
    ),

    locked as materialized (
        select r.voter_id
        from rating.voters as r
        inner join given as g on r.voter_id = g.voter_id and r.version = g.version
        where
            r.organization_id = apply_calibration.organization_id
            and r.updated_at <= apply_calibration.began_at
        order by r.organization_id, r.voter_id
        for update of r
    )

    update rating.voters as r
    set log_odds = g.log_odds, version = r.version + 1, updated_at = statement_timestamp()
    from locked as l
    inner join given as g on l.voter_id = g.voter_id
    where r.organization_id = apply_calibration.organization_id and r.voter_id = l.voter_id;

get diagnostics voters_taken_over = row_count;

if apply_calibration.population is not null then
        update rating.populations as p
        set
            period = p.period + 1,
            period_began_at = statement_timestamp(),
            prior_mean = (apply_calibration.population ->> 'prior_mean')::double precision,
            prior_deviation = (apply_calibration.population ->> 'prior_deviation')::double precision,
            slider_mean = (apply_calibration.population ->> 'slider_mean')::double precision,
            slider_deviation = (apply_calibration.population ->> 'slider_deviation')::double precision,
            rater_deviation = (apply_calibration.population ->> 'rater_deviation')::double precision,
            noise_deviation = (apply_calibration.population ->> 'noise_deviation')::double precision,
            fires_half = (apply_calibration.population ->> 'fires_half')::double precision,
            honest_share = (apply_calibration.population ->> 'honest_share')::double precision,
            items = (apply_calibration.report ->> 'items')::bigint,
            estimated_at = statement_timestamp()
        where p.organization_id = apply_calibration.organization_id;
    end if;

insert into rating.calibrations (
        organization_id, began_at, items, voters, votes, votes_left_out, applied, touched, incomplete, model, before,
        after, mean_difference, largest_difference
    )
    select
        apply_calibration.organization_id,
        apply_calibration.began_at,
        r.items,
        r.voters,
        r.votes,
        r.votes_left_out,
        taken_over,
        cardinality(apply_calibration.item_ids) - taken_over,
        r.incomplete,
        r.model,
        assumed,
        coalesce(apply_calibration.population, assumed),
        r.mean_difference,
        r.largest_difference
    from jsonb_to_record(apply_calibration.report) as r (
        items bigint,
        voters bigint,
        votes bigint,
        votes_left_out bigint,
        incomplete bigint,
        model rating.model,
        mean_difference double precision,
        largest_difference double precision
    );

if changed is not null then
        perform rating.mark_dirty(
            organization_id => apply_calibration.organization_id, item_ids => changed, priority => 0
        );
    end if;

return jsonb_build_object(
        'superseded', false,
        'applied', taken_over,
        'voters', voters_taken_over,
        'marked', coalesce(cardinality(changed), 0)
    );
end;
$$;

COMMENT ON FUNCTION rating.apply_calibration(organization_id uuid, began_at timestamp with time zone, calibration_id bigint, item_ids text[], item_versions bigint[], means double precision[], deviations double precision[], voter_ids text[], voter_versions bigint[], log_odds double precision[], population jsonb, report jsonb) IS 'Take a fit of all votes over, where nothing has changed since they were read; answers how many did.';

CREATE FUNCTION rating.archive_events(before timestamp with time zone DEFAULT (statement_timestamp() - '1 year'::interval), at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
declare
    old record;
    busy regclass[] := '{}';
    archived text[] := '{}';
    kept text[] := '{}';
begin
    perform pg_advisory_xact_lock(hashtextextended('rating.archive_events', 0));

for old in
        select t.parent, b.partition, b.ends_at
        from unnest('{rating.votes,rating.sliders,rating.fires}'::regclass[]) as t (parent)
        cross join lateral ops.partition_bounds(t.parent) as b
        where b.ends_at <= least(archive_events.before, archive_events.at)
        order by b.ends_at, t.parent
    loop
        if old.parent = any(busy) then
            kept := kept || old.partition::text;
            continue;
        end if;

begin
            execute format('lock table %s in share mode', old.partition);
            if exists (select from rating.inbox as i where i.received_at < old.ends_at) then
                kept := kept || old.partition::text;
            else
                execute format('alter table %s detach partition %s', old.parent, old.partition);
                archived := archived || old.partition::text;
                execute format('alter table %s set schema rating_archive', old.partition);
            end if;
        exception
            when lock_not_available then
                busy := busy || old.parent;
                kept := kept || old.partition::text;
        end;
    end loop;

return jsonb_build_object('archived', archived, 'kept', kept);
end;
$$;

COMMENT ON FUNCTION rating.archive_events(before timestamp with time zone, at timestamp with time zone) IS 'Move months of events that ended long ago, and are counted, to the archive; answers which.';

CREATE FUNCTION rating.begin_period(most integer DEFAULT 100, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    due uuid[];
    begun integer;
begin
    due := array(
        select p.organization_id
        from rating.populations as p
        left join rating.settings as s on s.organization_id = p.organization_id
        where
            p.period_began_at <= begin_period.at - make_interval(secs => coalesce(s.period_seconds, 60))
            and exists (
                select from rating.dirty_items as d where d.organization_id = p.organization_id
            )
        order by p.period_began_at
        limit begin_period.most
    );

if due = '{}' then
        return 0;
    end if;

perform rating.lock_periods(organization_ids => due, alone => true);

update rating.populations as p
    set period = p.period + 1, period_began_at = begin_period.at
    where
        p.organization_id = any(due)
        and p.period_began_at <= begin_period.at - make_interval(secs => coalesce(
            (select s.period_seconds from rating.settings as s where s.organization_id = p.organization_id), 60
        ));
    get diagnostics begun = row_count;

return begun;
exception
    when lock_not_available then
        return 0;
end;
$$;

COMMENT ON FUNCTION rating.begin_period(most integer, at timestamp with time zone) IS 'Begin a new period where the last one has lasted long enough and something is to be counted.';

CREATE FUNCTION rating.change_settings(organization_id uuid, changes jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_settings rating.settings;
    is_wrong boolean;
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not exists (select from organizations.organizations as o where o.id = change_settings.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if not organizations.caller_is(change_settings.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

insert into rating.settings (organization_id)
    values (change_settings.organization_id)
    on conflict on constraint settings_pkey do nothing;

select s.* into the_settings
    from rating.settings as s
    where s.organization_id = change_settings.organization_id
    for update;

begin
        is_wrong := jsonb_typeof(change_settings.changes) is distinct from 'object' or exists (
            select
            from jsonb_each(change_settings.changes) as c (name, value)
            where
                c.name in ('organization_id', 'updated_at')
                or not to_jsonb(the_settings) ? c.name
                or c.value = 'null' and c.name <> 'paused_until'
        );
        the_settings := jsonb_populate_record(the_settings, change_settings.changes);
        is_wrong := is_wrong or isfinite(the_settings.paused_until) is false or exists (
            select from unnest(the_settings.tiers) as t (tier) where t.tier not between 0 and 100
        );

if not is_wrong then
            update rating.settings as s
            set
                model = the_settings.model,
                public = the_settings.public,
                rating_weight = the_settings.rating_weight,
                slider_weight = the_settings.slider_weight,
                fire_weight = the_settings.fire_weight,
                votes_least = the_settings.votes_least,
                opponents_least = the_settings.opponents_least,
                sliders_least = the_settings.sliders_least,
                slider_voters_least = the_settings.slider_voters_least,
                score_step = the_settings.score_step,
                confidence_step = the_settings.confidence_step,
                deviation_step = the_settings.deviation_step,
                tiers = the_settings.tiers,
                pause_seconds = the_settings.pause_seconds,
                paused_until = the_settings.paused_until,
                period_seconds = the_settings.period_seconds,
                events_per_voter_and_day = the_settings.events_per_voter_and_day,
                updated_at = now()
            where s.organization_id = change_settings.organization_id
            returning s.* into the_settings;
        end if;
    exception
        when data_exception or check_violation or not_null_violation then
            is_wrong := true;
    end;

if is_wrong then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The settings are not valid. Send known settings within their limits; the weights must sum'
                ' to 1.'
            )::text;
    end if;

if change_settings.changes - '{model,public,period_seconds,events_per_voter_and_day}'::text[] <> '{}' then
        perform rating.mark_dirty(
            organization_id => change_settings.organization_id,
            item_ids => array(
                select i.item_id
                from rating.item_stats as i
                where i.organization_id = change_settings.organization_id
            )
        );
    end if;

return to_jsonb(the_settings) - 'updated_at';
end;
$$;

COMMENT ON FUNCTION rating.change_settings(organization_id uuid, changes jsonb) IS 'Change how an organization''s items are rated and published; answers its settings.';

CREATE FUNCTION rating.claim_dirty_items(most integer DEFAULT 500, lease_seconds integer DEFAULT 120, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(organization_id uuid, item_id text, generation bigint, attempts integer)
    LANGUAGE plpgsql SECURITY DEFINER ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '50ms'
    AS $$
declare
    attempts_left integer := 10;
    organization_ids uuid[];
    item_ids text[];
begin
    while attempts_left > 0 loop
        begin
            select array_agg(n.organization_id), array_agg(n.item_id::text)
            into organization_ids, item_ids
            from (
                select d.organization_id, d.item_id
                from rating.dirty_items as d
                where d.available_at <= claim_dirty_items.at
                order by d.available_at
                limit claim_dirty_items.most
                for update skip locked
            ) as n;

exit;
        exception
            when lock_not_available then
                attempts_left := attempts_left - 1;
        end;
    end loop;

return query
    with claimed as (
        update rating.dirty_items as d
        set
            lease_until = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds),
            available_at = claim_dirty_items.at + make_interval(secs => claim_dirty_items.lease_seconds)
        from unnest(organization_ids, item_ids) as n (organization_id, item_id)
        where d.organization_id = n.organization_id and d.item_id = n.item_id
        returning d.organization_id, d.item_id, d.generation, d.attempts
    )

    select c.organization_id, c.item_id::text, c.generation, c.attempts
    from claimed as c
    order by c.organization_id, c.item_id;
end;
$$;

COMMENT ON FUNCTION rating.claim_dirty_items(most integer, lease_seconds integer, at timestamp with time zone) IS 'Take the next items to count or publish under a lease, those that wait longest first.';

CREATE FUNCTION rating.content_of(type text, voter_id text, item_a text, item_b text, winner text, kind text, value double precision) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN hashtextextended((jsonb_build_array(type, voter_id, item_a, item_b, winner, kind, value))::text, (0)::bigint);

COMMENT ON FUNCTION rating.content_of(type text, voter_id text, item_a text, item_b text, winner text, kind text, value double precision) IS 'A hash of what an event says, to know it again.';

CREATE FUNCTION rating.events_per_day(organization_id uuid) RETURNS integer
    LANGUAGE plpgsql STABLE
    AS $$
begin
    return coalesce(
        (
            select s.events_per_voter_and_day
            from rating.settings as s
            where s.organization_id = events_per_day.organization_id
        ),
        2000
    );
end;
$$;

COMMENT ON FUNCTION rating.events_per_day(organization_id uuid) IS 'Return how many rating events of one voter an organization accepts in a day.';

CREATE FUNCTION rating.fail_items(organization_ids uuid[], item_ids text[], generations bigint[], error text, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    failed integer;
begin
    with locked as materialized (
        select d.organization_id, d.item_id
        from unnest(fail_items.organization_ids, fail_items.item_ids, fail_items.generations)
            as f (organization_id, item_id, generation)
        inner join rating.dirty_items as d on d.organization_id = f.organization_id and d.item_id = f.item_id
        where d.generation = f.generation or d.lease_until is not null
        order by d.organization_id, d.item_id
        for update of d
    )

    update rating.dirty_items as d
    set
        attempts = d.attempts + 1,
        last_error = left(fail_items.error, 2000),
        lease_until = null,
        available_at = fail_items.at + make_interval(secs => least(3600, 10 * 2 ^ least(d.attempts, 20)))
    from locked as l
    where d.organization_id = l.organization_id and d.item_id = l.item_id;

get diagnostics failed = row_count;
    return failed;
end;
$$;

COMMENT ON FUNCTION rating.fail_items(organization_ids uuid[], item_ids text[], generations bigint[], error text, at timestamp with time zone) IS 'Put items back for a later attempt, with the reason; answers how many.';

CREATE FUNCTION rating.finish_items(organization_ids uuid[], item_ids text[], generations bigint[], publish_at timestamp with time zone[] DEFAULT NULL::timestamp with time zone[], at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    finished integer;
begin
    with locked as materialized (
        select
            d.organization_id,
            d.item_id,
            f.publish_at,
            d.generation = f.generation as unchanged
        from unnest(
            finish_items.organization_ids, finish_items.item_ids, finish_items.generations, finish_items.publish_at
        ) as f (organization_id, item_id, generation, publish_at)
        inner join rating.dirty_items as d on d.organization_id = f.organization_id and d.item_id = f.item_id
        order by d.organization_id, d.item_id
        for update of d
    ),

    waiting as (
        update rating.dirty_items as d
        set
            lease_until = null,
            attempts = 0,
            last_error = null,
            marked_at = case when l.unchanged then l.publish_at else finish_items.at end,
            available_at = case
                when l.unchanged then l.publish_at
                else finish_items.at - make_interval(secs => 20 * d.priority)
            end
        from locked as l
        where
            d.organization_id = l.organization_id
            and d.item_id = l.item_id
            and (not l.unchanged or l.publish_at is not null)
    )

    delete from rating.dirty_items as d
    using locked as l
    where
        d.organization_id = l.organization_id
        and d.item_id = l.item_id
        and l.unchanged
        and l.publish_at is null;

get diagnostics finished = row_count;
    return finished;
end;
$$;

COMMENT ON FUNCTION rating.finish_items(organization_ids uuid[], item_ids text[], generations bigint[], publish_at timestamp with time zone[], at timestamp with time zone) IS 'Items are counted: those not marked meanwhile leave the set, or wait for their publish; answers how many left.';

CREATE FUNCTION rating.get_pipeline_status(organization_id uuid DEFAULT NULL::uuid, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    is_service boolean := ops.caller_is_service();
begin
    if ops.caller_id() is null and not is_service then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not is_service and get_pipeline_status.organization_id not in (select public.user_orgs()) is not false then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

return (
        select jsonb_build_object(
            'queued', count(*) filter (where d.marked_at <= get_pipeline_status.at),
            'high_priority', count(*) filter (where d.marked_at <= get_pipeline_status.at and d.priority >= 10),
            'in_work', count(*) filter (where d.lease_until > get_pipeline_status.at),
            'failing', count(*) filter (where d.attempts > 0),
            'held_back', count(*) filter (where d.marked_at > get_pipeline_status.at),
            'oldest_seconds', coalesce(extract(epoch from get_pipeline_status.at - min(d.marked_at) filter (
                where d.marked_at <= get_pipeline_status.at
            )), 0)
        )
        from rating.dirty_items as d
        where
            get_pipeline_status.organization_id is null
            or d.organization_id = get_pipeline_status.organization_id
    ) || jsonb_build_object(
        'published', (
            select count(*)
            from rating.item_scores as s
            where
                get_pipeline_status.organization_id is null
                or s.organization_id = get_pipeline_status.organization_id
        ),
        'events_last_minute', (
            select coalesce(sum(e.votes + e.sliders + e.fires), 0)
            from organizations.organizations as o
            cross join lateral (
                select
                    (
                        select count(*)
                        from rating.votes as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as votes,
                    (
                        select count(*)
                        from rating.sliders as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as sliders,
                    (
                        select count(*)
                        from rating.fires as v
                        where
                            v.organization_id = o.id
                            and v.received_at > get_pipeline_status.at - interval '1 minute'
                            and v.received_at <= get_pipeline_status.at
                    ) as fires
            ) as e
            where
                get_pipeline_status.organization_id is null
                or o.id = get_pipeline_status.organization_id
        ),
        'batches', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'started_at', r.started_at,
                    'seconds', extract(epoch from r.finished_at - r.started_at),
                    'succeeded', r.succeeded
                ) || case
                    when is_service then jsonb_build_object('result', r.result, 'error', r.error)
                    else '{}'
                end
                order by r.id desc
            ), '[]')
            from (
                select j.*
                from ops.job_runs as j
                where j.job = 'process_ratings'
                order by j.id desc
                limit 10
            ) as r
        ),
        'last_calibration', (
            select to_jsonb(c) - '{id,organization_id,before,after}'::text[]
            from rating.calibrations as c
            where
                get_pipeline_status.organization_id is null
                or c.organization_id = get_pipeline_status.organization_id
            order by c.id desc
            limit 1
        )
    );
end;
$$;

COMMENT ON FUNCTION rating.get_pipeline_status(organization_id uuid, at timestamp with time zone) IS 'How many items wait and how long, what was published, the last batches and the last calibration.';

CREATE FUNCTION rating.honest_share_of(organization_id uuid) RETURNS double precision
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select coalesce(
        (select p.honest_share from rating.populations as p where p.organization_id = honest_share_of.organization_id),
        0.9
    );
$$;

COMMENT ON FUNCTION rating.honest_share_of(organization_id uuid) IS 'The estimated share of raters who do not rate at random; part of what is said of a rater.';

CREATE FUNCTION rating.ingest(organization_id uuid, events json) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    results jsonb;
begin
    if json_typeof(ingest.events) is distinct from 'array' or json_array_length(ingest.events) > 500 then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', '`events` must be an array of at most 500 events.')::text;
    end if;

if not exists (select from organizations.organizations as o where o.id = ingest.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;

if json_array_length(ingest.events) = 1 then
        results := rating.write_vote(
            ingest.organization_id, ops.caller_id(), ops.caller_is_service(), ingest.events
        );
        if results is not null then
            return results;
        end if;
    end if;

select w.results into results
    from rating.write_events(
        array[row(1, ingest.organization_id, ops.caller_id(), ops.caller_is_service(), ingest.events)::rating.ingestion]
    ) as w;

return coalesce(results, '[]');
end;
$$;

COMMENT ON FUNCTION rating.ingest(organization_id uuid, events json) IS 'Take up to 500 votes, sliders and fires; answers what became of each, in order.';

CREATE FUNCTION rating.ingest_requests(requests json) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    answer jsonb;
begin
    with given as materialized (
        select
            r.place::integer as place,
            q.request_id,
            q.part,
            q.parts,
            q.organization_id,
            q.caller_id,
            q.role,
            rating.unveiled(q.events) as events
        from json_array_elements(ingest_requests.requests) with ordinality as r (request, place)
        cross join lateral json_to_record(rating.veiled(r.request)) as q (
            request_id uuid, part integer, parts integer, organization_id uuid, caller_id uuid, role text, events json
        )
    ),

    judged as materialized (
        select
            g.*,
            exists (
                select from rating.requests as k where k.request_id = g.request_id and k.part = g.part
            ) as repeated,
            case
                when json_typeof(g.events) is distinct from 'array' then 'invalid_request'
                when json_array_length(g.events) > 500 then 'invalid_request'
                when not exists (select from organizations.organizations as o where o.id = g.organization_id)
                    then 'organization_not_found'
            end as refusal
        from given as g
    ),

    written as materialized (
        select w.*
        from rating.write_events(array(
            select row(j.place, j.organization_id, j.caller_id, j.role = 'service_role', j.events)::rating.ingestion
            from judged as j
            where j.refusal is null and not j.repeated
        )) as w
    ),

    refused as materialized (
        select
            j.place as number,
            count(*) as refused,
            jsonb_agg(
                jsonb_build_object('index', e.index, 'key', null, 'status', 'refused', 'code', j.refusal)
                order by e.index
            ) as results
        from judged as j
        cross join lateral generate_series(
            0, case when json_typeof(j.events) = 'array' then json_array_length(j.events) else 1 end - 1
        ) as e (index)
        where j.refusal is not null and not j.repeated
        group by j.place
    ),

    done as materialized (
        select
            j.*,
            coalesce(w.accepted, 0) as accepted,
            coalesce(w.duplicates, 0) as duplicates,
            coalesce(w.refused, r.refused, 0) as refused,
            coalesce(w.results, r.results, '[]') as results
        from judged as j
        left join written as w on w.number = j.place
        left join refused as r on r.number = j.place
    ),

    kept as (
        insert into rating.requests (request_id, part, parts, organization_id, caller_id, results)
        select d.request_id, d.part, d.parts, d.organization_id, d.caller_id, d.results
        from done as d
        where not d.repeated
        order by d.request_id, d.part, d.place
        on conflict on constraint requests_pkey do nothing
    )

    select jsonb_agg(
        jsonb_build_object(
            'request_id', d.request_id,
            'part', d.part,
            'status', case when d.repeated then 'repeated' else 'written' end,
            'accepted', d.accepted,
            'duplicates', d.duplicates,
            'refused', d.refused
        )
        order by d.place
    )
    into answer
    from done as d;

return coalesce(answer, '[]');
end;
$$;

COMMENT ON FUNCTION rating.ingest_requests(requests json) IS 'Take the events of many requests at once and keep what became of each; for those that came through a queue.';

CREATE FUNCTION rating.is_public(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select not exists (
        select from rating.settings as s where s.organization_id = is_public.organization_id and not s.public
    );
$$;

COMMENT ON FUNCTION rating.is_public(organization_id uuid) IS 'Whether everybody may rate an organization''s items.';

CREATE FUNCTION rating.lock_periods(organization_ids uuid[], alone boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    lock_number bigint;
begin
    for lock_number in
        select distinct hashtextextended('rating.period', 0) # hashtextextended(o.id::text, 0) as number
        from unnest(lock_periods.organization_ids) as o (id)
        order by number
    loop
        if lock_periods.alone then
            perform pg_advisory_xact_lock(lock_number);
        else
            perform pg_advisory_xact_lock_shared(lock_number);
        end if;
    end loop;
end;
$$;

COMMENT ON FUNCTION rating.lock_periods(organization_ids uuid[], alone boolean) IS 'Keep organizations'' periods as they are until the transaction ends; alone, to change them.';

CREATE FUNCTION rating.mark_dirty(organization_id uuid, item_ids text[], priority integer DEFAULT 0, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    marked integer;
begin
    insert into rating.dirty_items as d (organization_id, item_id, priority, marked_at, available_at)
    select
        mark_dirty.organization_id,
        i.item_id,
        mark_dirty.priority,
        mark_dirty.at,
        mark_dirty.at - make_interval(secs => 20 * mark_dirty.priority)
    from (select distinct u.item_id from unnest(mark_dirty.item_ids) as u (item_id)) as i
    order by i.item_id
    on conflict on constraint dirty_items_pkey do update
    set
        priority = greatest(d.priority, excluded.priority),
        generation = excluded.generation,
        marked_at = least(d.marked_at, excluded.marked_at),
        available_at = case
            when d.lease_until is null and d.attempts = 0 then least(d.available_at, excluded.available_at)
            else d.available_at
        end;

get diagnostics marked = row_count;
    return marked;
end;
$$;

COMMENT ON FUNCTION rating.mark_dirty(organization_id uuid, item_ids text[], priority integer, at timestamp with time zone) IS 'Mark items as having something to be counted or published; answers how many.';

CREATE FUNCTION rating.mark_inbox() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    insert into rating.dirty_items as d (organization_id, item_id, priority, marked_at, available_at)
    select
        i.organization_id,
        i.item_id,
        i.priority,
        i.received_at,
        i.received_at - make_interval(secs => 20 * i.priority)
    from (
        select
            n.organization_id,
            n.item_id,
            min(n.received_at) as received_at,
            max(case when n.kind = 'fire' then 15 when n.kind = 'slider' then 5 when n.weight = 2 then 10 else 0 end)
            as priority
        from new_events as n
        group by n.organization_id, n.item_id
    ) as i
    order by i.organization_id, i.item_id
    on conflict on constraint dirty_items_pkey do update
    set
        priority = greatest(d.priority, excluded.priority),
        generation = excluded.generation,
        marked_at = least(d.marked_at, excluded.marked_at),
        available_at = case
            when d.lease_until is null and d.attempts = 0 then least(d.available_at, excluded.available_at)
            else d.available_at
        end;

return null;
end;
$$;

COMMENT ON FUNCTION rating.mark_inbox() IS 'Marks the items of new events: one ordered statement for each of theirs.';

CREATE FUNCTION rating.moment_of(member jsonb) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    written constant text := rating.text_of(moment_of.member);
    moment timestamptz;
begin
    if written ~* '^\d{4}-\d\d-\d\d[t ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(z|[+-]\d\d(:?\d\d)?)$'
        and pg_input_is_valid(written, 'timestamptz')
    then
        moment := written;
    end if;
    return case when moment between timestamptz 'epoch' and now() + interval '1 day' then moment end;
end;
$_$;

COMMENT ON FUNCTION rating.moment_of(member jsonb) IS 'A JSON text that is a time with its offset, not far ahead; else null.';

CREATE FUNCTION rating.organizations_to_calibrate(after uuid DEFAULT NULL::uuid, most integer DEFAULT 100) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select o.id
    from organizations.organizations as o
    left join lateral (
        select c.began_at, c.touched + c.incomplete > 0 as unfinished
        from rating.calibrations as c
        where c.organization_id = o.id
        order by c.id desc
        limit 1
    ) as c on true
    where
        (organizations_to_calibrate.after is null or o.id > organizations_to_calibrate.after)
        and exists (select from rating.item_stats as s where s.organization_id = o.id)
        and (
            c.began_at is null
            or c.unfinished
            -- An hour earlier: what was received before may have been counted since.
            or exists (
                select from rating.votes as v
                where v.organization_id = o.id and v.received_at > c.began_at - interval '1 hour'
            )
            or exists (
                select from rating.sliders as s
                where s.organization_id = o.id and s.received_at > c.began_at - interval '1 hour'
            )
            or exists (
                select from rating.fires as f
                where f.organization_id = o.id and f.received_at > c.began_at - interval '1 hour'
            )
        )
    order by o.id
    limit least(greatest(organizations_to_calibrate.most, 1), 1000);
$$;

COMMENT ON FUNCTION rating.organizations_to_calibrate(after uuid, most integer) IS 'Organizations whose ratings are to be compared with a fit of all votes, in the order of their ids.';

CREATE TABLE rating.settings (
    organization_id uuid NOT NULL,
    model rating.model DEFAULT 'bayes'::rating.model NOT NULL,
    public boolean DEFAULT true NOT NULL,
    rating_weight double precision DEFAULT 0.40 NOT NULL,
    slider_weight double precision DEFAULT 0.30 NOT NULL,
    fire_weight double precision DEFAULT 0.30 NOT NULL,
    votes_least integer DEFAULT 5 NOT NULL,
    opponents_least integer DEFAULT 3 NOT NULL,
    sliders_least integer DEFAULT 2 NOT NULL,
    slider_voters_least integer DEFAULT 2 NOT NULL,
    score_step double precision DEFAULT 0.5 NOT NULL,
    confidence_step double precision DEFAULT 5 NOT NULL,
    deviation_step double precision DEFAULT 2 NOT NULL,
    tiers double precision[] DEFAULT '{20,30,40,50,60,70,80}'::double precision[] NOT NULL,
    pause_seconds integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone,
    period_seconds integer DEFAULT 60 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    events_per_voter_and_day integer DEFAULT 2000 NOT NULL,
    CONSTRAINT events_per_day_are_sensible CHECK (((events_per_voter_and_day >= 1) AND (events_per_voter_and_day <= 10000000))),
    CONSTRAINT least_can_be_counted CHECK ((((votes_least >= 0) AND (votes_least <= 1000)) AND ((opponents_least >= 0) AND (opponents_least <= 20)) AND ((sliders_least >= 0) AND (sliders_least <= 1000)) AND ((slider_voters_least >= 0) AND (slider_voters_least <= 20)))),
    CONSTRAINT pause_is_up_to_a_day CHECK (((pause_seconds >= 0) AND (pause_seconds <= 86400))),
    CONSTRAINT period_is_up_to_a_day CHECK (((period_seconds >= 1) AND (period_seconds <= 86400))),
    CONSTRAINT steps_are_not_negative CHECK ((((score_step >= (0)::double precision) AND (score_step <= (100)::double precision)) AND ((confidence_step >= (0)::double precision) AND (confidence_step <= (100)::double precision)) AND ((deviation_step >= (0)::double precision) AND (deviation_step <= (1000)::double precision)))),
    CONSTRAINT tiers_are_few CHECK (((cardinality(tiers) <= 100) AND (array_position(tiers, NULL::double precision) IS NULL))),
    CONSTRAINT weights_are_shares CHECK ((((rating_weight >= (0)::double precision) AND (rating_weight <= (1)::double precision)) AND ((slider_weight >= (0)::double precision) AND (slider_weight <= (1)::double precision)) AND ((fire_weight >= (0)::double precision) AND (fire_weight <= (1)::double precision)) AND (abs((((rating_weight + slider_weight) + fire_weight) - (1)::double precision)) < (0.000000001)::double precision)))
);

COMMENT ON TABLE rating.settings IS 'How an organization wants its items rated and published. No row: the defaults of the columns.';

COMMENT ON COLUMN rating.settings.public IS 'Anyone may read scores, and whoever is known may rate items that exist.';

COMMENT ON COLUMN rating.settings.votes_least IS 'With the other three: what an item must have before it is published.';

COMMENT ON COLUMN rating.settings.score_step IS 'A published score is renewed when it has moved by so much; so the others.';

COMMENT ON COLUMN rating.settings.tiers IS 'A score that has crossed one of these is published, however little it moved.';

COMMENT ON COLUMN rating.settings.pause_seconds IS 'At least so long between two publishes of an item.';

COMMENT ON COLUMN rating.settings.paused_until IS 'Nothing is published before; what is held back is published then.';

COMMENT ON COLUMN rating.settings.period_seconds IS 'Batches of so long count against the same ratings, those before it; see rating.populations.period.';

COMMENT ON COLUMN rating.settings.events_per_voter_and_day IS 'Rating events of one voter that are accepted in a day (UTC). What the service sends is not counted.';

CREATE FUNCTION rating.private_organizations() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    BEGIN ATOMIC
 SELECT s.organization_id
    FROM rating.settings s
   WHERE (NOT s.public);
END;

COMMENT ON FUNCTION rating.private_organizations() IS 'Whose scores are for members only; for policies.';

CREATE FUNCTION rating.queue_figures(at timestamp with time zone DEFAULT statement_timestamp()) RETURNS TABLE(name text, value double precision, unit text, status text, details jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select f.*
    from (
        select min(d.marked_at) as oldest
        from rating.dirty_items as d
        where d.attempts = 0
    ) as d
    cross join lateral ops.age_figure('rating_queue_age_seconds', d.oldest, 300, 600, queue_figures.at) as f
    union all
    select
        'rating_items_failing', count(*)::double precision, 'items', ops.judge(count(*), 1, 100),
        coalesce(jsonb_object_agg(d.item_id, d.last_error) filter (where d.place <= 10), '{}')
    from (
        select d.item_id, left(d.last_error, 200) as last_error, row_number() over (order by d.marked_at) as place
        from rating.dirty_items as d
        where d.attempts > 0
    ) as d;
$$;

COMMENT ON FUNCTION rating.queue_figures(at timestamp with time zone) IS 'How the counting of events does, for the health checks.';

CREATE FUNCTION rating.read_events(requests rating.ingestion[]) RETURNS TABLE(number integer, place integer, type text, key text, voter_id text, item_a text, item_b text, winner text, kind text, value double precision, occurred_at timestamp with time zone, code text, detail text)
    LANGUAGE plpgsql STABLE ROWS 500
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    AS $$
begin
    return query
    with given as materialized (
        select
            r.number,
            (e.place - 1)::integer as place,
            r.caller_id::text as caller_id,
            case
                when pg_input_is_valid(e.event::text, 'jsonb') and json_typeof(e.event) = 'object'
                    then jsonb_strip_nulls(e.event::jsonb)
            end as event
        from unnest(read_events.requests) as r
        cross join lateral json_array_elements(r.events) with ordinality as e (event, place)
    ),

    read as materialized (
        select
            g.number,
            g.place,
            g.event,
            rating.text_of(g.event -> 'type') as type,
            rating.text_of(g.event -> 'key') as key,
            case when g.event ? 'voter_id' then rating.text_of(g.event -> 'voter_id') else g.caller_id end as voter_id,
            rating.text_of(coalesce(g.event -> 'item_a', g.event -> 'item_id')) as item_a,
            rating.text_of(g.event -> 'item_b') as item_b,
            rating.text_of(g.event -> 'winner') as winner,
            case when g.event ? 'kind' then rating.text_of(g.event -> 'kind') else 'normal' end as kind,
            case
                when
                    jsonb_typeof(g.event -> 'value') = 'number'
                    and pg_input_is_valid(g.event ->> 'value', 'double precision')
                    then (g.event ->> 'value')::double precision
            end as value,
            case when g.event ? 'occurred_at' then rating.moment_of(g.event -> 'occurred_at') end as occurred_at
        from given as g
    )

    select
        r.number,
        r.place,
        r.type,
        case when length(r.key) <= 128 then r.key end,
        r.voter_id,
        r.item_a,
        r.item_b,
        r.winner,
        r.kind,
        r.value,
        r.occurred_at,
        p.problem[1],
        p.problem[2]
    from read as r
    cross join lateral (
        select case
            when r.event is null then array['invalid_event', 'An event is an object of texts and numbers.']
            when (r.type in ('vote', 'slider', 'fire')) is not true
                then array['unknown_type', 'type is one of vote, slider, fire.']
            when r.event - case r.type
                when 'vote'
                    then '{type,key,voter_id,item_a,item_b,winner,kind,occurred_at}'::text[]
                when 'slider'
                    then '{type,key,voter_id,item_id,value,occurred_at}'::text[]
                else '{type,key,voter_id,item_id,occurred_at}'::text[]
            end <> '{}'
                then array['invalid_event', 'There is a member that a ' || r.type || ' does not have.']
            when (length(r.key) between 1 and 128) is not true
                then array['invalid_event', 'key is a text of 1 to 128 characters.']
            when (length(r.voter_id) between 1 and 128) is not true
                then array['invalid_event', 'voter_id is a text of 1 to 128 characters.']
            when (length(r.item_a) between 1 and 128) is not true
                then array[
                    'invalid_event',
                    case r.type when 'vote' then 'item_a' else 'item_id' end || ' is a text of 1 to 128 characters.'
                ]
            when r.event ? 'occurred_at' and r.occurred_at is null
                then array['invalid_event', 'occurred_at is a time with its offset, at most a day ahead.']
            when r.type = 'slider' and (r.value between 0 and 100) is not true
                then array['invalid_event', 'value is a number from 0 to 100.']
            when r.type <> 'vote' then null
            when (length(r.item_b) between 1 and 128) is not true
                then array['invalid_event', 'item_b is a text of 1 to 128 characters.']
            when r.item_a = r.item_b
                then array['items_are_the_same', 'A vote is between two different items.']
            when (r.winner in (r.item_a, r.item_b)) is not true
                then array['winner_not_in_pair', 'The winner is one of the two items.']
            when (r.kind in ('normal', 'super')) is not true
                then array['invalid_event', 'kind is normal or super.']
        end as problem
    ) as p;
end;
$$;

COMMENT ON FUNCTION rating.read_events(requests rating.ingestion[]) IS 'The events of requests as rows, with what is wrong with each in itself.';

CREATE FUNCTION rating.read_items(organization_ids uuid[], item_ids text[], opponent_organization_ids uuid[], opponent_ids text[]) RETURNS TABLE(mean double precision[], deviation double precision[], period bigint[], base_mean double precision[], base_deviation double precision[], score_sum double precision[], information_sum double precision[], votes bigint[], super_votes bigint[], wins bigint[], sliders bigint[], fires bigint[], slider_sum double precision[], slider_weight double precision[], base_slider_sum double precision[], base_slider_weight double precision[], fire_weight double precision[], reliability_sum double precision[], reliability_count bigint[], version bigint[], opponents json, slider_voters json, published_score double precision[], published_confidence double precision[], published_deviation double precision[], published_at double precision[], opponent_mean double precision[], opponent_deviation double precision[], opponent_period bigint[], opponent_base_mean double precision[], opponent_base_deviation double precision[], opponent_version bigint[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with own as (
        select
            array_agg(i.mean order by g.number) as mean,
            array_agg(i.deviation order by g.number) as deviation,
            array_agg(i.period order by g.number) as period,
            array_agg(i.base_mean order by g.number) as base_mean,
            array_agg(i.base_deviation order by g.number) as base_deviation,
            array_agg(i.score_sum order by g.number) as score_sum,
            array_agg(i.information_sum order by g.number) as information_sum,
            array_agg(i.votes order by g.number) as votes,
            array_agg(i.super_votes order by g.number) as super_votes,
            array_agg(i.wins order by g.number) as wins,
            array_agg(i.sliders order by g.number) as sliders,
            array_agg(i.fires order by g.number) as fires,
            array_agg(i.slider_sum order by g.number) as slider_sum,
            array_agg(i.slider_weight order by g.number) as slider_weight,
            array_agg(i.base_slider_sum order by g.number) as base_slider_sum,
            array_agg(i.base_slider_weight order by g.number) as base_slider_weight,
            array_agg(i.fire_weight order by g.number) as fire_weight,
            array_agg(i.reliability_sum order by g.number) as reliability_sum,
            array_agg(i.reliability_count order by g.number) as reliability_count,
            array_agg(i.version order by g.number) as version,
            json_agg(i.opponents order by g.number) as opponents,
            json_agg(i.slider_voters order by g.number) as slider_voters,
            array_agg(s.score order by g.number) as published_score,
            array_agg(s.confidence order by g.number) as published_confidence,
            array_agg(s.deviation order by g.number) as published_deviation,
            array_agg(extract(epoch from s.published_at)::double precision order by g.number) as published_at
        from unnest(read_items.organization_ids, read_items.item_ids)
            with ordinality as g (organization_id, item_id, number)
        inner join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
        left join rating.item_scores as s on s.organization_id = g.organization_id and s.item_id = g.item_id
    ),

    others as (
        select
            array_agg(coalesce(i.mean, 0) order by g.number) as mean,
            array_agg(coalesce(i.deviation, 1) order by g.number) as deviation,
            array_agg(coalesce(i.period, 0) order by g.number) as period,
            array_agg(coalesce(i.base_mean, 0) order by g.number) as base_mean,
            array_agg(coalesce(i.base_deviation, 1) order by g.number) as base_deviation,
            array_agg(coalesce(i.version, 0) order by g.number) as version
        from unnest(read_items.opponent_organization_ids, read_items.opponent_ids)
            with ordinality as g (organization_id, item_id, number)
        left join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
    )

    select
        o.mean,
        o.deviation,
        o.period,
        o.base_mean,
        o.base_deviation,
        o.score_sum,
        o.information_sum,
        o.votes,
        o.super_votes,
        o.wins,
        o.sliders,
        o.fires,
        o.slider_sum,
        o.slider_weight,
        o.base_slider_sum,
        o.base_slider_weight,
        o.fire_weight,
        o.reliability_sum,
        o.reliability_count,
        o.version,
        o.opponents,
        o.slider_voters,
        o.published_score,
        o.published_confidence,
        o.published_deviation,
        o.published_at,
        e.mean,
        e.deviation,
        e.period,
        e.base_mean,
        e.base_deviation,
        e.version
    from own as o
    cross join others as e;
$$;

COMMENT ON FUNCTION rating.read_items(organization_ids uuid[], item_ids text[], opponent_organization_ids uuid[], opponent_ids text[]) IS 'What is known and published of items, and the ratings of their opponents; one row of arrays.';

CREATE FUNCTION rating.read_populations(organization_ids uuid[]) RETURNS TABLE(organization_id uuid, settings jsonb, population jsonb, paused_until double precision, read_at double precision)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        p.organization_id,
        to_jsonb(s),
        to_jsonb(p),
        extract(epoch from s.paused_until)::double precision,
        extract(epoch from statement_timestamp())::double precision
    from rating.populations as p
    cross join lateral rating.settings_of(organization_id => p.organization_id) as s
    where p.organization_id = any(read_populations.organization_ids);
$$;

COMMENT ON FUNCTION rating.read_populations(organization_ids uuid[]) IS 'Settings, estimates and period of organizations.';

CREATE FUNCTION rating.read_voters(organization_ids uuid[], voter_ids text[]) RETURNS TABLE(votes bigint[], agreed bigint[], expected double precision[], log_odds double precision[], period bigint[], base_log_odds double precision[], sliders bigint[], slider_sum double precision[], slider_square_sum double precision[], residual_sum double precision[], residual_square_sum double precision[], base_sliders bigint[], base_residual_sum double precision[], base_residual_square_sum double precision[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        array_agg(coalesce(v.votes, 0) order by g.number),
        array_agg(coalesce(v.agreed, 0) order by g.number),
        array_agg(coalesce(v.expected, 0) order by g.number),
        array_agg(coalesce(v.log_odds, 0) order by g.number),
        array_agg(coalesce(v.period, 0) order by g.number),
        array_agg(coalesce(v.base_log_odds, 0) order by g.number),
        array_agg(coalesce(v.sliders, 0) order by g.number),
        array_agg(coalesce(v.slider_sum, 0) order by g.number),
        array_agg(coalesce(v.slider_square_sum, 0) order by g.number),
        array_agg(coalesce(v.residual_sum, 0) order by g.number),
        array_agg(coalesce(v.residual_square_sum, 0) order by g.number),
        array_agg(coalesce(v.base_sliders, 0) order by g.number),
        array_agg(coalesce(v.base_residual_sum, 0) order by g.number),
        array_agg(coalesce(v.base_residual_square_sum, 0) order by g.number)
    from unnest(read_voters.organization_ids, read_voters.voter_ids)
        with ordinality as g (organization_id, voter_id, number)
    left join rating.voters as v on v.organization_id = g.organization_id and v.voter_id = g.voter_id;
$$;

COMMENT ON FUNCTION rating.read_voters(organization_ids uuid[], voter_ids text[]) IS 'What is known of voters; one row of arrays.';

CREATE FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer DEFAULT 0) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not organizations.caller_is(recount.organization_id, 'editor', 'admin', 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

return rating.mark_dirty(
        organization_id => recount.organization_id,
        item_ids => array(
            select s.item_id
            from rating.item_stats as s
            where s.organization_id = recount.organization_id and s.item_id = any (recount.item_ids)
        ),
        priority => recount.priority
    );
end;
$$;

COMMENT ON FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer) IS 'Have items of an organization counted and published again; answers how many it has of them.';

CREATE FUNCTION rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    released integer;
begin
    with locked as materialized (
        select d.organization_id, d.item_id
        from unnest(release_items.organization_ids, release_items.item_ids, release_items.generations)
            as r (organization_id, item_id, generation)
        inner join rating.dirty_items as d on d.organization_id = r.organization_id and d.item_id = r.item_id
        where d.lease_until is not null
        order by d.organization_id, d.item_id
        for update of d
    )

    update rating.dirty_items as d
    set lease_until = null, available_at = d.marked_at - make_interval(secs => 20 * d.priority)
    from locked as l
    where d.organization_id = l.organization_id and d.item_id = l.item_id;

get diagnostics released = row_count;
    return released;
end;
$$;

COMMENT ON FUNCTION rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[]) IS 'Give claimed items back without an attempt; answers how many.';

CREATE FUNCTION rating.require_staff(organization_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if ops.caller_is_service() then
        return;
    end if;
    if ops.caller_id() is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not rating.runs_ratings(require_staff.organization_id, ops.caller_id()) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only staff of the organization may do this.')::text;
    end if;
end;
$$;

COMMENT ON FUNCTION rating.require_staff(organization_id uuid) IS 'Refuse all but the service and those who run this organization''s ratings.';

CREATE FUNCTION rating.restart(organization_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    logs text;
begin
    if ops.caller_id() is null and not ops.caller_is_service() then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not exists (select from organizations.organizations as o where o.id = restart.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    if not organizations.caller_is(restart.organization_id, 'owner') then
        raise exception using errcode = 'PT403', message = 'forbidden';
    end if;

perform pg_advisory_xact_lock_shared(hashtextextended('rating.archive_events', 0));
    perform rating.lock_periods(organization_ids => array[restart.organization_id], alone => true);

update rating.populations as p
    set period = p.period + 1, period_began_at = now()
    where p.organization_id = restart.organization_id;

delete from rating.voters as v
    where v.organization_id = restart.organization_id;

-- As rating.take_events makes them: version 0, of which nothing is known.
    with forgotten as (
        delete from rating.item_stats as i
        where i.organization_id = restart.organization_id
        returning i.organization_id, i.item_id
    )

    insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)
    select f.organization_id, f.item_id, 'bayes', 0, 1, 0, 1
    from forgotten as f;

logs := (
        select string_agg(
            format(
                case l.kind
                    when 'votes'
                        then
                            'select e.event_id, ''vote'', e.voter_id, i.item_id, i.opponent_id, i.first, '
                            '(e.winner = i.item_id)::integer, case e.kind when ''super'' then 2 else 1 end '
                            'from %s as e cross join lateral (values '
                            '(e.item_a, e.item_b, true), (e.item_b, e.item_a, false)'
                            ') as i (item_id, opponent_id, first) '
                            'where e.organization_id = $1'
                    when 'sliders'
                        then
                            'select e.event_id, ''slider'', e.voter_id, e.item_id, null, true, e.value, 1 '
                            'from %s as e where e.organization_id = $1'
                    else
                        'select e.event_id, ''fire'', e.voter_id, e.item_id, null, true, 1, 1 '
                        'from %s as e where e.organization_id = $1'
                end,
                l.name
            ),
            ' union all '
        )
        from (
            select k.kind, 'rating.' || k.kind as name
            from unnest('{votes,sliders,fires}'::text[]) as k (kind)
            union all
            select substring(c.relname from '^[a-z]+'), c.oid::regclass::text
            from pg_catalog.pg_class as c
            where c.relnamespace = 'rating_archive'::regnamespace and c.relkind = 'r'
        ) as l
    );

execute
        'insert into rating.inbox '
        '(organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight) '
        'select $1, l.item_id, l.event_id, l.kind::rating.event_kind, l.voter_id, l.opponent_id, l.first, l.score,'
        '    l.weight '
        'from (' || logs || ') as l (event_id, kind, voter_id, item_id, opponent_id, first, score, weight) '
        'order by l.item_id, l.event_id '
        'on conflict on constraint inbox_pkey do nothing'
    using restart.organization_id;

return jsonb_build_object(
        'events', (
            select count(*)
            from rating.inbox as i
            where i.organization_id = restart.organization_id and i.first
        ),
        'items', (
            select count(*)
            from rating.dirty_items as d
            where d.organization_id = restart.organization_id
        )
    );
end;
$_$;

COMMENT ON FUNCTION rating.restart(organization_id uuid) IS 'Forget what is known of an organization''s items and raters, and have all of its events counted again.';

CREATE FUNCTION rating.runs_ratings(organization_id uuid, caller_id uuid) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from organizations.memberships as m
        inner join users.profiles as p on p.id = m.user_id and p.erased_at is null
        where
            m.organization_id = runs_ratings.organization_id
            and m.user_id = runs_ratings.caller_id
            and m.role in ('front_desk', 'editor', 'admin', 'owner')
    );
$$;

COMMENT ON FUNCTION rating.runs_ratings(organization_id uuid, caller_id uuid) IS 'Whether somebody may rate for anybody, and bring in new items.';

CREATE FUNCTION rating.settings_of(organization_id uuid) RETURNS rating.settings
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_settings rating.settings;
begin
    select s.* into the_settings
    from rating.settings as s
    where s.organization_id = settings_of.organization_id;

if not found then
        the_settings := row(
            settings_of.organization_id,
            'bayes', true, 0.40, 0.30, 0.30, 5, 3, 2, 2, 0.5, 5, 2, '{20,30,40,50,60,70,80}', 0, null, 60, now(), 2000
        )::rating.settings;
    end if;
    return the_settings;
end;
$$;

COMMENT ON FUNCTION rating.settings_of(organization_id uuid) IS 'An organization''s settings of ratings, or the defaults. Always a row; it need not be stored.';

CREATE FUNCTION rating.show_settings(organization_id uuid) RETURNS rating.settings
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
begin
    if not rating.shows_scores(organization_id => show_settings.organization_id) then
        raise exception using errcode = 'PT404', message = 'organization_not_found';
    end if;
    return rating.settings_of(organization_id => show_settings.organization_id);
end;
$$;

COMMENT ON FUNCTION rating.show_settings(organization_id uuid) IS 'An organization''s settings of ratings, or the defaults, for those who may know them.';

CREATE FUNCTION rating.shows_scores(organization_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select exists (
        select
        from organizations.organizations as o
        where
            o.id = shows_scores.organization_id
            and (
                not exists (select from rating.settings as s where s.organization_id = o.id and not s.public)
                or ops.caller_is_service()
                or o.id in (select public.user_orgs())
            )
    );
$$;

COMMENT ON FUNCTION rating.shows_scores(organization_id uuid) IS 'Whether the caller may see an organization''s scores.';

CREATE FUNCTION rating.sliders_of(organization_id uuid, before_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, before_id bigint DEFAULT '9223372036854775807'::bigint, most integer DEFAULT 100000) RETURNS TABLE(item_ids text[], voter_ids text[], items bytea, voters bytea, readings bytea, scanned bigint, last_at timestamp with time zone, last_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with page as materialized (
        select s.event_id, s.received_at, s.voter_id::text as voter_id, s.item_id::text as item_id, s.value
        from rating.sliders as s
        where
            s.organization_id = sliders_of.organization_id
            and (s.received_at, s.event_id) < (sliders_of.before_at, sliders_of.before_id)
        order by s.received_at desc, s.event_id desc
        limit sliders_of.most
    ),

    counted as materialized (
        select p.voter_id, p.item_id, p.value
        from page as p
        where
            not exists (
                select from rating.inbox as i
                where
                    i.organization_id = sliders_of.organization_id
                    and i.item_id = p.item_id
                    and i.event_id = p.event_id
            )
    ),

    item_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.item_id as id from counted as c) as f
    ),

    voter_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.voter_id as id from counted as c) as f
    ),

    numbered as (
        select
            string_agg(int4send(i.number), ''::bytea) as items,
            string_agg(int4send(v.number), ''::bytea) as voters,
            string_agg(float8send(c.value), ''::bytea) as readings
        from counted as c
        inner join item_numbers as i on c.item_id = i.id
        inner join voter_numbers as v on c.voter_id = v.id
    )

    select
        coalesce((select array_agg(i.id order by i.number) from item_numbers as i), '{}'),
        coalesce((select array_agg(v.id order by v.number) from voter_numbers as v), '{}'),
        coalesce(n.items, ''),
        coalesce(n.voters, ''),
        coalesce(n.readings, ''),
        (select count(*) from page),
        l.received_at,
        l.event_id
    from numbered as n
    left join lateral (
        select p.received_at, p.event_id from page as p order by p.received_at, p.event_id limit 1
    ) as l on true;
$$;

COMMENT ON FUNCTION rating.sliders_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) IS 'A page of the sliders that are counted: of which item, by which voter, what they said.';

CREATE FUNCTION rating.standings_of(organization_id uuid, items_most integer DEFAULT 100000, voters_most integer DEFAULT 200000) RETURNS TABLE(began_at timestamp with time zone, calibration_id bigint, model text, population jsonb, item_ids text[], item_versions bigint[], item_votes bigint[], item_fires double precision[], means double precision[], items_left_out bigint, voter_ids text[], voter_versions bigint[], voter_votes bigint[], voter_sliders bigint[])
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select
        statement_timestamp(),
        (select max(c.id) from rating.calibrations as c where c.organization_id = standings_of.organization_id),
        coalesce(
            (select t.model::text from rating.settings as t where t.organization_id = standings_of.organization_id),
            'bayes'
        ),
        (select to_jsonb(p) from rating.populations as p where p.organization_id = standings_of.organization_id),
        coalesce(i.ids, '{}'),
        coalesce(i.versions, '{}'),
        coalesce(i.votes, '{}'),
        coalesce(i.fires, '{}'),
        coalesce(i.means, '{}'),
        (select count(*) from rating.item_stats as s where s.organization_id = standings_of.organization_id)
        - coalesce(cardinality(i.ids), 0),
        coalesce(v.ids, '{}'),
        coalesce(v.versions, '{}'),
        coalesce(v.votes, '{}'),
        coalesce(v.sliders, '{}')
    from (
        select
            array_agg(f.item_id::text) as ids,
            array_agg(f.version) as versions,
            array_agg(f.votes) as votes,
            array_agg(f.fire_weight) as fires,
            array_agg(f.mean) as means
        from (
            select s.item_id, s.version, s.votes, s.fire_weight, s.mean
            from rating.item_stats as s
            where s.organization_id = standings_of.organization_id
            order by s.votes desc, s.item_id
            limit standings_of.items_most
        ) as f
    ) as i
    cross join (
        select
            array_agg(f.voter_id::text) as ids,
            array_agg(f.version) as versions,
            array_agg(f.votes) as votes,
            array_agg(f.sliders) as sliders
        from (
            select r.voter_id, r.version, r.votes, r.sliders
            from rating.voters as r
            where r.organization_id = standings_of.organization_id
            order by r.votes desc, r.voter_id
            limit standings_of.voters_most
        ) as f
    ) as v;
$$;

COMMENT ON FUNCTION rating.standings_of(organization_id uuid, items_most integer, voters_most integer) IS 'Items and voters of an organization as of one moment, with the versions that they have then.';

CREATE FUNCTION rating.take_events(organization_ids uuid[], item_ids text[], most integer DEFAULT 100000) RETURNS TABLE(known integer[], numbers integer[], event_ids bigint[], kinds text[], voter_ids text[], opponent_ids text[], firsts boolean[], scores double precision[], weights smallint[])
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    locked_numbers integer[];
begin
    perform rating.lock_periods(organization_ids => take_events.organization_ids);

insert into rating.populations (organization_id)
    select distinct g.organization_id
    from unnest(take_events.organization_ids) as g (organization_id)
    inner join organizations.organizations as o on o.id = g.organization_id
    where not exists (select from rating.populations as p where p.organization_id = g.organization_id)
    order by g.organization_id
    on conflict (organization_id) do nothing;

insert into rating.item_stats (organization_id, item_id, model, mean, deviation, base_mean, base_deviation)
    select g.organization_id, g.item_id, 'bayes', 0, 1, 0, 1
    from unnest(take_events.organization_ids, take_events.item_ids) as g (organization_id, item_id)
    inner join rating.populations as p on p.organization_id = g.organization_id
    where
        not exists (
            select from rating.item_stats as i
            where i.organization_id = g.organization_id and i.item_id = g.item_id
        )
        and exists (
            select from rating.inbox as i
            where i.organization_id = g.organization_id and i.item_id = g.item_id
        )
    order by g.organization_id, g.item_id
    on conflict (organization_id, item_id) do nothing;

-- From here on by statements of their own: each sees what those had committed for whom the one before it waited.
    locked_numbers := array(
        select g.number::integer
        from unnest(take_events.organization_ids, take_events.item_ids)
            with ordinality as g (organization_id, item_id, number)
        inner join rating.item_stats as i on i.organization_id = g.organization_id and i.item_id = g.item_id
        order by i.organization_id, i.item_id
        for update of i
    );

return query
    with taken as (
        delete from rating.inbox as i
        where i.ctid = any(array(
            select e.ctid
            from unnest(locked_numbers) with ordinality as l (number, place)
            cross join lateral (
                select b.ctid
                from rating.inbox as b
                where
                    b.organization_id = take_events.organization_ids[l.number]
                    and b.item_id = take_events.item_ids[l.number]
                order by b.event_id
                limit take_events.most
            ) as e
            limit take_events.most
        ))
        returning i.*
    )

    select
        array(select l.number from unnest(locked_numbers) as l (number) order by l.number),
        array_agg(g.number::integer),
        array_agg(t.event_id),
        array_agg(t.kind::text),
        array_agg(t.voter_id::text),
        array_agg(t.opponent_id::text),
        array_agg(t.first),
        array_agg(t.score),
        array_agg(t.weight)
    from taken as t
    inner join unnest(take_events.organization_ids, take_events.item_ids)
        with ordinality as g (organization_id, item_id, number)
        on g.organization_id = t.organization_id and g.item_id = t.item_id;
end;
$$;

COMMENT ON FUNCTION rating.take_events(organization_ids uuid[], item_ids text[], most integer) IS 'Lock items and take the events that they have not counted; one row of arrays.';

CREATE FUNCTION rating.text_of(member jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (jsonb_typeof(member) = 'string'::text) THEN (member #>> '{}'::text[]) ELSE NULL::text END;

COMMENT ON FUNCTION rating.text_of(member jsonb) IS 'A JSON text; null for what is no text.';

CREATE FUNCTION rating.unveiled(document json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (strpos((document)::text, '\/u'::text) = 0) THEN document ELSE (replace(replace(replace((document)::text, '\\'::text, ''::text), '\/u'::text, '\u'::text), ''::text, '\\'::text))::json END;

COMMENT ON FUNCTION rating.unveiled(document json) IS 'What rating.veiled disguised, as it was.';

CREATE FUNCTION rating.veiled(document json) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (strpos((document)::text, '\u'::text) = 0) THEN document ELSE (replace(replace(replace(replace((document)::text, '\\'::text, ''::text), '\/'::text, '/'::text), '\u'::text, '\/u'::text), ''::text, '\\'::text))::json END;

COMMENT ON FUNCTION rating.veiled(document json) IS 'JSON with its escapes of code points disguised.';

CREATE FUNCTION rating.votes_of(organization_id uuid, before_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, before_id bigint DEFAULT '9223372036854775807'::bigint, most integer DEFAULT 100000) RETURNS TABLE(item_ids text[], voter_ids text[], winners bytea, losers bytea, voters bytea, weights bytea, scanned bigint, last_at timestamp with time zone, last_id bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with page as materialized (
        select
            v.event_id,
            v.received_at,
            v.voter_id::text as voter_id,
            v.item_a::text as item_a,
            v.item_b::text as item_b,
            v.winner::text as winner,
            v.kind
        from rating.votes as v
        where
            v.organization_id = votes_of.organization_id
            and (v.received_at, v.event_id) < (votes_of.before_at, votes_of.before_id)
        order by v.received_at desc, v.event_id desc
        limit votes_of.most
    ),

    counted as materialized (
        select
            p.voter_id,
            p.winner,
            case p.winner when p.item_a then p.item_b else p.item_a end as loser,
            case p.kind when 'super' then 2 else 1 end as weight
        from page as p
        where
            not exists (
                select from rating.inbox as i
                where
                    i.organization_id = votes_of.organization_id
                    and i.item_id = p.item_a
                    and i.event_id = p.event_id
            )
            and not exists (
                select from rating.inbox as i
                where
                    i.organization_id = votes_of.organization_id
                    and i.item_id = p.item_b
                    and i.event_id = p.event_id
            )
    ),

    item_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (
            select c.winner as id from counted as c
            union
            select c.loser as id from counted as c
        ) as f
    ),

    voter_numbers as materialized (
        select f.id, (row_number() over (order by f.id collate "C") - 1)::integer as number
        from (select distinct c.voter_id as id from counted as c) as f
    ),

    numbered as (
        select
            string_agg(int4send(w.number), ''::bytea) as winners,
            string_agg(int4send(l.number), ''::bytea) as losers,
            string_agg(int4send(v.number), ''::bytea) as voters,
            string_agg(int4send(c.weight), ''::bytea) as weights
        from counted as c
        inner join item_numbers as w on c.winner = w.id
        inner join item_numbers as l on c.loser = l.id
        inner join voter_numbers as v on c.voter_id = v.id
    )

    select
        coalesce((select array_agg(i.id order by i.number) from item_numbers as i), '{}'),
        coalesce((select array_agg(v.id order by v.number) from voter_numbers as v), '{}'),
        coalesce(n.winners, ''),
        coalesce(n.losers, ''),
        coalesce(n.voters, ''),
        coalesce(n.weights, ''),
        (select count(*) from page),
        l.received_at,
        l.event_id
    from numbered as n
    left join lateral (
        select p.received_at, p.event_id from page as p order by p.received_at, p.event_id limit 1
    ) as l on true;
$$;

COMMENT ON FUNCTION rating.votes_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) IS 'A page of the votes that both of their items have counted: who preferred which to which, and how strongly.';

CREATE FUNCTION rating.write_events(requests rating.ingestion[]) RETURNS TABLE(number integer, accepted bigint, duplicates bigint, refused bigint, results jsonb)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_nestloop TO 'off'
    SET enable_seqscan TO 'off'
    AS $$
declare
    outcomes rating.outcome[];
begin
    with standings as materialized (
        select
            r.number,
            r.organization_id,
            r.caller_id::text as caller_id,
            r.is_service,
            r.is_service or rating.runs_ratings(r.organization_id, r.caller_id) as trusted,
            r.is_service or rating.is_public(r.organization_id) as public
        from unnest(write_events.requests) as r
    ),

    judged as materialized (
        select
            s.organization_id,
            s.is_service,
            e.number,
            e.place,
            e.type,
            e.key,
            e.voter_id,
            e.item_a,
            e.item_b,
            e.winner,
            e.kind,
            e.value,
            e.occurred_at,
            e.detail,
            case
                when e.code is not null then e.code
                when s.trusted then null
                when not s.public or e.voter_id is distinct from s.caller_id then 'forbidden'
                when (
                    select i.item_id
                    from rating.item_stats as i
                    where i.organization_id = s.organization_id and i.item_id = e.item_a
                ) is null then 'item_not_found'
                when e.item_b is not null and (
                    select i.item_id
                    from rating.item_stats as i
                    where i.organization_id = s.organization_id and i.item_id = e.item_b
                ) is null then 'item_not_found'
            end as code,
            rating.content_of(e.type, e.voter_id, e.item_a, e.item_b, e.winner, e.kind, e.value) as content
        from rating.read_events(write_events.requests) as e
        inner join standings as s on s.number = e.number
    ),

    firsts as materialized (
        select distinct on (j.organization_id, j.key) j.*
        from judged as j
        where j.code is null
        order by j.organization_id, j.key, j.number, j.place
    ),

    keyed as (
        insert into rating.event_keys (organization_id, key, content)
        select f.organization_id, f.key, f.content
        from firsts as f
        order by f.organization_id, f.key
        on conflict on constraint event_keys_pkey do nothing
        returning organization_id, key
    ),

    fresh as materialized (
        select
            f.*,
            -- Null: what a service sends is not counted.
            case
                when not f.is_service then row_number() over (
                    partition by f.organization_id, f.voter_id, f.is_service order by f.number, f.place
                )
            end as turn
        from firsts as f
        inner join keyed as k on k.organization_id = f.organization_id and k.key = f.key
    ),

    -- Counted before they are judged, so that rivals wait here: of the total the first of these are known.
    counted as (
        insert into rating.voter_days as d (organization_id, voter_id, day, events)
        select f.organization_id, f.voter_id, (now() at time zone 'utc')::date, max(f.turn)
        from fresh as f
        where f.turn is not null
        group by f.organization_id, f.voter_id
        order by f.organization_id, f.voter_id
        on conflict on constraint voter_days_pkey do update
        set events = d.events + excluded.events
        returning organization_id, voter_id, events
    ),

    over_the_limit as materialized (
        select f.number, f.place
        from fresh as f
        inner join (
            select
                c.organization_id,
                c.voter_id,
                c.events as total,
                max(n.turn) as added,
                rating.events_per_day(c.organization_id) as most
            from counted as c
            inner join fresh as n on n.organization_id = c.organization_id and n.voter_id = c.voter_id
            group by c.organization_id, c.voter_id, c.events
        ) as c on c.organization_id = f.organization_id and c.voter_id = f.voter_id
        where f.turn > c.most - (c.total - c.added)
    ),

    admitted as materialized (
        select f.*
        from fresh as f
        left join over_the_limit as o on o.number = f.number and o.place = f.place
        where o.number is null
    ),

    fires as materialized (
        select distinct on (f.organization_id, f.item_a, f.voter_id) f.*
        from admitted as f
        where f.type = 'fire'
        order by f.organization_id, f.item_a, f.voter_id, f.number, f.place
    ),

    lit as (
        insert into rating.item_fires (organization_id, item_id, voter_id)
        select f.organization_id, f.item_a, f.voter_id
        from fires as f
        order by f.organization_id, f.item_a, f.voter_id
        on conflict on constraint item_fires_pkey do nothing
        returning organization_id, item_id, voter_id
    ),

    taken as materialized (
        select t.*, nextval('rating.event_ids') as event_id
        from (
            select f.*
            from admitted as f
            where f.type <> 'fire'
            union all
            select f.*
            from fires as f
            inner join lit as l
                on l.organization_id = f.organization_id and l.item_id = f.item_a and l.voter_id = f.voter_id
            order by number, place
        ) as t
    ),

    votes as (
        insert into rating.votes
        (event_id, organization_id, key, voter_id, item_a, item_b, winner, kind, occurred_at)
        select
            t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.item_b, t.winner, t.kind::rating.vote_kind,
            t.occurred_at
        from taken as t
        where t.type = 'vote'
    ),

    sliders as (
        insert into rating.sliders (event_id, organization_id, key, voter_id, item_id, value, occurred_at)
        select t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.value, t.occurred_at
        from taken as t
        where t.type = 'slider'
    ),

    logged_fires as (
        insert into rating.fires (event_id, organization_id, key, voter_id, item_id, occurred_at)
        select t.event_id, t.organization_id, t.key, t.voter_id, t.item_a, t.occurred_at
        from taken as t
        where t.type = 'fire'
    ),

    laid as (
        insert into rating.inbox
        (organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight)
        select
            t.organization_id,
            i.item_id,
            t.event_id,
            t.type::rating.event_kind,
            t.voter_id,
            i.opponent_id,
            i.first,
            case t.type when 'vote' then (t.winner = i.item_id)::integer when 'slider' then t.value else 1 end,
            case when t.kind = 'super' then 2 else 1 end
        from taken as t
        cross join lateral (
            values (t.item_a, t.item_b, true), (t.item_b, t.item_a, false)
        ) as i (item_id, opponent_id, first)
        where i.item_id is not null
        order by t.organization_id, i.item_id, t.event_id
    )

    select
        array_agg(
            row(
                j.number,
                j.place,
                j.organization_id,
                j.key,
                j.content,
                case
                    when j.code is not null or v.number is not null then 'refused'
                    when t.event_id is not null then 'accepted'
                    when f.key is not null then 'duplicate'
                end,
                case when v.number is not null then 'daily_limit_reached' else j.code end,
                j.detail,
                t.event_id
            )::rating.outcome
        )
    into outcomes
    from judged as j
    left join fresh as f on f.number = j.number and f.place = j.place
    left join taken as t on t.number = j.number and t.place = j.place
    left join over_the_limit as v on v.number = j.number and v.place = j.place;

-- Rarely anything: what was over the limit has left no trace, so that it can be sent again tomorrow.
    if exists (select from unnest(outcomes) as o where o.code = 'daily_limit_reached') then
        delete from rating.event_keys as k
        using unnest(outcomes) as o
        where
            o.code = 'daily_limit_reached'
            and k.organization_id = o.organization_id
            and k.key = o.key;

-- Refused events do not count. Above the maximum are only the rows that this transaction changed.
        update rating.voter_days as d
        set events = rating.events_per_day(d.organization_id)
        where
            d.organization_id in (
                select o.organization_id from unnest(outcomes) as o where o.code = 'daily_limit_reached'
            )
            and d.day = (now() at time zone 'utc')::date
            and d.events > rating.events_per_day(d.organization_id);
    end if;

return query
    select
        o.number,
        count(*) filter (where s.status = 'accepted'),
        count(*) filter (where s.status = 'duplicate'),
        count(*) filter (where s.status = 'refused'),
        jsonb_agg(
            case s.status
                when 'accepted'
                    then jsonb_build_object(
                        'index', o.place, 'key', o.key, 'status', s.status, 'event_id', o.event_id
                    )
                when 'duplicate' then jsonb_build_object('index', o.place, 'key', o.key, 'status', s.status)
                else jsonb_build_object(
                    'index', o.place, 'key', o.key, 'status', s.status, 'code', coalesce(o.code, 'key_reused'),
                    'detail', case
                        when o.code is null then 'The key was used for another event. Send a new key for a new event.'
                        when o.code = 'forbidden' then 'You may rate only as yourself, and if the ratings are public.'
                        when o.code = 'item_not_found' then 'There is no such item. Check the id.'
                        when o.code = 'daily_limit_reached'
                            then 'The voter sent as many rating events as a day allows. Send it again tomorrow (UTC).'
                        else o.detail
                    end
                )
            end
            order by o.place
        )
    from unnest(outcomes) as o
    cross join lateral (
        select coalesce(
            o.status,
            (
                select case when k.content = o.content then 'duplicate' else 'refused' end
                from rating.event_keys as k
                where k.organization_id = o.organization_id and k.key = o.key
            )
        ) as status
    ) as s
    group by o.number;
end;
$$;

COMMENT ON FUNCTION rating.write_events(requests rating.ingestion[]) IS 'Write the events of many requests once, each judged for itself; answers what became of them, by request.';

CREATE FUNCTION rating.write_items(organization_ids uuid[], item_ids text[], mean double precision[], deviation double precision[], period bigint[], base_mean double precision[], base_deviation double precision[], score_sum double precision[], information_sum double precision[], votes bigint[], super_votes bigint[], wins bigint[], sliders bigint[], fires bigint[], slider_sum double precision[], slider_weight double precision[], base_slider_sum double precision[], base_slider_weight double precision[], fire_weight double precision[], reliability_sum double precision[], reliability_count bigint[], opponents text[], slider_voters text[], changed boolean[], published boolean[], score double precision[], rating_component double precision[], slider_component double precision[], fire_component double precision[], reliability double precision[], confidence double precision[], provisional boolean[], model text[], model_version text[], at timestamp with time zone DEFAULT statement_timestamp()) RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    with given as materialized (
        select g.*
        from unnest(
            write_items.organization_ids,
            write_items.item_ids,
            write_items.mean,
            write_items.deviation,
            write_items.period,
            write_items.base_mean,
            write_items.base_deviation,
            write_items.score_sum,
            write_items.information_sum,
            write_items.votes,
            write_items.super_votes,
            write_items.wins,
            write_items.sliders,
            write_items.fires,
            write_items.slider_sum,
            write_items.slider_weight,
            write_items.base_slider_sum,
            write_items.base_slider_weight,
            write_items.fire_weight,
            write_items.reliability_sum,
            write_items.reliability_count,
            write_items.opponents,
            write_items.slider_voters,
            write_items.changed,
            write_items.published,
            write_items.score,
            write_items.rating_component,
            write_items.slider_component,
            write_items.fire_component,
            write_items.reliability,
            write_items.confidence,
            write_items.provisional,
            write_items.model,
            write_items.model_version
        ) as g (
            organization_id, item_id, mean, deviation, period, base_mean, base_deviation, score_sum,
            information_sum, votes, super_votes, wins, sliders, fires, slider_sum, slider_weight,
            base_slider_sum, base_slider_weight, fire_weight, reliability_sum, reliability_count, opponents,
            slider_voters, changed, published, score, rating_component, slider_component, fire_component,
            reliability, confidence, provisional, model, model_version
        )
    ),

    known as (
        update rating.item_stats as i
        set
            model = g.model::rating.model,
            mean = g.mean,
            deviation = g.deviation,
            period = g.period,
            base_mean = g.base_mean,
            base_deviation = g.base_deviation,
            score_sum = g.score_sum,
            information_sum = g.information_sum,
            votes = g.votes,
            super_votes = g.super_votes,
            wins = g.wins,
            sliders = g.sliders,
            fires = g.fires,
            slider_sum = g.slider_sum,
            slider_weight = g.slider_weight,
            base_slider_sum = g.base_slider_sum,
            base_slider_weight = g.base_slider_weight,
            fire_weight = g.fire_weight,
            reliability_sum = g.reliability_sum,
            reliability_count = g.reliability_count,
            opponents = g.opponents::text[],
            slider_voters = g.slider_voters::text[],
            version = i.version + 1,
            updated_at = write_items.at
        from given as g
        where g.changed and i.organization_id = g.organization_id and i.item_id = g.item_id
    ),

    scored as (
        insert into rating.item_scores as s (
            organization_id, item_id, score, rating_component, slider_component, fire_component, reliability,
            mean, deviation, confidence, provisional, votes, sliders, fires, model, model_version,
            published_at
        )
        select
            g.organization_id, g.item_id, g.score, g.rating_component, g.slider_component, g.fire_component,
            g.reliability, g.mean, g.deviation, g.confidence, g.provisional, g.votes, g.sliders, g.fires,
            g.model::rating.model, g.model_version, write_items.at
        from given as g
        where g.published
        order by g.organization_id, g.item_id
        on conflict (organization_id, item_id) do update
        set
            score = excluded.score,
            rating_component = excluded.rating_component,
            slider_component = excluded.slider_component,
            fire_component = excluded.fire_component,
            reliability = excluded.reliability,
            mean = excluded.mean,
            deviation = excluded.deviation,
            confidence = excluded.confidence,
            provisional = excluded.provisional,
            votes = excluded.votes,
            sliders = excluded.sliders,
            fires = excluded.fires,
            model = excluded.model,
            model_version = excluded.model_version,
            published_at = excluded.published_at
        returning s.organization_id
    ),

    remembered as (
        insert into rating.score_history (
            organization_id, item_id, score, mean, deviation, confidence, provisional, votes, sliders, fires,
            model, model_version, published_at
        )
        select
            g.organization_id, g.item_id, g.score, g.mean, g.deviation, g.confidence, g.provisional, g.votes,
            g.sliders, g.fires, g.model::rating.model, g.model_version, write_items.at
        from given as g
        where g.published
    )

    select count(*)::integer from scored;
$$;

COMMENT ON FUNCTION rating.write_items(organization_ids uuid[], item_ids text[], mean double precision[], deviation double precision[], period bigint[], base_mean double precision[], base_deviation double precision[], score_sum double precision[], information_sum double precision[], votes bigint[], super_votes bigint[], wins bigint[], sliders bigint[], fires bigint[], slider_sum double precision[], slider_weight double precision[], base_slider_sum double precision[], base_slider_weight double precision[], fire_weight double precision[], reliability_sum double precision[], reliability_count bigint[], opponents text[], slider_voters text[], changed boolean[], published boolean[], score double precision[], rating_component double precision[], slider_component double precision[], fire_component double precision[], reliability double precision[], confidence double precision[], provisional boolean[], model text[], model_version text[], at timestamp with time zone) IS 'Write what a batch has made of items, and publish scores; answers how many.';

CREATE FUNCTION rating.write_vote(organization_id uuid, caller_id uuid, is_service boolean, events json) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    vote jsonb;
    the_key text;
    voter text;
    a text;
    b text;
    winner text;
    kind text;
    moment timestamptz;
    the_id bigint;
begin
    -- Looking into JSON decodes it, which fails for a NUL.
    if not pg_input_is_valid(write_vote.events::text, 'jsonb') then
        return null;
    end if;

vote := jsonb_strip_nulls(write_vote.events::jsonb -> 0);
    if jsonb_typeof(vote) <> 'object' then
        return null;
    end if;

the_key := vote ->> 'key';
    voter := coalesce(vote ->> 'voter_id', write_vote.caller_id::text);
    a := vote ->> 'item_a';
    b := vote ->> 'item_b';
    winner := vote ->> 'winner';
    kind := coalesce(vote ->> 'kind', 'normal');

if (
        vote ->> 'type' = 'vote'
        and vote - '{type,key,voter_id,item_a,item_b,winner,kind,occurred_at}'::text[] = '{}'
        -- Strict, lest an array passes for what is in it.
        and not vote @? 'strict $.* ? (@.type() != "string")'
        and length(the_key) between 1 and 128
        and length(voter) between 1 and 128
        and length(a) between 1 and 128
        and length(b) between 1 and 128
        and a <> b
        and winner in (a, b)
        and kind in ('normal', 'super')
    ) is not true then
        return null;
    end if;

if vote ? 'occurred_at' then
        moment := rating.moment_of(vote -> 'occurred_at');
        if moment is null then
            return null;
        end if;
    end if;

if
        not write_vote.is_service
        and not rating.runs_ratings(write_vote.organization_id, write_vote.caller_id)
        and (
            voter is distinct from write_vote.caller_id::text
            or not rating.is_public(write_vote.organization_id)
            or (
                select count(*)
                from rating.item_stats as i
                where i.organization_id = write_vote.organization_id and i.item_id in (a, b)
            ) < 2
        )
    then
        return null;
    end if;

insert into rating.event_keys (organization_id, key, content)
    values (write_vote.organization_id, the_key, rating.content_of('vote', voter, a, b, winner, kind, null))
    on conflict on constraint event_keys_pkey do nothing;

if not found then
        return null;
    end if;

if not write_vote.is_service then
        insert into rating.voter_days as d (organization_id, voter_id, day, events)
        values (write_vote.organization_id, voter, (now() at time zone 'utc')::date, 1)
        on conflict on constraint voter_days_pkey do update
        set events = d.events + 1
        where d.events < rating.events_per_day(write_vote.organization_id);

if not found then
            delete from rating.event_keys as k
            where k.organization_id = write_vote.organization_id and k.key = the_key;
            return null;
        end if;
    end if;

the_id := nextval('rating.event_ids');

insert into rating.votes (event_id, organization_id, key, voter_id, item_a, item_b, winner, kind, occurred_at)
    values (the_id, write_vote.organization_id, the_key, voter, a, b, winner, kind::rating.vote_kind, moment);

insert into rating.inbox (organization_id, item_id, event_id, kind, voter_id, opponent_id, first, score, weight)
    values
    (
        write_vote.organization_id, a, the_id, 'vote', voter, b, true, (winner = a)::integer,
        case kind when 'super' then 2 else 1 end
    ),
    (
        write_vote.organization_id, b, the_id, 'vote', voter, a, false, (winner = b)::integer,
        case kind when 'super' then 2 else 1 end
    );

return jsonb_build_array(
        jsonb_build_object('index', 0, 'key', the_key, 'status', 'accepted', 'event_id', the_id)
    );
end;
$_$;

COMMENT ON FUNCTION rating.write_vote(organization_id uuid, caller_id uuid, is_service boolean, events json) IS 'Write a vote that comes alone and answer for it; null where rating.write_events has to judge it.';

CREATE FUNCTION rating.write_voters(organization_ids uuid[], voter_ids text[], periods bigint[], votes bigint[], agreed bigint[], expected double precision[], log_odds double precision[], sliders bigint[], slider_sum double precision[], slider_square_sum double precision[], residual_sum double precision[], residual_square_sum double precision[], fires bigint[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    written integer;
begin
    insert into rating.voters as v (
        organization_id, voter_id, period, votes, agreed, expected, log_odds, sliders, slider_sum,
        slider_square_sum, residual_sum, residual_square_sum, fires
    )
    select
        g.organization_id, g.voter_id, g.period, g.votes, g.agreed, g.expected, g.log_odds, g.sliders,
        g.slider_sum, g.slider_square_sum, g.residual_sum, g.residual_square_sum, g.fires
    from unnest(
        write_voters.organization_ids,
        write_voters.voter_ids,
        write_voters.periods,
        write_voters.votes,
        write_voters.agreed,
        write_voters.expected,
        write_voters.log_odds,
        write_voters.sliders,
        write_voters.slider_sum,
        write_voters.slider_square_sum,
        write_voters.residual_sum,
        write_voters.residual_square_sum,
        write_voters.fires
    ) as g (
        organization_id, voter_id, period, votes, agreed, expected, log_odds, sliders, slider_sum,
        slider_square_sum, residual_sum, residual_square_sum, fires
    )
    order by g.organization_id, g.voter_id
    on conflict (organization_id, voter_id) do update
    set
        period = greatest(v.period, excluded.period),
        base_log_odds = case when v.period < excluded.period then v.log_odds else v.base_log_odds end,
        base_sliders = case when v.period < excluded.period then v.sliders else v.base_sliders end,
        base_residual_sum
        = case when v.period < excluded.period then v.residual_sum else v.base_residual_sum end,
        base_residual_square_sum
        = case when v.period < excluded.period then v.residual_square_sum else v.base_residual_square_sum end,
        votes = v.votes + excluded.votes,
        agreed = v.agreed + excluded.agreed,
        expected = v.expected + excluded.expected,
        log_odds = v.log_odds + excluded.log_odds,
        sliders = v.sliders + excluded.sliders,
        slider_sum = v.slider_sum + excluded.slider_sum,
        slider_square_sum = v.slider_square_sum + excluded.slider_square_sum,
        residual_sum = v.residual_sum + excluded.residual_sum,
        residual_square_sum = v.residual_square_sum + excluded.residual_square_sum,
        fires = v.fires + excluded.fires,
        version = v.version + 1,
        updated_at = now();
    get diagnostics written = row_count;

return written;
end;
$$;

COMMENT ON FUNCTION rating.write_voters(organization_ids uuid[], voter_ids text[], periods bigint[], votes bigint[], agreed bigint[], expected double precision[], log_odds double precision[], sliders bigint[], slider_sum double precision[], slider_square_sum double precision[], residual_sum double precision[], residual_square_sum double precision[], fires bigint[]) IS 'Add what a batch has learnt of voters.';

CREATE FUNCTION staging.cents_of(amount text, decimal_places integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    select case
        when amount ~ '^\d{1,7}(\.\d{1,6})?$' and amount::numeric <= 1000000
        and amount::numeric * 10 ^ decimal_places = trunc(amount::numeric * 10 ^ decimal_places)
        then (amount::numeric * 10 ^ decimal_places)::bigint
    end;
$_$;

COMMENT ON FUNCTION staging.cents_of(amount text, decimal_places integer) IS 'An amount in the smallest unit of its currency, or null.';

CREATE FUNCTION staging.convert_instances() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
    drop table if exists pg_temp.instances;
    create temporary table instances on commit drop as
    select p.*
    from staging.parsed_instances as p;
    analyze pg_temp.instances;

perform staging.make_places(
        array_agg(p.organization_id order by p.line), array_agg(p.instructor_name order by p.line),
        array_agg(p.location_name order by p.line), array_agg(p.location_city order by p.line)
    )
    from pg_temp.instances as p
    where p.reason is null;

insert into events.events (
        id, starts_at, ends_at, organization_id, series_id, title, description, category, language, time_zone,
        price_cents, currency, location_id, instructor_id, policy, status, status_reason, created_at
    )
    select
        p.id, p.starts_at, p.ends_at, p.organization_id, p.series_id, p.title, p.description, p.category, p.language,
        p.time_zone, p.price_cents, p.currency,
        coalesce(
            (
                select l.id
                from organizations.locations as l
                where l.organization_id = p.organization_id and l.name = p.location_name
                order by l.id
                limit 1
            ),
            p.series_location_id
        ),
        coalesce(
            (
                select i.id
                from organizations.instructors as i
                where i.organization_id = p.organization_id and i.name = p.instructor_name
                order by i.id
                limit 1
            ),
            p.series_instructor_id
        ),
        events.policy_snapshot(null), p.status::events.event_status, 'It was imported.', p.created_at
    from pg_temp.instances as p
    where p.reason is null and not p.is_there
    order by p.starts_at, p.id;

insert into events.inventory (event_id, capacity)
    select p.id, p.capacity
    from pg_temp.instances as p
    where p.reason is null
    order by p.id
    on conflict do nothing;

insert into events.occurrences (series_id, local_start, event_id)
    select p.series_id, p.starts_at at time zone p.time_zone, p.id
    from pg_temp.instances as p
    where p.reason is null and not p.is_there and p.series_id is not null
    order by p.series_id, p.starts_at
    on conflict do nothing;

update events.series as s
    set generated_until = n.last_day
    from (
        select p.series_id, max((p.starts_at at time zone p.time_zone)::date) as last_day
        from pg_temp.instances as p
        where p.reason is null and not p.is_there and p.series_id is not null
        group by p.series_id
    ) as n
    where s.id = n.series_id and (s.generated_until < n.last_day) is not false;

insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_instances', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.instances as p;
    analyze staging.outcomes;
end;
$$;

COMMENT ON FUNCTION staging.convert_instances() IS 'Convert class instances to events with their seats.';

CREATE FUNCTION staging.convert_registrations() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
declare
    the_event record;
    the_row record;
    seats_free integer;
begin
    drop table if exists pg_temp.registrations;
    create temporary table registrations on commit drop as
    select p.*
    from staging.parsed_registrations as p;
    create unique index on pg_temp.registrations (line);
    create index on pg_temp.registrations (event_id, customer_id);
    analyze pg_temp.registrations;

update pg_temp.registrations as r
    set
        reason = format(
            'the customer has a registration of this class already%s',
            case when d.first_line <> d.line then format(' (line %s)', d.first_line) end
        )
    from (
        select
            p.line,
            first_value(p.line) over (
                partition by p.event_id, p.customer_id order by p.registered_at, p.line
            ) as first_line,
            b.id is not null as has_booking
        from pg_temp.registrations as p
        left join events.bookings as b
            on
                b.event_id = p.event_id
                and b.customer_id = p.customer_id
                and not b.guest
                and b.status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show')
        where p.reason is null and not p.is_there and p.is_live
    ) as d
    where r.line = d.line and (d.has_booking or d.first_line <> d.line);

-- Who was registered before somebody waits passes nobody: that is decided here.
    perform set_config('events.inventory_locked', 'yes', true);
    perform
    from events.inventory as i
    where i.event_id in (select p.event_id from pg_temp.registrations as p where p.reason is null)
    order by i.event_id
    for no key update;

for the_event in
        select i.event_id, i.capacity, i.taken, i.held
        from events.inventory as i
        inner join (
            select p.event_id, sum(p.seats) as seats
            from pg_temp.registrations as p
            where p.reason is null and p.is_live and not p.is_there
            group by p.event_id
        ) as n on n.event_id = i.event_id
        where i.taken + i.held + n.seats > i.capacity
        order by i.event_id
    loop
        seats_free := the_event.capacity - the_event.taken - the_event.held;
        for the_row in
            select p.line, p.seats
            from pg_temp.registrations as p
            where p.event_id = the_event.event_id and p.reason is null and p.is_live and not p.is_there
            order by p.registered_at, p.line
        loop
            if the_row.seats <= seats_free then
                seats_free := seats_free - the_row.seats;
            else
                update pg_temp.registrations as r
                set reason = format('the class is full: its capacity is %s', the_event.capacity)
                where r.line = the_row.line;
            end if;
        end loop;
    end loop;

perform staging.make_people(
        array_agg(p.customer_id order by p.line), array_agg(p.customer_email order by p.line),
        array_agg(p.customer_name order by p.line)
    )
    from pg_temp.registrations as p
    where p.reason is null and not p.is_there;

insert into events.bookings (
        id, event_id, organization_id, customer_id, seats, status, status_reason, payment_method, price_cents, currency,
        policy, created_at, cancelled_at
    )
    select
        p.id, p.event_id, p.organization_id, p.customer_id, p.seats, p.status, 'It was imported.', p.payment_method,
        p.price_cents, p.currency, p.policy, p.registered_at, p.cancelled_at
    from pg_temp.registrations as p
    where p.reason is null and not p.is_there
    order by p.event_id, p.registered_at, p.line;

insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_registrations', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.registrations as p;
end;
$$;

COMMENT ON FUNCTION staging.convert_registrations() IS 'Convert class registrations to bookings, never more than fit.';

CREATE FUNCTION staging.convert_templates() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
    drop table if exists pg_temp.templates;
    create temporary table templates on commit drop as
    select p.*
    from staging.parsed_templates as p;
    analyze pg_temp.templates;

insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'class_templates', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.templates as p;
    analyze staging.outcomes;

perform staging.make_places(
        array_agg(p.organization_id order by p.line), array_agg(p.instructor_name order by p.line),
        array_agg(p.location_name order by p.line), array_agg(p.location_city order by p.line)
    )
    from pg_temp.templates as p
    where p.reason is null;

insert into events.series (
        id, organization_id, title, description, category, language, time_zone, recurrence, local_start_time,
        start_date, end_date, duration_minutes, capacity, price_cents, currency, location_id, instructor_id, status,
        status_reason,
        created_at
    )
    select
        p.id, p.organization_id, p.title, p.description, p.category, p.language, p.time_zone,
        coalesce(p.recurrence, 'RRULE:FREQ=DAILY;COUNT=1'),
        coalesce(p.start_time, (f.starts_at at time zone p.time_zone)::time, time '00:00'),
        coalesce(p.start_date, (f.starts_at at time zone p.time_zone)::date, p.created_at::date),
        greatest(
            p.end_date, case
                when p.end_date is not null
                then coalesce(p.start_date, (f.starts_at at time zone p.time_zone)::date, p.created_at::date)
            end
        ),
        p.duration_minutes, p.capacity, p.price_cents, p.currency,
        (
            select l.id
            from organizations.locations as l
            where l.organization_id = p.organization_id and l.name = p.location_name
            order by l.id
            limit 1
        ),
        (
            select i.id
            from organizations.instructors as i
            where i.organization_id = p.organization_id and i.name = p.instructor_name
            order by i.id
            limit 1
        ),
        case when p.is_active and p.recurrence is not null then 'active' else 'paused' end::events.series_status,
        case
            when not p.is_active then 'It was not active when it was imported.'
            when p.recurrence is null then 'It was imported without a rule.'
        end,
        p.created_at
    from pg_temp.templates as p
    left join (
        select i.template_id, min(staging.moment_of(i.start_time)) as starts_at
        from staging.class_instances as i
        group by i.template_id
    ) as f on f.template_id = p.legacy_id
    where p.reason is null
    on conflict do nothing;
end;
$$;

COMMENT ON FUNCTION staging.convert_templates() IS 'Convert class templates to series.';

CREATE FUNCTION staging.convert_waitlists() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    AS $$
begin
    drop table if exists pg_temp.waits;
    create temporary table waits on commit drop as
    select p.*
    from staging.parsed_waitlists as p;
    create unique index on pg_temp.waits (line);
    analyze pg_temp.waits;

update pg_temp.waits as r
    set reason = 'the customer waits for this class already'
    from (
        select
            p.line,
            row_number() over (
                partition by p.event_id, p.customer_id order by p.position nulls last, p.joined_at, p.line
            ) as number,
            w.id is not null as has_entry
        from pg_temp.waits as p
        left join events.waitlist_entries as w
            on
                w.event_id = p.event_id
                and w.customer_id = p.customer_id
                and w.status in ('waiting', 'offered')
        where p.reason is null and not p.is_there and p.status = 'waiting'
    ) as d
    where r.line = d.line and (d.has_entry or d.number > 1);

perform staging.make_people(
        array_agg(p.customer_id order by p.line), array_agg(p.customer_email order by p.line),
        array_agg(p.customer_name order by p.line)
    )
    from pg_temp.waits as p
    where p.reason is null and not p.is_there;

perform
    from events.inventory as i
    where i.event_id in (select p.event_id from pg_temp.waits as p where p.reason is null)
    order by i.event_id
    for no key update;

insert into events.waitlist_entries (
        id, event_id, customer_id, seats, place, status, status_reason, booking_id, joined_at
    )
    select
        p.id, p.event_id, p.customer_id, p.seats,
        coalesce((select max(w.place) from events.waitlist_entries as w where w.event_id = p.event_id), 0)
        + row_number() over (partition by p.event_id order by p.position nulls last, p.joined_at, p.line),
        p.status, 'It was imported.', case when p.status = 'accepted' then p.booking_id end, p.joined_at
    from pg_temp.waits as p
    where p.reason is null and not p.is_there;

insert into staging.outcomes (file, line, legacy_id, outcome, reason)
    select
        'waitlists', p.line, p.legacy_id,
        case when p.reason is not null then 'rejected' when p.is_there then 'unchanged' else 'converted' end,
        p.reason
    from pg_temp.waits as p;
end;
$$;

COMMENT ON FUNCTION staging.convert_waitlists() IS 'Convert waits to waitlist entries, in their order.';

CREATE FUNCTION staging.make_people(customer_ids uuid[], emails text[], names text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into users.profiles (id, email, email_verified_at, name)
    select distinct on (p.id)
        p.id, p.email, case when p.email is not null then statement_timestamp() end, p.name
    from unnest(make_people.customer_ids, make_people.emails, make_people.names)
        with ordinality as p (id, email, name, number)
    order by p.id, p.number
    on conflict do nothing;
$$;

COMMENT ON FUNCTION staging.make_people(customer_ids uuid[], emails text[], names text[]) IS 'Make the profiles of customers who have none.';

CREATE FUNCTION staging.make_places(organization_ids uuid[], instructors text[], locations text[], cities text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    insert into organizations.instructors (organization_id, name)
    select distinct p.organization_id, p.instructor
    from unnest(make_places.organization_ids, make_places.instructors) as p (organization_id, instructor)
    where
        p.instructor is not null
        and not exists (
            select
            from organizations.instructors as i
            where i.organization_id = p.organization_id and i.name = p.instructor
        );

insert into organizations.locations (organization_id, name, city, country, time_zone)
    select distinct on (p.organization_id, p.location) p.organization_id, p.location, p.city, o.country, o.time_zone
    from unnest(make_places.organization_ids, make_places.locations, make_places.cities)
        with ordinality as p (organization_id, location, city, number)
    inner join organizations.organizations as o on o.id = p.organization_id
    where
        p.location is not null
        and not exists (
            select
            from organizations.locations as l
            where l.organization_id = p.organization_id and l.name = p.location
        )
    order by p.organization_id, p.location, p.number;
$$;

COMMENT ON FUNCTION staging.make_places(organization_ids uuid[], instructors text[], locations text[], cities text[]) IS 'Make the instructors and locations that an organization does not have yet.';

CREATE FUNCTION staging.moment_of(text_value text) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    select case
        when
            text_value ~ '^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)? ?([Zz]|[+-]\d\d(:?\d\d)?)$'
            and pg_input_is_valid(text_value, 'timestamptz')
        then case
            when text_value::timestamptz between '0001-01-01 00:00:00+00' and '9999-12-31 23:59:59.999999+00'
            then text_value::timestamptz
        end
    end;
$_$;

COMMENT ON FUNCTION staging.moment_of(text_value text) IS 'A text as a point in time, or null.';

CREATE FUNCTION staging.said(is_wrong boolean, name text, text_value text, what text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select case
        when is_wrong then concat_ws(' ', name, '"' || left(text_value, 80) || '"', what)
    end;
$$;

COMMENT ON FUNCTION staging.said(is_wrong boolean, name text, text_value text, what text) IS 'What is wrong with a value, in words, or null.';

CREATE FUNCTION staging.verify_import(counts jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_file record;
    lost bigint;
begin
    for the_file in
        select f.key as name, f.value as counts from jsonb_each(verify_import.counts) as f
    loop
        if
            (the_file.counts ->> 'read')::bigint <> (the_file.counts ->> 'converted')::bigint
            + (the_file.counts ->> 'unchanged')::bigint + (the_file.counts ->> 'rejected')::bigint
        then
            raise exception 'import_does_not_add_up'
                using detail = format('%s: %s', the_file.name, the_file.counts);
        end if;
    end loop;

analyze staging.outcomes;

select count(*) into lost
    from (
        select o.file, o.legacy_id::uuid as id
        from staging.outcomes as o
        where o.outcome <> 'rejected'
    ) as o
    left join events.series as s on o.file = 'class_templates' and s.id = o.id
    left join events.inventory as i on o.file = 'class_instances' and i.event_id = o.id
    left join events.bookings as b on o.file = 'class_registrations' and b.id = o.id
    left join events.waitlist_entries as w on o.file = 'waitlists' and w.id = o.id
    where coalesce(s.id, i.event_id, b.id, w.id) is null;

if lost > 0 then
        raise exception 'import_does_not_add_up'
            using detail = format('%s rows are said to be there and are not', lost);
    end if;

select count(*) into lost
    from ops.count_drift(array(
        select i.event_id
        from events.inventory as i
        inner join (
            select o.legacy_id::uuid as id
            from staging.outcomes as o
            where o.file = 'class_instances' and o.outcome <> 'rejected'
        ) as o on o.id = i.event_id
    ));

if lost > 0 then
        raise exception 'import_does_not_add_up' using detail = format('the seats of %s events do not add up', lost);
    end if;
end;
$$;

COMMENT ON FUNCTION staging.verify_import(counts jsonb) IS 'See that an import adds up; raise if it does not.';

CREATE FUNCTION staging.whole_of(text_value text, least_value integer, most_value integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    select case
        when text_value ~ '^\d{1,9}$' and text_value::integer between least_value and most_value
        then text_value::integer
    end;
$_$;

COMMENT ON FUNCTION staging.whole_of(text_value text, least_value integer, most_value integer) IS 'A text as a whole number within bounds, or null.';

CREATE FUNCTION users.is_name(value text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((length(value) >= 1) AND (length(value) <= 200)) AND ops.is_line(value) AND (value ~ ('[^\u0020\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f'::text || '\u2000-\u200f\u202f\u205f-\u2065\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]'::text)));

COMMENT ON FUNCTION users.is_name(value text) IS 'Whether a person can be called this: 1 to 200 characters of one line, with something to read among them.';

CREATE TABLE users.profiles (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    email text,
    name text,
    language character(2) DEFAULT 'en'::bpchar NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    erased_at timestamp with time zone,
    email_verified_at timestamp with time zone,
    CONSTRAINT email_has_an_at CHECK (((email ~ '^[^@\s]+@[^@\s]+$'::text) AND (length(email) <= 254) AND ops.is_line(email))),
    CONSTRAINT erased_means_nameless CHECK (((erased_at IS NULL) OR ((email IS NULL) AND (name IS NULL)))),
    CONSTRAINT name_is_legible CHECK (users.is_name(name))
);

COMMENT ON COLUMN users.profiles.id IS 'The subject of the person''s token.';

COMMENT ON COLUMN users.profiles.email_verified_at IS 'When the address was last verified; null: never, and then it is not used. Read addresses by users.address_of.';

CREATE FUNCTION users.address_of(profile users.profiles) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((profile).email_verified_at IS NOT NULL) THEN (profile).email ELSE NULL::text END;

COMMENT ON FUNCTION users.address_of(profile users.profiles) IS 'A person''s verified e-mail address, or null.';

CREATE FUNCTION users.claimed_address(claims jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (((claims -> 'email_verified'::text) = 'true'::jsonb) AND ((claims ->> 'email'::text) ~ '^[^@\s]+@[^@\s]+$'::text) AND (length((claims ->> 'email'::text)) <= 254) AND ops.is_line((claims ->> 'email'::text))) THEN (claims ->> 'email'::text) ELSE NULL::text END;

COMMENT ON FUNCTION users.claimed_address(claims jsonb) IS 'The verified e-mail address of a token''s claims, or null.';

CREATE FUNCTION users.edit_profile(name text DEFAULT NULL::text, language text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    known text[];
begin
    perform users.own_profile();

if not users.is_name(edit_profile.name) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A name must have 1 to 200 characters, some of them visible. Control characters and'
                ' characters that change the direction of text are not allowed.',
                'errors', jsonb_build_array(jsonb_build_object(
                    'path', '["body", "name"]'::jsonb, 'kind', 'name', 'message', 'This is not a valid name.'
                ))
            )::text;
    end if;

known := array(select l.code from ref.languages as l order by l.code);
    if edit_profile.language <> all (known) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', format('The language is not supported. Choose one of %s.', array_to_string(known, ', ')),
                'errors', jsonb_build_array(jsonb_build_object(
                    'path', '["body", "language"]'::jsonb, 'kind', 'unknown',
                    'message', format('Choose one of %s.', array_to_string(known, ', ')), 'known', known
                ))
            )::text;
    end if;

update users.profiles as p
    set
        name = coalesce(edit_profile.name, p.name),
        language = coalesce(edit_profile.language, p.language)
    where p.id = ops.caller_id() and p.erased_at is null;

return users.own_profile();
end;
$$;

COMMENT ON FUNCTION users.edit_profile(name text, language text) IS 'Change what the caller is called, or their language.';

CREATE FUNCTION users.erase_profile(user_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_email text;
    is_first boolean;
    the_instructor_names text[];
    the_organization_ids uuid[];
    ownerless_ids uuid[];
    event_ids uuid[];
    the_event_id uuid;
    the_entry events.waitlist_entries;
    the_booking events.bookings;
    the_credits jsonb;
    the_rows jsonb;
    bookings_cancelled integer := 0;
begin
    if
        (ops.caller_is_service() or erase_profile.user_id = ops.caller_id()) is not true
        or not exists (select from users.profiles as p where p.id = erase_profile.user_id)
    then
        raise exception using errcode = 'PT404', message = 'customer_not_found';
    end if;

-- Both owners of an organization may ask at once: the second one must see that the first is gone.
    perform
    from organizations.memberships as m
    where
        m.role = 'owner'
        and m.organization_id in (
            select o.organization_id
            from organizations.memberships as o
            where o.user_id = erase_profile.user_id and o.role = 'owner'
        )
    order by m.organization_id, m.user_id
    for update;

ownerless_ids := array(
        select o.organization_id
        from organizations.memberships as o
        where
            o.user_id = erase_profile.user_id
            and o.role = 'owner'
            and not exists (
                select
                from organizations.memberships as s
                inner join users.profiles as p on p.id = s.user_id
                where
                    s.organization_id = o.organization_id
                    and s.role = 'owner'
                    and s.user_id <> o.user_id
                    and p.erased_at is null
            )
        order by o.organization_id
    );
    if ownerless_ids <> '{}' and not ops.caller_is_service() then
        raise exception using errcode = 'PT409', message = 'last_owner',
            detail = jsonb_build_object('organization_ids', ownerless_ids)::text;
    end if;

select p.email, p.erased_at is null into the_email, is_first
    from users.profiles as p
    where p.id = erase_profile.user_id
    for no key update;

update users.profiles as p
    set email = null, email_verified_at = null, name = null, erased_at = coalesce(p.erased_at, statement_timestamp())
    where p.id = erase_profile.user_id;

the_organization_ids := users.organizations_of(erase_profile.user_id);
    the_instructor_names := array(
        select i.name
        from organizations.instructors as i
        where i.user_id = erase_profile.user_id
    );

-- All of them before anything else is locked: payments and wallets come after the events.
    event_ids := array(
        select i.event_id
        from events.inventory as i
        where i.event_id in (
            select b.event_id
            from events.bookings as b
            where b.customer_id = erase_profile.user_id
            union
            select h.event_id
            from events.holds as h
            where h.customer_id = erase_profile.user_id and h.status = 'active'
            union
            select w.event_id
            from events.waitlist_entries as w
            where w.customer_id = erase_profile.user_id
        )
        order by i.event_id
        for no key update
    );

perform
    from payments.intents as i
    where i.customer_id = erase_profile.user_id
    order by i.id
    for no key update;

perform
    from payments.purchases as p
    where p.customer_id = erase_profile.user_id
    order by p.id
    for no key update;

perform payments.lock_wallets(array(
        select a.id
        from payments.accounts as a
        where a.owner_kind = 'user' and a.owner_id = erase_profile.user_id and a.type = 'credits'
    ));

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

the_credits := payments.pay_out_credits(erase_profile.user_id);
    the_rows := ops.erase_person(erase_profile.user_id, the_email, the_instructor_names);

if is_first then
        insert into public.outbox (topic, key, payload)
        select
            'person.erased', erase_profile.user_id::text,
            jsonb_build_object('customer_id', erase_profile.user_id, 'organization_id', o.id)
        from unnest(the_organization_ids) as o (id)
        order by o.id;
    end if;

return jsonb_build_object(
        'user_id', erase_profile.user_id,
        'bookings_cancelled', bookings_cancelled,
        'memberships_ended', the_rows -> 'organizations.memberships',
        'credits', the_credits,
        'organizations_without_owner', ownerless_ids
    );
end;
$$;

COMMENT ON FUNCTION users.erase_profile(user_id uuid) IS 'Erase a person: end what they have, pay out their credits, delete what ops.retention names.';

CREATE FUNCTION users.follow_token(user_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
declare
    the_claims jsonb := ops.claims();
    the_address text := users.claimed_address(the_claims);
begin
    if exists (
        select from users.profiles as p
        where p.id = follow_token.user_id and (p.erased_at is not null or users.is_current(p, the_claims))
    ) then
        return;
    end if;

insert into users.profiles as p (id, email, email_verified_at, name, language)
    values (
        follow_token.user_id,
        the_address,
        case when the_address is not null then statement_timestamp() end,
        case when users.is_name(the_claims ->> 'name') then the_claims ->> 'name' end,
        coalesce(
            (
                select l.code
                from ref.languages as l
                where l.code = lower(substring(the_claims ->> 'locale' from '^([A-Za-z]{2})(?:[-_].*)?$'))
            ),
            'en'
        )
    )
    on conflict (id) do update
    set email = excluded.email, email_verified_at = excluded.email_verified_at
    where p.erased_at is null and excluded.email is not null;
end;
$_$;

COMMENT ON FUNCTION users.follow_token(user_id uuid) IS 'Make the profile of the caller from the claims, or give it their verified address.';

CREATE FUNCTION users.is_current(profile users.profiles, claims jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((profile).erased_at IS NULL) AND ((((claims -> 'email_verified'::text) = 'true'::jsonb) IS NOT TRUE) OR (((profile).email = (claims ->> 'email'::text)) AND ((profile).email_verified_at IS NOT NULL)) OR (users.claimed_address(claims) IS NULL)));

COMMENT ON FUNCTION users.is_current(profile users.profiles, claims jsonb) IS 'Whether a profile is not erased and has the verified address of the claims, if they have one.';

CREATE FUNCTION users.organizations_of(user_id uuid) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
    select array(
        select b.organization_id
        from events.bookings as b
        where b.customer_id = organizations_of.user_id
        union
        select t.organization_id
        from events.waitlist_entries as w
        inner join events.terms as t on t.event_id = w.event_id
        where w.customer_id = organizations_of.user_id
        union
        select t.organization_id
        from events.holds as h
        inner join events.terms as t on t.event_id = h.event_id
        where h.customer_id = organizations_of.user_id
        union
        select l.organization_id
        from payments.credit_lots as l
        where l.customer_id = organizations_of.user_id
        union
        select p.organization_id
        from payments.purchases as p
        where p.customer_id = organizations_of.user_id
        union
        select m.organization_id
        from organizations.memberships as m
        where m.user_id = organizations_of.user_id
        union
        select i.organization_id
        from organizations.instructors as i
        where i.user_id = organizations_of.user_id
        order by 1
    );
$$;

COMMENT ON FUNCTION users.organizations_of(user_id uuid) IS 'The organizations that a person came to.';

CREATE FUNCTION users.own_profile() RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_user_id uuid;
begin
    if ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'A service has no profile. Use the token of a person.')::text;
    end if;
    the_user_id := events.ensure_customer(ops.caller_id(), null, null);

return (
        select jsonb_build_object(
            'id', p.id, 'name', p.name, 'email', users.address_of(p), 'language', p.language, 'created_at', p.created_at
        )
        from users.profiles as p
        where p.id = the_user_id
    );
end;
$$;

COMMENT ON FUNCTION users.own_profile() IS 'The caller''s profile, made from the claims at the first call.';

CREATE FUNCTION users.sweep_erased(after timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, at timestamp with time zone DEFAULT statement_timestamp()) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
declare
    the_profile users.profiles;
begin
    if not ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only the service may do this.')::text;
    end if;

select p.* into the_profile
    from users.profiles as p
    where
        p.erased_at > greatest(coalesce(sweep_erased.after, '-infinity'), sweep_erased.at - interval '90 days')
        and p.erased_at is not null
    order by p.erased_at
    limit 1;

if not found then
        return jsonb_build_object('swept', 0, 'last', null);
    end if;

-- More than one person may be erased in one moment.
    perform users.erase_profile(p.id)
    from users.profiles as p
    where p.erased_at = the_profile.erased_at
    order by p.id;
    return jsonb_build_object('swept', 1, 'last', the_profile.erased_at);
end;
$$;

COMMENT ON FUNCTION users.sweep_erased(after timestamp with time zone, at timestamp with time zone) IS 'Erase people again who were erased lately, for what came later; returns how many, and where to go on.';

CREATE AGGREGATE payments.chain(entry bytea) (
    SFUNC = payments.link,
    STYPE = bytea,
    INITCOND = ''
);

COMMENT ON AGGREGATE payments.chain(entry bytea) IS 'The hash of the chain that entries make, in their order.';

CREATE TABLE events.events (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    organization_id uuid NOT NULL,
    series_id uuid,
    title text NOT NULL,
    description text,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    price_cents bigint DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    location_id uuid,
    instructor_id uuid,
    policy jsonb NOT NULL,
    visibility events.visibility DEFAULT 'public'::events.visibility NOT NULL,
    status events.event_status DEFAULT 'scheduled'::events.event_status NOT NULL,
    status_reason text,
    detached boolean DEFAULT false NOT NULL,
    search_config regconfig DEFAULT 'english'::regconfig NOT NULL,
    search tsvector GENERATED ALWAYS AS (((setweight(to_tsvector(search_config, title), 'A'::"char") || setweight(to_tsvector(search_config, COALESCE(category, ''::text)), 'B'::"char")) || setweight(to_tsvector(search_config, COALESCE("left"(description, 5000), ''::text)), 'C'::"char"))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_description_fits CHECK ((length(description) <= 20000)),
    CONSTRAINT event_ends_after_it_starts CHECK ((ends_at > starts_at)),
    CONSTRAINT event_price_is_not_negative CHECK (((price_cents >= 0) AND (price_cents <= 100000000))),
    CONSTRAINT event_texts_are_readable CHECK ((ops.is_line(title) AND ops.is_text(description) AND ops.is_text(status_reason))),
    CONSTRAINT event_title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT policy_is_an_object CHECK ((jsonb_typeof(policy) = 'object'::text))
)
PARTITION BY RANGE (starts_at);

COMMENT ON TABLE events.events IS 'What is on, by month of its start; partitions are made ahead, and the default one is watched to stay empty.';

COMMENT ON COLUMN events.events.policy IS 'The booking policy as it was when the event was made or last edited.';

COMMENT ON COLUMN events.events.detached IS 'Edited by itself: edits of its series leave it alone.';

COMMENT ON COLUMN events.events.search_config IS 'Copied from the event''s language by a trigger.';

CREATE VIEW events.booking_details WITH (security_invoker='true') AS
 SELECT b.id,
    b.event_id,
    b.organization_id,
    b.customer_id,
    b.seats,
    b.guest,
    b.status,
    b.payment_method,
    b.price_cents,
    b.currency,
    b.created_at,
    b.cancelled_at,
    b.status_reason AS reason,
    b.late,
    b.fee_cents,
    e.title AS event_title,
    e.status AS event_status,
    e.starts_at,
    e.ends_at,
    e.time_zone
   FROM ((events.bookings b
     JOIN events.terms t ON ((t.event_id = b.event_id)))
     JOIN events.events e ON (((e.id = b.event_id) AND (e.starts_at = t.starts_at))));

COMMENT ON VIEW events.booking_details IS 'Bookings with their events, as far as the caller may see both.';

CREATE TABLE organizations.instructors (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    user_id uuid,
    name text NOT NULL,
    bio text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT instructor_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT instructor_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(bio)))
);

COMMENT ON TABLE organizations.instructors IS 'Who leads events, as the public sees them; an instructor who signs in is linked to a profile.';

CREATE TABLE organizations.locations (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    address text,
    city text NOT NULL,
    country character(2) NOT NULL,
    time_zone text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT location_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT location_texts_are_readable CHECK ((ops.is_line(name) AND ops.is_text(address) AND ops.is_line(city)))
);

CREATE VIEW events.calendar_entries WITH (security_invoker='true') AS
 SELECT e.id AS event_id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.visibility,
    e.status,
    e.starts_at,
    e.ends_at,
    e.created_at,
    e.updated_at,
    o.name AS organization_name,
    p.name AS instructor_name,
    l.name AS location_name,
    l.address AS location_address,
    l.city AS location_city,
    (ceil(EXTRACT(epoch FROM (e.updated_at - e.created_at))))::bigint AS sequence
   FROM (((events.events e
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)));

COMMENT ON VIEW events.calendar_entries IS 'What a calendar shows of events, as far as the caller may see them.';

CREATE TABLE ref.currencies (
    code character(3) NOT NULL,
    name text NOT NULL,
    decimal_places smallint NOT NULL,
    CONSTRAINT currency_code_is_iso_4217 CHECK ((code ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT decimal_places_are_few CHECK (((decimal_places >= 0) AND (decimal_places <= 4)))
);

CREATE VIEW events.event_details WITH (security_invoker='true') AS
 SELECT e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.category,
    e.language,
    e.time_zone,
    e.starts_at,
    e.ends_at,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, (c.decimal_places)::integer) AS price_tier,
    e.policy,
    e.visibility,
    e.status,
    e.status_reason,
    e.created_at,
    e.updated_at,
    t.opens_at,
    t.closes_at,
    t.last_offer_at,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS taken,
    (i.held)::integer AS held,
    (i.waitlisted)::integer AS waitlisted,
    (((i.capacity)::integer - (i.taken)::integer) - (i.held)::integer) AS seats_left,
    events.availability((i.capacity)::integer, (i.taken)::integer, (i.held)::integer) AS availability,
    ((e.status = 'scheduled'::events.event_status) AND (statement_timestamp() < t.closes_at) AND (statement_timestamp() >= COALESCE(t.opens_at, '-infinity'::timestamp with time zone))) AS booking_open,
    ((e.status = 'scheduled'::events.event_status) AND (statement_timestamp() < t.last_offer_at) AND (i.capacity IS NOT NULL) AND ((((i.taken)::integer + (i.held)::integer) >= (i.capacity)::integer) OR ((i.waitlisted)::integer > 0))) AS waitlist_open,
    o.slug AS organization_slug,
    o.name AS organization_name,
    e.location_id,
    l.name AS location_name,
    l.address AS location_address,
    l.city AS location_city,
    l.country AS location_country,
    e.instructor_id,
    p.name AS instructor_name,
    p.bio AS instructor_bio
   FROM ((((((events.terms t
     JOIN events.events e ON (((t.event_id = e.id) AND (t.starts_at = e.starts_at))))
     JOIN events.inventory i ON ((t.event_id = i.event_id)))
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     JOIN ref.currencies c ON ((e.currency = c.code)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)));

COMMENT ON VIEW events.event_details IS 'Events with seats, place, instructor and organization, as far as the caller may see.';

CREATE TABLE events.events_default (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    organization_id uuid NOT NULL,
    series_id uuid,
    title text NOT NULL,
    description text,
    category text,
    language character(2) NOT NULL,
    time_zone text NOT NULL,
    price_cents bigint DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    location_id uuid,
    instructor_id uuid,
    policy jsonb NOT NULL,
    visibility events.visibility DEFAULT 'public'::events.visibility NOT NULL,
    status events.event_status DEFAULT 'scheduled'::events.event_status NOT NULL,
    status_reason text,
    detached boolean DEFAULT false NOT NULL,
    search_config regconfig DEFAULT 'english'::regconfig NOT NULL,
    search tsvector GENERATED ALWAYS AS (((setweight(to_tsvector(search_config, title), 'A'::"char") || setweight(to_tsvector(search_config, COALESCE(category, ''::text)), 'B'::"char")) || setweight(to_tsvector(search_config, COALESCE("left"(description, 5000), ''::text)), 'C'::"char"))) STORED NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT event_description_fits CHECK ((length(description) <= 20000)),
    CONSTRAINT event_ends_after_it_starts CHECK ((ends_at > starts_at)),
    CONSTRAINT event_price_is_not_negative CHECK (((price_cents >= 0) AND (price_cents <= 100000000))),
    CONSTRAINT event_texts_are_readable CHECK ((ops.is_line(title) AND ops.is_text(description) AND ops.is_text(status_reason))),
    CONSTRAINT event_title_is_short CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT policy_is_an_object CHECK ((jsonb_typeof(policy) = 'object'::text))
);

CREATE TABLE events.holds (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    event_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    seats events.seats NOT NULL,
    purpose events.hold_purpose NOT NULL,
    status events.hold_status DEFAULT 'active'::events.hold_status NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    held_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
);

COMMENT ON TABLE events.holds IS 'Seats kept for somebody for a while; they count as much as sold ones until they lapse.';

COMMENT ON COLUMN events.holds.ended_at IS 'When it stopped keeping seats. A lapsed hold ends at its expiry, whenever that is noticed.';

CREATE TABLE events.occurrences (
    series_id uuid NOT NULL,
    local_start timestamp without time zone NOT NULL,
    event_id uuid NOT NULL
);

COMMENT ON TABLE events.occurrences IS 'The local starts of a series that were generated, each once whoever generates; a moved event keeps its first one.';

CREATE VIEW events.own_series WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    title,
    description,
    category,
    language,
    time_zone,
    recurrence,
    local_start_time,
    start_date,
    end_date,
    duration_minutes,
    capacity,
    price_cents,
    currency,
    location_id,
    instructor_id,
    policy_id,
    visibility,
    status,
    status_reason,
    generated_until,
    continues_series_id,
    created_at,
    updated_at
   FROM events.series s
  WHERE ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)) OR ( SELECT ops.caller_is_service() AS caller_is_service));

COMMENT ON VIEW events.own_series IS 'The series of the organizations that the caller is a member of.';

CREATE TABLE messaging.deliveries (
    outbox_id bigint NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    status text NOT NULL,
    provider_id text,
    attempts integer DEFAULT 1 NOT NULL,
    last_error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    lease_until timestamp with time zone,
    user_id uuid,
    uncertain boolean DEFAULT false NOT NULL,
    CONSTRAINT channel_is_known CHECK ((channel = 'email'::text)),
    CONSTRAINT delivery_status_is_known CHECK ((status = ANY (ARRAY['sending'::text, 'sent'::text, 'failed'::text])))
);

COMMENT ON TABLE messaging.deliveries IS 'What was sent to whom for which cause; the key keeps a repeated message from being sent again.';

COMMENT ON COLUMN messaging.deliveries.lease_until IS 'Somebody is sending it until then; whoever comes later takes it that they died and sends it again.';

COMMENT ON COLUMN messaging.deliveries.uncertain IS 'An attempt ended without anybody knowing whether it went out: another one is marked as sent again.';

CREATE TABLE messaging.notifications (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid,
    outbox_id bigint NOT NULL,
    topic text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    read_at timestamp with time zone,
    about_id uuid
);

COMMENT ON COLUMN messaging.notifications.about_id IS 'The customer whom the text is about, where the reader is somebody else. Their erasure deletes it.';

CREATE TABLE messaging.reminded_events (
    event_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE messaging.reminded_events IS 'Events all of whose reminders have been written, for this due time; they are not looked at again.';

COMMENT ON COLUMN messaging.reminded_events.due_at IS 'The start less the organization''s hours. An event that is moved has another one, and is due again.';

CREATE TABLE messaging.reminders (
    booking_id uuid NOT NULL,
    reminded_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE messaging.reminders IS 'Bookings whose customers were reminded: once each, also where the event is moved afterwards.';

CREATE TABLE messaging.webhook_attempts (
    delivery_id uuid NOT NULL,
    number integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    duration_ms integer NOT NULL,
    status_code integer,
    error text,
    response text,
    CONSTRAINT response_is_short CHECK ((length(response) <= 1024))
);

COMMENT ON TABLE messaging.webhook_attempts IS 'What came of each attempt; one whose worker died is missing.';

COMMENT ON COLUMN messaging.webhook_attempts.response IS 'The beginning of the answer''s body.';

CREATE TABLE messaging.webhook_deliveries (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    endpoint_id uuid NOT NULL,
    outbox_id bigint,
    topic text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    lease_until timestamp with time zone,
    last_status_code integer,
    last_error text,
    last_duration_ms integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    delivered_at timestamp with time zone,
    CONSTRAINT delivered_says_when CHECK (((status <> 'delivered'::text) OR (delivered_at IS NOT NULL))),
    CONSTRAINT only_pending_is_leased CHECK (((status = 'pending'::text) OR (lease_until IS NULL))),
    CONSTRAINT pending_has_a_next_attempt CHECK (((status = 'pending'::text) = (next_attempt_at IS NOT NULL))),
    CONSTRAINT tries_are_attempts CHECK (((tries >= 0) AND (tries <= attempts))),
    CONSTRAINT webhook_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE messaging.webhook_deliveries IS 'What is sent to an endpoint for one cause; its id is the webhook-id, the same for every attempt.';

COMMENT ON COLUMN messaging.webhook_deliveries.outbox_id IS 'The cause; null for a test that somebody asked for.';

COMMENT ON COLUMN messaging.webhook_deliveries.attempts IS 'All attempts that were begun.';

COMMENT ON COLUMN messaging.webhook_deliveries.tries IS 'Attempts begun since it was made or last re-sent by hand.';

COMMENT ON COLUMN messaging.webhook_deliveries.lease_until IS 'A worker is sending it until then; afterwards another may.';

CREATE VIEW messaging.webhook_endpoint_details WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    url,
    topics,
    description,
    enabled,
    disabled_at,
    disabled_reason,
    failing_since,
    failures,
    previous_secret_expires_at,
    created_at,
    updated_at
   FROM messaging.webhook_endpoints e
  WHERE (organization_id = (NULLIF((( SELECT ops.claims() AS claims) ->> 'org_id'::text), ''::text))::uuid);

COMMENT ON VIEW messaging.webhook_endpoint_details IS 'The endpoints of the organization that the caller acts for, without secrets.';

CREATE VIEW messaging.webhook_delivery_details WITH (security_invoker='true') AS
 SELECT d.id,
    d.endpoint_id,
    d.topic,
    d.payload,
    d.occurred_at,
    d.status,
    d.attempts,
    d.next_attempt_at,
    d.last_status_code,
    d.last_error,
    d.last_duration_ms,
    d.created_at,
    d.delivered_at,
    ( SELECT COALESCE(jsonb_agg((to_jsonb(a.*) - 'delivery_id'::text) ORDER BY a.number), '[]'::jsonb) AS "coalesce"
           FROM messaging.webhook_attempts a
          WHERE (a.delivery_id = d.id)) AS history
   FROM (messaging.webhook_deliveries d
     JOIN messaging.webhook_endpoint_details e ON ((e.id = d.endpoint_id)));

COMMENT ON VIEW messaging.webhook_delivery_details IS 'What was sent to the endpoints of the caller''s organization, and what came of each attempt.';

CREATE TABLE messaging.webhook_secrets (
    endpoint_id uuid NOT NULL,
    secret text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    sealed text,
    key_id text GENERATED ALWAYS AS (split_part(sealed, '.'::text, 2)) STORED,
    CONSTRAINT sealed_names_its_key CHECK (((sealed ~ '^v1\.[A-Za-z0-9_-]{1,32}\.[A-Za-z0-9_-]{80,}$'::text) AND (length(sealed) <= 500))),
    CONSTRAINT secret_is_long_enough CHECK ((secret ~ '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'::text)),
    CONSTRAINT secret_is_sealed_or_plain CHECK ((num_nonnulls(secret, sealed) = 1))
);

COMMENT ON TABLE messaging.webhook_secrets IS 'What deliveries are signed with: the current secret, and replaced ones until they expire.';

COMMENT ON COLUMN messaging.webhook_secrets.secret IS 'Plain, from before secrets were sealed; the job seal_webhook_secrets empties it.';

COMMENT ON COLUMN messaging.webhook_secrets.sealed IS 'AES-256-GCM with the endpoint''s id as associated data: v1, the key''s id, and nonce and ciphertext in base64url.';

CREATE TABLE ops.access_log (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    accessed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    organization_id uuid,
    caller_id uuid,
    caller_role text NOT NULL,
    operation text NOT NULL,
    event_id uuid,
    people text[] DEFAULT '{}'::text[] NOT NULL,
    row_count bigint NOT NULL,
    request_id text,
    CONSTRAINT operation_is_a_name CHECK ((operation ~ '^[a-z][a-z_]{0,63}$'::text)),
    CONSTRAINT request_id_is_short CHECK ((length(request_id) <= 200)),
    CONSTRAINT rows_were_read CHECK ((row_count > 0)),
    CONSTRAINT service_has_no_id CHECK (((caller_id IS NOT NULL) OR (caller_role = 'service_role'::text)))
)
PARTITION BY RANGE (accessed_at);

COMMENT ON TABLE ops.access_log IS 'Who read other people''s personal data. Append-only, kept for 13 months.';

COMMENT ON COLUMN ops.access_log.organization_id IS 'Whose customers they are; a read has one row for each.';

COMMENT ON COLUMN ops.access_log.caller_id IS 'Who read; null for the service.';

COMMENT ON COLUMN ops.access_log.people IS 'Ids of the people, or of raters, whose data the rows hold; empty where rows name nobody.';

CREATE TABLE ops.access_log_default (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    accessed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    organization_id uuid,
    caller_id uuid,
    caller_role text NOT NULL,
    operation text NOT NULL,
    event_id uuid,
    people text[] DEFAULT '{}'::text[] NOT NULL,
    row_count bigint NOT NULL,
    request_id text,
    CONSTRAINT operation_is_a_name CHECK ((operation ~ '^[a-z][a-z_]{0,63}$'::text)),
    CONSTRAINT request_id_is_short CHECK ((length(request_id) <= 200)),
    CONSTRAINT rows_were_read CHECK ((row_count > 0)),
    CONSTRAINT service_has_no_id CHECK (((caller_id IS NOT NULL) OR (caller_role = 'service_role'::text)))
);

CREATE TABLE ops.alert_rules (
    name text NOT NULL,
    metric text NOT NULL,
    aggregate text NOT NULL,
    window_seconds integer NOT NULL,
    comparison text DEFAULT '>'::text NOT NULL,
    threshold double precision NOT NULL,
    for_seconds integer DEFAULT 0 NOT NULL,
    cool_down_seconds integer DEFAULT 300 NOT NULL,
    severity text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    CONSTRAINT aggregate_is_known CHECK ((aggregate = ANY (ARRAY['p95'::text, 'average'::text, 'maximum'::text, 'count'::text, 'rate'::text, 'latest'::text]))),
    CONSTRAINT comparison_is_known CHECK ((comparison = ANY (ARRAY['>'::text, '<'::text]))),
    CONSTRAINT cool_down_is_sensible CHECK (((cool_down_seconds >= 0) AND (cool_down_seconds <= 86400))),
    CONSTRAINT for_is_sensible CHECK (((for_seconds >= 0) AND (for_seconds <= 86400))),
    CONSTRAINT severity_is_known CHECK ((severity = ANY (ARRAY['warning'::text, 'critical'::text]))),
    CONSTRAINT window_is_sensible CHECK (((window_seconds >= 10) AND (window_seconds <= 86400)))
);

CREATE TABLE ops.alerts (
    id bigint NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL,
    value double precision,
    pending_since timestamp with time zone NOT NULL,
    fired_at timestamp with time zone,
    resolved_at timestamp with time zone
);

COMMENT ON COLUMN ops.alerts.pending_since IS 'When the threshold was first crossed; it fires after the rule''s for_seconds.';

CREATE VIEW ops.active_alerts WITH (security_invoker='true') AS
 SELECT a.id,
    a.rule,
    a.severity,
    r.metric,
    r.aggregate,
    r.comparison,
    r.threshold,
    a.value,
    a.pending_since,
    a.fired_at
   FROM (ops.alerts a
     JOIN ops.alert_rules r ON ((r.name = a.rule)))
  WHERE ((a.fired_at IS NOT NULL) AND (a.resolved_at IS NULL));

COMMENT ON VIEW ops.active_alerts IS 'Alerts that have fired and not cleared.';

CREATE TABLE ops.alert_recipients (
    email text NOT NULL,
    severity_least text DEFAULT 'warning'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT recipient_has_an_at CHECK (((email ~ '^[^@\s]+@[^@\s]+$'::text) AND (length(email) <= 254))),
    CONSTRAINT severity_least_is_known CHECK ((severity_least = ANY (ARRAY['warning'::text, 'critical'::text])))
);

COMMENT ON TABLE ops.alert_recipients IS 'Who gets an e-mail when an alert is raised or has cleared.';

ALTER TABLE ops.alerts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.alerts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.health_checks (
    name text NOT NULL,
    status text NOT NULL,
    value double precision,
    unit text,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT health_is_known CHECK ((status = ANY (ARRAY['healthy'::text, 'warning'::text, 'critical'::text])))
);

CREATE TABLE ops.idempotency_keys (
    caller_id uuid NOT NULL,
    operation text NOT NULL,
    key character varying(255) NOT NULL,
    request_hash bytea NOT NULL,
    response text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE ops.idempotency_keys IS 'The first answer to each keyed request, kept for a week and given again to the letter.';

CREATE TABLE ops.job_runs (
    id bigint NOT NULL,
    job text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    succeeded boolean,
    result jsonb,
    error text
);

ALTER TABLE ops.job_runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.job_runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.jobs (
    name text NOT NULL,
    late_after_seconds integer NOT NULL,
    expected_since timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT lateness_is_positive CHECK ((late_after_seconds > 0))
);

COMMENT ON TABLE ops.jobs IS 'Jobs that must succeed from time to time; one that has not for so long is late.';

CREATE TABLE ops.limits (
    name text NOT NULL,
    value integer NOT NULL,
    meaning text NOT NULL,
    CONSTRAINT limit_is_not_negative CHECK ((value >= 0)),
    CONSTRAINT one_booking_fits CHECK (((name <> 'seats_per_person_and_event'::text) OR (value >= 20)))
);

COMMENT ON TABLE ops.limits IS 'Counts that nobody exceeds, in all organizations. Change `value` without a deployment; a deleted row is no limit.';

CREATE TABLE ops.migrations (
    file text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE ops.migrations IS 'The migrations that ran, with the checksums of their files.';

CREATE TABLE ops.partition_policies (
    table_name text NOT NULL,
    months_behind integer DEFAULT 1 NOT NULL,
    months_ahead integer NOT NULL,
    retention_months integer,
    CONSTRAINT months_ahead_is_sensible CHECK (((months_ahead >= 1) AND (months_ahead <= 60))),
    CONSTRAINT months_behind_is_sensible CHECK (((months_behind >= 0) AND (months_behind <= 120))),
    CONSTRAINT retention_is_sensible CHECK (((retention_months >= 1) AND (retention_months <= 240)))
);

COMMENT ON TABLE ops.partition_policies IS 'Tables partitioned by month: which months exist ahead, and after how many a month is dropped (null: never).';

COMMENT ON COLUMN ops.partition_policies.table_name IS 'With its schema: events.events.';

CREATE TABLE ops.performance_metrics (
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL
)
PARTITION BY RANGE (recorded_at);

CREATE TABLE ops.performance_metrics_default (
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    name text NOT NULL,
    value double precision NOT NULL,
    unit text NOT NULL,
    tags jsonb DEFAULT '{}'::jsonb NOT NULL
);

CREATE TABLE ops.performance_metrics_hourly (
    hour timestamp with time zone NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    minimum double precision NOT NULL,
    maximum double precision NOT NULL,
    p50 double precision NOT NULL,
    p95 double precision NOT NULL
);

CREATE TABLE ops.rate_limit_rules (
    operation text NOT NULL,
    per_minute integer NOT NULL,
    burst integer NOT NULL,
    address_per_minute integer NOT NULL,
    address_burst integer NOT NULL,
    CONSTRAINT address_burst_is_positive CHECK ((address_burst > 0)),
    CONSTRAINT address_rate_is_positive CHECK ((address_per_minute > 0)),
    CONSTRAINT burst_is_positive CHECK ((burst > 0)),
    CONSTRAINT rate_is_positive CHECK ((per_minute > 0))
);

COMMENT ON TABLE ops.rate_limit_rules IS 'How often one caller, and one source address, may do a thing.';

CREATE UNLOGGED TABLE ops.rate_limits (
    operation text NOT NULL,
    subject text NOT NULL,
    full_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE ops.rate_limits IS 'Token buckets, one timestamp each: when the bucket will be full again. Lost in a crash, which costs nobody anything.';

CREATE TABLE ops.repeatables (
    file text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE ops.repeatables IS 'The routines and views that exist, with the checksums of their files.';

ALTER TABLE ops.retention ALTER COLUMN place ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.retention_place_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.state_history (
    id bigint NOT NULL,
    machine text NOT NULL,
    subject_id uuid NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    actor_id uuid,
    actor_role text NOT NULL,
    reason text,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE ops.state_history IS 'Every change of state, who made it and why. The first state is the row''s own creation.';

ALTER TABLE ops.state_history ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.state_history_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ops.transitions (
    machine text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    CONSTRAINT state_changes CHECK ((from_state <> to_state))
);

COMMENT ON TABLE ops.transitions IS 'Which state may follow which; ops.enforce_transition refuses the rest.';

CREATE TABLE organizations.memberships (
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    role organizations.member_role NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE organizations.payout_accounts (
    organization_id uuid NOT NULL,
    stripe_account_id text NOT NULL,
    charges_enabled boolean DEFAULT false NOT NULL,
    payouts_enabled boolean DEFAULT false NOT NULL,
    details_submitted boolean DEFAULT false NOT NULL,
    requirements jsonb DEFAULT '{}'::jsonb NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE organizations.payout_accounts IS 'The Connect account through which Stripe pays an organizer.';

CREATE TABLE organizations.payout_settings (
    organization_id uuid NOT NULL,
    fee_bps integer DEFAULT 500 NOT NULL,
    fee_refunded boolean DEFAULT true NOT NULL,
    invoices_allowed boolean DEFAULT false NOT NULL,
    payment_minutes integer DEFAULT 15 NOT NULL,
    CONSTRAINT fee_is_a_share CHECK (((fee_bps >= 0) AND (fee_bps <= 10000))),
    CONSTRAINT payment_time_is_short CHECK (((payment_minutes >= 1) AND (payment_minutes <= 120)))
);

COMMENT ON TABLE organizations.payout_settings IS 'What the platform keeps of an organizer''s sales, and how its customers may pay. No row: the defaults.';

COMMENT ON COLUMN organizations.payout_settings.fee_bps IS 'The platform''s share of a sale, in hundredths of a percent.';

COMMENT ON COLUMN organizations.payout_settings.fee_refunded IS 'Whether the platform gives its share back with a refund.';

COMMENT ON COLUMN organizations.payout_settings.payment_minutes IS 'How long seats are kept for somebody who pays by card or TWINT.';

CREATE TABLE organizations.policies (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    opens_days_before integer,
    closes_minutes_before integer DEFAULT 0 NOT NULL,
    cancel_hours_before integer DEFAULT 24 NOT NULL,
    late_fee_cents bigint DEFAULT 0 NOT NULL,
    late_credit_lost boolean DEFAULT true NOT NULL,
    no_show_fee_cents bigint DEFAULT 0 NOT NULL,
    refund_to text DEFAULT 'original'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seats_max_per_person integer DEFAULT 20,
    CONSTRAINT cancel_within_a_quarter CHECK (((cancel_hours_before >= 0) AND (cancel_hours_before <= 2160))),
    CONSTRAINT closes_within_a_month CHECK (((closes_minutes_before >= '-1440'::integer) AND (closes_minutes_before <= 43200))),
    CONSTRAINT late_fee_is_not_negative CHECK ((late_fee_cents >= 0)),
    CONSTRAINT no_show_fee_is_not_negative CHECK ((no_show_fee_cents >= 0)),
    CONSTRAINT opens_within_two_years CHECK (((opens_days_before >= 0) AND (opens_days_before <= 730))),
    CONSTRAINT policy_name_is_readable CHECK (ops.is_line(name)),
    CONSTRAINT policy_name_is_short CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT refund_to_is_known CHECK ((refund_to = ANY (ARRAY['original'::text, 'wallet'::text]))),
    CONSTRAINT seats_per_person_are_sensible CHECK (((seats_max_per_person >= 1) AND (seats_max_per_person <= 1000)))
);

COMMENT ON COLUMN organizations.policies.opens_days_before IS 'Booking opens so many days before the start; null: at once.';

COMMENT ON COLUMN organizations.policies.closes_minutes_before IS 'Sales end so many minutes before the start; negative: after it.';

COMMENT ON COLUMN organizations.policies.seats_max_per_person IS 'Seats that a customer has at an event at most, with guests, holds and waits; null: the platform''s maximum.';

CREATE VIEW payments.account_balances WITH (security_invoker='true') AS
 SELECT id AS account_id,
    owner_kind,
    owner_id,
    organization_id,
    type,
    currency,
    (payments.normal_side(type) * payments.signed_balance(id)) AS balance_cents
   FROM payments.accounts a;

COMMENT ON VIEW payments.account_balances IS 'What each account holds, in its normal sign.';

CREATE TABLE payments.balances (
    account_id uuid NOT NULL,
    balance_cents payments.guarded_cents DEFAULT 0 NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.02');

COMMENT ON TABLE payments.balances IS 'Balances of guarded accounts, in their normal sign; kept by the trigger that follows entries.';

CREATE VIEW payments.clearing_movements WITH (security_invoker='true') AS
 SELECT t.id AS transaction_id,
        CASE split_part((o.idempotency_key)::text, ':'::text, 1)
            WHEN 'payment'::text THEN i.stripe_charge_id
            WHEN 'stripe_fee'::text THEN i.stripe_charge_id
            WHEN 'refund_sent'::text THEN r.stripe_refund_id
            WHEN 'transfer'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'transfer_reversal'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'dispute'::text THEN split_part((o.idempotency_key)::text, ':'::text, 2)
            WHEN 'stripe_balance'::text THEN COALESCE(b.source_id, b.id)
            ELSE NULL::text
        END AS source_id,
    a.currency,
    e.amount_cents,
    t.recorded_at
   FROM ((((((payments.entries e
     JOIN payments.accounts a ON (((a.id = e.account_id) AND (a.type = 'clearing'::payments.account_type))))
     JOIN payments.transactions t ON ((t.id = e.transaction_id)))
     JOIN payments.transactions o ON ((o.id = COALESCE(t.reverses_id, t.id))))
     LEFT JOIN payments.intents i ON (((i.id = o.reference_id) AND ((o.reference_type)::text = 'payment'::text))))
     LEFT JOIN payments.refunds r ON (((r.id = o.reference_id) AND ((o.reference_type)::text = 'refund'::text))))
     LEFT JOIN payments.balance_transactions b ON ((((o.kind)::text = 'stripe_balance'::text) AND (b.id = split_part((o.idempotency_key)::text, ':'::text, 2)))));

COMMENT ON VIEW payments.clearing_movements IS 'What each posting did to the clearing account, and which thing of Stripe''s it was about.';

CREATE TABLE payments.credit_lots (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    kind payments.credit_kind NOT NULL,
    source payments.credit_source NOT NULL,
    organization_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    account_id uuid,
    currency character(3),
    amount payments.credit_amount NOT NULL,
    remaining payments.credit_rest NOT NULL,
    lapsed payments.credit_rest DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone DEFAULT 'infinity'::timestamp with time zone NOT NULL,
    categories text[],
    booking_id uuid,
    purchase_id uuid,
    refund_id uuid,
    note text,
    granted_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT credit_note_is_readable CHECK (ops.is_text(note)),
    CONSTRAINT credit_note_is_short CHECK ((length(note) <= 500)),
    CONSTRAINT lot_holds_no_more_than_was_given CHECK ((((remaining)::bigint + (lapsed)::bigint) <= (amount)::bigint)),
    CONSTRAINT only_passes_admit_to_categories CHECK (((kind = 'pass'::payments.credit_kind) OR (categories IS NULL))),
    CONSTRAINT wallet_lots_are_money CHECK ((((kind = 'wallet'::payments.credit_kind) = (account_id IS NOT NULL)) AND ((kind = 'wallet'::payments.credit_kind) = (currency IS NOT NULL))))
);

COMMENT ON TABLE payments.credit_lots IS 'Credits of a customer at an organization as they came in: wallet money in cents, or units of a pass.';

COMMENT ON COLUMN payments.credit_lots.account_id IS 'The wallet in the ledger; what its lots have left is what it holds. Null for passes.';

COMMENT ON COLUMN payments.credit_lots.remaining IS 'What is left. Changed only while the wallet''s balance is locked, or, for a pass, the lot itself.';

COMMENT ON COLUMN payments.credit_lots.lapsed IS 'What expired unused.';

COMMENT ON COLUMN payments.credit_lots.booking_id IS 'The booking whose promo code gave it.';

CREATE TABLE payments.credit_uses (
    booking_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    purpose payments.credit_use NOT NULL,
    amount payments.credit_amount NOT NULL,
    returned payments.credit_rest DEFAULT 0 NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT never_more_returned_than_was_used CHECK (((returned)::bigint <= (amount)::bigint))
);

COMMENT ON TABLE payments.credit_uses IS 'What a booking took from which lot, and how much of it came back.';

CREATE VIEW payments.credits WITH (security_invoker='true') AS
 SELECT id,
    kind,
    source,
    organization_id,
    customer_id,
    currency,
    amount,
    remaining,
    NULLIF(expires_at, 'infinity'::timestamp with time zone) AS expires_at,
    categories,
    created_at
   FROM payments.credit_lots l
  WHERE (((remaining)::bigint > 0) AND (expires_at > statement_timestamp()));

COMMENT ON VIEW payments.credits IS 'Credits that can be used now.';

CREATE TABLE payments.differences (
    id bigint NOT NULL,
    source_id text NOT NULL,
    currency character(3) NOT NULL,
    reason text NOT NULL,
    stripe_cents bigint NOT NULL,
    ledger_cents bigint NOT NULL,
    opened_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    resolved_at timestamp with time zone,
    CONSTRAINT reason_is_known CHECK ((reason = ANY (ARRAY['not_in_ledger'::text, 'not_at_stripe'::text, 'amount_differs'::text])))
);

COMMENT ON TABLE payments.differences IS 'Where the clearing account and Stripe''s balance say something else about the same thing, since when, until when.';

ALTER TABLE payments.differences ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME payments.differences_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE payments.disputes (
    stripe_dispute_id text NOT NULL,
    intent_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    amount_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    reason text,
    status text NOT NULL,
    withdrawn boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON COLUMN payments.disputes.withdrawn IS 'Whether Stripe has taken the money back from the platform.';

CREATE VIEW payments.fee_states WITH (security_invoker='true') AS
 SELECT id,
    booking_id,
    organization_id,
    customer_id,
    amount_cents,
    currency,
    paid_from,
    charged_at,
    COALESCE(paid_at,
        CASE
            WHEN (paid_from = 'wallet'::text) THEN charged_at
            ELSE NULL::timestamp with time zone
        END) AS paid_at,
    taken_back_at,
    reason,
        CASE
            WHEN (taken_back_at IS NOT NULL) THEN 'taken_back'::text
            WHEN ((paid_from = 'wallet'::text) OR (paid_at IS NOT NULL)) THEN 'paid'::text
            ELSE 'owed'::text
        END AS status
   FROM payments.fees f;

COMMENT ON VIEW payments.fee_states IS 'What not coming cost, and whether it is still owed.';

CREATE TABLE payments.invoice_numbers (
    organization_id uuid NOT NULL,
    last integer NOT NULL
);

COMMENT ON TABLE payments.invoice_numbers IS 'The last number of each organization''s series. Whoever takes a number locks the row, last of all locks.';

CREATE TABLE payments.invoice_payments (
    invoice_id uuid NOT NULL,
    amount_cents payments.credit_amount NOT NULL,
    transaction_id uuid NOT NULL,
    recorded_by uuid,
    paid_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE payments.invoice_payments IS 'What an invoice was paid with, at the organizer''s own bank.';

CREATE TABLE payments.invoices (
    id uuid DEFAULT ops.uuid_v7() NOT NULL,
    organization_id uuid NOT NULL,
    number integer NOT NULL,
    kind payments.invoice_kind NOT NULL,
    booking_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    corrects_id uuid,
    refund_id uuid,
    seller jsonb NOT NULL,
    buyer jsonb NOT NULL,
    lines jsonb NOT NULL,
    net_cents payments.cents NOT NULL,
    tax_cents payments.cents NOT NULL,
    gross_cents payments.cents NOT NULL,
    currency character(3) NOT NULL,
    tax_bps integer NOT NULL,
    tax_country character(2) NOT NULL,
    issued_at timestamp with time zone DEFAULT now() NOT NULL,
    due_on date,
    CONSTRAINT credit_notes_correct_an_invoice CHECK ((((kind = 'credit_note'::payments.invoice_kind) = (corrects_id IS NOT NULL)) AND ((kind = 'credit_note'::payments.invoice_kind) = (refund_id IS NOT NULL)) AND ((kind = 'invoice'::payments.invoice_kind) = (due_on IS NOT NULL)))),
    CONSTRAINT gross_is_net_and_tax CHECK (((gross_cents)::bigint = ((net_cents)::bigint + (tax_cents)::bigint))),
    CONSTRAINT numbers_begin_with_one CHECK ((number > 0))
);

COMMENT ON TABLE payments.invoices IS 'Invoices and credit notes, in one series without gaps per organization. What was issued is never changed.';

COMMENT ON COLUMN payments.invoices.seller IS 'As it was when issued, like the buyer and the lines.';

CREATE VIEW payments.invoice_states WITH (security_invoker='true') AS
 SELECT i.id,
    i.organization_id,
    i.customer_id,
    i.booking_id,
    i.number,
    i.kind,
    i.corrects_id,
    i.seller,
    i.buyer,
    i.lines,
    i.net_cents,
    i.tax_cents,
    i.gross_cents,
    i.currency,
    i.tax_bps,
    i.tax_country,
    i.issued_at,
    i.due_on,
    c.credited_cents,
    p.paid_at,
    COALESCE((p.amount_cents)::bigint, (0)::bigint) AS paid_cents,
        CASE
            WHEN ((i.kind = 'invoice'::payments.invoice_kind) AND (p.invoice_id IS NULL)) THEN ((i.gross_cents)::bigint - c.credited_cents)
            ELSE (0)::bigint
        END AS open_cents,
        CASE
            WHEN (i.kind = 'credit_note'::payments.invoice_kind) THEN 'issued'::text
            WHEN (p.invoice_id IS NOT NULL) THEN 'paid'::text
            WHEN (c.credited_cents >= (i.gross_cents)::bigint) THEN 'corrected'::text
            WHEN (i.due_on < ((statement_timestamp() AT TIME ZONE o.time_zone))::date) THEN 'overdue'::text
            ELSE 'open'::text
        END AS status,
    ((i.issued_at AT TIME ZONE o.time_zone))::date AS issued_on
   FROM (((payments.invoices i
     JOIN organizations.organizations o ON ((o.id = i.organization_id)))
     LEFT JOIN payments.invoice_payments p ON ((p.invoice_id = i.id)))
     CROSS JOIN LATERAL ( SELECT (COALESCE(sum((n.gross_cents)::bigint), (0)::numeric))::bigint AS credited_cents
           FROM payments.invoices n
          WHERE (n.corrects_id = i.id)) c);

COMMENT ON VIEW payments.invoice_states IS 'Invoices and credit notes with what is still open of them.';

CREATE VIEW payments.overdue_invoices WITH (security_invoker='true') AS
 SELECT i.id,
    i.organization_id,
    i.customer_id,
    i.number,
    i.open_cents,
    i.currency,
    i.due_on,
    (((statement_timestamp() AT TIME ZONE o.time_zone))::date - i.due_on) AS days_overdue
   FROM (payments.invoice_states i
     JOIN organizations.organizations o ON ((o.id = i.organization_id)))
  WHERE (i.status = 'overdue'::text)
  ORDER BY i.due_on, i.organization_id, i.number;

COMMENT ON VIEW payments.overdue_invoices IS 'Invoices that are open past their day, the longest first.';

CREATE TABLE payments.payouts (
    stripe_payout_id text NOT NULL,
    organization_id uuid,
    amount_cents bigint NOT NULL,
    currency character(3) NOT NULL,
    status text NOT NULL,
    arrives_on date,
    failure_code text,
    failure_message text,
    observed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE payments.payouts IS 'Money that Stripe pays to a bank: the platform''s, or an organizer''s.';

COMMENT ON COLUMN payments.payouts.organization_id IS 'Whose Stripe balance it leaves; null: the platform''s.';

CREATE TABLE payments.promo_uses (
    booking_id uuid NOT NULL,
    promo_code_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    discount_cents payments.cents NOT NULL,
    used_at timestamp with time zone DEFAULT now() NOT NULL,
    given_back_at timestamp with time zone
);

COMMENT ON TABLE payments.promo_uses IS 'A promo code, used by a booking; given back where nothing came of it.';

CREATE TABLE payments.seals (
    account_id uuid NOT NULL,
    "position" bigint NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    amount_cents bigint NOT NULL,
    balance_cents bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    latest_recorded_at timestamp with time zone NOT NULL,
    hash bytea NOT NULL
);

COMMENT ON TABLE payments.seals IS 'The chain of each account''s entries, in the order in which they were sealed, with the balance after each.';

COMMENT ON COLUMN payments.seals.balance_cents IS 'Sum of the amounts so far: debits less credits.';

COMMENT ON COLUMN payments.seals.latest_recorded_at IS 'The latest recorded_at so far.';

COMMENT ON COLUMN payments.seals.hash IS 'SHA-256 of the hash before it and of payments.canonical_entry.';

CREATE TABLE payments.unsealed_entries (
    account_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    line smallint NOT NULL,
    amount_cents bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL
)
WITH (autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_insert_scale_factor='0.1');

COMMENT ON TABLE payments.unsealed_entries IS 'Entries that no seal covers yet: written with each entry, removed by payments.seal_entries.';

CREATE VIEW payments.statement_lines WITH (security_invoker='true') AS
 SELECT l.account_id,
    l.number,
    a.type,
    a.currency,
    t.id AS transaction_id,
    l.line,
    t.kind,
    t.reference_type,
    t.reference_id,
    t.description,
    t.occurred_at,
    t.recorded_at,
    t.reverses_id,
    (payments.normal_side(a.type) * l.amount_cents) AS amount_cents,
    (payments.normal_side(a.type) * l.balance_cents) AS balance_cents,
    l.is_sealed
   FROM ((( SELECT s.account_id,
            s.transaction_id,
            s.line,
            s.amount_cents,
            s.balance_cents,
            s."position" AS number,
            true AS is_sealed
           FROM payments.seals s
        UNION ALL
         SELECT u.account_id,
            u.transaction_id,
            u.line,
            u.amount_cents,
            (((COALESCE(h.balance_cents, (0)::bigint))::numeric + sum(u.amount_cents) OVER so_far))::bigint AS balance_cents,
            (COALESCE(h."position", (0)::bigint) + row_number() OVER so_far) AS number,
            false AS is_sealed
           FROM (payments.unsealed_entries u
             LEFT JOIN LATERAL ( SELECT s."position",
                    s.balance_cents
                   FROM payments.seals s
                  WHERE (s.account_id = u.account_id)
                  ORDER BY s."position" DESC
                 LIMIT 1) h ON (true))
          WINDOW so_far AS (PARTITION BY u.account_id ORDER BY u.recorded_at, u.transaction_id, u.line ROWS UNBOUNDED PRECEDING)) l
     JOIN payments.accounts a ON ((l.account_id = a.id)))
     JOIN payments.transactions t ON ((l.transaction_id = t.id)));

COMMENT ON VIEW payments.statement_lines IS 'What moved in each account, in order, with what it held after each.';

CREATE TABLE payments.transfers (
    stripe_transfer_id text NOT NULL,
    organization_id uuid NOT NULL,
    stripe_account_id text NOT NULL,
    amount_cents payments.cents NOT NULL,
    reversed_cents payments.cents DEFAULT 0 NOT NULL,
    currency character(3) NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT never_reversed_beyond_the_transfer CHECK (((reversed_cents)::bigint <= (amount_cents)::bigint))
);

COMMENT ON TABLE payments.transfers IS 'Money that went from the platform''s balance at Stripe to an organizer''s, and what of it came back.';

CREATE TABLE payments.webhook_inbox (
    event_id text NOT NULL,
    account text,
    type text NOT NULL,
    api_version text,
    livemode boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    payload json NOT NULL,
    received_at timestamp with time zone NOT NULL,
    caught_up boolean DEFAULT false NOT NULL,
    status payments.webhook_status DEFAULT 'received'::payments.webhook_status NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    postponements integer DEFAULT 0 NOT NULL,
    available_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    handled_at timestamp with time zone,
    result jsonb,
    last_error text,
    CONSTRAINT event_id_is_stripes CHECK ((event_id ~ '^evt_[A-Za-z0-9_]{1,250}$'::text)),
    CONSTRAINT handled_says_when CHECK (((status = ANY (ARRAY['handled'::payments.webhook_status, 'ignored'::payments.webhook_status])) = (handled_at IS NOT NULL))),
    CONSTRAINT parked_says_why CHECK (((status <> 'parked'::payments.webhook_status) OR (last_error IS NOT NULL)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE payments.webhook_inbox IS 'Events of Stripe, each once by its id. What is answered 200 stands here; what is here is handled, ignored or parked.';

COMMENT ON COLUMN payments.webhook_inbox.account IS 'The connected account whose event it is; null: our own.';

COMMENT ON COLUMN payments.webhook_inbox.created_at IS 'When it happened, by Stripe.';

COMMENT ON COLUMN payments.webhook_inbox.payload IS 'As it was sent, to the letter (json and not jsonb: it may hold what jsonb cannot).';

COMMENT ON COLUMN payments.webhook_inbox.caught_up IS 'Found in Stripe''s list of events and not sent to us.';

COMMENT ON COLUMN payments.webhook_inbox.attempts IS 'How often it was begun; after five failures it is parked.';

COMMENT ON COLUMN payments.webhook_inbox.postponements IS 'How often Stripe or we were not to be had; these do not count.';

COMMENT ON COLUMN payments.webhook_inbox.available_at IS 'The sweep leaves it alone until then.';

COMMENT ON COLUMN payments.webhook_inbox.lease_until IS 'Somebody is at it until then; afterwards another may.';

CREATE VIEW public.active_alerts WITH (security_invoker='true') AS
 SELECT id,
    rule AS rule_name,
    severity,
    metric AS metric_name,
    value AS current_value,
    threshold AS threshold_value,
    fired_at AS triggered_at,
    (statement_timestamp() - fired_at) AS duration
   FROM ops.active_alerts a;

COMMENT ON VIEW public.active_alerts IS 'What is wrong now; see ops.active_alerts.';

CREATE VIEW public.class_events WITH (security_invoker='true') AS
 SELECT e.id,
    e.series_id,
    e.organization_id,
    e.title,
    e.description,
    e.starts_at AS start_at,
    e.ends_at AS end_at,
    e.time_zone AS timezone,
    e.price_cents,
    e.currency,
    e.status,
    e.visibility,
    e.location_id,
    e.instructor_id,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS reg_count,
    (i.waitlisted)::integer AS waitlist_count,
    e.created_at,
    e.updated_at
   FROM (events.events e
     JOIN events.inventory i ON ((e.id = i.event_id)));

COMMENT ON VIEW public.class_events IS 'events.events with their seats under its earlier name; always as fresh as the tables.';

CREATE VIEW public.class_series WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    title,
    description,
    category,
    recurrence AS recurrence_rule,
    local_start_time AS start_time,
    time_zone AS timezone,
    start_date,
    end_date,
    duration_minutes,
    capacity,
    price_cents,
    currency,
    location_id,
    instructor_id,
    policy_id,
    status,
    created_at,
    updated_at
   FROM events.series s;

COMMENT ON VIEW public.class_series IS 'events.series under its earlier name; always as fresh as the table.';

CREATE VIEW public.customer_dashboard_mv AS
SELECT
    NULL::uuid AS customer_id,
    NULL::uuid AS organization_id,
    NULL::text AS organization_name,
    NULL::text AS time_zone,
    NULL::bigint AS total_bookings,
    NULL::bigint AS pending_bookings,
    NULL::bigint AS confirmed_bookings,
    NULL::bigint AS cancelled_bookings,
    NULL::bigint AS refunded_bookings,
    NULL::bigint AS attended_bookings,
    NULL::bigint AS no_show_bookings,
    NULL::bigint AS expired_bookings,
    NULL::bigint AS upcoming_bookings,
    NULL::timestamp with time zone AS next_event_at,
    NULL::timestamp with time zone AS last_booking_at,
    NULL::bigint AS total_spent_cents,
    NULL::character(3) AS currency,
    NULL::bigint AS waitlist_places;

COMMENT ON VIEW public.customer_dashboard_mv IS 'What customers booked, spent and wait for, by organization.';

CREATE VIEW public.event_search_mv WITH (security_invoker='true') AS
 SELECT e.id AS event_id,
    e.series_id,
    e.organization_id,
    o.name AS organization_name,
    e.title,
    e.description,
    e.category,
    e.starts_at AS start_at,
    e.ends_at AS end_at,
    e.time_zone AS timezone,
    e.price_cents,
    e.currency,
    events.price_tier(e.price_cents, (c.decimal_places)::integer) AS price_tier,
    e.location_id,
    l.name AS location_name,
    l.city,
    l.country,
    e.instructor_id,
    p.name AS instructor_name,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS reg_count,
    (((i.capacity)::integer - (i.taken)::integer) - (i.held)::integer) AS available_spots,
    events.availability((i.capacity)::integer, (i.taken)::integer, (i.held)::integer) AS availability_status,
    e.search AS search_vector
   FROM (((((events.events e
     JOIN events.inventory i ON ((e.id = i.event_id)))
     JOIN organizations.organizations o ON ((e.organization_id = o.id)))
     JOIN ref.currencies c ON ((e.currency = c.code)))
     LEFT JOIN organizations.locations l ON ((e.location_id = l.id)))
     LEFT JOIN organizations.instructors p ON ((e.instructor_id = p.id)))
  WHERE ((e.visibility = 'public'::events.visibility) AND (e.status = 'scheduled'::events.event_status));

COMMENT ON VIEW public.event_search_mv IS 'Public scheduled events as the earlier system searched them; always fresh.';

CREATE VIEW public.event_waitlists WITH (security_invoker='true') AS
 SELECT id,
    event_id,
    customer_id,
    seats,
    place AS "position",
    status,
    offered_at AS promoted_at,
    offer_expires_at AS expires_at,
    joined_at AS created_at
   FROM events.waitlist_entries w;

COMMENT ON VIEW public.event_waitlists IS 'events.waitlist_entries under its earlier name; always as fresh as the table.';

CREATE VIEW public.events WITH (security_invoker='true') AS
 SELECT id,
    organization_id,
    series_id,
    title,
    description,
    category,
    starts_at,
    ends_at,
    time_zone AS timezone,
    price_cents,
    currency,
    status,
    visibility,
    location_id,
    instructor_id,
    created_at,
    updated_at
   FROM events.events e;

COMMENT ON VIEW public.events IS 'events.events under its earlier name; always as fresh as the table.';

CREATE VIEW public.health_checks WITH (security_invoker='true') AS
 SELECT name AS check_name,
    status,
    value,
    unit,
    details,
    checked_at
   FROM ops.health_checks c
  WHERE (value IS NOT NULL);

COMMENT ON VIEW public.health_checks IS 'The state of every health check; see ops.health_checks.';

CREATE VIEW public.instructor_schedule_mv WITH (security_invoker='true') AS
 SELECT e.instructor_id,
    p.name AS instructor_name,
    e.organization_id,
    e.id AS event_id,
    e.series_id,
    e.title,
    e.status,
    e.starts_at,
    e.ends_at,
    (e.starts_at AT TIME ZONE e.time_zone) AS local_start,
    (e.ends_at AT TIME ZONE e.time_zone) AS local_end,
    e.time_zone,
    l.name AS location_name,
    (i.capacity)::integer AS capacity,
    (i.taken)::integer AS seats_taken,
    (i.held)::integer AS seats_held,
    (i.waitlisted)::integer AS waitlisted,
    round(((100.0 * (i.taken)::numeric) / (NULLIF((i.capacity)::integer, 0))::numeric), 1) AS utilization_percent,
    ( SELECT (COALESCE(sum((b.seats)::smallint), (0)::bigint))::integer AS "coalesce"
           FROM events.bookings b
          WHERE ((b.event_id = e.id) AND (b.status = 'attended'::events.booking_status))) AS attended
   FROM (((events.events e
     JOIN events.inventory i ON ((i.event_id = e.id)))
     JOIN organizations.instructors p ON ((p.id = e.instructor_id)))
     LEFT JOIN organizations.locations l ON ((l.id = e.location_id)));

COMMENT ON VIEW public.instructor_schedule_mv IS 'Events with who leads them, their seats, and how full they are.';

CREATE VIEW public.org_analytics_mv WITH (security_invoker='true') AS
 SELECT o.id AS organization_id,
    o.name AS organization_name,
    o.time_zone,
    o.currency,
    e.total_events,
    e.upcoming_events,
    e.draft_events,
    e.scheduled_events,
    e.cancelled_events,
    e.completed_events,
    b.total_bookings,
    b.pending_bookings,
    b.confirmed_bookings,
    b.cancelled_bookings,
    b.refunded_bookings,
    b.attended_bookings,
    b.no_show_bookings,
    b.expired_bookings,
    e.seats_offered,
    e.seats_taken,
    e.utilization_percent,
    b.revenue_7_days_cents,
    b.revenue_30_days_cents,
    b.revenue_total_cents,
    b.unique_customers,
    b.active_customers,
    w.waitlist_waiting,
    w.waitlist_offered,
    w.waitlist_accepted,
    w.waitlist_total
   FROM ((((organizations.organizations o
     CROSS JOIN LATERAL ( SELECT date_trunc('day'::text, (statement_timestamp() AT TIME ZONE o.time_zone)) AS today) d)
     CROSS JOIN LATERAL ( SELECT count(*) AS total_events,
            count(*) FILTER (WHERE ((t.status = 'scheduled'::events.event_status) AND (t.starts_at > statement_timestamp()))) AS upcoming_events,
            count(*) FILTER (WHERE (t.status = 'draft'::events.event_status)) AS draft_events,
            count(*) FILTER (WHERE (t.status = 'scheduled'::events.event_status)) AS scheduled_events,
            count(*) FILTER (WHERE (t.status = 'cancelled'::events.event_status)) AS cancelled_events,
            count(*) FILTER (WHERE (t.status = 'completed'::events.event_status)) AS completed_events,
            COALESCE(sum((i.capacity)::integer) FILTER (WHERE (t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status]))), (0)::bigint) AS seats_offered,
            COALESCE(sum((i.taken)::integer) FILTER (WHERE (t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status]))), (0)::bigint) AS seats_taken,
            round(((100.0 * (sum((i.taken)::integer) FILTER (WHERE ((t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status])) AND ((i.capacity)::integer > 0))))::numeric) / (NULLIF(sum((i.capacity)::integer) FILTER (WHERE ((t.status = ANY (ARRAY['scheduled'::events.event_status, 'completed'::events.event_status])) AND ((i.capacity)::integer > 0))), 0))::numeric), 1) AS utilization_percent
           FROM (events.terms t
             JOIN events.inventory i ON ((i.event_id = t.event_id)))
          WHERE (t.organization_id = o.id)) e)
     CROSS JOIN LATERAL ( SELECT count(*) AS total_bookings,
            count(*) FILTER (WHERE (b_1.status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status]))) AS pending_bookings,
            count(*) FILTER (WHERE (b_1.status = 'confirmed'::events.booking_status)) AS confirmed_bookings,
            count(*) FILTER (WHERE (b_1.status = 'cancelled'::events.booking_status)) AS cancelled_bookings,
            count(*) FILTER (WHERE (b_1.status = 'refunded'::events.booking_status)) AS refunded_bookings,
            count(*) FILTER (WHERE (b_1.status = 'attended'::events.booking_status)) AS attended_bookings,
            count(*) FILTER (WHERE (b_1.status = 'no_show'::events.booking_status)) AS no_show_bookings,
            count(*) FILTER (WHERE (b_1.status = 'expired'::events.booking_status)) AS expired_bookings,
            (COALESCE(sum(events.spent_cents(b_1.status, (b_1.price_cents)::bigint, (b_1.fee_cents)::bigint)) FILTER (WHERE ((b_1.currency = o.currency) AND (b_1.created_at >= ((d.today - '6 days'::interval) AT TIME ZONE o.time_zone)))), (0)::numeric))::bigint AS revenue_7_days_cents,
            (COALESCE(sum(events.spent_cents(b_1.status, (b_1.price_cents)::bigint, (b_1.fee_cents)::bigint)) FILTER (WHERE ((b_1.currency = o.currency) AND (b_1.created_at >= ((d.today - '29 days'::interval) AT TIME ZONE o.time_zone)))), (0)::numeric))::bigint AS revenue_30_days_cents,
            (COALESCE(sum(events.spent_cents(b_1.status, (b_1.price_cents)::bigint, (b_1.fee_cents)::bigint)) FILTER (WHERE (b_1.currency = o.currency)), (0)::numeric))::bigint AS revenue_total_cents,
            count(DISTINCT b_1.customer_id) FILTER (WHERE (b_1.status <> 'expired'::events.booking_status)) AS unique_customers,
            count(DISTINCT b_1.customer_id) FILTER (WHERE ((b_1.status <> 'expired'::events.booking_status) AND (b_1.created_at >= ((d.today - '29 days'::interval) AT TIME ZONE o.time_zone)))) AS active_customers
           FROM events.bookings b_1
          WHERE (b_1.organization_id = o.id)) b)
     CROSS JOIN LATERAL ( SELECT count(*) FILTER (WHERE (w_1.status = 'waiting'::events.waitlist_status)) AS waitlist_waiting,
            count(*) FILTER (WHERE (w_1.status = 'offered'::events.waitlist_status)) AS waitlist_offered,
            count(*) FILTER (WHERE (w_1.status = 'accepted'::events.waitlist_status)) AS waitlist_accepted,
            count(*) AS waitlist_total
           FROM (events.waitlist_entries w_1
             JOIN events.terms t ON ((t.event_id = w_1.event_id)))
          WHERE (t.organization_id = o.id)) w);

COMMENT ON VIEW public.org_analytics_mv IS 'How organizations do: events, bookings, utilization, revenue, customers, waitlists.';

CREATE TABLE public.outbox (
    id bigint NOT NULL,
    topic character varying(100) NOT NULL,
    key character varying(200) NOT NULL,
    payload jsonb NOT NULL,
    correlation_id text DEFAULT ((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'correlation_id'::text),
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    available_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    relayed_at timestamp with time zone,
    parked_at timestamp with time zone
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE public.outbox IS 'Messages to the world. Relayed in order per key, at least once; a poisoned row is parked and holds up nobody.';

COMMENT ON COLUMN public.outbox.key IS 'What the message is about: messages of one key are relayed in order.';

COMMENT ON COLUMN public.outbox.lease_until IS 'A relay works on it until then; afterwards another may.';

COMMENT ON COLUMN public.outbox.attempts IS 'How often it could not be sent; after five it is parked.';

ALTER TABLE public.outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.performance_metrics WITH (security_invoker='true') AS
 SELECT name AS metric_name,
    value AS metric_value,
    unit AS metric_unit,
    tags,
    recorded_at
   FROM ops.performance_metrics m;

COMMENT ON VIEW public.performance_metrics IS 'Measurements; see ops.performance_metrics.';

CREATE VIEW public.registrations WITH (security_invoker='true') AS
 SELECT id,
    event_id,
    organization_id,
    customer_id,
    seats,
    status,
    payment_method,
    price_cents,
    currency,
    created_at AS booked_at,
    cancelled_at,
    status_reason AS cancellation_reason
   FROM events.bookings b;

COMMENT ON VIEW public.registrations IS 'events.bookings under its earlier name; always as fresh as the table.';

CREATE TABLE rating.calibrations (
    id bigint NOT NULL,
    organization_id uuid NOT NULL,
    began_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    items bigint NOT NULL,
    votes bigint NOT NULL,
    applied bigint NOT NULL,
    before jsonb NOT NULL,
    after jsonb NOT NULL,
    mean_difference double precision NOT NULL,
    largest_difference double precision NOT NULL,
    model rating.model DEFAULT 'bayes'::rating.model NOT NULL,
    voters bigint DEFAULT 0 NOT NULL,
    votes_left_out bigint DEFAULT 0 NOT NULL,
    touched bigint DEFAULT 0 NOT NULL,
    incomplete bigint DEFAULT 0 NOT NULL
);

COMMENT ON TABLE rating.calibrations IS 'Each night''s fit of all votes at once, and how far the running ratings were from it.';

COMMENT ON COLUMN rating.calibrations.applied IS 'Items that took over the fit; those that were voted on meanwhile wait for the next.';

COMMENT ON COLUMN rating.calibrations.before IS 'What was assumed of the population, as after is what is assumed since.';

COMMENT ON COLUMN rating.calibrations.votes_left_out IS 'Votes that were counted and not read, roughly.';

COMMENT ON COLUMN rating.calibrations.touched IS 'Items that would have taken over the fit, had they not been voted on while it was made.';

COMMENT ON COLUMN rating.calibrations.incomplete IS 'Items that counted votes which the fit did not see: archived, beyond its bound, or waiting at their opponent.';

ALTER TABLE rating.calibrations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME rating.calibrations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE SEQUENCE rating.generations
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE rating.dirty_items (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    generation bigint DEFAULT nextval('rating.generations'::regclass) NOT NULL,
    marked_at timestamp with time zone NOT NULL,
    available_at timestamp with time zone NOT NULL,
    lease_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    last_error text,
    CONSTRAINT priority_is_0_to_100 CHECK (((priority >= 0) AND (priority <= 100)))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05');

COMMENT ON TABLE rating.dirty_items IS 'Items of which something is to be counted or published.';

COMMENT ON COLUMN rating.dirty_items.generation IS 'Another one with each marking, and never the same again: a marking while in work is not lost.';

COMMENT ON COLUMN rating.dirty_items.marked_at IS 'Since when it has been waiting.';

COMMENT ON COLUMN rating.dirty_items.available_at IS 'Items are claimed in this order, once it has come: each point of priority counts as twenty seconds of waiting.';

CREATE SEQUENCE rating.event_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE rating.event_keys (
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    content bigint NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE rating.event_keys IS 'Keys of the events that were taken, so that what is sent again is not counted again.';

COMMENT ON COLUMN rating.event_keys.content IS 'A hash of the event: the same key with another content is refused.';

CREATE TABLE rating.fires (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY RANGE (received_at);

COMMENT ON TABLE rating.fires IS 'Who lit an item: each voter once.';

CREATE TABLE rating.fires_default (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE rating.inbox (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    event_id bigint NOT NULL,
    kind rating.event_kind NOT NULL,
    voter_id rating.client_id NOT NULL,
    opponent_id rating.client_id,
    first boolean DEFAULT true NOT NULL,
    score double precision NOT NULL,
    weight smallint DEFAULT 1 NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT score_is_in_its_range CHECK (((score >= (0)::double precision) AND (score <= (
CASE
    WHEN (kind = 'slider'::rating.event_kind) THEN 100
    ELSE 1
END)::double precision))),
    CONSTRAINT votes_have_opponents CHECK (((kind = 'vote'::rating.event_kind) = (opponent_id IS NOT NULL))),
    CONSTRAINT weight_is_one_or_two CHECK ((weight = ANY (ARRAY[1, 2])))
)
WITH (autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.2');

COMMENT ON TABLE rating.inbox IS 'Events that an item has not counted yet, once per item: the batch that counts them deletes them, in one transaction.';

COMMENT ON COLUMN rating.inbox.first IS 'Of the two rows of a vote, the one by which its voter is judged.';

COMMENT ON COLUMN rating.inbox.score IS 'Vote: 1 won, 0 lost. Slider: 0 to 100. Fire: 1.';

CREATE TABLE rating.item_fires (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL
);

COMMENT ON TABLE rating.item_fires IS 'Who has lit which item, for ever: one fire per voter and item.';

CREATE TABLE rating.item_scores (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    score double precision NOT NULL,
    rating_component double precision NOT NULL,
    slider_component double precision NOT NULL,
    fire_component double precision NOT NULL,
    reliability double precision NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    confidence double precision NOT NULL,
    provisional boolean NOT NULL,
    votes bigint NOT NULL,
    sliders bigint NOT NULL,
    fires bigint NOT NULL,
    model rating.model NOT NULL,
    model_version text NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reliability_is_a_share CHECK (((reliability >= (0)::double precision) AND (reliability <= (1)::double precision))),
    CONSTRAINT shares_of_a_hundred CHECK ((((score >= (0)::double precision) AND (score <= (100)::double precision)) AND ((rating_component >= (0)::double precision) AND (rating_component <= (100)::double precision)) AND ((slider_component >= (0)::double precision) AND (slider_component <= (100)::double precision)) AND ((fire_component >= (0)::double precision) AND (fire_component <= (100)::double precision)) AND ((confidence >= (0)::double precision) AND (confidence <= (100)::double precision))))
)
WITH (fillfactor='70');

COMMENT ON TABLE rating.item_scores IS 'The score of an item that everybody sees, with what it is made of.';

COMMENT ON COLUMN rating.item_scores.reliability IS 'Of the raters, from 0 to 1; what it does to the score is the model''s affair.';

COMMENT ON COLUMN rating.item_scores.mean IS 'The rating itself, in its own units; deviation is its standard deviation.';

COMMENT ON COLUMN rating.item_scores.confidence IS 'From 0 to 100.';

CREATE TABLE rating.item_stats (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    model rating.model NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    period bigint DEFAULT 0 NOT NULL,
    base_mean double precision NOT NULL,
    base_deviation double precision NOT NULL,
    score_sum double precision DEFAULT 0 NOT NULL,
    information_sum double precision DEFAULT 0 NOT NULL,
    votes bigint DEFAULT 0 NOT NULL,
    super_votes bigint DEFAULT 0 NOT NULL,
    wins bigint DEFAULT 0 NOT NULL,
    sliders bigint DEFAULT 0 NOT NULL,
    fires bigint DEFAULT 0 NOT NULL,
    slider_sum double precision DEFAULT 0 NOT NULL,
    slider_weight double precision DEFAULT 0 NOT NULL,
    base_slider_sum double precision DEFAULT 0 NOT NULL,
    base_slider_weight double precision DEFAULT 0 NOT NULL,
    fire_weight double precision DEFAULT 0 NOT NULL,
    reliability_sum double precision DEFAULT 0 NOT NULL,
    reliability_count bigint DEFAULT 0 NOT NULL,
    opponents text[] DEFAULT '{}'::text[] NOT NULL,
    slider_voters text[] DEFAULT '{}'::text[] NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT counters_count CHECK (((votes >= 0) AND ((super_votes >= 0) AND (super_votes <= votes)) AND ((wins >= 0) AND (wins <= votes)) AND (sliders >= 0) AND (fires >= 0) AND (reliability_count >= 0))),
    CONSTRAINT deviations_are_positive CHECK (((deviation > (0)::double precision) AND (base_deviation > (0)::double precision))),
    CONSTRAINT state_is_finite CHECK ((((mean - mean) = (0)::double precision) AND ((deviation - deviation) = (0)::double precision) AND ((base_mean - base_mean) = (0)::double precision) AND ((base_deviation - base_deviation) = (0)::double precision) AND ((score_sum - score_sum) = (0)::double precision) AND ((information_sum - information_sum) = (0)::double precision) AND ((slider_sum - slider_sum) = (0)::double precision) AND ((slider_weight - slider_weight) = (0)::double precision) AND ((fire_weight - fire_weight) = (0)::double precision) AND ((base_slider_sum - base_slider_sum) = (0)::double precision) AND ((base_slider_weight - base_slider_weight) = (0)::double precision) AND ((reliability_sum - reliability_sum) = (0)::double precision)))
)
WITH (fillfactor='70');

COMMENT ON TABLE rating.item_stats IS 'What is known of an item: counters and sums to which each event is added once; no event is ever read again.';

COMMENT ON COLUMN rating.item_stats.period IS 'In which the sums were begun; what is called base is the state before it.';

COMMENT ON COLUMN rating.item_stats.score_sum IS 'bayes: the sum of weight · g(s − E) of the period.';

COMMENT ON COLUMN rating.item_stats.information_sum IS 'bayes: the sum of weight · g²E(1 − E) of the period.';

COMMENT ON COLUMN rating.item_stats.slider_sum IS 'Weighted sum of what sliders say, as the model reads them.';

COMMENT ON COLUMN rating.item_stats.fire_weight IS 'Fires, each by the reliability of its voter.';

COMMENT ON COLUMN rating.item_stats.reliability_sum IS 'Sum of the raters'' reliability when their events were counted.';

COMMENT ON COLUMN rating.item_stats.opponents IS 'The first twenty in the order of their ids: enough to tell how many at least.';

COMMENT ON COLUMN rating.item_stats.version IS 'How many batches have changed it.';

CREATE TABLE rating.populations (
    organization_id uuid NOT NULL,
    period bigint DEFAULT 1 NOT NULL,
    period_began_at timestamp with time zone DEFAULT now() NOT NULL,
    prior_mean double precision DEFAULT 1500 NOT NULL,
    prior_deviation double precision DEFAULT 350 NOT NULL,
    slider_mean double precision DEFAULT 50 NOT NULL,
    slider_deviation double precision DEFAULT 15 NOT NULL,
    rater_deviation double precision DEFAULT 10 NOT NULL,
    noise_deviation double precision DEFAULT 15 NOT NULL,
    fires_half double precision DEFAULT 10 NOT NULL,
    honest_share double precision DEFAULT 0.9 NOT NULL,
    items bigint DEFAULT 0 NOT NULL,
    estimated_at timestamp with time zone,
    CONSTRAINT honest_share_is_a_share CHECK (((honest_share > (0)::double precision) AND (honest_share < (1)::double precision))),
    CONSTRAINT spreads_are_positive CHECK (((prior_deviation > (0)::double precision) AND (slider_deviation > (0)::double precision) AND (rater_deviation > (0)::double precision) AND (noise_deviation > (0)::double precision) AND (fires_half > (0)::double precision)))
);

COMMENT ON TABLE rating.populations IS 'What is estimated of an organization''s items and raters as a whole, each night. No row: the defaults of the columns.';

COMMENT ON COLUMN rating.populations.period IS 'All batches of a period are counted against the ratings before it, so that their order and size do not matter.';

COMMENT ON COLUMN rating.populations.prior_mean IS 'With prior_deviation: what a rating is before the first vote.';

COMMENT ON COLUMN rating.populations.rater_deviation IS 'How far the raters'' own means lie apart, in points of sliders.';

COMMENT ON COLUMN rating.populations.noise_deviation IS 'How far a rater''s slider lies from what it should show.';

COMMENT ON COLUMN rating.populations.fires_half IS 'So many fires make half of the fire component.';

COMMENT ON COLUMN rating.populations.honest_share IS 'The share of raters who do not vote at random.';

CREATE TABLE rating.sliders (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    value double precision NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT value_is_0_to_100 CHECK (((value >= (0)::double precision) AND (value <= (100)::double precision)))
)
PARTITION BY RANGE (received_at);

COMMENT ON TABLE rating.sliders IS 'What a voter gave an item, from 0 to 100.';

CREATE TABLE rating.votes (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_a rating.client_id NOT NULL,
    item_b rating.client_id NOT NULL,
    winner rating.client_id NOT NULL,
    kind rating.vote_kind DEFAULT 'normal'::rating.vote_kind NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT items_differ CHECK (((item_a)::text <> (item_b)::text)),
    CONSTRAINT winner_is_one_of_the_two CHECK ((((winner)::text = (item_a)::text) OR ((winner)::text = (item_b)::text)))
)
PARTITION BY RANGE (received_at);

COMMENT ON TABLE rating.votes IS 'Which of two items a voter preferred. Only ever added to, by rating.ingest.';

COMMENT ON COLUMN rating.votes.event_id IS 'From rating.event_ids: the order in which the events of one request count.';

COMMENT ON COLUMN rating.votes.kind IS 'A super vote weighs two.';

COMMENT ON COLUMN rating.votes.occurred_at IS 'When it happened, by the client; nothing is computed from it.';

CREATE VIEW rating.recent_events WITH (security_invoker='true') AS
 SELECT v.organization_id,
    v.event_id,
    'vote'::text AS type,
    (v.key)::text AS key,
    (v.voter_id)::text AS voter_id,
    (v.item_a)::text AS item_a,
    (v.item_b)::text AS item_b,
    (v.winner)::text AS winner,
    (v.kind)::text AS kind,
    NULL::text AS item_id,
    NULL::double precision AS value,
    v.occurred_at,
    v.received_at
   FROM rating.votes v
UNION ALL
 SELECT s.organization_id,
    s.event_id,
    'slider'::text AS type,
    (s.key)::text AS key,
    (s.voter_id)::text AS voter_id,
    NULL::text AS item_a,
    NULL::text AS item_b,
    NULL::text AS winner,
    NULL::text AS kind,
    (s.item_id)::text AS item_id,
    s.value,
    s.occurred_at,
    s.received_at
   FROM rating.sliders s
UNION ALL
 SELECT f.organization_id,
    f.event_id,
    'fire'::text AS type,
    (f.key)::text AS key,
    (f.voter_id)::text AS voter_id,
    NULL::text AS item_a,
    NULL::text AS item_b,
    NULL::text AS winner,
    NULL::text AS kind,
    (f.item_id)::text AS item_id,
    NULL::double precision AS value,
    f.occurred_at,
    f.received_at
   FROM rating.fires f;

COMMENT ON VIEW rating.recent_events IS 'Votes, sliders and fires as one list.';

CREATE TABLE rating.requests (
    request_id uuid NOT NULL,
    part integer NOT NULL,
    parts integer NOT NULL,
    organization_id uuid NOT NULL,
    caller_id uuid,
    results jsonb NOT NULL,
    finished_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT part_is_one_of_them CHECK (((part >= 1) AND (part <= parts)))
);

COMMENT ON TABLE rating.requests IS 'What became of the events of a request that was answered before they were written.';

CREATE TABLE rating.score_history (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    score double precision NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    confidence double precision NOT NULL,
    provisional boolean NOT NULL,
    votes bigint NOT NULL,
    sliders bigint NOT NULL,
    fires bigint NOT NULL,
    model rating.model NOT NULL,
    model_version text NOT NULL,
    published_at timestamp with time zone NOT NULL
)
PARTITION BY RANGE (published_at);

COMMENT ON TABLE rating.score_history IS 'Every score that was ever published, as it was.';

CREATE TABLE rating.score_history_default (
    organization_id uuid NOT NULL,
    item_id rating.client_id NOT NULL,
    score double precision NOT NULL,
    mean double precision NOT NULL,
    deviation double precision NOT NULL,
    confidence double precision NOT NULL,
    provisional boolean NOT NULL,
    votes bigint NOT NULL,
    sliders bigint NOT NULL,
    fires bigint NOT NULL,
    model rating.model NOT NULL,
    model_version text NOT NULL,
    published_at timestamp with time zone NOT NULL
);

CREATE TABLE rating.sliders_default (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_id rating.client_id NOT NULL,
    value double precision NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT value_is_0_to_100 CHECK (((value >= (0)::double precision) AND (value <= (100)::double precision)))
);

CREATE UNLOGGED TABLE rating.voter_days (
    organization_id uuid NOT NULL,
    voter_id rating.client_id NOT NULL,
    day date NOT NULL,
    events integer NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE rating.voter_days IS 'Rating events of a voter in a day (UTC). Lost in a crash, after which the day''s count starts at zero.';

CREATE TABLE rating.voters (
    organization_id uuid NOT NULL,
    voter_id rating.client_id NOT NULL,
    votes bigint DEFAULT 0 NOT NULL,
    agreed bigint DEFAULT 0 NOT NULL,
    expected double precision DEFAULT 0 NOT NULL,
    log_odds double precision DEFAULT 0 NOT NULL,
    period bigint DEFAULT 0 NOT NULL,
    base_log_odds double precision DEFAULT 0 NOT NULL,
    sliders bigint DEFAULT 0 NOT NULL,
    slider_sum double precision DEFAULT 0 NOT NULL,
    slider_square_sum double precision DEFAULT 0 NOT NULL,
    residual_sum double precision DEFAULT 0 NOT NULL,
    residual_square_sum double precision DEFAULT 0 NOT NULL,
    base_sliders bigint DEFAULT 0 NOT NULL,
    base_residual_sum double precision DEFAULT 0 NOT NULL,
    base_residual_square_sum double precision DEFAULT 0 NOT NULL,
    fires bigint DEFAULT 0 NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT counters_count CHECK (((votes >= 0) AND ((agreed >= 0) AND (agreed <= votes)) AND (sliders >= 0) AND (base_sliders >= 0) AND (fires >= 0))),
    CONSTRAINT state_is_finite CHECK ((((expected - expected) = (0)::double precision) AND ((log_odds - log_odds) = (0)::double precision) AND ((base_log_odds - base_log_odds) = (0)::double precision) AND ((slider_sum - slider_sum) = (0)::double precision) AND ((slider_square_sum - slider_square_sum) = (0)::double precision) AND ((residual_sum - residual_sum) = (0)::double precision) AND ((residual_square_sum - residual_square_sum) = (0)::double precision) AND ((base_residual_sum - base_residual_sum) = (0)::double precision) AND ((base_residual_square_sum - base_residual_square_sum) = (0)::double precision)))
)
WITH (fillfactor='70');

COMMENT ON TABLE rating.voters IS 'What is known of a rater: how they use sliders, and how far they agree with others.';

COMMENT ON COLUMN rating.voters.agreed IS 'Votes for the item that was expected to win.';

COMMENT ON COLUMN rating.voters.expected IS 'How many of the votes an honest rater would have agreed with.';

COMMENT ON COLUMN rating.voters.log_odds IS 'What the votes and sliders say for an honest rater and against one who clicks at random: a sum of logarithms.';

COMMENT ON COLUMN rating.voters.base_log_odds IS 'As it was before the period; the other base columns too.';

COMMENT ON COLUMN rating.voters.slider_sum IS 'Of value − 50, as slider_square_sum is of its square: calibration.';

COMMENT ON COLUMN rating.voters.residual_sum IS 'Of value − what the item''s other sliders led to expect.';

CREATE TABLE rating.votes_default (
    event_id bigint NOT NULL,
    organization_id uuid NOT NULL,
    key rating.client_id NOT NULL,
    voter_id rating.client_id NOT NULL,
    item_a rating.client_id NOT NULL,
    item_b rating.client_id NOT NULL,
    winner rating.client_id NOT NULL,
    kind rating.vote_kind DEFAULT 'normal'::rating.vote_kind NOT NULL,
    occurred_at timestamp with time zone,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT items_differ CHECK (((item_a)::text <> (item_b)::text)),
    CONSTRAINT winner_is_one_of_the_two CHECK ((((winner)::text = (item_a)::text) OR ((winner)::text = (item_b)::text)))
);

CREATE TABLE ref.countries (
    code character(2) NOT NULL,
    name text NOT NULL,
    currency character(3) NOT NULL,
    prices_include_tax boolean DEFAULT true NOT NULL,
    CONSTRAINT country_code_is_iso_3166 CHECK ((code ~ '^[A-Z]{2}$'::text))
);

COMMENT ON COLUMN ref.countries.prices_include_tax IS 'Whether prices that people are shown include tax, by the country''s custom; else it is added when they pay.';

CREATE TABLE ref.event_categories (
    slug text NOT NULL,
    parent_slug text,
    name text NOT NULL,
    CONSTRAINT category_slug_is_plain CHECK ((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text))
);

CREATE TABLE ref.languages (
    code character(2) NOT NULL,
    name text NOT NULL,
    search_config regconfig NOT NULL,
    CONSTRAINT language_code_is_iso_639 CHECK ((code ~ '^[a-z]{2}$'::text))
);

COMMENT ON COLUMN ref.languages.search_config IS 'How PostgreSQL stems words of this language.';

CREATE TABLE ref.tax_rates (
    country character(2) NOT NULL,
    category text DEFAULT 'standard'::text NOT NULL,
    rate_bps integer NOT NULL,
    valid_from date NOT NULL,
    CONSTRAINT tax_rate_is_a_share CHECK (((rate_bps >= 0) AND (rate_bps <= 10000)))
);

COMMENT ON TABLE ref.tax_rates IS 'Value added or sales tax by country and date, in hundredths of a percent. A new rate is a new row.';

COMMENT ON COLUMN ref.tax_rates.category IS 'A category of events that has a rate of its own (ref.event_categories), else standard.';

CREATE TABLE ref.timezones (
    name text NOT NULL
);

COMMENT ON TABLE ref.timezones IS 'IANA names that this server knows; kept in step with it after each migration.';

CREATE TABLE staging.class_instances (
    line bigint NOT NULL,
    problem text,
    id text,
    template_id text,
    organization_id text,
    name text,
    description text,
    start_time text,
    end_time text,
    time_zone text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    status text,
    created_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE staging.class_registrations (
    line bigint NOT NULL,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    status text,
    amount_paid text,
    currency text,
    payment_method text,
    registered_at text,
    cancelled_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE staging.class_templates (
    line bigint NOT NULL,
    problem text,
    id text,
    organization_id text,
    name text,
    description text,
    category text,
    time_zone text,
    recurrence_rule text,
    start_date text,
    end_date text,
    start_time text,
    duration_minutes text,
    capacity text,
    price text,
    currency text,
    instructor_name text,
    location_name text,
    location_city text,
    is_active text,
    created_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE staging.outcomes (
    file text NOT NULL,
    line bigint NOT NULL,
    legacy_id text,
    outcome text NOT NULL,
    reason text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT file_is_known CHECK ((file = ANY (ARRAY['class_templates'::text, 'class_instances'::text, 'class_registrations'::text, 'waitlists'::text]))),
    CONSTRAINT only_rejects_have_a_reason CHECK (((outcome = 'rejected'::text) = (reason IS NOT NULL))),
    CONSTRAINT outcome_is_known CHECK ((outcome = ANY (ARRAY['converted'::text, 'unchanged'::text, 'rejected'::text])))
);

COMMENT ON TABLE staging.outcomes IS 'What became of each row of the last import: exactly one outcome a row.';

COMMENT ON COLUMN staging.outcomes.line IS 'Where the row begins in its file, counted from 1 with the header.';

CREATE VIEW staging.parsed_instances WITH (security_invoker='true') AS
 SELECT i.line,
    i.id AS legacy_id,
    c.id,
    o.id AS organization_id,
    s.id AS series_id,
    COALESCE(i.name, s.title) AS title,
    COALESCE(i.description, s.description) AS description,
    s.category,
    COALESCE(s.language, o.language) AS language,
    z.name AS time_zone,
    c.starts_at,
    c.ends_at,
        CASE
            WHEN (i.capacity IS NULL) THEN s.capacity
            ELSE staging.whole_of(i.capacity, 0, 1000000)
        END AS capacity,
        CASE
            WHEN (i.price IS NULL) THEN COALESCE(s.price_cents, (0)::bigint)
            ELSE staging.cents_of(i.price, (u.decimal_places)::integer)
        END AS price_cents,
    u.code AS currency,
    i.instructor_name,
    i.location_name,
    COALESCE(i.location_city, '–'::text) AS location_city,
    s.instructor_id AS series_instructor_id,
    s.location_id AS series_location_id,
        CASE
            WHEN ((m.status = 'scheduled'::text) AND (c.ends_at <= statement_timestamp())) THEN 'completed'::text
            ELSE m.status
        END AS status,
    COALESCE(staging.moment_of(i.created_at), statement_timestamp()) AS created_at,
    (x.event_id IS NOT NULL) AS is_there,
    COALESCE(i.problem, NULLIF(concat_ws('; '::text, staging.said((c.id IS NULL), 'id'::text, i.id, 'is no UUID'::text), staging.said(((c.id IS NOT NULL) AND (i.line > min(i.line) OVER (PARTITION BY c.id))), 'id'::text, i.id, format('stands in line %s already'::text, min(i.line) OVER (PARTITION BY c.id))), staging.said((x.organization_id <> o.id), 'id'::text, i.id, 'is that of another organization''s event'::text), staging.said(((i.template_id IS NOT NULL) AND (s.id IS NULL)), 'template_id'::text, i.template_id,
        CASE
            WHEN (r.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, r.line)
        END), staging.said(((o.id IS NULL) AND ((i.organization_id IS NOT NULL) OR (i.template_id IS NULL))), 'organization_id'::text, i.organization_id, 'is unknown'::text), staging.said((o.id <> s.organization_id), 'organization_id'::text, i.organization_id, 'is not that of the template'::text), staging.said(((COALESCE(length(COALESCE(i.name, s.title)), 0) < 1) OR (COALESCE(length(COALESCE(i.name, s.title)), 0) > 200)), 'name'::text, i.name, 'has not 1 to 200 characters'::text), staging.said((NOT ops.is_line(i.name)), 'name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_text(i.description)), 'description'::text, NULL::text, 'has control or direction characters'::text), staging.said((length(i.description) > 20000), 'description'::text, NULL::text, 'has more than 20000 characters'::text), staging.said((c.starts_at IS NULL), 'start_time'::text, i.start_time, 'is no time with an offset'::text), staging.said(((c.starts_at < '1990-01-01 00:00:00+00'::timestamp with time zone) OR (c.starts_at > '2100-01-01 00:00:00+00'::timestamp with time zone)), 'start_time'::text, i.start_time, 'is not between 1990 and 2100'::text), staging.said(((i.end_time IS NOT NULL) AND (staging.moment_of(i.end_time) IS NULL)), 'end_time'::text, i.end_time, 'is no time with an offset'::text), staging.said(((i.end_time IS NULL) AND (s.id IS NULL)), 'end_time'::text, NULL::text, 'is missing, and there is no template'::text), staging.said((c.ends_at <= c.starts_at), 'end_time'::text, i.end_time, 'is not after start_time'::text), staging.said((c.ends_at > (c.starts_at + '31 days'::interval)), 'end_time'::text, i.end_time, 'is more than 31 days later'::text), staging.said(((o.id IS NOT NULL) AND (z.name IS NULL)), 'time_zone'::text, i.time_zone, 'is unknown'::text), staging.said(((i.capacity IS NOT NULL) AND (staging.whole_of(i.capacity, 0, 1000000) IS NULL)), 'capacity'::text, i.capacity, 'is no number from 0 to 1000000'::text), staging.said(((o.id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, i.currency, 'is unknown'::text), staging.said(((i.price IS NOT NULL) AND (u.code IS NOT NULL) AND (staging.cents_of(i.price, (u.decimal_places)::integer) IS NULL)), 'price'::text, i.price, 'is no amount'::text), staging.said((m.status IS NULL), 'status'::text, i.status, 'is unknown'::text), staging.said((length(i.instructor_name) > 200), 'instructor_name'::text, i.instructor_name, 'is too long'::text), staging.said((length(i.location_name) > 200), 'location_name'::text, i.location_name, 'is too long'::text), staging.said((NOT ops.is_line(i.instructor_name)), 'instructor_name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_line(i.location_name)), 'location_name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_line(i.location_city)), 'location_city'::text, NULL::text, 'has control or direction characters'::text), staging.said(((i.created_at IS NOT NULL) AND (staging.moment_of(i.created_at) IS NULL)), 'created_at'::text, i.created_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((((staging.class_instances i
     LEFT JOIN events.series s ON ((s.id =
        CASE
            WHEN pg_input_is_valid(i.template_id, 'uuid'::text) THEN (i.template_id)::uuid
            ELSE NULL::uuid
        END)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_templates'::text) AND (g.legacy_id = i.template_id) AND (g.outcome = 'rejected'::text) AND (s.id IS NULL))) r ON (true))
     LEFT JOIN organizations.organizations o ON ((((o.id = s.organization_id) AND (i.organization_id IS NULL)) OR ((i.organization_id = (o.id)::text) OR (i.organization_id = o.slug)))))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(i.currency, (s.currency)::text, (o.currency)::text)))))
     LEFT JOIN ref.timezones z ON ((z.name = COALESCE(i.time_zone, s.time_zone, o.time_zone))))
     LEFT JOIN ( VALUES ('scheduled'::text,'scheduled'::text), ('active'::text,'scheduled'::text), ('confirmed'::text,'scheduled'::text), ('cancelled'::text,'cancelled'::text), ('canceled'::text,'cancelled'::text), ('completed'::text,'completed'::text), ('draft'::text,'draft'::text)) m(said, status) ON ((m.said = lower(COALESCE(i.status, 'scheduled'::text)))))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(i.id, 'uuid'::text) THEN (i.id)::uuid
                    ELSE NULL::uuid
                END AS id,
            staging.moment_of(i.start_time) AS starts_at,
                CASE
                    WHEN (i.end_time IS NULL) THEN (staging.moment_of(i.start_time) + make_interval(mins => s.duration_minutes))
                    ELSE staging.moment_of(i.end_time)
                END AS ends_at) c)
     LEFT JOIN events.terms x ON ((x.event_id = c.id)));

COMMENT ON VIEW staging.parsed_instances IS 'Rows of class_instances, typed, with what is wrong with them.';

CREATE VIEW staging.parsed_registrations WITH (security_invoker='true') AS
 SELECT r.line,
    r.id AS legacy_id,
    c.id,
    t.event_id,
    t.organization_id,
    c.customer_id,
    r.customer_email,
    r.customer_name,
    staging.whole_of(COALESCE(r.seats, '1'::text), 1, 20) AS seats,
    (m.status)::events.booking_status AS status,
    (m.status = ANY (ARRAY['confirmed'::text, 'attended'::text, 'no_show'::text])) AS is_live,
    (COALESCE(p.method,
        CASE
            WHEN (staging.cents_of(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) > 0) THEN 'card'::text
            ELSE 'none'::text
        END))::events.payment_method AS payment_method,
    staging.cents_of(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) AS price_cents,
    u.code AS currency,
    t.policy,
    c.registered_at,
        CASE
            WHEN (m.status = ANY (ARRAY['cancelled'::text, 'refunded'::text])) THEN COALESCE(staging.moment_of(r.cancelled_at), c.registered_at)
            ELSE NULL::timestamp with time zone
        END AS cancelled_at,
    (b.id IS NOT NULL) AS is_there,
    COALESCE(r.problem, NULLIF(concat_ws('; '::text, staging.said((c.id IS NULL), 'id'::text, r.id, 'is no UUID'::text), staging.said(((c.id IS NOT NULL) AND (r.line > min(r.line) OVER (PARTITION BY c.id))), 'id'::text, r.id, format('stands in line %s already'::text, min(r.line) OVER (PARTITION BY c.id))), staging.said((b.event_id <> t.event_id), 'id'::text, r.id, 'is that of a booking of another event'::text), staging.said((t.event_id IS NULL), 'class_instance_id'::text, r.class_instance_id,
        CASE
            WHEN (j.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, j.line)
        END), staging.said((c.customer_id IS NULL), 'customer_id'::text, r.customer_id, 'is no UUID'::text), staging.said((f.erased_at IS NOT NULL), 'customer_id'::text, r.customer_id, 'was erased'::text), staging.said(((r.customer_email !~ '^[^@\s]+@[^@\s]+$'::text) OR (length(r.customer_email) > 254)), 'customer_email'::text, r.customer_email, 'is no address'::text), staging.said((length(r.customer_name) > 200), 'customer_name'::text, r.customer_name, 'is too long'::text), staging.said((NOT ops.is_line(r.customer_email)), 'customer_email'::text, NULL::text, 'has control or direction characters'::text), staging.said(((length(r.customer_name) <= 200) AND (NOT users.is_name(r.customer_name))), 'customer_name'::text, NULL::text, 'is no name'::text), staging.said(((r.seats IS NOT NULL) AND (staging.whole_of(r.seats, 1, 20) IS NULL)), 'seats'::text, r.seats, 'is no number from 1 to 20'::text), staging.said((m.status IS NULL), 'status'::text, r.status, 'is unknown'::text), staging.said(((t.event_id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, r.currency, 'is unknown'::text), staging.said(((u.code IS NOT NULL) AND (staging.cents_of(COALESCE(r.amount_paid, '0'::text), (u.decimal_places)::integer) IS NULL)), 'amount_paid'::text, r.amount_paid, 'is no amount'::text), staging.said(((r.payment_method IS NOT NULL) AND (p.method IS NULL)), 'payment_method'::text, r.payment_method, 'is unknown'::text), staging.said(((r.registered_at IS NOT NULL) AND (staging.moment_of(r.registered_at) IS NULL)), 'registered_at'::text, r.registered_at, 'is no time with an offset'::text), staging.said(((r.cancelled_at IS NOT NULL) AND (staging.moment_of(r.cancelled_at) IS NULL)), 'cancelled_at'::text, r.cancelled_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((((staging.class_registrations r
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(r.id, 'uuid'::text) THEN (r.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN pg_input_is_valid(r.class_instance_id, 'uuid'::text) THEN (r.class_instance_id)::uuid
                    ELSE NULL::uuid
                END AS event_id,
                CASE
                    WHEN pg_input_is_valid(r.customer_id, 'uuid'::text) THEN (r.customer_id)::uuid
                    ELSE NULL::uuid
                END AS customer_id,
            COALESCE(staging.moment_of(r.registered_at), statement_timestamp()) AS registered_at) c)
     LEFT JOIN events.terms t ON ((t.event_id = c.event_id)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_instances'::text) AND (g.legacy_id = r.class_instance_id) AND (g.outcome = 'rejected'::text) AND (t.event_id IS NULL))) j ON (true))
     LEFT JOIN users.profiles f ON ((f.id = c.customer_id)))
     LEFT JOIN events.bookings b ON ((b.id = c.id)))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(r.currency, (t.currency)::text)))))
     LEFT JOIN ( VALUES ('confirmed'::text,'confirmed'::text), ('registered'::text,'confirmed'::text), ('booked'::text,'confirmed'::text), ('attended'::text,'attended'::text), ('checked_in'::text,'attended'::text), ('completed'::text,'attended'::text), ('no_show'::text,'no_show'::text), ('cancelled'::text,'cancelled'::text), ('canceled'::text,'cancelled'::text), ('refunded'::text,'refunded'::text), ('pending'::text,'expired'::text), ('pending_payment'::text,'expired'::text), ('expired'::text,'expired'::text)) m(said, status) ON ((m.said = lower(replace(COALESCE(r.status, 'confirmed'::text), '-'::text, '_'::text)))))
     LEFT JOIN ( VALUES ('none'::text,'none'::text), ('free'::text,'none'::text), ('comp'::text,'comp'::text), ('card'::text,'card'::text), ('credit_card'::text,'card'::text), ('stripe'::text,'card'::text), ('twint'::text,'twint'::text), ('wallet'::text,'wallet'::text), ('credits'::text,'pass'::text), ('pass'::text,'pass'::text), ('invoice'::text,'invoice'::text), ('bank_transfer'::text,'invoice'::text), ('cash'::text,'invoice'::text)) p(said, method) ON ((p.said = lower(r.payment_method))));

COMMENT ON VIEW staging.parsed_registrations IS 'Rows of class_registrations, typed, with what is wrong with them.';

CREATE VIEW staging.parsed_templates WITH (security_invoker='true') AS
 SELECT t.line,
    t.id AS legacy_id,
    c.id,
    o.id AS organization_id,
    t.name AS title,
    t.description,
    k.slug AS category,
    o.language,
    z.name AS time_zone,
    t.recurrence_rule AS recurrence,
    c.start_date,
    c.end_date,
    c.start_time,
    staging.whole_of(t.duration_minutes, 10, 600) AS duration_minutes,
    staging.whole_of(t.capacity, 0, 1000000) AS capacity,
    staging.cents_of(COALESCE(t.price, '0'::text), (u.decimal_places)::integer) AS price_cents,
    u.code AS currency,
    t.instructor_name,
    t.location_name,
    COALESCE(t.location_city, '–'::text) AS location_city,
    COALESCE(c.is_active, true) AS is_active,
    COALESCE(staging.moment_of(t.created_at), statement_timestamp()) AS created_at,
    (s.id IS NOT NULL) AS is_there,
    COALESCE(t.problem, NULLIF(concat_ws('; '::text, staging.said((c.id IS NULL), 'id'::text, t.id, 'is no UUID'::text), staging.said(((c.id IS NOT NULL) AND (t.line > min(t.line) OVER (PARTITION BY c.id))), 'id'::text, t.id, format('stands in line %s already'::text, min(t.line) OVER (PARTITION BY c.id))), staging.said((s.organization_id <> o.id), 'id'::text, t.id, 'is that of another organization''s series'::text), staging.said((o.id IS NULL), 'organization_id'::text, t.organization_id, 'is unknown'::text), staging.said(((COALESCE(length(t.name), 0) < 1) OR (COALESCE(length(t.name), 0) > 200)), 'name'::text, t.name, 'has not 1 to 200 characters'::text), staging.said((NOT ops.is_line(t.name)), 'name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_text(t.description)), 'description'::text, NULL::text, 'has control or direction characters'::text), staging.said((length(t.description) > 20000), 'description'::text, NULL::text, 'has more than 20000 characters'::text), staging.said(((o.id IS NOT NULL) AND (z.name IS NULL)), 'time_zone'::text, t.time_zone, 'is unknown'::text), staging.said((staging.whole_of(t.duration_minutes, 10, 600) IS NULL), 'duration_minutes'::text, t.duration_minutes, 'is no number from 10 to 600'::text), staging.said(((t.capacity IS NOT NULL) AND (staging.whole_of(t.capacity, 0, 1000000) IS NULL)), 'capacity'::text, t.capacity, 'is no number from 0 to 1000000'::text), staging.said(((o.id IS NOT NULL) AND (u.code IS NULL)), 'currency'::text, t.currency, 'is unknown'::text), staging.said(((u.code IS NOT NULL) AND (staging.cents_of(COALESCE(t.price, '0'::text), (u.decimal_places)::integer) IS NULL)), 'price'::text, t.price, 'is no amount'::text), staging.said(((t.start_date IS NOT NULL) AND (c.start_date IS NULL)), 'start_date'::text, t.start_date, 'is no date'::text), staging.said((c.start_date > '2199-12-31'::date), 'start_date'::text, t.start_date, 'is after 2199'::text), staging.said(((t.end_date IS NOT NULL) AND (c.end_date IS NULL)), 'end_date'::text, t.end_date, 'is no date'::text), staging.said((c.end_date < c.start_date), 'end_date'::text, t.end_date, 'is before start_date'::text), staging.said(((t.start_time IS NOT NULL) AND (c.start_time IS NULL)), 'start_time'::text, t.start_time, 'is no time of day'::text), staging.said(((t.is_active IS NOT NULL) AND (c.is_active IS NULL)), 'is_active'::text, t.is_active, 'is not true or false'::text), staging.said((length(t.instructor_name) > 200), 'instructor_name'::text, t.instructor_name, 'is too long'::text), staging.said((length(t.location_name) > 200), 'location_name'::text, t.location_name, 'is too long'::text), staging.said((NOT ops.is_line(t.instructor_name)), 'instructor_name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_line(t.location_name)), 'location_name'::text, NULL::text, 'has control or direction characters'::text), staging.said((NOT ops.is_line(t.location_city)), 'location_city'::text, NULL::text, 'has control or direction characters'::text), staging.said(((t.created_at IS NOT NULL) AND (staging.moment_of(t.created_at) IS NULL)), 'created_at'::text, t.created_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM ((((((staging.class_templates t
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(t.id, 'uuid'::text) THEN (t.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN ((t.start_date ~ '^\d{4}-\d\d-\d\d$'::text) AND pg_input_is_valid(t.start_date, 'date'::text)) THEN (t.start_date)::date
                    ELSE NULL::date
                END AS start_date,
                CASE
                    WHEN ((t.end_date ~ '^\d{4}-\d\d-\d\d$'::text) AND pg_input_is_valid(t.end_date, 'date'::text)) THEN (t.end_date)::date
                    ELSE NULL::date
                END AS end_date,
                CASE
                    WHEN ((t.start_time ~ '^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$'::text) AND pg_input_is_valid(t.start_time, 'time'::text)) THEN (t.start_time)::time without time zone
                    ELSE NULL::time without time zone
                END AS start_time,
                CASE
                    WHEN pg_input_is_valid(t.is_active, 'boolean'::text) THEN (t.is_active)::boolean
                    ELSE NULL::boolean
                END AS is_active) c)
     LEFT JOIN organizations.organizations o ON (((t.organization_id = (o.id)::text) OR (t.organization_id = o.slug))))
     LEFT JOIN ref.currencies u ON (((u.code)::text = upper(COALESCE(t.currency, (o.currency)::text)))))
     LEFT JOIN ref.timezones z ON ((z.name = COALESCE(t.time_zone, o.time_zone))))
     LEFT JOIN ref.event_categories k ON ((k.slug = lower(replace(t.category, ' '::text, '-'::text)))))
     LEFT JOIN events.series s ON ((s.id = c.id)));

COMMENT ON VIEW staging.parsed_templates IS 'Rows of class_templates, typed, with what is wrong with them.';

CREATE TABLE staging.waitlists (
    line bigint NOT NULL,
    problem text,
    id text,
    class_instance_id text,
    customer_id text,
    customer_email text,
    customer_name text,
    seats text,
    "position" text,
    status text,
    joined_at text,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW staging.parsed_waitlists WITH (security_invoker='true') AS
 SELECT w.line,
    w.id AS legacy_id,
    c.id,
    t.event_id,
    c.customer_id,
    w.customer_email,
    w.customer_name,
    staging.whole_of(COALESCE(w.seats, '1'::text), 1, 20) AS seats,
    staging.whole_of(w."position", 0, 999999999) AS "position",
    (
        CASE
            WHEN ((m.status = 'waiting'::text) AND ((t.starts_at <= statement_timestamp()) OR (t.status <> 'scheduled'::events.event_status))) THEN 'expired'::text
            ELSE m.status
        END)::events.waitlist_status AS status,
    b.id AS booking_id,
    c.joined_at,
    (e.id IS NOT NULL) AS is_there,
    COALESCE(w.problem, NULLIF(concat_ws('; '::text, staging.said((c.id IS NULL), 'id'::text, w.id, 'is no UUID'::text), staging.said(((c.id IS NOT NULL) AND (w.line > min(w.line) OVER (PARTITION BY c.id))), 'id'::text, w.id, format('stands in line %s already'::text, min(w.line) OVER (PARTITION BY c.id))), staging.said((e.event_id <> t.event_id), 'id'::text, w.id, 'is that of a wait for another event'::text), staging.said((t.event_id IS NULL), 'class_instance_id'::text, w.class_instance_id,
        CASE
            WHEN (j.line IS NULL) THEN 'is unknown'::text
            ELSE format('was rejected (line %s)'::text, j.line)
        END), staging.said((c.customer_id IS NULL), 'customer_id'::text, w.customer_id, 'is no UUID'::text), staging.said((f.erased_at IS NOT NULL), 'customer_id'::text, w.customer_id, 'was erased'::text), staging.said(((w.customer_email !~ '^[^@\s]+@[^@\s]+$'::text) OR (length(w.customer_email) > 254)), 'customer_email'::text, w.customer_email, 'is no address'::text), staging.said((length(w.customer_name) > 200), 'customer_name'::text, w.customer_name, 'is too long'::text), staging.said((NOT ops.is_line(w.customer_email)), 'customer_email'::text, NULL::text, 'has control or direction characters'::text), staging.said(((length(w.customer_name) <= 200) AND (NOT users.is_name(w.customer_name))), 'customer_name'::text, NULL::text, 'is no name'::text), staging.said(((w.seats IS NOT NULL) AND (staging.whole_of(w.seats, 1, 20) IS NULL)), 'seats'::text, w.seats, 'is no number from 1 to 20'::text), staging.said(((w."position" IS NOT NULL) AND (staging.whole_of(w."position", 0, 999999999) IS NULL)), 'position'::text, w."position", 'is no whole number'::text), staging.said((m.status IS NULL), 'status'::text, w.status, 'is unknown'::text), staging.said(((m.status = 'accepted'::text) AND (b.id IS NULL)), 'status'::text, w.status, 'needs a registration of the customer'::text), staging.said(((m.status = 'waiting'::text) AND (b.id IS NOT NULL) AND (e.id IS NULL)), 'customer_id'::text, w.customer_id, 'has a registration of this class'::text), staging.said(((w.joined_at IS NOT NULL) AND (staging.moment_of(w.joined_at) IS NULL)), 'joined_at'::text, w.joined_at, 'is no time with an offset'::text)), ''::text)) AS reason
   FROM (((((((staging.waitlists w
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN pg_input_is_valid(w.id, 'uuid'::text) THEN (w.id)::uuid
                    ELSE NULL::uuid
                END AS id,
                CASE
                    WHEN pg_input_is_valid(w.class_instance_id, 'uuid'::text) THEN (w.class_instance_id)::uuid
                    ELSE NULL::uuid
                END AS event_id,
                CASE
                    WHEN pg_input_is_valid(w.customer_id, 'uuid'::text) THEN (w.customer_id)::uuid
                    ELSE NULL::uuid
                END AS customer_id,
            COALESCE(staging.moment_of(w.joined_at), statement_timestamp()) AS joined_at) c)
     LEFT JOIN events.terms t ON ((t.event_id = c.event_id)))
     LEFT JOIN LATERAL ( SELECT min(g.line) AS line
           FROM staging.outcomes g
          WHERE ((g.file = 'class_instances'::text) AND (g.legacy_id = w.class_instance_id) AND (g.outcome = 'rejected'::text) AND (t.event_id IS NULL))) j ON (true))
     LEFT JOIN users.profiles f ON ((f.id = c.customer_id)))
     LEFT JOIN events.waitlist_entries e ON ((e.id = c.id)))
     LEFT JOIN events.bookings b ON (((b.event_id = t.event_id) AND (b.customer_id = c.customer_id) AND (NOT b.guest) AND (b.status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status, 'confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status])))))
     LEFT JOIN ( VALUES ('waiting'::text,'waiting'::text), ('active'::text,'waiting'::text), ('notified'::text,'waiting'::text), ('offered'::text,'waiting'::text), ('promoted'::text,'accepted'::text), ('accepted'::text,'accepted'::text), ('converted'::text,'accepted'::text), ('expired'::text,'expired'::text), ('cancelled'::text,'left'::text), ('canceled'::text,'left'::text), ('left'::text,'left'::text), ('removed'::text,'left'::text)) m(said, status) ON ((m.said = lower(COALESCE(w.status, 'waiting'::text)))));

COMMENT ON VIEW staging.parsed_waitlists IS 'Rows of waitlists, typed, with what is wrong with them.';

CREATE VIEW staging.rejects WITH (security_invoker='true') AS
 SELECT (file || '.csv'::text) AS file,
    line,
    legacy_id,
    reason
   FROM staging.outcomes o
  WHERE (outcome = 'rejected'::text);

COMMENT ON VIEW staging.rejects IS 'Rows of the last import that were rejected: file, line, reason.';

ALTER TABLE ONLY events.events ATTACH PARTITION events.events_default DEFAULT;

ALTER TABLE ONLY ops.access_log ATTACH PARTITION ops.access_log_default DEFAULT;

ALTER TABLE ONLY ops.performance_metrics ATTACH PARTITION ops.performance_metrics_default DEFAULT;

ALTER TABLE ONLY rating.fires ATTACH PARTITION rating.fires_default DEFAULT;

ALTER TABLE ONLY rating.score_history ATTACH PARTITION rating.score_history_default DEFAULT;

ALTER TABLE ONLY rating.sliders ATTACH PARTITION rating.sliders_default DEFAULT;

ALTER TABLE ONLY rating.votes ATTACH PARTITION rating.votes_default DEFAULT;

ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY events.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, starts_at);

ALTER TABLE ONLY events.events_default
    ADD CONSTRAINT events_default_pkey PRIMARY KEY (id, starts_at);

ALTER TABLE ONLY events.holds
    ADD CONSTRAINT holds_pkey PRIMARY KEY (id);

ALTER TABLE ONLY events.inventory
    ADD CONSTRAINT inventory_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY events.occurrences
    ADD CONSTRAINT occurrences_event_id_key UNIQUE (event_id);

ALTER TABLE ONLY events.occurrences
    ADD CONSTRAINT occurrences_pkey PRIMARY KEY (series_id, local_start);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_pkey PRIMARY KEY (id);

ALTER TABLE ONLY events.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY messaging.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (outbox_id, channel, recipient);

ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY messaging.webhook_deliveries
    ADD CONSTRAINT one_delivery_a_cause UNIQUE (endpoint_id, outbox_id);

ALTER TABLE ONLY messaging.reminded_events
    ADD CONSTRAINT reminded_events_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY messaging.reminders
    ADD CONSTRAINT reminders_pkey PRIMARY KEY (booking_id);

ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT told_once UNIQUE (outbox_id, user_id);

ALTER TABLE ONLY messaging.webhook_attempts
    ADD CONSTRAINT webhook_attempts_pkey PRIMARY KEY (delivery_id, number);

ALTER TABLE ONLY messaging.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY messaging.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY messaging.webhook_secrets
    ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ops.access_log
    ADD CONSTRAINT access_log_pkey PRIMARY KEY (accessed_at, id);

ALTER TABLE ONLY ops.access_log_default
    ADD CONSTRAINT access_log_default_pkey PRIMARY KEY (accessed_at, id);

ALTER TABLE ONLY ops.alert_recipients
    ADD CONSTRAINT alert_recipients_pkey PRIMARY KEY (email);

ALTER TABLE ONLY ops.alert_rules
    ADD CONSTRAINT alert_rules_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ops.health_checks
    ADD CONSTRAINT health_checks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ops.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller_id, operation, key);

ALTER TABLE ONLY ops.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ops.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ops.limits
    ADD CONSTRAINT limits_pkey PRIMARY KEY (name);

ALTER TABLE ONLY ops.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (file);

ALTER TABLE ONLY ops.partition_policies
    ADD CONSTRAINT partition_policies_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY ops.performance_metrics_hourly
    ADD CONSTRAINT performance_metrics_hourly_pkey PRIMARY KEY (name, unit, hour);

ALTER TABLE ONLY ops.rate_limit_rules
    ADD CONSTRAINT rate_limit_rules_pkey PRIMARY KEY (operation);

ALTER TABLE ONLY ops.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (operation, subject);

ALTER TABLE ONLY ops.repeatables
    ADD CONSTRAINT repeatables_pkey PRIMARY KEY (file);

ALTER TABLE ONLY ops.retention
    ADD CONSTRAINT retention_pkey PRIMARY KEY (table_name, column_name, rule);

ALTER TABLE ONLY ops.state_history
    ADD CONSTRAINT state_history_pkey PRIMARY KEY (id);

ALTER TABLE ONLY ops.transitions
    ADD CONSTRAINT transitions_pkey PRIMARY KEY (machine, from_state, to_state);

ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_organization_id_id_key UNIQUE (organization_id, id);

ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_organization_id_id_key UNIQUE (organization_id, id);

ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organizations.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (user_id, organization_id);

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_slug_key UNIQUE (slug);

ALTER TABLE ONLY organizations.payout_accounts
    ADD CONSTRAINT payout_accounts_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY organizations.payout_accounts
    ADD CONSTRAINT payout_accounts_stripe_account_id_key UNIQUE (stripe_account_id);

ALTER TABLE ONLY organizations.payout_settings
    ADD CONSTRAINT payout_settings_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY organizations.policies
    ADD CONSTRAINT policies_organization_id_id_key UNIQUE (organization_id, id);

ALTER TABLE ONLY organizations.policies
    ADD CONSTRAINT policies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.balance_transactions
    ADD CONSTRAINT balance_transactions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.balances
    ADD CONSTRAINT balances_pkey PRIMARY KEY (account_id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.credit_uses
    ADD CONSTRAINT credit_uses_pkey PRIMARY KEY (booking_id, purpose, lot_id);

ALTER TABLE ONLY payments.differences
    ADD CONSTRAINT differences_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_pkey PRIMARY KEY (stripe_dispute_id);

ALTER TABLE ONLY payments.entries
    ADD CONSTRAINT entries_come_with_their_transaction PRIMARY KEY (transaction_id, line);

ALTER TABLE ONLY payments.seals
    ADD CONSTRAINT entry_is_sealed_once UNIQUE (transaction_id, line);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_stripe_payment_intent_id_key UNIQUE (stripe_payment_intent_id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoice_numbers_are_unique UNIQUE (organization_id, number);

ALTER TABLE ONLY payments.invoice_numbers
    ADD CONSTRAINT invoice_numbers_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY payments.invoice_payments
    ADD CONSTRAINT invoice_payments_pkey PRIMARY KEY (invoice_id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT one_account_per_owner_type_and_currency UNIQUE NULLS NOT DISTINCT (owner_id, type, currency, organization_id, owner_kind);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT one_refund_per_cause UNIQUE (booking_id, cause);

ALTER TABLE ONLY payments.transactions
    ADD CONSTRAINT one_transaction_per_key UNIQUE (idempotency_key);

ALTER TABLE ONLY payments.packages
    ADD CONSTRAINT packages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.payouts
    ADD CONSTRAINT payouts_pkey PRIMARY KEY (stripe_payout_id);

ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_code_is_unique UNIQUE (organization_id, code);

ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_codes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_pkey PRIMARY KEY (booking_id);

ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_pkey PRIMARY KEY (booking_id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_pkey PRIMARY KEY (booking_id);

ALTER TABLE ONLY payments.seals
    ADD CONSTRAINT seals_pkey PRIMARY KEY (account_id, "position");

ALTER TABLE ONLY payments.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY payments.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (stripe_transfer_id);

ALTER TABLE ONLY payments.unsealed_entries
    ADD CONSTRAINT unsealed_entries_pkey PRIMARY KEY (account_id, transaction_id, line);

ALTER TABLE ONLY payments.webhook_inbox
    ADD CONSTRAINT webhook_inbox_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rating.calibrations
    ADD CONSTRAINT calibrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY rating.dirty_items
    ADD CONSTRAINT dirty_items_pkey PRIMARY KEY (organization_id, item_id);

ALTER TABLE ONLY rating.event_keys
    ADD CONSTRAINT event_keys_pkey PRIMARY KEY (organization_id, key);

ALTER TABLE ONLY rating.fires
    ADD CONSTRAINT fires_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY rating.fires_default
    ADD CONSTRAINT fires_default_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY rating.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (organization_id, item_id, event_id);

ALTER TABLE ONLY rating.item_fires
    ADD CONSTRAINT item_fires_pkey PRIMARY KEY (organization_id, item_id, voter_id);

ALTER TABLE ONLY rating.item_scores
    ADD CONSTRAINT item_scores_pkey PRIMARY KEY (organization_id, item_id);

ALTER TABLE ONLY rating.item_stats
    ADD CONSTRAINT item_stats_pkey PRIMARY KEY (organization_id, item_id);

ALTER TABLE ONLY rating.populations
    ADD CONSTRAINT populations_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY rating.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (request_id, part);

ALTER TABLE ONLY rating.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY rating.sliders
    ADD CONSTRAINT sliders_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY rating.sliders_default
    ADD CONSTRAINT sliders_default_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY rating.voter_days
    ADD CONSTRAINT voter_days_pkey PRIMARY KEY (organization_id, voter_id, day);

ALTER TABLE ONLY rating.voters
    ADD CONSTRAINT voters_pkey PRIMARY KEY (organization_id, voter_id);

ALTER TABLE ONLY rating.votes
    ADD CONSTRAINT votes_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY rating.votes_default
    ADD CONSTRAINT votes_default_pkey PRIMARY KEY (event_id, received_at);

ALTER TABLE ONLY ref.countries
    ADD CONSTRAINT countries_pkey PRIMARY KEY (code);

ALTER TABLE ONLY ref.currencies
    ADD CONSTRAINT currencies_pkey PRIMARY KEY (code);

ALTER TABLE ONLY ref.event_categories
    ADD CONSTRAINT event_categories_pkey PRIMARY KEY (slug);

ALTER TABLE ONLY ref.languages
    ADD CONSTRAINT languages_pkey PRIMARY KEY (code);

ALTER TABLE ONLY ref.tax_rates
    ADD CONSTRAINT tax_rates_pkey PRIMARY KEY (country, category, valid_from);

ALTER TABLE ONLY ref.timezones
    ADD CONSTRAINT timezones_pkey PRIMARY KEY (name);

ALTER TABLE ONLY staging.class_instances
    ADD CONSTRAINT class_instances_pkey PRIMARY KEY (line);

ALTER TABLE ONLY staging.class_registrations
    ADD CONSTRAINT class_registrations_pkey PRIMARY KEY (line);

ALTER TABLE ONLY staging.class_templates
    ADD CONSTRAINT class_templates_pkey PRIMARY KEY (line);

ALTER TABLE ONLY staging.outcomes
    ADD CONSTRAINT outcomes_pkey PRIMARY KEY (file, line);

ALTER TABLE ONLY staging.waitlists
    ADD CONSTRAINT waitlists_pkey PRIMARY KEY (line);

ALTER TABLE ONLY users.profiles
    ADD CONSTRAINT profiles_pkey PRIMARY KEY (id);

CREATE INDEX active_holds_by_staff ON events.holds USING btree (held_by) WHERE ((status = 'active'::events.hold_status) AND (held_by <> customer_id));

CREATE INDEX active_holds_of_customer ON events.holds USING btree (customer_id) WHERE (status = 'active'::events.hold_status);

CREATE INDEX active_holds_of_event ON events.holds USING btree (event_id, expires_at) WHERE (status = 'active'::events.hold_status);

CREATE INDEX booking_reasons_by_age ON events.bookings USING btree (created_at) WHERE (status_reason IS NOT NULL);

CREATE INDEX bookings_of_customer_by_id ON events.bookings USING btree (customer_id, id) INCLUDE (organization_id);

CREATE INDEX bookings_of_event ON events.bookings USING btree (event_id, id);

CREATE INDEX event_reasons_by_age ON ONLY events.events USING btree (starts_at) WHERE (status_reason IS NOT NULL);

CREATE INDEX events_to_complete ON ONLY events.events USING btree (ends_at) WHERE (status = 'scheduled'::events.event_status);

CREATE INDEX events_by_instructor ON ONLY events.events USING btree (organization_id, instructor_id, starts_at);

CREATE INDEX events_by_location ON ONLY events.events USING btree (organization_id, location_id, starts_at);

CREATE INDEX events_by_organization ON ONLY events.events USING btree (organization_id, starts_at, id);

CREATE INDEX events_by_words ON ONLY events.events USING gin (search);

CREATE INDEX events_by_series ON ONLY events.events USING btree (series_id, starts_at);

CREATE INDEX events_by_start ON ONLY events.events USING btree (starts_at, id) WHERE ((visibility = 'public'::events.visibility) AND (status = 'scheduled'::events.event_status));

CREATE INDEX events_to_remind ON ONLY events.events USING btree (starts_at) WHERE (status = 'scheduled'::events.event_status);

CREATE INDEX events_default_ends_at_idx ON events.events_default USING btree (ends_at) WHERE (status = 'scheduled'::events.event_status);

CREATE INDEX events_default_organization_id_instructor_id_starts_at_idx ON events.events_default USING btree (organization_id, instructor_id, starts_at);

CREATE INDEX events_default_organization_id_location_id_starts_at_idx ON events.events_default USING btree (organization_id, location_id, starts_at);

CREATE INDEX events_default_organization_id_starts_at_id_idx ON events.events_default USING btree (organization_id, starts_at, id);

CREATE INDEX events_default_search_idx ON events.events_default USING gin (search);

CREATE INDEX events_default_series_id_starts_at_idx ON events.events_default USING btree (series_id, starts_at);

CREATE INDEX events_default_starts_at_id_idx ON events.events_default USING btree (starts_at, id) WHERE ((visibility = 'public'::events.visibility) AND (status = 'scheduled'::events.event_status));

CREATE INDEX events_default_starts_at_idx ON events.events_default USING btree (starts_at) WHERE (status = 'scheduled'::events.event_status);

CREATE INDEX events_default_starts_at_idx1 ON events.events_default USING btree (starts_at) WHERE (status_reason IS NOT NULL);

CREATE INDEX holds_of_customer ON events.holds USING btree (customer_id, event_id);

CREATE INDEX holds_to_expire ON events.holds USING btree (expires_at) WHERE (status = 'active'::events.hold_status);

CREATE INDEX offers_to_expire ON events.waitlist_entries USING btree (offer_expires_at) WHERE (status = 'offered'::events.waitlist_status);

CREATE UNIQUE INDEX one_hold_per_customer ON events.holds USING btree (event_id, customer_id, purpose) WHERE ((status = 'active'::events.hold_status) AND (purpose <> 'payment'::events.hold_purpose));

CREATE UNIQUE INDEX one_live_booking_per_customer ON events.bookings USING btree (event_id, customer_id) WHERE ((NOT guest) AND (status = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status, 'confirmed'::events.booking_status, 'attended'::events.booking_status, 'no_show'::events.booking_status])));

CREATE UNIQUE INDEX one_person_per_place ON events.waitlist_entries USING btree (event_id, place);

CREATE UNIQUE INDEX one_waitlist_entry_per_customer ON events.waitlist_entries USING btree (event_id, customer_id) WHERE (status = ANY (ARRAY['waiting'::events.waitlist_status, 'offered'::events.waitlist_status]));

CREATE INDEX series_category_idx ON events.series USING btree (category);

CREATE INDEX series_continues_series_id_idx ON events.series USING btree (continues_series_id);

CREATE INDEX series_currency_idx ON events.series USING btree (currency);

CREATE INDEX series_language_idx ON events.series USING btree (language);

CREATE INDEX series_organization_id_id_idx ON events.series USING btree (organization_id, id);

CREATE INDEX series_organization_id_instructor_id_idx ON events.series USING btree (organization_id, instructor_id);

CREATE INDEX series_organization_id_location_id_idx ON events.series USING btree (organization_id, location_id);

CREATE INDEX series_organization_id_policy_id_idx ON events.series USING btree (organization_id, policy_id);

CREATE INDEX series_time_zone_idx ON events.series USING btree (time_zone);

CREATE INDEX series_to_generate ON events.series USING btree (generated_until NULLS FIRST, id) WHERE (status = 'active'::events.series_status);

CREATE INDEX terms_event_id_starts_at_idx ON events.terms USING btree (event_id, starts_at);

CREATE INDEX terms_of_organization ON events.terms USING btree (organization_id, starts_at);

CREATE INDEX waiting_in_order ON events.waitlist_entries USING btree (event_id, place) WHERE (status = 'waiting'::events.waitlist_status);

CREATE INDEX waitlist_entries_booking_id_idx ON events.waitlist_entries USING btree (booking_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX waitlist_entries_customer_id_idx ON events.waitlist_entries USING btree (customer_id);

CREATE INDEX waitlist_entries_hold_id_idx ON events.waitlist_entries USING btree (hold_id) WHERE (hold_id IS NOT NULL);

CREATE INDEX waitlist_reasons_by_age ON events.waitlist_entries USING btree (joined_at) WHERE (status_reason IS NOT NULL);

CREATE INDEX deliveries_by_age ON messaging.deliveries USING brin (created_at);

CREATE INDEX deliveries_of_user ON messaging.deliveries USING btree (user_id);

CREATE INDEX deliveries_unfinished ON messaging.deliveries USING btree (created_at) WHERE (status = 'sending'::text);

CREATE INDEX notifications_about ON messaging.notifications USING btree (about_id) WHERE (about_id IS NOT NULL);

CREATE INDEX notifications_by_age ON messaging.notifications USING brin (created_at);

CREATE INDEX notifications_of_user ON messaging.notifications USING btree (user_id, id);

CREATE INDEX notifications_organization_id_idx ON messaging.notifications USING btree (organization_id);

CREATE INDEX reminders_by_age ON messaging.reminders USING brin (reminded_at);

CREATE INDEX webhook_deliveries_by_age ON messaging.webhook_deliveries USING brin (created_at);

CREATE INDEX webhook_deliveries_due ON messaging.webhook_deliveries USING btree (endpoint_id, next_attempt_at, outbox_id) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_in_flight ON messaging.webhook_deliveries USING btree (endpoint_id, key) WHERE (lease_until IS NOT NULL);

CREATE INDEX webhook_deliveries_of_customer ON messaging.webhook_deliveries USING btree (((payload ->> 'customer_id'::text)));

CREATE INDEX webhook_deliveries_of_endpoint ON messaging.webhook_deliveries USING btree (endpoint_id, id);

CREATE INDEX webhook_endpoints_organization_id_id_idx ON messaging.webhook_endpoints USING btree (organization_id, id);

CREATE UNIQUE INDEX webhook_secret_current ON messaging.webhook_secrets USING btree (endpoint_id) WHERE (expires_at IS NULL);

CREATE INDEX webhook_secrets_by_key ON messaging.webhook_secrets USING btree (key_id, id);

CREATE INDEX webhook_secrets_of_endpoint ON messaging.webhook_secrets USING btree (endpoint_id);

CREATE INDEX access_log_of_organization ON ONLY ops.access_log USING btree (organization_id, accessed_at, id);

CREATE INDEX access_log_of_people ON ONLY ops.access_log USING gin (people);

CREATE INDEX access_log_default_organization_id_accessed_at_id_idx ON ops.access_log_default USING btree (organization_id, accessed_at, id);

CREATE INDEX access_log_default_people_idx ON ops.access_log_default USING gin (people);

CREATE INDEX alerts_by_age ON ops.alerts USING btree (rule, id DESC);

CREATE INDEX job_runs_by_age ON ops.job_runs USING brin (started_at);

CREATE INDEX job_runs_of_job ON ops.job_runs USING btree (job, id DESC);

CREATE UNIQUE INDEX one_open_alert_per_rule ON ops.alerts USING btree (rule) WHERE (resolved_at IS NULL);

CREATE INDEX performance_metrics_by_name ON ONLY ops.performance_metrics USING btree (name, recorded_at);

CREATE INDEX performance_metrics_default_name_recorded_at_idx ON ops.performance_metrics_default USING btree (name, recorded_at);

CREATE INDEX state_history_by_age ON ops.state_history USING brin (changed_at);

CREATE INDEX state_history_of_subject ON ops.state_history USING btree (subject_id, id);

CREATE INDEX state_reasons_by_age ON ops.state_history USING btree (changed_at) WHERE (reason IS NOT NULL);

CREATE INDEX instructors_user_id_idx ON organizations.instructors USING btree (user_id);

CREATE INDEX locations_country_idx ON organizations.locations USING btree (country);

CREATE INDEX locations_lower_idx ON organizations.locations USING btree (lower(city));

CREATE INDEX locations_time_zone_idx ON organizations.locations USING btree (time_zone);

CREATE INDEX memberships_organization_id_role_idx ON organizations.memberships USING btree (organization_id, role);

CREATE INDEX organizations_country_idx ON organizations.organizations USING btree (country);

CREATE INDEX organizations_currency_idx ON organizations.organizations USING btree (currency);

CREATE INDEX organizations_language_idx ON organizations.organizations USING btree (language);

CREATE INDEX organizations_time_zone_idx ON organizations.organizations USING btree (time_zone);

CREATE INDEX accounts_within_organization ON payments.accounts USING btree (organization_id) WHERE (organization_id IS NOT NULL);

CREATE INDEX balance_transactions_by_source ON payments.balance_transactions USING btree (source_id);

CREATE INDEX balance_transactions_by_time ON payments.balance_transactions USING btree (created_at);

CREATE INDEX client_secrets_by_age ON payments.intents USING btree (created_at) WHERE (client_secret IS NOT NULL);

CREATE INDEX credit_lots_booking_id_idx ON payments.credit_lots USING btree (booking_id) WHERE (booking_id IS NOT NULL);

CREATE INDEX credit_lots_currency_idx ON payments.credit_lots USING btree (currency);

CREATE INDEX credit_lots_customer_id_id_idx ON payments.credit_lots USING btree (customer_id, id);

CREATE INDEX credit_lots_organization_id_kind_id_idx ON payments.credit_lots USING btree (organization_id, kind, id);

CREATE INDEX credit_lots_purchase_id_idx ON payments.credit_lots USING btree (purchase_id) WHERE (purchase_id IS NOT NULL);

CREATE INDEX credit_notes_by_age ON payments.credit_lots USING btree (created_at) WHERE (note IS NOT NULL);

CREATE INDEX credit_uses_lot_id_idx ON payments.credit_uses USING btree (lot_id);

CREATE INDEX disputes_intent_id_idx ON payments.disputes USING btree (intent_id);

CREATE INDEX disputes_organization_id_idx ON payments.disputes USING btree (organization_id);

CREATE INDEX fees_booking_id_idx ON payments.fees USING btree (booking_id);

CREATE INDEX fees_currency_idx ON payments.fees USING btree (currency);

CREATE INDEX fees_customer_id_id_idx ON payments.fees USING btree (customer_id, id);

CREATE INDEX fees_organization_id_id_idx ON payments.fees USING btree (organization_id, id);

CREATE INDEX fees_payment_transaction_id_idx ON payments.fees USING btree (payment_transaction_id) WHERE (payment_transaction_id IS NOT NULL);

CREATE INDEX fees_transaction_id_idx ON payments.fees USING btree (transaction_id);

CREATE INDEX intents_customer_id_id_idx ON payments.intents USING btree (customer_id, id);

CREATE INDEX intents_organization_id_id_idx ON payments.intents USING btree (organization_id, id);

CREATE INDEX intents_unsettled ON payments.intents USING btree (available_at) WHERE (status = ANY (ARRAY['created'::payments.intent_status, 'open'::payments.intent_status, 'processing'::payments.intent_status]));

CREATE INDEX invoice_payments_transaction_id_idx ON payments.invoice_payments USING btree (transaction_id);

CREATE INDEX invoices_booking_id_idx ON payments.invoices USING btree (booking_id);

CREATE INDEX invoices_by_age ON payments.invoices USING brin (issued_at);

CREATE INDEX invoices_corrects_id_idx ON payments.invoices USING btree (corrects_id) WHERE (corrects_id IS NOT NULL);

CREATE INDEX invoices_currency_idx ON payments.invoices USING btree (currency);

CREATE INDEX invoices_customer_id_id_idx ON payments.invoices USING btree (customer_id, id);

CREATE INDEX live_passes ON payments.credit_lots USING btree (customer_id, organization_id, expires_at, id) WHERE ((kind = 'pass'::payments.credit_kind) AND ((remaining)::bigint > 0));

CREATE INDEX live_wallet_lots ON payments.credit_lots USING btree (account_id, expires_at, id) WHERE ((remaining)::bigint > 0);

CREATE INDEX lots_of_account ON payments.credit_lots USING btree (account_id) WHERE (account_id IS NOT NULL);

CREATE INDEX lots_to_expire ON payments.credit_lots USING btree (expires_at) WHERE (((remaining)::bigint > 0) AND (expires_at < 'infinity'::timestamp with time zone));

CREATE UNIQUE INDEX one_credit_note_per_refund ON payments.invoices USING btree (refund_id) WHERE (refund_id IS NOT NULL);

CREATE UNIQUE INDEX one_fee_at_a_time ON payments.fees USING btree (booking_id) WHERE (taken_back_at IS NULL);

CREATE UNIQUE INDEX one_intent_per_booking ON payments.intents USING btree (booking_id);

CREATE UNIQUE INDEX one_intent_per_purchase ON payments.intents USING btree (purchase_id) WHERE (purchase_id IS NOT NULL);

CREATE UNIQUE INDEX one_invoice_per_booking ON payments.invoices USING btree (booking_id) WHERE (kind = 'invoice'::payments.invoice_kind);

CREATE UNIQUE INDEX one_lot_per_refund ON payments.credit_lots USING btree (refund_id) WHERE (refund_id IS NOT NULL);

CREATE UNIQUE INDEX one_open_difference_per_source ON payments.differences USING btree (source_id, currency) WHERE (resolved_at IS NULL);

CREATE UNIQUE INDEX one_refund_per_purchase_and_cause ON payments.refunds USING btree (purchase_id, cause) WHERE (purchase_id IS NOT NULL);

CREATE UNIQUE INDEX one_reversal_per_transaction ON payments.transactions USING btree (reverses_id) WHERE (reverses_id IS NOT NULL);

CREATE INDEX packages_currency_idx ON payments.packages USING btree (currency);

CREATE INDEX packages_organization_id_id_idx ON payments.packages USING btree (organization_id, id);

CREATE INDEX payouts_currency_idx ON payments.payouts USING btree (currency);

CREATE INDEX payouts_organization_id_idx ON payments.payouts USING btree (organization_id) WHERE (organization_id IS NOT NULL);

CREATE INDEX promo_codes_currency_idx ON payments.promo_codes USING btree (currency);

CREATE INDEX promo_uses_customer_id_idx ON payments.promo_uses USING btree (customer_id);

CREATE INDEX promo_uses_of_customer ON payments.promo_uses USING btree (promo_code_id, customer_id) WHERE (given_back_at IS NULL);

CREATE INDEX promo_uses_promo_code_id_idx ON payments.promo_uses USING btree (promo_code_id);

CREATE INDEX purchases_currency_idx ON payments.purchases USING btree (currency);

CREATE INDEX purchases_customer_id_id_idx ON payments.purchases USING btree (customer_id, id);

CREATE INDEX purchases_organization_id_id_idx ON payments.purchases USING btree (organization_id, id);

CREATE INDEX purchases_package_id_idx ON payments.purchases USING btree (package_id);

CREATE INDEX quotes_customer_id_idx ON payments.quotes USING btree (customer_id);

CREATE INDEX quotes_organization_id_idx ON payments.quotes USING btree (organization_id);

CREATE INDEX quotes_promo_code_id_idx ON payments.quotes USING btree (promo_code_id) WHERE (promo_code_id IS NOT NULL);

CREATE INDEX refunds_by_stripe_id ON payments.refunds USING btree (stripe_refund_id) WHERE (stripe_refund_id IS NOT NULL);

CREATE INDEX refunds_customer_id_id_idx ON payments.refunds USING btree (customer_id, id);

CREATE INDEX refunds_debt_transaction_id_idx ON payments.refunds USING btree (debt_transaction_id) WHERE (debt_transaction_id IS NOT NULL);

CREATE INDEX refunds_intent_id_idx ON payments.refunds USING btree (intent_id);

CREATE INDEX refunds_organization_id_id_idx ON payments.refunds USING btree (organization_id, id);

CREATE INDEX refunds_to_send ON payments.refunds USING btree (available_at) WHERE (status = 'created'::payments.refund_status);

CREATE INDEX sales_customer_id_idx ON payments.sales USING btree (customer_id);

CREATE INDEX sales_organization_id_sold_at_idx ON payments.sales USING btree (organization_id, sold_at);

CREATE INDEX seals_by_age ON payments.seals USING brin (latest_recorded_at);

CREATE INDEX seals_by_time ON payments.seals USING btree (account_id, latest_recorded_at, "position") INCLUDE (balance_cents);

CREATE INDEX seals_out_of_time ON payments.seals USING btree (account_id, recorded_at) WHERE (recorded_at < latest_recorded_at);

CREATE INDEX transfers_currency_idx ON payments.transfers USING btree (currency);

CREATE INDEX transfers_organization_id_idx ON payments.transfers USING btree (organization_id);

CREATE INDEX webhook_inbox_by_creation ON payments.webhook_inbox USING brin (created_at);

CREATE INDEX webhook_inbox_parked ON payments.webhook_inbox USING btree (received_at) WHERE (status = 'parked'::payments.webhook_status);

CREATE INDEX webhook_inbox_unfinished ON payments.webhook_inbox USING btree (available_at) WHERE (status = ANY (ARRAY['received'::payments.webhook_status, 'failed'::payments.webhook_status]));

CREATE INDEX outbox_parked ON public.outbox USING btree (id) WHERE (parked_at IS NOT NULL);

CREATE INDEX outbox_to_relay ON public.outbox USING btree (id) WHERE ((relayed_at IS NULL) AND (parked_at IS NULL));

CREATE INDEX calibrations_of_organization ON rating.calibrations USING btree (organization_id, id);

CREATE INDEX dirty_items_in_turn ON rating.dirty_items USING btree (available_at);

CREATE INDEX event_keys_by_age ON rating.event_keys USING brin (received_at);

CREATE INDEX fires_by_time ON ONLY rating.fires USING btree (organization_id, received_at, event_id);

CREATE INDEX fires_default_organization_id_received_at_event_id_idx ON rating.fires_default USING btree (organization_id, received_at, event_id);

CREATE INDEX inbox_by_age ON rating.inbox USING brin (received_at);

CREATE INDEX item_scores_by_score ON rating.item_scores USING btree (organization_id, score DESC, item_id);

CREATE INDEX requests_by_age ON rating.requests USING brin (finished_at);

CREATE INDEX requests_of_caller ON rating.requests USING btree (caller_id) WHERE (caller_id IS NOT NULL);

CREATE INDEX score_history_of_item ON ONLY rating.score_history USING btree (organization_id, item_id, published_at);

CREATE INDEX score_history_default_organization_id_item_id_published_at_idx ON rating.score_history_default USING btree (organization_id, item_id, published_at);

CREATE INDEX sliders_by_time ON ONLY rating.sliders USING btree (organization_id, received_at, event_id);

CREATE INDEX sliders_default_organization_id_received_at_event_id_idx ON rating.sliders_default USING btree (organization_id, received_at, event_id);

CREATE INDEX votes_by_time ON ONLY rating.votes USING btree (organization_id, received_at, event_id);

CREATE INDEX votes_default_organization_id_received_at_event_id_idx ON rating.votes_default USING btree (organization_id, received_at, event_id);

CREATE INDEX event_categories_parent_slug_idx ON ref.event_categories USING btree (parent_slug);

CREATE INDEX instances_of_instructor ON staging.class_instances USING btree (instructor_name);

CREATE INDEX outcomes_by_legacy_id ON staging.outcomes USING btree (file, legacy_id);

CREATE INDEX registrations_of_address ON staging.class_registrations USING btree (lower(customer_email));

CREATE INDEX registrations_of_customer ON staging.class_registrations USING btree (customer_id);

CREATE INDEX templates_of_instructor ON staging.class_templates USING btree (instructor_name);

CREATE INDEX waitlists_of_address ON staging.waitlists USING btree (lower(customer_email));

CREATE INDEX waitlists_of_customer ON staging.waitlists USING btree (customer_id);

CREATE INDEX erased_profiles ON users.profiles USING btree (erased_at) WHERE (erased_at IS NOT NULL);

CREATE INDEX profiles_language_idx ON users.profiles USING btree (language);

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2026_10_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2026_10_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2026_10_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2026_10_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2026_10_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2026_10_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2026_10_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2026_10_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2026_10_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2026_10_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2026_11_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2026_11_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2026_11_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2026_11_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2026_11_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2026_11_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2026_11_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2026_11_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2026_11_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2026_11_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2026_12_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2026_12_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2026_12_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2026_12_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2026_12_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2026_12_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2026_12_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2026_12_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2026_12_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2026_12_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_01_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_01_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_01_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_01_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_01_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_01_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_01_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_01_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_01_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_01_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_02_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_02_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_02_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_02_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_02_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_02_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_02_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_02_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_02_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_02_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_03_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_03_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_03_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_03_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_03_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_03_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_03_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_03_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_03_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_03_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_04_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_04_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_04_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_04_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_04_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_04_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_04_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_04_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_04_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_04_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_05_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_05_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_05_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_05_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_05_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_05_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_05_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_05_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_05_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_05_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_06_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_06_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_06_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_06_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_06_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_06_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_06_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_06_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_06_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_06_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_07_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_07_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_07_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_07_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_07_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_07_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_07_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_07_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_07_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_07_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_08_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_08_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_08_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_08_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_08_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_08_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_08_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_08_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_08_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_08_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_09_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_09_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_09_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_09_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_09_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_09_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_09_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_09_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_09_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_09_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_10_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_10_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_10_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_10_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_10_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_10_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_10_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_10_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_10_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_10_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_11_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_11_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_11_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_11_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_11_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_11_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_11_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_11_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_11_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_11_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2027_12_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2027_12_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2027_12_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2027_12_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2027_12_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2027_12_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2027_12_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2027_12_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2027_12_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2027_12_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2028_01_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2028_01_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2028_01_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2028_01_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2028_01_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2028_01_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2028_01_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2028_01_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2028_01_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2028_01_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2028_02_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2028_02_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2028_02_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2028_02_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2028_02_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2028_02_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2028_02_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2028_02_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2028_02_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2028_02_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2028_03_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2028_03_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2028_03_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2028_03_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2028_03_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2028_03_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2028_03_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2028_03_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2028_03_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2028_03_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2028_04_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2028_04_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2028_04_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2028_04_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2028_04_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2028_04_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2028_04_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2028_04_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2028_04_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2028_04_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_2028_05_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_2028_05_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_2028_05_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_2028_05_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_2028_05_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_2028_05_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_2028_05_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_2028_05_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_2028_05_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_2028_05_starts_at_idx1;

ALTER INDEX events.events_to_complete ATTACH PARTITION events.events_default_ends_at_idx;

ALTER INDEX events.events_by_instructor ATTACH PARTITION events.events_default_organization_id_instructor_id_starts_at_idx;

ALTER INDEX events.events_by_location ATTACH PARTITION events.events_default_organization_id_location_id_starts_at_idx;

ALTER INDEX events.events_by_organization ATTACH PARTITION events.events_default_organization_id_starts_at_id_idx;

ALTER INDEX events.events_pkey ATTACH PARTITION events.events_default_pkey;

ALTER INDEX events.events_by_words ATTACH PARTITION events.events_default_search_idx;

ALTER INDEX events.events_by_series ATTACH PARTITION events.events_default_series_id_starts_at_idx;

ALTER INDEX events.events_by_start ATTACH PARTITION events.events_default_starts_at_id_idx;

ALTER INDEX events.events_to_remind ATTACH PARTITION events.events_default_starts_at_idx;

ALTER INDEX events.event_reasons_by_age ATTACH PARTITION events.events_default_starts_at_idx1;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_2026_10_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_2026_10_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_2026_10_pkey;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_2026_11_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_2026_11_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_2026_11_pkey;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_2026_12_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_2026_12_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_2026_12_pkey;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_2027_01_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_2027_01_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_2027_01_pkey;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_2027_02_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_2027_02_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_2027_02_pkey;

ALTER INDEX ops.access_log_of_organization ATTACH PARTITION ops.access_log_default_organization_id_accessed_at_id_idx;

ALTER INDEX ops.access_log_of_people ATTACH PARTITION ops.access_log_default_people_idx;

ALTER INDEX ops.access_log_pkey ATTACH PARTITION ops.access_log_default_pkey;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_2026_10_name_recorded_at_idx;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_2026_11_name_recorded_at_idx;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_2026_12_name_recorded_at_idx;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_2027_01_name_recorded_at_idx;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_2027_02_name_recorded_at_idx;

ALTER INDEX ops.performance_metrics_by_name ATTACH PARTITION ops.performance_metrics_default_name_recorded_at_idx;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_2026_10_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_2026_10_pkey;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_2026_11_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_2026_11_pkey;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_2026_12_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_2026_12_pkey;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_2027_01_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_2027_01_pkey;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_2027_02_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_2027_02_pkey;

ALTER INDEX rating.fires_by_time ATTACH PARTITION rating.fires_default_organization_id_received_at_event_id_idx;

ALTER INDEX rating.fires_pkey ATTACH PARTITION rating.fires_default_pkey;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_2026_10_organization_id_item_id_published_at_idx;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_2026_11_organization_id_item_id_published_at_idx;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_2026_12_organization_id_item_id_published_at_idx;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_2027_01_organization_id_item_id_published_at_idx;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_2027_02_organization_id_item_id_published_at_idx;

ALTER INDEX rating.score_history_of_item ATTACH PARTITION rating.score_history_default_organization_id_item_id_published_at_idx;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_2026_10_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_2026_10_pkey;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_2026_11_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_2026_11_pkey;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_2026_12_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_2026_12_pkey;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_2027_01_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_2027_01_pkey;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_2027_02_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_2027_02_pkey;

ALTER INDEX rating.sliders_by_time ATTACH PARTITION rating.sliders_default_organization_id_received_at_event_id_idx;

ALTER INDEX rating.sliders_pkey ATTACH PARTITION rating.sliders_default_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_2026_10_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_2026_10_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_2026_11_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_2026_11_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_2026_12_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_2026_12_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_2027_01_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_2027_01_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_2027_02_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_2027_02_pkey;

ALTER INDEX rating.votes_by_time ATTACH PARTITION rating.votes_default_organization_id_received_at_event_id_idx;

ALTER INDEX rating.votes_pkey ATTACH PARTITION rating.votes_default_pkey;

CREATE OR REPLACE VIEW public.customer_dashboard_mv WITH (security_invoker='true') AS
 SELECT d.customer_id,
    d.organization_id,
    o.name AS organization_name,
    o.time_zone,
    count(d.booking) AS total_bookings,
    count(*) FILTER (WHERE (d.booking = ANY (ARRAY['pending_payment'::events.booking_status, 'held'::events.booking_status]))) AS pending_bookings,
    count(*) FILTER (WHERE (d.booking = 'confirmed'::events.booking_status)) AS confirmed_bookings,
    count(*) FILTER (WHERE (d.booking = 'cancelled'::events.booking_status)) AS cancelled_bookings,
    count(*) FILTER (WHERE (d.booking = 'refunded'::events.booking_status)) AS refunded_bookings,
    count(*) FILTER (WHERE (d.booking = 'attended'::events.booking_status)) AS attended_bookings,
    count(*) FILTER (WHERE (d.booking = 'no_show'::events.booking_status)) AS no_show_bookings,
    count(*) FILTER (WHERE (d.booking = 'expired'::events.booking_status)) AS expired_bookings,
    count(*) FILTER (WHERE ((d.booking = 'confirmed'::events.booking_status) AND (d.starts_at > statement_timestamp()))) AS upcoming_bookings,
    min(d.starts_at) FILTER (WHERE ((d.booking = 'confirmed'::events.booking_status) AND (d.starts_at > statement_timestamp()))) AS next_event_at,
    max(d.created_at) FILTER (WHERE (d.booking IS NOT NULL)) AS last_booking_at,
    (COALESCE(sum(d.spent_cents) FILTER (WHERE (d.currency = o.currency)), (0)::numeric))::bigint AS total_spent_cents,
    o.currency,
    count(*) FILTER (WHERE (d.wait = ANY (ARRAY['waiting'::events.waitlist_status, 'offered'::events.waitlist_status]))) AS waitlist_places
   FROM (( SELECT b.customer_id,
            b.organization_id,
            b.status AS booking,
            NULL::events.waitlist_status AS wait,
            t.starts_at,
            b.created_at,
            b.currency,
            events.spent_cents(b.status, (b.price_cents)::bigint, (b.fee_cents)::bigint) AS spent_cents
           FROM (events.bookings b
             LEFT JOIN events.terms t ON ((t.event_id = b.event_id)))
        UNION ALL
         SELECT w.customer_id,
            t.organization_id,
            NULL::events.booking_status AS booking,
            w.status AS wait,
            t.starts_at,
            w.joined_at AS created_at,
            NULL::bpchar AS currency,
            NULL::bigint AS spent_cents
           FROM (events.waitlist_entries w
             JOIN events.terms t ON ((t.event_id = w.event_id)))) d
     JOIN organizations.organizations o ON ((o.id = d.organization_id)))
  GROUP BY d.customer_id, d.organization_id, o.id;

CREATE TRIGGER cancelled_has_a_time BEFORE UPDATE ON events.bookings FOR EACH ROW WHEN (((new.status = 'cancelled'::events.booking_status) AND (new.cancelled_at IS NULL))) EXECUTE FUNCTION events.require_cancelled_at();

CREATE TRIGGER copy_terms_inserted AFTER INSERT ON events.events FOR EACH ROW EXECUTE FUNCTION events.copy_terms();

CREATE TRIGGER copy_terms_updated AFTER UPDATE OF starts_at, ends_at, status, visibility, price_cents, currency, policy ON events.events FOR EACH ROW EXECUTE FUNCTION events.copy_terms();

CREATE TRIGGER count_deleted AFTER DELETE ON events.bookings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_bookings();

CREATE TRIGGER count_deleted AFTER DELETE ON events.holds REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_holds();

CREATE TRIGGER count_deleted AFTER DELETE ON events.waitlist_entries REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_waitlist();

CREATE TRIGGER count_inserted AFTER INSERT ON events.bookings FOR EACH ROW EXECUTE FUNCTION events.count_booking();

CREATE TRIGGER count_inserted AFTER INSERT ON events.holds FOR EACH ROW EXECUTE FUNCTION events.count_holds();

CREATE TRIGGER count_inserted AFTER INSERT ON events.waitlist_entries FOR EACH ROW EXECUTE FUNCTION events.count_waitlist();

CREATE TRIGGER count_updated AFTER UPDATE ON events.bookings REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_bookings();

CREATE TRIGGER count_updated AFTER UPDATE ON events.holds REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_holds();

CREATE TRIGGER count_updated AFTER UPDATE ON events.waitlist_entries REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION events.count_waitlist();

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.bookings FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('booking');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.events FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('event');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.holds FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('hold');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.series FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('series');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON events.waitlist_entries FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('waitlist');

CREATE TRIGGER record_hold_end BEFORE UPDATE OF status ON events.holds FOR EACH ROW WHEN (((old.status = 'active'::events.hold_status) AND (new.status <> 'active'::events.hold_status))) EXECUTE FUNCTION events.record_hold_end();

CREATE TRIGGER set_search_config BEFORE INSERT OR UPDATE OF language ON events.events FOR EACH ROW EXECUTE FUNCTION events.set_search_config();

CREATE TRIGGER new_secrets_are_sealed BEFORE INSERT OR UPDATE OF secret ON messaging.webhook_secrets FOR EACH ROW WHEN ((new.secret IS NOT NULL)) EXECUTE FUNCTION messaging.refuse_plain_secret();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE ON ops.access_log FOR EACH ROW EXECUTE FUNCTION ops.refuse_access_change();

ALTER TABLE ops.access_log ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_truncation BEFORE TRUNCATE ON ops.access_log FOR EACH STATEMENT EXECUTE FUNCTION ops.refuse_access_change();

ALTER TABLE ops.access_log ENABLE ALWAYS TRIGGER refuse_truncation;

CREATE TRIGGER check_transactions AFTER INSERT ON payments.transactions REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION payments.check_transactions();

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.intents FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('intent');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.purchases FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('purchase');

CREATE TRIGGER enforce_transition BEFORE UPDATE OF status ON payments.refunds FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION ops.enforce_transition('refund');

CREATE TRIGGER follow_entries AFTER INSERT ON payments.entries REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION payments.follow_entries();

CREATE TRIGGER open_balance AFTER INSERT ON payments.accounts FOR EACH ROW WHEN (new.guarded) EXECUTE FUNCTION payments.open_balance();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.accounts FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();

ALTER TABLE payments.accounts ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.entries FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();

ALTER TABLE payments.entries ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.seals FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();

ALTER TABLE payments.seals ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.transactions FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_change();

ALTER TABLE payments.transactions ENABLE ALWAYS TRIGGER refuse_change;

CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR TRUNCATE ON payments.invoice_numbers FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();

CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR UPDATE OR TRUNCATE ON payments.invoice_payments FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();

CREATE TRIGGER refuse_invoice_change BEFORE DELETE OR TRUNCATE ON payments.invoices FOR EACH STATEMENT EXECUTE FUNCTION payments.refuse_invoice_change();

ALTER TABLE payments.invoices ENABLE ALWAYS TRIGGER refuse_invoice_change;

CREATE TRIGGER refuse_invoice_update BEFORE UPDATE ON payments.invoices FOR EACH ROW EXECUTE FUNCTION payments.refuse_invoice_change();

ALTER TABLE payments.invoices ENABLE ALWAYS TRIGGER refuse_invoice_update;

CREATE TRIGGER mark_dirty AFTER INSERT ON rating.inbox REFERENCING NEW TABLE AS new_events FOR EACH STATEMENT EXECUTE FUNCTION rating.mark_inbox();

ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id);

ALTER TABLE ONLY events.bookings
    ADD CONSTRAINT bookings_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES events.holds(id);

ALTER TABLE events.events
    ADD CONSTRAINT event_instructor_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);

ALTER TABLE events.events
    ADD CONSTRAINT event_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);

ALTER TABLE events.events
    ADD CONSTRAINT events_category_fkey FOREIGN KEY (category) REFERENCES ref.event_categories(slug);

ALTER TABLE events.events
    ADD CONSTRAINT events_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE events.events
    ADD CONSTRAINT events_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);

ALTER TABLE events.events
    ADD CONSTRAINT events_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE events.events
    ADD CONSTRAINT events_series_id_fkey FOREIGN KEY (series_id) REFERENCES events.series(id) ON DELETE SET NULL;

ALTER TABLE events.events
    ADD CONSTRAINT events_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);

ALTER TABLE ONLY events.holds
    ADD CONSTRAINT holds_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY events.holds
    ADD CONSTRAINT holds_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;

ALTER TABLE ONLY events.inventory
    ADD CONSTRAINT inventory_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;

ALTER TABLE ONLY events.occurrences
    ADD CONSTRAINT occurrences_series_id_fkey FOREIGN KEY (series_id) REFERENCES events.series(id) ON DELETE CASCADE;

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_category_fkey FOREIGN KEY (category) REFERENCES ref.event_categories(slug);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_continues_series_id_fkey FOREIGN KEY (continues_series_id) REFERENCES events.series(id) ON DELETE SET NULL;

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_instructor_is_its_own FOREIGN KEY (organization_id, instructor_id) REFERENCES organizations.instructors(organization_id, id);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_location_is_its_own FOREIGN KEY (organization_id, location_id) REFERENCES organizations.locations(organization_id, id);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_policy_is_its_own FOREIGN KEY (organization_id, policy_id) REFERENCES organizations.policies(organization_id, id);

ALTER TABLE ONLY events.series
    ADD CONSTRAINT series_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);

ALTER TABLE ONLY events.terms
    ADD CONSTRAINT terms_are_of_an_event FOREIGN KEY (event_id, starts_at) REFERENCES events.events(id, starts_at) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;

ALTER TABLE ONLY events.waitlist_entries
    ADD CONSTRAINT waitlist_entries_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES events.holds(id);

ALTER TABLE ONLY messaging.deliveries
    ADD CONSTRAINT deliveries_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT notifications_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.reminded_events
    ADD CONSTRAINT reminded_events_event_id_fkey FOREIGN KEY (event_id) REFERENCES events.terms(event_id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.reminders
    ADD CONSTRAINT reminders_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.webhook_attempts
    ADD CONSTRAINT webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES messaging.webhook_deliveries(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES messaging.webhook_endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.webhook_endpoints
    ADD CONSTRAINT webhook_endpoints_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY messaging.webhook_secrets
    ADD CONSTRAINT webhook_secrets_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES messaging.webhook_endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY ops.alerts
    ADD CONSTRAINT alerts_rule_fkey FOREIGN KEY (rule) REFERENCES ops.alert_rules(name) ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.instructors
    ADD CONSTRAINT instructors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE SET NULL;

ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);

ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.locations
    ADD CONSTRAINT locations_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);

ALTER TABLE ONLY organizations.memberships
    ADD CONSTRAINT memberships_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.memberships
    ADD CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users.profiles(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);

ALTER TABLE ONLY organizations.organizations
    ADD CONSTRAINT organizations_time_zone_fkey FOREIGN KEY (time_zone) REFERENCES ref.timezones(name);

ALTER TABLE ONLY organizations.payout_accounts
    ADD CONSTRAINT payout_accounts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.payout_settings
    ADD CONSTRAINT payout_settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY organizations.policies
    ADD CONSTRAINT policies_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT accounts_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.accounts
    ADD CONSTRAINT accounts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.balances
    ADD CONSTRAINT balances_account_id_fkey FOREIGN KEY (account_id) REFERENCES payments.accounts(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_account_id_fkey FOREIGN KEY (account_id) REFERENCES payments.accounts(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);

ALTER TABLE ONLY payments.credit_lots
    ADD CONSTRAINT credit_lots_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES payments.refunds(id);

ALTER TABLE ONLY payments.credit_uses
    ADD CONSTRAINT credit_uses_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.credit_uses
    ADD CONSTRAINT credit_uses_lot_id_fkey FOREIGN KEY (lot_id) REFERENCES payments.credit_lots(id);

ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES payments.intents(id);

ALTER TABLE ONLY payments.disputes
    ADD CONSTRAINT disputes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_payment_transaction_id_fkey FOREIGN KEY (payment_transaction_id) REFERENCES payments.transactions(id);

ALTER TABLE ONLY payments.fees
    ADD CONSTRAINT fees_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payments.transactions(id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.intents
    ADD CONSTRAINT intents_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);

ALTER TABLE ONLY payments.invoice_numbers
    ADD CONSTRAINT invoice_numbers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.invoice_payments
    ADD CONSTRAINT invoice_payments_invoice_id_fkey FOREIGN KEY (invoice_id) REFERENCES payments.invoices(id);

ALTER TABLE ONLY payments.invoice_payments
    ADD CONSTRAINT invoice_payments_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES payments.transactions(id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_corrects_id_fkey FOREIGN KEY (corrects_id) REFERENCES payments.invoices(id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.invoices
    ADD CONSTRAINT invoices_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES payments.refunds(id);

ALTER TABLE ONLY payments.packages
    ADD CONSTRAINT packages_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.packages
    ADD CONSTRAINT packages_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.payouts
    ADD CONSTRAINT payouts_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.payouts
    ADD CONSTRAINT payouts_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_codes_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.promo_codes
    ADD CONSTRAINT promo_codes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.promo_uses
    ADD CONSTRAINT promo_uses_promo_code_id_fkey FOREIGN KEY (promo_code_id) REFERENCES payments.promo_codes(id);

ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.purchases
    ADD CONSTRAINT purchases_package_id_fkey FOREIGN KEY (package_id) REFERENCES payments.packages(id);

ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.quotes
    ADD CONSTRAINT quotes_promo_code_id_fkey FOREIGN KEY (promo_code_id) REFERENCES payments.promo_codes(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_debt_transaction_id_fkey FOREIGN KEY (debt_transaction_id) REFERENCES payments.transactions(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_intent_id_fkey FOREIGN KEY (intent_id) REFERENCES payments.intents(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.refunds
    ADD CONSTRAINT refunds_purchase_id_fkey FOREIGN KEY (purchase_id) REFERENCES payments.purchases(id);

ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES events.bookings(id);

ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES users.profiles(id);

ALTER TABLE ONLY payments.sales
    ADD CONSTRAINT sales_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY payments.transfers
    ADD CONSTRAINT transfers_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY payments.transfers
    ADD CONSTRAINT transfers_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id);

ALTER TABLE ONLY rating.calibrations
    ADD CONSTRAINT calibrations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.item_scores
    ADD CONSTRAINT item_scores_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.item_stats
    ADD CONSTRAINT item_stats_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.populations
    ADD CONSTRAINT populations_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.settings
    ADD CONSTRAINT settings_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.voter_days
    ADD CONSTRAINT voter_days_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY rating.voters
    ADD CONSTRAINT voters_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE;

ALTER TABLE ONLY ref.countries
    ADD CONSTRAINT countries_currency_fkey FOREIGN KEY (currency) REFERENCES ref.currencies(code);

ALTER TABLE ONLY ref.event_categories
    ADD CONSTRAINT event_categories_parent_slug_fkey FOREIGN KEY (parent_slug) REFERENCES ref.event_categories(slug);

ALTER TABLE ONLY ref.tax_rates
    ADD CONSTRAINT tax_rates_country_fkey FOREIGN KEY (country) REFERENCES ref.countries(code);

ALTER TABLE ONLY users.profiles
    ADD CONSTRAINT profiles_language_fkey FOREIGN KEY (language) REFERENCES ref.languages(code);

CREATE POLICY booked ON events.events FOR SELECT TO authenticated USING ((id IN ( SELECT b.event_id
   FROM events.bookings b
  WHERE (b.customer_id = ( SELECT ops.caller_id() AS caller_id)))));

CREATE POLICY booked ON events.terms FOR SELECT TO authenticated USING ((event_id IN ( SELECT b.event_id
   FROM events.bookings b
  WHERE (b.customer_id = ( SELECT ops.caller_id() AS caller_id)))));

ALTER TABLE events.bookings ENABLE ROW LEVEL SECURITY;

ALTER TABLE events.events ENABLE ROW LEVEL SECURITY;

ALTER TABLE events.events_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE events.holds ENABLE ROW LEVEL SECURITY;

ALTER TABLE events.inventory ENABLE ROW LEVEL SECURITY;

CREATE POLICY members ON events.events FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON events.series FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON events.terms FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

ALTER TABLE events.occurrences ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON events.bookings FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON events.holds FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON events.waitlist_entries FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY published ON events.events FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'draft'::events.event_status)));

CREATE POLICY published ON events.series FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'archived'::events.series_status)));

CREATE POLICY published ON events.terms FOR SELECT TO anon, authenticated USING (((visibility = 'public'::events.visibility) AND (status <> 'draft'::events.event_status)));

ALTER TABLE events.series ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON events.bookings TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.events TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.holds TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.inventory TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.occurrences TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.series TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.terms TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON events.waitlist_entries TO service_role USING (true) WITH CHECK (true);

CREATE POLICY staff ON events.bookings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'accountant'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY staff ON events.holds FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE ((t.event_id = holds.event_id) AND (t.organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as))))));

CREATE POLICY staff ON events.waitlist_entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE ((t.event_id = waitlist_entries.event_id) AND (t.organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['front_desk'::organizations.member_role, 'viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as))))));

ALTER TABLE events.terms ENABLE ROW LEVEL SECURITY;

CREATE POLICY visible_event ON events.inventory FOR SELECT TO anon, authenticated USING ((EXISTS ( SELECT
   FROM events.terms t
  WHERE (t.event_id = inventory.event_id))));

CREATE POLICY visible_series_and_event ON events.occurrences FOR SELECT TO anon, authenticated USING (((EXISTS ( SELECT
   FROM events.series s
  WHERE (s.id = occurrences.series_id))) AND (EXISTS ( SELECT
   FROM events.terms t
  WHERE (t.event_id = occurrences.event_id)))));

ALTER TABLE events.waitlist_entries ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.notifications ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON messaging.notifications FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));

ALTER TABLE messaging.reminded_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.reminders ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON messaging.deliveries TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON messaging.notifications TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON messaging.webhook_attempts TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON messaging.webhook_deliveries TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON messaging.webhook_endpoints TO service_role USING (true) WITH CHECK (true);

CREATE POLICY staff ON messaging.webhook_endpoints FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['viewer'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY visible_delivery ON messaging.webhook_attempts FOR SELECT TO authenticated USING ((delivery_id IN ( SELECT d.id
   FROM messaging.webhook_deliveries d)));

CREATE POLICY visible_endpoint ON messaging.webhook_deliveries FOR SELECT TO authenticated USING ((endpoint_id IN ( SELECT e.id
   FROM messaging.webhook_endpoints e)));

ALTER TABLE messaging.webhook_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.webhook_deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.webhook_endpoints ENABLE ROW LEVEL SECURITY;

ALTER TABLE messaging.webhook_secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.access_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.access_log_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.alert_recipients ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.alert_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.health_checks ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.idempotency_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.job_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.jobs ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.limits ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.migrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.partition_policies ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.performance_metrics ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.performance_metrics_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.performance_metrics_hourly ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.rate_limit_rules ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.rate_limits ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.repeatables ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.retention ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON ops.alert_recipients TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.alert_rules TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.alerts TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.health_checks TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.idempotency_keys TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.job_runs TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.jobs TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.limits TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.partition_policies TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.performance_metrics TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.performance_metrics_hourly TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.rate_limit_rules TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.rate_limits TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.retention TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.state_history TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON ops.transitions TO service_role USING (true) WITH CHECK (true);

ALTER TABLE ops.state_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE ops.transitions ENABLE ROW LEVEL SECURITY;

CREATE POLICY admins ON organizations.memberships FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY anyone ON organizations.instructors FOR SELECT TO anon, authenticated USING (true);

CREATE POLICY anyone ON organizations.locations FOR SELECT TO anon, authenticated USING (true);

CREATE POLICY anyone ON organizations.organizations FOR SELECT TO anon, authenticated USING (true);

ALTER TABLE organizations.instructors ENABLE ROW LEVEL SECURITY;

ALTER TABLE organizations.locations ENABLE ROW LEVEL SECURITY;

CREATE POLICY members ON organizations.policies FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

ALTER TABLE organizations.memberships ENABLE ROW LEVEL SECURITY;

CREATE POLICY money_staff ON organizations.payout_accounts FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON organizations.payout_settings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

ALTER TABLE organizations.organizations ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON organizations.memberships FOR SELECT TO authenticated USING ((user_id = ( SELECT ops.caller_id() AS caller_id)));

ALTER TABLE organizations.payout_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE organizations.payout_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE organizations.policies ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON organizations.instructors TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.locations TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.memberships TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.organizations TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.payout_accounts TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.payout_settings TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON organizations.policies TO service_role USING (true) WITH CHECK (true);

ALTER TABLE payments.accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.balance_transactions ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.balances ENABLE ROW LEVEL SECURITY;

CREATE POLICY bookkeepers ON payments.accounts FOR SELECT TO authenticated USING ((
CASE
    WHEN (owner_kind = 'organization'::payments.owner_kind) THEN owner_id
    ELSE organization_id
END IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

ALTER TABLE payments.credit_lots ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.credit_uses ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.differences ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.disputes ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.entries ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.fees ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.intents ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.invoice_numbers ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.invoice_payments ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.invoices ENABLE ROW LEVEL SECURITY;

CREATE POLICY money_staff ON payments.credit_lots FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.disputes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.fees FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.invoices FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.payouts FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.promo_codes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.purchases FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.quotes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.refunds FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.sales FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY money_staff ON payments.transfers FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

CREATE POLICY on_sale ON payments.packages FOR SELECT USING (active);

CREATE POLICY own ON payments.accounts FOR SELECT TO authenticated USING (((owner_kind = 'user'::payments.owner_kind) AND (owner_id = ( SELECT ops.caller_id() AS caller_id))));

CREATE POLICY own ON payments.credit_lots FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.fees FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.intents FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.invoices FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.promo_uses FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.purchases FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.quotes FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.refunds FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON payments.sales FOR SELECT TO authenticated USING ((customer_id = ( SELECT ops.caller_id() AS caller_id)));

ALTER TABLE payments.packages ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.payouts ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.promo_codes ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.promo_uses ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.purchases ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.quotes ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.refunds ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.sales ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.seals ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON payments.accounts TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.balance_transactions TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.balances TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.credit_lots TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.credit_uses TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.differences TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.disputes TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.entries TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.fees TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.intents TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.invoice_payments TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.invoices TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.packages TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.payouts TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.promo_codes TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.promo_uses TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.purchases TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.quotes TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.refunds TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.sales TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.seals TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.transactions TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.transfers TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.unsealed_entries TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON payments.webhook_inbox TO service_role USING (true) WITH CHECK (true);

CREATE POLICY staff ON payments.packages FOR SELECT TO authenticated USING ((organization_id IN ( SELECT organizations.orgs_as(VARIADIC ARRAY['accountant'::organizations.member_role, 'front_desk'::organizations.member_role, 'editor'::organizations.member_role, 'admin'::organizations.member_role, 'owner'::organizations.member_role]) AS orgs_as)));

ALTER TABLE payments.transactions ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.transfers ENABLE ROW LEVEL SECURITY;

ALTER TABLE payments.unsealed_entries ENABLE ROW LEVEL SECURITY;

CREATE POLICY visible_account ON payments.balances FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = balances.account_id))));

CREATE POLICY visible_account ON payments.entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = entries.account_id))));

CREATE POLICY visible_account ON payments.seals FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = seals.account_id))));

CREATE POLICY visible_account ON payments.unsealed_entries FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.accounts a
  WHERE (a.id = unsealed_entries.account_id))));

CREATE POLICY visible_code ON payments.promo_uses FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.promo_codes c
  WHERE (c.id = promo_uses.promo_code_id))));

CREATE POLICY visible_entry ON payments.transactions FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.entries e
  WHERE (e.transaction_id = transactions.id))));

CREATE POLICY visible_invoice ON payments.invoice_payments FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.invoices i
  WHERE (i.id = invoice_payments.invoice_id))));

CREATE POLICY visible_lot ON payments.credit_uses FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM payments.credit_lots l
  WHERE (l.id = credit_uses.lot_id))));

ALTER TABLE payments.webhook_inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.outbox ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON public.outbox TO service_role USING (true) WITH CHECK (true);

ALTER TABLE rating.calibrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.dirty_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.event_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.fires ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.fires_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.item_fires ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.item_scores ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.item_stats ENABLE ROW LEVEL SECURITY;

CREATE POLICY members ON rating.fires FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.item_scores FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.score_history FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.settings FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.sliders FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.voters FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY members ON rating.votes FOR SELECT TO authenticated USING ((organization_id IN ( SELECT public.user_orgs() AS user_orgs)));

CREATE POLICY own ON rating.fires FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));

CREATE POLICY own ON rating.requests FOR SELECT TO authenticated USING ((caller_id = ( SELECT ops.caller_id() AS caller_id)));

CREATE POLICY own ON rating.sliders FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));

CREATE POLICY own ON rating.voters FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));

CREATE POLICY own ON rating.votes FOR SELECT TO authenticated USING (((voter_id)::text = (( SELECT ops.caller_id() AS caller_id))::text));

ALTER TABLE rating.populations ENABLE ROW LEVEL SECURITY;

CREATE POLICY published ON rating.item_scores FOR SELECT TO anon, authenticated USING ((NOT (organization_id IN ( SELECT rating.private_organizations() AS private_organizations))));

CREATE POLICY published ON rating.score_history FOR SELECT TO anon, authenticated USING ((NOT (organization_id IN ( SELECT rating.private_organizations() AS private_organizations))));

CREATE POLICY published ON rating.settings FOR SELECT TO anon, authenticated USING (public);

ALTER TABLE rating.requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.score_history ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.score_history_default ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON rating.calibrations TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.dirty_items TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.event_keys TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.fires TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.inbox TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.item_fires TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.item_scores TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.item_stats TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.populations TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.requests TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.score_history TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.settings TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.sliders TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.voter_days TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.voters TO service_role USING (true) WITH CHECK (true);

CREATE POLICY service ON rating.votes TO service_role USING (true) WITH CHECK (true);

ALTER TABLE rating.settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.sliders ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.sliders_default ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.voter_days ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.voters ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.votes ENABLE ROW LEVEL SECURITY;

ALTER TABLE rating.votes_default ENABLE ROW LEVEL SECURITY;

CREATE POLICY anyone ON ref.countries FOR SELECT USING (true);

CREATE POLICY anyone ON ref.currencies FOR SELECT USING (true);

CREATE POLICY anyone ON ref.event_categories FOR SELECT USING (true);

CREATE POLICY anyone ON ref.languages FOR SELECT USING (true);

CREATE POLICY anyone ON ref.timezones FOR SELECT USING (true);

ALTER TABLE ref.countries ENABLE ROW LEVEL SECURITY;

ALTER TABLE ref.currencies ENABLE ROW LEVEL SECURITY;

ALTER TABLE ref.event_categories ENABLE ROW LEVEL SECURITY;

CREATE POLICY everybody ON ref.tax_rates FOR SELECT USING (true);

ALTER TABLE ref.languages ENABLE ROW LEVEL SECURITY;

ALTER TABLE ref.tax_rates ENABLE ROW LEVEL SECURITY;

ALTER TABLE ref.timezones ENABLE ROW LEVEL SECURITY;

ALTER TABLE staging.class_instances ENABLE ROW LEVEL SECURITY;

ALTER TABLE staging.class_registrations ENABLE ROW LEVEL SECURITY;

ALTER TABLE staging.class_templates ENABLE ROW LEVEL SECURITY;

ALTER TABLE staging.outcomes ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON staging.outcomes TO service_role USING (true) WITH CHECK (true);

ALTER TABLE staging.waitlists ENABLE ROW LEVEL SECURITY;

CREATE POLICY own ON users.profiles FOR SELECT TO authenticated USING ((id = ( SELECT ops.caller_id() AS caller_id)));

ALTER TABLE users.profiles ENABLE ROW LEVEL SECURITY;

CREATE POLICY service ON users.profiles TO service_role USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA events TO app_read;
GRANT USAGE ON SCHEMA events TO app_write;

GRANT USAGE ON SCHEMA messaging TO app_read;
GRANT USAGE ON SCHEMA messaging TO app_write;

GRANT USAGE ON SCHEMA ops TO app_read;
GRANT USAGE ON SCHEMA ops TO app_write;
GRANT USAGE ON SCHEMA ops TO marquee_public;
GRANT USAGE ON SCHEMA ops TO marquee_people;
GRANT USAGE ON SCHEMA ops TO marquee_service;

GRANT USAGE ON SCHEMA organizations TO app_read;
GRANT USAGE ON SCHEMA organizations TO app_write;

GRANT USAGE ON SCHEMA payments TO app_read;
GRANT USAGE ON SCHEMA payments TO app_write;

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO app_read;
GRANT USAGE ON SCHEMA public TO app_write;

GRANT USAGE ON SCHEMA rating TO app_read;
GRANT USAGE ON SCHEMA rating TO app_write;

GRANT USAGE ON SCHEMA ref TO app_read;
GRANT USAGE ON SCHEMA ref TO app_write;

GRANT USAGE ON SCHEMA staging TO app_write;

GRANT USAGE ON SCHEMA users TO app_read;
GRANT USAGE ON SCHEMA users TO app_write;

REVOKE ALL ON FUNCTION events.abandon_unpaid(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.accept_offer(entry_id uuid, payment_method events.payment_method, idempotency_key text, promo_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.accept_offer(entry_id uuid, payment_method events.payment_method, idempotency_key text, promo_code text) TO authenticated;
GRANT ALL ON FUNCTION events.accept_offer(entry_id uuid, payment_method events.payment_method, idempotency_key text, promo_code text) TO service_role;

REVOKE ALL ON FUNCTION events.availability(capacity integer, taken integer, held integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.availability(capacity integer, taken integer, held integer) TO app_read;

REVOKE ALL ON FUNCTION events.book(event_id uuid, seats integer, payment_method events.payment_method, customer_id uuid, guest boolean, hold_id uuid, idempotency_key text, promo_code text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.book(event_id uuid, seats integer, payment_method events.payment_method, customer_id uuid, guest boolean, hold_id uuid, idempotency_key text, promo_code text) TO authenticated;
GRANT ALL ON FUNCTION events.book(event_id uuid, seats integer, payment_method events.payment_method, customer_id uuid, guest boolean, hold_id uuid, idempotency_key text, promo_code text) TO service_role;

GRANT SELECT ON TABLE events.terms TO app_read;

REVOKE ALL ON FUNCTION events.bookable_terms(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.booking_answer(booking_id uuid, event_id uuid, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, price_cents bigint, currency text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.booking_request_hash(event_id uuid, seats integer, guest boolean, payment_method events.payment_method, customer_id uuid, hold_id uuid, promo_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.cancel_booking(booking_id uuid, reason text, waive boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION events.cancel_booking(booking_id uuid, reason text, waive boolean) TO authenticated;
GRANT ALL ON FUNCTION events.cancel_booking(booking_id uuid, reason text, waive boolean) TO service_role;

REVOKE ALL ON FUNCTION events.cancel_event(event_id uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.cancel_event(event_id uuid, reason text) TO authenticated;
GRANT ALL ON FUNCTION events.cancel_event(event_id uuid, reason text) TO service_role;

REVOKE ALL ON FUNCTION events.cancel_events(event_ids uuid[], reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.is_text(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.uuid_v7() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.uuid_v7() TO app_read;
GRANT ALL ON FUNCTION ops.uuid_v7() TO app_write;

GRANT SELECT ON TABLE events.bookings TO app_read;

REVOKE ALL ON FUNCTION events.cancelled_payload(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.change_inventory(event_id uuid, taken integer, held integer, waitlisted integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.check_references(organization_id uuid, details jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.check_times(starts_at timestamp with time zone, ends_at timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE events.waitlist_entries TO app_read;

REVOKE ALL ON FUNCTION events.close_entry(entry events.waitlist_entries, final_status events.waitlist_status, reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.confirm_paid(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.consume_hold(hold_id uuid, event_id uuid, customer_id uuid, seats integer, VARIADIC purposes events.hold_purpose[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.copy_details(series_id uuid, changes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.copy_terms() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.count_booking() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.count_bookings() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.count_holds() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.count_waitlist() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.create_event(details jsonb, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.create_event(details jsonb, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION events.create_event(details jsonb, idempotency_key text) TO service_role;

REVOKE ALL ON FUNCTION ops.is_line(value text) FROM PUBLIC;

GRANT SELECT ON TABLE events.series TO app_read;

REVOKE ALL ON FUNCTION events.create_series(details jsonb, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.create_series(details jsonb, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION events.create_series(details jsonb, idempotency_key text) TO service_role;

REVOKE ALL ON FUNCTION events.customer_dashboard(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.customer_dashboard(most integer) TO authenticated;
GRANT ALL ON FUNCTION events.customer_dashboard(most integer) TO service_role;

REVOKE ALL ON FUNCTION events.decline_offer(entry_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.decline_offer(entry_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.decline_offer(entry_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.drop_events(event_ids uuid[], reason text, cancel_booked boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.edit_series(series_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.edit_series(series_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.edit_series(series_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.end_refunded(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.end_waits(at timestamp with time zone, most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.ensure_customer(caller_id uuid, customer_id uuid, organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.entry_of(event_id uuid, customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.event_answer(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.expire_holds(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.expire_holds(at timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.expire_holds_of(event_id uuid, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.first_made(operation text, key text, request jsonb, new_id uuid) FROM PUBLIC;

REVOKE ALL ON PROCEDURE events.guard_states() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.hold_seats(event_id uuid, seats integer, customer_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.hold_seats(event_id uuid, seats integer, customer_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.hold_seats(event_id uuid, seats integer, customer_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.hold_until_paid(terms events.terms, customer_id uuid, seats integer, held_by uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.instructor_schedule(instructor_id uuid, first_day date, last_day date, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.instructor_schedule(instructor_id uuid, first_day date, last_day date, most integer) TO authenticated;
GRANT ALL ON FUNCTION events.instructor_schedule(instructor_id uuid, first_day date, last_day date, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.is_door_staff(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION organizations.caller_is(organization_id uuid, VARIADIC roles organizations.member_role[]) FROM PUBLIC;
GRANT ALL ON FUNCTION organizations.caller_is(organization_id uuid, VARIADIC roles organizations.member_role[]) TO app_read;
GRANT ALL ON FUNCTION organizations.caller_is(organization_id uuid, VARIADIC roles organizations.member_role[]) TO app_write;

REVOKE ALL ON FUNCTION events.is_staff(organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.join_waitlist(event_id uuid, seats integer, customer_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.join_waitlist(event_id uuid, seats integer, customer_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.join_waitlist(event_id uuid, seats integer, customer_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.leave_waitlist(event_id uuid, customer_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.limit_held_seats(terms events.terms, customer_id uuid, seats integer, held_by uuid, purpose events.hold_purpose) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.limit_programme(organization_id uuid, kind text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.limit_seats(terms events.terms, customer_id uuid, seats integer, purpose text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.limit_waits(organization_id uuid, customer_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE events.inventory TO app_read;

REVOKE ALL ON FUNCTION events.lock_inventory(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.lock_people(VARIADIC people uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.lock_person(person_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.make_room(terms events.terms, customer_id uuid, seats integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.may_come_back(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.may_pass(event_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE payments.quotes TO app_read;

REVOKE ALL ON FUNCTION events.method_of_payment(terms events.terms, quote payments.quotes, payment_method events.payment_method, idempotency_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.move_occurrences(series_id uuid, occurrences jsonb, until date) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.offer_seats(event_id uuid, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.open_to_everybody(terms events.terms) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.organization_analytics(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.organization_analytics(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.organization_analytics(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.own_entry(entry_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.place_booking(booking_id uuid, terms events.terms, customer_id uuid, seats integer, guest boolean, payment_method events.payment_method, quote payments.quotes, hold_id uuid, booked_by uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.policy_snapshot(policy_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.price_tier(price_cents bigint, decimal_places integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.price_tier(price_cents bigint, decimal_places integer) TO app_read;

REVOKE ALL ON FUNCTION events.promote_waitlist(event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.promote_waitlist(event_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.promote_waitlist(event_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.promote_waitlists(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.promote_waitlists(at timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean) TO authenticated;
GRANT ALL ON FUNCTION events.record_attendance(booking_id uuid, attended boolean, waive boolean) TO service_role;

REVOKE ALL ON FUNCTION events.record_hold_end() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.record_occurrences(slice jsonb, until date) FROM PUBLIC;
GRANT ALL ON FUNCTION events.record_occurrences(slice jsonb, until date) TO authenticated;
GRANT ALL ON FUNCTION events.record_occurrences(slice jsonb, until date) TO service_role;

REVOKE ALL ON FUNCTION events.refuse_already_booked(event_id uuid, customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.refuse_sold_out(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.refuse_unless_staff(terms events.terms) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.release_hold(hold_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.release_hold(hold_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.release_hold(hold_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.require_cancelled_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.require_door_staff(event_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE organizations.organizations TO app_read;
GRANT SELECT ON TABLE organizations.organizations TO app_write;

REVOKE ALL ON FUNCTION events.require_organization(organization_id uuid, VARIADIC roles organizations.member_role[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.require_series(series_id uuid, VARIADIC roles organizations.member_role[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.require_staff(event_id uuid, VARIADIC roles organizations.member_role[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.roster(event_id uuid, after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.roster(event_id uuid, after uuid, most integer) TO authenticated;
GRANT ALL ON FUNCTION events.roster(event_id uuid, after uuid, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.search_events(q text, city text, category text, organization_id uuid, series_id uuid, instructor_id uuid, availability text, price text, starts_from timestamp with time zone, starts_before timestamp with time zone, after_starts_at timestamp with time zone, after_id uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.search_events(q text, city text, category text, organization_id uuid, series_id uuid, instructor_id uuid, availability text, price text, starts_from timestamp with time zone, starts_before timestamp with time zone, after_starts_at timestamp with time zone, after_id uuid, most integer) TO app_read;

REVOKE ALL ON FUNCTION events.seats_left_for(event_id uuid, policy jsonb, customer_id uuid, purpose text) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.series_to_extend(series_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION events.series_to_extend(series_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION events.series_to_generate(until date, after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.series_to_generate(until date, after uuid, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.set_capacities(event_ids uuid[], capacity integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.set_capacity(event_id uuid, capacity integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.set_search_config() FROM PUBLIC;

REVOKE ALL ON FUNCTION events.set_series_status(series_id uuid, status events.series_status, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.set_series_status(series_id uuid, status events.series_status, reason text) TO authenticated;
GRANT ALL ON FUNCTION events.set_series_status(series_id uuid, status events.series_status, reason text) TO service_role;

REVOKE ALL ON FUNCTION events.settle_entry(entry_id uuid, booking_id uuid, seats integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.spent_cents(status events.booking_status, price_cents bigint, fee_cents bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION events.spent_cents(status events.booking_status, price_cents bigint, fee_cents bigint) TO app_read;

REVOKE ALL ON FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) FROM PUBLIC;
GRANT ALL ON FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) TO authenticated;
GRANT ALL ON FUNCTION events.split_series(series_id uuid, first_date date, recurrence text) TO service_role;

REVOKE ALL ON FUNCTION events.summary_of(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.take_turn(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.tell_of_change(event_ids uuid[], previous_starts timestamp with time zone[], changed text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.update_event(event_id uuid, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION events.update_event(event_id uuid, changes jsonb) TO authenticated;
GRANT ALL ON FUNCTION events.update_event(event_id uuid, changes jsonb) TO service_role;

REVOKE ALL ON FUNCTION events.update_series(series_id uuid, changes jsonb, occurrences jsonb, until date) FROM PUBLIC;
GRANT ALL ON FUNCTION events.update_series(series_id uuid, changes jsonb, occurrences jsonb, until date) TO authenticated;
GRANT ALL ON FUNCTION events.update_series(series_id uuid, changes jsonb, occurrences jsonb, until date) TO service_role;

REVOKE ALL ON FUNCTION events.waitlist_answer(entry_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION events.waitlist_entries_of(event_id uuid, after integer, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION events.waitlist_entries_of(event_id uuid, after integer, most integer) TO authenticated;
GRANT ALL ON FUNCTION events.waitlist_entries_of(event_id uuid, after integer, most integer) TO service_role;

REVOKE ALL ON FUNCTION events.waitlist_place(event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION events.waitlist_place(event_id uuid) TO authenticated;
GRANT ALL ON FUNCTION events.waitlist_place(event_id uuid) TO service_role;

REVOKE ALL ON FUNCTION events.words_of(q text) FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.add_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.audience(topic text, payload jsonb, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.audience(topic text, payload jsonb, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.begin_telling(outbox_id bigint, topic text, user_id uuid, organization_id uuid, subject text, body text, email text, lease_seconds integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.begin_telling(outbox_id bigint, topic text, user_id uuid, organization_id uuid, subject text, body text, email text, lease_seconds integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.claim_webhook_deliveries(most integer, per_endpoint integer, lease_seconds integer, at timestamp with time zone, sealed boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.claim_webhook_deliveries(most integer, per_endpoint integer, lease_seconds integer, at timestamp with time zone, sealed boolean) TO service_role;

REVOKE ALL ON FUNCTION messaging.create_webhook_endpoint(id uuid, url text, topics text[], description text, sealed_secret text) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.create_webhook_endpoint(id uuid, url text, topics text[], description text, sealed_secret text) TO authenticated;
GRANT ALL ON FUNCTION messaging.create_webhook_endpoint(id uuid, url text, topics text[], description text, sealed_secret text) TO service_role;

REVOKE ALL ON FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) TO authenticated;
GRANT ALL ON FUNCTION messaging.delete_webhook_endpoint(endpoint_id uuid) TO service_role;

REVOKE ALL ON FUNCTION messaging.disable_webhook_endpoint(endpoint_id uuid, reason text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.fan_out_webhooks(happenings jsonb, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.fan_out_webhooks(happenings jsonb, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.finish_telling(outbox_id bigint, email text, provider_id text, error text, permanent boolean, uncertain boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.finish_telling(outbox_id bigint, email text, provider_id text, error text, permanent boolean, uncertain boolean, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.finish_webhook_deliveries(results jsonb, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.finish_webhook_deliveries(results jsonb, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.reason_of(topic text, payload jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.refuse_plain_secret() FROM PUBLIC;

GRANT SELECT ON TABLE messaging.webhook_endpoints TO app_read;

REVOKE ALL ON FUNCTION messaging.require_webhook_endpoint(endpoint_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.resend_webhook_delivery(delivery_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.resend_webhook_delivery(delivery_id uuid, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION messaging.resend_webhook_delivery(delivery_id uuid, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.rotate_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.rotate_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION messaging.rotate_webhook_secret(endpoint_id uuid, sealed_secret text, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.seal_webhook_secrets(secrets jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.seal_webhook_secrets(secrets jsonb) TO service_role;

REVOKE ALL ON FUNCTION messaging.send_reminders(at timestamp with time zone, most integer, events_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.send_reminders(at timestamp with time zone, most integer, events_most integer) TO service_role;

REVOKE ALL ON FUNCTION messaging.test_webhook_endpoint(endpoint_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.test_webhook_endpoint(endpoint_id uuid, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION messaging.test_webhook_endpoint(endpoint_id uuid, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.update_webhook_endpoint(endpoint_id uuid, changes jsonb, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.update_webhook_endpoint(endpoint_id uuid, changes jsonb, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION messaging.update_webhook_endpoint(endpoint_id uuid, changes jsonb, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) TO authenticated;
GRANT ALL ON FUNCTION messaging.webhook_delivery_answer(delivery_id uuid) TO service_role;

REVOKE ALL ON FUNCTION messaging.webhook_organization() FROM PUBLIC;

REVOKE ALL ON FUNCTION messaging.webhook_secrets_to_seal(key_id text, after uuid, most integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION messaging.webhook_secrets_to_seal(key_id text, after uuid, most integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.act_as(claims jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.act_as(claims jsonb) TO marquee_public;
GRANT ALL ON FUNCTION ops.act_as(claims jsonb) TO marquee_people;
GRANT ALL ON FUNCTION ops.act_as(claims jsonb) TO marquee_service;

REVOKE ALL ON FUNCTION ops.after_migration() FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.age_figure(name text, since timestamp with time zone, warning double precision, critical double precision, at timestamp with time zone) FROM PUBLIC;

GRANT SELECT ON TABLE ops.retention TO app_write;

REVOKE ALL ON FUNCTION ops.apply_retention(rule ops.retention, at timestamp with time zone, most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.begin_job(job text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.begin_job(job text) TO service_role;

REVOKE ALL ON FUNCTION ops.caller_id() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.caller_id() TO app_read;
GRANT ALL ON FUNCTION ops.caller_id() TO app_write;

REVOKE ALL ON FUNCTION ops.caller_is_service() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.caller_is_service() TO app_read;
GRANT ALL ON FUNCTION ops.caller_is_service() TO app_write;

REVOKE ALL ON FUNCTION ops.check_health(database_ms double precision, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.check_health(database_ms double precision, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.claim_outbox(most integer, lease_seconds integer, after bigint, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claim_outbox(most integer, lease_seconds integer, after bigint, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.claims() FROM PUBLIC;
GRANT ALL ON FUNCTION ops.claims() TO app_read;
GRANT ALL ON FUNCTION ops.claims() TO app_write;

REVOKE ALL ON FUNCTION ops.clean_up(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.clean_up(at timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION ops.complete_events(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.complete_events(at timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION ops.count_drift(event_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.count_drift(event_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION ops.create_partition(parent regclass, month date) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.drop_partitions(parent regclass, ended_by timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.enforce_transition() FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.erase_person(user_id uuid, email text, instructor_names text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.evaluate_alerts(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.evaluate_alerts(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.fail_outbox(ids bigint[], error text, permanent boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.fail_outbox(ids bigint[], error text, permanent boolean, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.finish_job(run_id bigint, result jsonb, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.finish_job(run_id bigint, result jsonb, error text) TO service_role;

REVOKE ALL ON FUNCTION ops.finish_outbox(ids bigint[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.finish_outbox(ids bigint[], at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.first_answer(caller_id uuid, operation text, key text, request_hash bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.get_booking_performance_summary(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.get_booking_performance_summary(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.get_system_health_summary(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.get_system_health_summary(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.job_states(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.job_states(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.judge(value double precision, warning double precision, critical double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.limit_of(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.list_accesses(person text, before_at timestamp with time zone, before_id uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.list_accesses(person text, before_at timestamp with time zone, before_id uuid, most integer) TO authenticated;
GRANT ALL ON FUNCTION ops.list_accesses(person text, before_at timestamp with time zone, before_id uuid, most integer) TO service_role;

REVOKE ALL ON FUNCTION ops.maintain_partitions(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.maintain_partitions(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.measure(before jsonb, database_ms double precision, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.metric_aggregate(metric text, aggregate text, window_seconds integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.metric_aggregate(metric text, aggregate text, window_seconds integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.partition_bounds(parent regclass) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.partition_bounds(parent regclass) TO service_role;

REVOKE ALL ON FUNCTION ops.partition_states(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.partition_states(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION ops.record_access(operation text, read jsonb, event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_access(operation text, read jsonb, event_id uuid) TO authenticated;
GRANT ALL ON FUNCTION ops.record_access(operation text, read jsonb, event_id uuid) TO service_role;

REVOKE ALL ON FUNCTION ops.record_job(job text, seconds double precision, result jsonb, error text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_job(job text, seconds double precision, result jsonb, error text) TO service_role;

REVOKE ALL ON FUNCTION ops.record_metrics(metrics jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_metrics(metrics jsonb) TO service_role;

REVOKE ALL ON FUNCTION ops.record_samples(metrics jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.record_samples(metrics jsonb) TO app_read;

REVOKE ALL ON FUNCTION ops.refuse_access_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.release_outbox(ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.release_outbox(ids bigint[]) TO service_role;

REVOKE ALL ON FUNCTION ops.roll_up_metrics(at timestamp with time zone, hours_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.roll_up_metrics(at timestamp with time zone, hours_most integer) TO service_role;

REVOKE ALL ON FUNCTION ops.take_token(operation text, subject text, per_minute integer, burst integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.take_tokens(operation text, address text) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.take_tokens(operation text, address text) TO app_read;

REVOKE ALL ON FUNCTION ops.tell_of_alert(topic text, alert_id bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION ops.unpark_outbox(topic text, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.unpark_outbox(topic text, most integer) TO service_role;

REVOKE ALL ON FUNCTION ops.verify_counters(after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ops.verify_counters(after uuid, most integer) TO service_role;

REVOKE ALL ON FUNCTION organizations.has_customer(organization_id uuid, customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) FROM PUBLIC;
GRANT ALL ON FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) TO app_read;
GRANT ALL ON FUNCTION organizations.orgs_as(VARIADIC roles organizations.member_role[]) TO app_write;

REVOKE ALL ON FUNCTION organizations.require_customer(organization_id uuid, customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.account(owner_kind payments.owner_kind, owner_id uuid, type payments.account_type, currency character, organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.account(owner_kind payments.owner_kind, owner_id uuid, type payments.account_type, currency character, organization_id uuid) TO service_role;

GRANT SELECT ON TABLE payments.intents TO app_read;

GRANT SELECT ON TABLE payments.refunds TO app_read;

REVOKE ALL ON FUNCTION payments.adopt_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.apply_disputes(intent payments.intents, disputes jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.apply_payment(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.apply_payment(facts jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.apply_payout(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.apply_payout(facts jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.apply_refund(refund_id uuid, stripe_id text, stripe_status text, failure_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.apply_refunds(intent payments.intents, refunds jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.apply_transfer(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.apply_transfer(facts jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.balance(account_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.balance(account_id uuid, at timestamp with time zone) TO app_read;
GRANT ALL ON FUNCTION payments.balance(account_id uuid, at timestamp with time zone) TO app_write;

REVOKE ALL ON FUNCTION payments.balance_before(account_id uuid, moment timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.begin_payout_account(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.begin_payout_account(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.begin_payout_account(organization_id uuid) TO service_role;

GRANT SELECT ON TABLE payments.balance_transactions TO app_write;

REVOKE ALL ON FUNCTION payments.book_balance_transaction(transaction payments.balance_transactions) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.book_stripe_fee(intent payments.intents, balance_transaction_id text, fee_currency text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.books_state(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.books_state(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.buy_package(package_id uuid, payment_method events.payment_method, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.buy_package(package_id uuid, payment_method events.payment_method, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION payments.buy_package(package_id uuid, payment_method events.payment_method, idempotency_key text) TO service_role;

REVOKE ALL ON FUNCTION payments.can_be_refunded(intent_id uuid, amount_cents bigint) FROM PUBLIC;

GRANT SELECT ON TABLE payments.accounts TO app_read;

GRANT SELECT ON TABLE payments.entries TO app_read;

GRANT SELECT ON TABLE payments.transactions TO app_read;

REVOKE ALL ON FUNCTION payments.canonical_entry(entry payments.entries, transaction payments.transactions, account payments.accounts) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.canonical_entry(entry payments.entries, transaction payments.transactions, account payments.accounts) TO app_read;
GRANT ALL ON FUNCTION payments.canonical_entry(entry payments.entries, transaction payments.transactions, account payments.accounts) TO app_write;

REVOKE ALL ON FUNCTION payments.categories_of(event_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.charge(booking_id uuid, quote payments.quotes) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.charge_fee(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.check_transactions() FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.claim_inbox(event text, lease_seconds integer, attempts_max integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.claim_inbox(event text, lease_seconds integer, attempts_max integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.claim_intents(most integer, lease_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.claim_intents(most integer, lease_seconds integer) TO service_role;

REVOKE ALL ON FUNCTION payments.claim_refunds(most integer, lease_seconds integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.claim_refunds(most integer, lease_seconds integer) TO service_role;

REVOKE ALL ON FUNCTION payments.create_package(organization_id uuid, name text, kind payments.credit_kind, price_cents bigint, currency text, amount bigint, bonus bigint, valid_days integer, categories text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.create_package(organization_id uuid, name text, kind payments.credit_kind, price_cents bigint, currency text, amount bigint, bonus bigint, valid_days integer, categories text[]) TO authenticated;
GRANT ALL ON FUNCTION payments.create_package(organization_id uuid, name text, kind payments.credit_kind, price_cents bigint, currency text, amount bigint, bonus bigint, valid_days integer, categories text[]) TO service_role;

REVOKE ALL ON FUNCTION payments.create_promo_code(organization_id uuid, code text, kind payments.promo_kind, percent_bps integer, amount_cents bigint, currency text, valid_from timestamp with time zone, valid_until timestamp with time zone, uses_most integer, uses_most_per_customer integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.create_promo_code(organization_id uuid, code text, kind payments.promo_kind, percent_bps integer, amount_cents bigint, currency text, valid_from timestamp with time zone, valid_until timestamp with time zone, uses_most integer, uses_most_per_customer integer) TO authenticated;
GRANT ALL ON FUNCTION payments.create_promo_code(organization_id uuid, code text, kind payments.promo_kind, percent_bps integer, amount_cents bigint, currency text, valid_from timestamp with time zone, valid_until timestamp with time zone, uses_most integer, uses_most_per_customer integer) TO service_role;

REVOKE ALL ON FUNCTION payments.debt_of(refund payments.refunds) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.debt_of(refund payments.refunds) TO authenticated;
GRANT ALL ON FUNCTION payments.debt_of(refund payments.refunds) TO service_role;

REVOKE ALL ON FUNCTION payments.dispute_cover(intent_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.due_inbox(most integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.due_inbox(most integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.end_by_dispute(refund_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.end_package(package_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.end_package(package_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.end_package(package_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.expire_credits(at timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.expire_credits(at timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION payments.fail_inbox(event_id text, error text, is_postponed boolean, attempts_max integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.fail_inbox(event_id text, error text, is_postponed boolean, attempts_max integer, at timestamp with time zone) TO service_role;

GRANT SELECT ON TABLE payments.sales TO app_read;

REVOKE ALL ON FUNCTION payments.fee_returned(sale payments.sales, amount_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.finish_inbox(event_id text, result jsonb, is_ignored boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.finish_inbox(event_id text, result jsonb, is_ignored boolean, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.first_posting(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, reverses_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.follow_entries() FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.forget_webhooks(most integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.forget_webhooks(most integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.fulfil(intent payments.intents) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.fulfil_purchase(purchase_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.give_back_promo_codes(booking_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.give_up(intent payments.intents) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.grant_credits(organization_id uuid, customer_id uuid, kind payments.credit_kind, amount bigint, idempotency_key text, currency text, expires_at timestamp with time zone, categories text[], note text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.grant_credits(organization_id uuid, customer_id uuid, kind payments.credit_kind, amount bigint, idempotency_key text, currency text, expires_at timestamp with time zone, categories text[], note text) TO authenticated;
GRANT ALL ON FUNCTION payments.grant_credits(organization_id uuid, customer_id uuid, kind payments.credit_kind, amount bigint, idempotency_key text, currency text, expires_at timestamp with time zone, categories text[], note text) TO service_role;

REVOKE ALL ON FUNCTION payments.grant_money(organization_id uuid, customer_id uuid, amount_cents bigint, currency text, source payments.credit_source, idempotency_key text, expires_at timestamp with time zone, booking_id uuid, purchase_id uuid, note text, lot_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.grant_promised(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.inbox_figures(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.invoice_is_paid(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.is_disputed(intent_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.is_withdrawn(intent_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.issue_credit_notes(refund_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.issue_invoice(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.keep_payout_account(organization_id uuid, stripe_account_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.keep_payout_account(organization_id uuid, stripe_account_id text) TO service_role;

REVOKE ALL ON FUNCTION payments.knows_refund(intent_id uuid, stripe_id text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.language_of(invoice_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.language_of(invoice_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.language_of(invoice_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.last_catch_up(job text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.last_catch_up(job text) TO service_role;

REVOKE ALL ON FUNCTION payments.ledger_figures(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.link(hash bytea, entry bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.link(hash bytea, entry bytea) TO app_read;
GRANT ALL ON FUNCTION payments.link(hash bytea, entry bytea) TO app_write;

REVOKE ALL ON FUNCTION payments.lock_wallets(account_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.lot_answer(lot_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.methods_of(organization_id uuid, currency text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.move(kind text, currency text, legs jsonb, idempotency_key text, reference_type text, reference_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.movements_of(account_id uuid, begins_at timestamp with time zone, ends_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.next_invoice_number(organization_id uuid, several integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.normal_side(type payments.account_type) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.normal_side(type payments.account_type) TO app_read;
GRANT ALL ON FUNCTION payments.normal_side(type payments.account_type) TO app_write;

REVOKE ALL ON FUNCTION payments.open_balance() FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.organizer_statement(organization_id uuid, first_day date, last_day date, currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.organizer_statement(organization_id uuid, first_day date, last_day date, currency text) TO authenticated;
GRANT ALL ON FUNCTION payments.organizer_statement(organization_id uuid, first_day date, last_day date, currency text) TO service_role;

REVOKE ALL ON FUNCTION payments.pay_out_credits(customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.paying_leg(customer_id uuid, organization_id uuid, method events.payment_method) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.payment_answer(intent_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.payment_of(booking_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.payment_of(booking_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.payment_of(booking_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.payout_account_of(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.payout_account_of(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.payout_account_of(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.platform_fee(organization_id uuid, amount_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.post_missing(transactions jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.post_transaction(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, occurred_at timestamp with time zone, description text, reverses_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.post_transaction(kind text, account_ids uuid[], amounts_cents bigint[], idempotency_key text, reference_type text, reference_id uuid, occurred_at timestamp with time zone, description text, reverses_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.post_transactions(transactions jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.post_transactions(transactions jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.purchase_answer(purchase_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE payments.purchases TO app_read;

REVOKE ALL ON FUNCTION payments.purchase_legs(purchase payments.purchases, paid_cents bigint, credits bigint, fee_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.purchase_of(purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.purchase_of(purchase_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.purchase_of(purchase_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.quote(organization_id uuid, customer_id uuid, list_cents bigint, currency text, tax_country text, category text, promo_code text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.quote_answer(quote payments.quotes) FROM PUBLIC;

GRANT SELECT ON TABLE payments.packages TO app_read;

REVOKE ALL ON FUNCTION payments.quote_package(package payments.packages, customer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.quote_seats(terms events.terms, customer_id uuid, seats integer, promo_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.receive_payment(intent payments.intents) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.receive_webhooks(events jsonb, caught_up boolean, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.receive_webhooks(events jsonb, caught_up boolean, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.reconcile(since timestamp with time zone, at timestamp with time zone, settled_after interval) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.reconcile(since timestamp with time zone, at timestamp with time zone, settled_after interval) TO service_role;

REVOKE ALL ON FUNCTION payments.record_fee_payment(fee_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.record_fee_payment(fee_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.record_fee_payment(fee_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.record_intent(intent_id uuid, stripe_id text, client_secret text, status text) TO service_role;

REVOKE ALL ON FUNCTION payments.record_invoice_payment(invoice_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.record_invoice_payment(invoice_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.record_invoice_payment(invoice_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.record_payout_account(facts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.record_payout_account(facts jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.record_refunds(results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.record_refunds(results jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.reduced_event(payload json) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_answer(refund payments.refunds) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_booking(booking_id uuid, amount_cents bigint, destination text, idempotency_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.refund_booking(booking_id uuid, amount_cents bigint, destination text, idempotency_key text) TO authenticated;
GRANT ALL ON FUNCTION payments.refund_booking(booking_id uuid, amount_cents bigint, destination text, idempotency_key text) TO service_role;

REVOKE ALL ON FUNCTION payments.refund_bookings(booking_ids uuid[], cause text, destination text, amounts_cents bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_key(refund payments.refunds) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_payload(refund payments.refunds) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_postings(refund_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refund_progress(event_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.refund_progress(event_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.refund_progress(event_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.refund_purchase(purchase_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.refund_purchase(purchase_id uuid) TO authenticated;
GRANT ALL ON FUNCTION payments.refund_purchase(purchase_id uuid) TO service_role;

REVOKE ALL ON FUNCTION payments.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refuse_entries(entries payments.entries[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refuse_insufficient_funds(account_id uuid, needed_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.refuse_intent(intent_id uuid, error jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.refuse_intent(intent_id uuid, error jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.refuse_invoice_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.reopen_refund(refund_id uuid, destination text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.reopen_refund(refund_id uuid, destination text) TO authenticated;
GRANT ALL ON FUNCTION payments.reopen_refund(refund_id uuid, destination text) TO service_role;

REVOKE ALL ON FUNCTION payments.replay_inbox(event_id text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.replay_inbox(event_id text, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION payments.replay_inbox(event_id text, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.request_payment(booking_id uuid) FROM PUBLIC;

GRANT SELECT ON TABLE payments.fees TO app_read;

REVOKE ALL ON FUNCTION payments.require_fee(fee_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.rest_of_sale(intent payments.intents) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.return_credits(refund_ids uuid[], by_organizer boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.return_passes(booking_ids uuid[], units bigint[], by_organizer boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.return_payment(intent payments.intents) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.return_purchase(purchase payments.purchases, cause text, by_stripe boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.reverse_transaction(transaction_id uuid, idempotency_key text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.reverse_transaction(transaction_id uuid, idempotency_key text, reason text) TO service_role;

REVOKE ALL ON FUNCTION payments.seal_entries(until timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.seal_entries(until timestamp with time zone, most integer) TO service_role;

REVOKE ALL ON FUNCTION payments.sell(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.set_aside(customer_id uuid, organization_id uuid, amount_cents bigint, currency text, idempotency_key text, reference_type text, reference_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.set_beyond_apart(intent payments.intents, stripe_id text, amount_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.settle_by_dispute(intent_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text) TO authenticated;
GRANT ALL ON FUNCTION payments.settle_debt(refund_id uuid, outcome text, reason text) TO service_role;

REVOKE ALL ON FUNCTION payments.signed_balance(account_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.signed_balance(account_id uuid, at timestamp with time zone) TO app_read;
GRANT ALL ON FUNCTION payments.signed_balance(account_id uuid, at timestamp with time zone) TO app_write;

REVOKE ALL ON FUNCTION payments.spendable(account_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.split_refund(refund_id uuid, amount_cents bigint, cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.statement_lines_of(organization_id uuid, first_day date, last_day date, currency text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.statement_lines_of(organization_id uuid, first_day date, last_day date, currency text) TO authenticated;
GRANT ALL ON FUNCTION payments.statement_lines_of(organization_id uuid, first_day date, last_day date, currency text) TO service_role;

REVOKE ALL ON FUNCTION payments.stop_payments(booking_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.store_balance_transactions(transactions jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.store_balance_transactions(transactions jsonb) TO service_role;

REVOKE ALL ON FUNCTION payments.take_back_debt(refund payments.refunds) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.take_back_fee(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.take_over_refund(intent payments.intents, stripe_id text, amount_cents bigint, returned_cents bigint, has_failed boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.tax_of(country text, category text, on_day date) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.tell_of_credits(lot_id uuid, more bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.trial_balance(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.trial_balance(at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.undo_by_hand(intent payments.intents, stripe_id text, amount_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.undo_sales(booking_ids uuid[], cause text, destination text, amounts_cents bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.use_passes(booking events.bookings) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.use_promo_code(promo_code_id uuid, booking_id uuid, customer_id uuid, discount_cents bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.use_promo_code_again(booking_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.use_wallet(account_id uuid, booking_id uuid, amount_cents bigint, purpose text) FROM PUBLIC;

GRANT SELECT ON TABLE payments.promo_codes TO app_read;

REVOKE ALL ON FUNCTION payments.valid_promo_code(organization_id uuid, code text, currency text, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION payments.verify_credits(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.verify_credits(most integer) TO service_role;

REVOKE ALL ON FUNCTION payments.verify_ledger(since timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.verify_ledger(since timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.waive_fee(fee_id uuid, reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.waive_fee(fee_id uuid, reason text) TO authenticated;
GRANT ALL ON FUNCTION payments.waive_fee(fee_id uuid, reason text) TO service_role;

REVOKE ALL ON FUNCTION public.create_event(title text, starts_at timestamp with time zone, ends_at timestamp with time zone, capacity integer, price_cents bigint, description text, organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_event(title text, starts_at timestamp with time zone, ends_at timestamp with time zone, capacity integer, price_cents bigint, description text, organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.create_event(title text, starts_at timestamp with time zone, ends_at timestamp with time zone, capacity integer, price_cents bigint, description text, organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.current_org_id() FROM PUBLIC;
GRANT ALL ON FUNCTION public.current_org_id() TO app_read;
GRANT ALL ON FUNCTION public.current_org_id() TO app_write;

REVOKE ALL ON FUNCTION public.get_booking_performance_summary() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_booking_performance_summary() TO service_role;

REVOKE ALL ON FUNCTION public.get_cron_job_history(hours_back integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_cron_job_history(hours_back integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_cron_job_status() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_cron_job_status() TO service_role;

REVOKE ALL ON FUNCTION public.get_system_health_summary() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_system_health_summary() TO service_role;

REVOKE ALL ON FUNCTION public.migrate_class_instances_to_events() FROM PUBLIC;
GRANT ALL ON FUNCTION public.migrate_class_instances_to_events() TO service_role;

REVOKE ALL ON FUNCTION public.user_orgs() FROM PUBLIC;
GRANT ALL ON FUNCTION public.user_orgs() TO app_read;
GRANT ALL ON FUNCTION public.user_orgs() TO app_write;

REVOKE ALL ON FUNCTION rating.apply_calibration(organization_id uuid, began_at timestamp with time zone, calibration_id bigint, item_ids text[], item_versions bigint[], means double precision[], deviations double precision[], voter_ids text[], voter_versions bigint[], log_odds double precision[], population jsonb, report jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.apply_calibration(organization_id uuid, began_at timestamp with time zone, calibration_id bigint, item_ids text[], item_versions bigint[], means double precision[], deviations double precision[], voter_ids text[], voter_versions bigint[], log_odds double precision[], population jsonb, report jsonb) TO service_role;

REVOKE ALL ON FUNCTION rating.archive_events(before timestamp with time zone, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.archive_events(before timestamp with time zone, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.begin_period(most integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.begin_period(most integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.change_settings(organization_id uuid, changes jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.change_settings(organization_id uuid, changes jsonb) TO authenticated;
GRANT ALL ON FUNCTION rating.change_settings(organization_id uuid, changes jsonb) TO service_role;

REVOKE ALL ON FUNCTION rating.claim_dirty_items(most integer, lease_seconds integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.claim_dirty_items(most integer, lease_seconds integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.content_of(type text, voter_id text, item_a text, item_b text, winner text, kind text, value double precision) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.events_per_day(organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.fail_items(organization_ids uuid[], item_ids text[], generations bigint[], error text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.fail_items(organization_ids uuid[], item_ids text[], generations bigint[], error text, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.finish_items(organization_ids uuid[], item_ids text[], generations bigint[], publish_at timestamp with time zone[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.finish_items(organization_ids uuid[], item_ids text[], generations bigint[], publish_at timestamp with time zone[], at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.get_pipeline_status(organization_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.get_pipeline_status(organization_id uuid, at timestamp with time zone) TO authenticated;
GRANT ALL ON FUNCTION rating.get_pipeline_status(organization_id uuid, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.honest_share_of(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.honest_share_of(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION rating.honest_share_of(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION rating.ingest(organization_id uuid, events json) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.ingest(organization_id uuid, events json) TO authenticated;
GRANT ALL ON FUNCTION rating.ingest(organization_id uuid, events json) TO service_role;

REVOKE ALL ON FUNCTION rating.ingest_requests(requests json) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.ingest_requests(requests json) TO service_role;

REVOKE ALL ON FUNCTION rating.is_public(organization_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.lock_periods(organization_ids uuid[], alone boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.lock_periods(organization_ids uuid[], alone boolean) TO service_role;

REVOKE ALL ON FUNCTION rating.mark_dirty(organization_id uuid, item_ids text[], priority integer, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.mark_dirty(organization_id uuid, item_ids text[], priority integer, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.mark_inbox() FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.moment_of(member jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.organizations_to_calibrate(after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.organizations_to_calibrate(after uuid, most integer) TO service_role;

GRANT SELECT ON TABLE rating.settings TO app_read;

REVOKE ALL ON FUNCTION rating.private_organizations() FROM PUBLIC;
GRANT ALL ON FUNCTION rating.private_organizations() TO app_read;
GRANT ALL ON FUNCTION rating.private_organizations() TO app_write;

REVOKE ALL ON FUNCTION rating.queue_figures(at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.read_events(requests rating.ingestion[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.read_items(organization_ids uuid[], item_ids text[], opponent_organization_ids uuid[], opponent_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.read_items(organization_ids uuid[], item_ids text[], opponent_organization_ids uuid[], opponent_ids text[]) TO service_role;

REVOKE ALL ON FUNCTION rating.read_populations(organization_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.read_populations(organization_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION rating.read_voters(organization_ids uuid[], voter_ids text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.read_voters(organization_ids uuid[], voter_ids text[]) TO service_role;

REVOKE ALL ON FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer) TO authenticated;
GRANT ALL ON FUNCTION rating.recount(organization_id uuid, item_ids text[], priority integer) TO service_role;

REVOKE ALL ON FUNCTION rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.release_items(organization_ids uuid[], item_ids text[], generations bigint[]) TO service_role;

REVOKE ALL ON FUNCTION rating.require_staff(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.require_staff(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION rating.require_staff(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION rating.restart(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.restart(organization_id uuid) TO authenticated;
GRANT ALL ON FUNCTION rating.restart(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION rating.runs_ratings(organization_id uuid, caller_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.settings_of(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.settings_of(organization_id uuid) TO service_role;

REVOKE ALL ON FUNCTION rating.show_settings(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.show_settings(organization_id uuid) TO app_read;

REVOKE ALL ON FUNCTION rating.shows_scores(organization_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.shows_scores(organization_id uuid) TO app_read;

REVOKE ALL ON FUNCTION rating.sliders_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.sliders_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) TO service_role;

REVOKE ALL ON FUNCTION rating.standings_of(organization_id uuid, items_most integer, voters_most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.standings_of(organization_id uuid, items_most integer, voters_most integer) TO service_role;

REVOKE ALL ON FUNCTION rating.take_events(organization_ids uuid[], item_ids text[], most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.take_events(organization_ids uuid[], item_ids text[], most integer) TO service_role;

REVOKE ALL ON FUNCTION rating.text_of(member jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.unveiled(document json) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.veiled(document json) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.votes_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.votes_of(organization_id uuid, before_at timestamp with time zone, before_id bigint, most integer) TO service_role;

REVOKE ALL ON FUNCTION rating.write_events(requests rating.ingestion[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.write_items(organization_ids uuid[], item_ids text[], mean double precision[], deviation double precision[], period bigint[], base_mean double precision[], base_deviation double precision[], score_sum double precision[], information_sum double precision[], votes bigint[], super_votes bigint[], wins bigint[], sliders bigint[], fires bigint[], slider_sum double precision[], slider_weight double precision[], base_slider_sum double precision[], base_slider_weight double precision[], fire_weight double precision[], reliability_sum double precision[], reliability_count bigint[], opponents text[], slider_voters text[], changed boolean[], published boolean[], score double precision[], rating_component double precision[], slider_component double precision[], fire_component double precision[], reliability double precision[], confidence double precision[], provisional boolean[], model text[], model_version text[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.write_items(organization_ids uuid[], item_ids text[], mean double precision[], deviation double precision[], period bigint[], base_mean double precision[], base_deviation double precision[], score_sum double precision[], information_sum double precision[], votes bigint[], super_votes bigint[], wins bigint[], sliders bigint[], fires bigint[], slider_sum double precision[], slider_weight double precision[], base_slider_sum double precision[], base_slider_weight double precision[], fire_weight double precision[], reliability_sum double precision[], reliability_count bigint[], opponents text[], slider_voters text[], changed boolean[], published boolean[], score double precision[], rating_component double precision[], slider_component double precision[], fire_component double precision[], reliability double precision[], confidence double precision[], provisional boolean[], model text[], model_version text[], at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION rating.write_vote(organization_id uuid, caller_id uuid, is_service boolean, events json) FROM PUBLIC;

REVOKE ALL ON FUNCTION rating.write_voters(organization_ids uuid[], voter_ids text[], periods bigint[], votes bigint[], agreed bigint[], expected double precision[], log_odds double precision[], sliders bigint[], slider_sum double precision[], slider_square_sum double precision[], residual_sum double precision[], residual_square_sum double precision[], fires bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION rating.write_voters(organization_ids uuid[], voter_ids text[], periods bigint[], votes bigint[], agreed bigint[], expected double precision[], log_odds double precision[], sliders bigint[], slider_sum double precision[], slider_square_sum double precision[], residual_sum double precision[], residual_square_sum double precision[], fires bigint[]) TO service_role;

REVOKE ALL ON FUNCTION staging.cents_of(amount text, decimal_places integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.convert_instances() FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.convert_registrations() FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.convert_templates() FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.convert_waitlists() FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.make_people(customer_ids uuid[], emails text[], names text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.make_places(organization_ids uuid[], instructors text[], locations text[], cities text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.moment_of(text_value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.said(is_wrong boolean, name text, text_value text, what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.verify_import(counts jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION staging.whole_of(text_value text, least_value integer, most_value integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.is_name(value text) FROM PUBLIC;

GRANT SELECT ON TABLE users.profiles TO app_read;
GRANT SELECT ON TABLE users.profiles TO app_write;

REVOKE ALL ON FUNCTION users.address_of(profile users.profiles) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.claimed_address(claims jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.edit_profile(name text, language text) FROM PUBLIC;
GRANT ALL ON FUNCTION users.edit_profile(name text, language text) TO authenticated;
GRANT ALL ON FUNCTION users.edit_profile(name text, language text) TO service_role;

REVOKE ALL ON FUNCTION users.erase_profile(user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION users.erase_profile(user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION users.erase_profile(user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION users.follow_token(user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.is_current(profile users.profiles, claims jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.organizations_of(user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION users.own_profile() FROM PUBLIC;
GRANT ALL ON FUNCTION users.own_profile() TO authenticated;
GRANT ALL ON FUNCTION users.own_profile() TO service_role;

REVOKE ALL ON FUNCTION users.sweep_erased(after timestamp with time zone, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION users.sweep_erased(after timestamp with time zone, at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION payments.chain(bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION payments.chain(bytea) TO app_read;
GRANT ALL ON FUNCTION payments.chain(bytea) TO app_write;

GRANT SELECT ON TABLE events.events TO app_read;

GRANT SELECT ON TABLE events.booking_details TO app_read;

GRANT SELECT ON TABLE organizations.instructors TO app_read;
GRANT SELECT ON TABLE organizations.instructors TO app_write;

GRANT SELECT ON TABLE organizations.locations TO app_read;
GRANT SELECT ON TABLE organizations.locations TO app_write;

GRANT SELECT ON TABLE events.calendar_entries TO app_read;

GRANT SELECT ON TABLE ref.currencies TO app_read;

GRANT SELECT ON TABLE events.event_details TO app_read;

GRANT SELECT ON TABLE events.holds TO app_read;

GRANT SELECT ON TABLE events.occurrences TO app_read;

GRANT SELECT ON TABLE events.own_series TO app_read;

GRANT SELECT ON TABLE messaging.deliveries TO app_write;

GRANT SELECT ON TABLE messaging.notifications TO app_read;
GRANT SELECT ON TABLE messaging.notifications TO app_write;

GRANT SELECT ON TABLE messaging.webhook_attempts TO app_read;

GRANT SELECT ON TABLE messaging.webhook_deliveries TO app_read;

GRANT SELECT ON TABLE messaging.webhook_endpoint_details TO app_read;

GRANT SELECT ON TABLE messaging.webhook_delivery_details TO app_read;

GRANT SELECT ON TABLE ops.alert_rules TO app_write;

GRANT SELECT ON TABLE ops.alerts TO app_write;

GRANT SELECT ON TABLE ops.active_alerts TO app_write;

GRANT SELECT ON TABLE ops.alert_recipients TO app_write;

GRANT SELECT ON TABLE ops.health_checks TO app_write;

GRANT SELECT ON TABLE ops.idempotency_keys TO app_write;

GRANT SELECT ON TABLE ops.job_runs TO app_write;

GRANT SELECT ON TABLE ops.jobs TO app_write;

GRANT SELECT ON TABLE ops.limits TO app_write;

GRANT SELECT ON TABLE ops.partition_policies TO app_write;

GRANT SELECT ON TABLE ops.performance_metrics TO app_write;

GRANT SELECT ON TABLE ops.performance_metrics_hourly TO app_write;

GRANT SELECT ON TABLE ops.rate_limit_rules TO app_write;

GRANT SELECT ON TABLE ops.rate_limits TO app_write;

GRANT SELECT ON TABLE ops.state_history TO app_write;

GRANT SELECT ON TABLE ops.transitions TO app_write;

GRANT SELECT ON TABLE organizations.memberships TO app_read;
GRANT SELECT ON TABLE organizations.memberships TO app_write;

GRANT SELECT ON TABLE organizations.payout_accounts TO app_read;

GRANT SELECT ON TABLE organizations.payout_settings TO app_read;
GRANT SELECT ON TABLE organizations.payout_settings TO app_write;

GRANT SELECT ON TABLE organizations.policies TO app_read;
GRANT SELECT ON TABLE organizations.policies TO app_write;

GRANT SELECT ON TABLE payments.account_balances TO app_read;
GRANT SELECT ON TABLE payments.account_balances TO app_write;

GRANT SELECT ON TABLE payments.balances TO app_read;

GRANT SELECT ON TABLE payments.clearing_movements TO app_write;

GRANT SELECT ON TABLE payments.credit_lots TO app_read;

GRANT SELECT ON TABLE payments.credit_uses TO app_read;

GRANT SELECT ON TABLE payments.credits TO app_read;
GRANT SELECT ON TABLE payments.credits TO app_write;

GRANT SELECT ON TABLE payments.differences TO app_write;

GRANT SELECT ON TABLE payments.disputes TO app_read;

GRANT SELECT ON TABLE payments.fee_states TO app_read;
GRANT SELECT ON TABLE payments.fee_states TO app_write;

GRANT SELECT ON TABLE payments.invoice_payments TO app_read;

GRANT SELECT ON TABLE payments.invoices TO app_read;

GRANT SELECT ON TABLE payments.invoice_states TO app_read;
GRANT SELECT ON TABLE payments.invoice_states TO app_write;

GRANT SELECT ON TABLE payments.overdue_invoices TO app_read;
GRANT SELECT ON TABLE payments.overdue_invoices TO app_write;

GRANT SELECT ON TABLE payments.payouts TO app_read;

GRANT SELECT ON TABLE payments.promo_uses TO app_read;

GRANT SELECT ON TABLE payments.seals TO app_read;

GRANT SELECT ON TABLE payments.unsealed_entries TO app_read;

GRANT SELECT ON TABLE payments.statement_lines TO app_read;
GRANT SELECT ON TABLE payments.statement_lines TO app_write;

GRANT SELECT ON TABLE payments.transfers TO app_read;

GRANT SELECT ON TABLE payments.webhook_inbox TO app_write;

GRANT SELECT ON TABLE public.active_alerts TO app_write;

GRANT SELECT ON TABLE public.class_events TO app_read;

GRANT SELECT ON TABLE public.class_series TO app_read;

GRANT SELECT ON TABLE public.customer_dashboard_mv TO app_read;

GRANT SELECT ON TABLE public.event_search_mv TO app_read;

GRANT SELECT ON TABLE public.event_waitlists TO app_read;

GRANT SELECT ON TABLE public.events TO app_read;

GRANT SELECT ON TABLE public.health_checks TO app_write;

GRANT SELECT ON TABLE public.instructor_schedule_mv TO app_read;

GRANT SELECT ON TABLE public.org_analytics_mv TO app_read;

GRANT SELECT ON TABLE public.outbox TO app_write;

GRANT SELECT ON TABLE public.performance_metrics TO app_write;

GRANT SELECT ON TABLE public.registrations TO app_read;

GRANT SELECT ON TABLE rating.calibrations TO app_write;

GRANT SELECT ON TABLE rating.dirty_items TO app_write;

GRANT SELECT ON TABLE rating.event_keys TO app_write;

GRANT SELECT ON TABLE rating.fires TO app_read;

GRANT SELECT ON TABLE rating.inbox TO app_write;

GRANT SELECT ON TABLE rating.item_fires TO app_write;

GRANT SELECT ON TABLE rating.item_scores TO app_read;

GRANT SELECT ON TABLE rating.item_stats TO app_write;

GRANT SELECT ON TABLE rating.populations TO app_write;

GRANT SELECT ON TABLE rating.sliders TO app_read;

GRANT SELECT ON TABLE rating.votes TO app_read;

GRANT SELECT ON TABLE rating.recent_events TO app_read;

GRANT SELECT ON TABLE rating.requests TO app_read;

GRANT SELECT ON TABLE rating.score_history TO app_read;

GRANT SELECT ON TABLE rating.voter_days TO app_write;

GRANT SELECT ON TABLE rating.voters TO app_read;

GRANT SELECT ON TABLE ref.countries TO app_read;

GRANT SELECT ON TABLE ref.event_categories TO app_read;

GRANT SELECT ON TABLE ref.languages TO app_read;

GRANT SELECT ON TABLE ref.tax_rates TO app_read;

GRANT SELECT ON TABLE ref.timezones TO app_read;

GRANT SELECT ON TABLE staging.outcomes TO app_write;

GRANT SELECT ON TABLE staging.rejects TO app_write;

ALTER DEFAULT PRIVILEGES FOR ROLE postgres REVOKE ALL ON FUNCTIONS FROM PUBLIC;
