-- Who has a place, who holds one, who waits for one.

create type events.booking_status as enum (
    'pending_payment', 'held', 'confirmed', 'cancelled', 'refunded', 'attended', 'no_show', 'expired'
);
create type events.hold_purpose as enum ('online', 'desk', 'offer', 'payment');
create type events.hold_status as enum ('active', 'consumed', 'released', 'expired');
create type events.waitlist_status as enum ('waiting', 'offered', 'accepted', 'expired', 'left');

create type events.payment_method as enum ('none', 'comp', 'card', 'twint', 'wallet', 'pass', 'invoice');

-- Domains rather than checks of the table where one column is enough: a table's checks are parsed anew by each insert,
-- which was a quarter of what a booking cost; a domain's are kept ready.
create domain events.seats as smallint constraint seats_are_few check (value between 1 and 20);
create domain events.cents as bigint constraint cents_are_not_negative check (value >= 0);

create table events.holds (
    id uuid primary key default ops.uuid_v7(),
    event_id uuid not null references events.terms on delete cascade,
    customer_id uuid not null references users.profiles,
    seats events.seats not null,
    purpose events.hold_purpose not null,
    status events.hold_status not null default 'active',
    expires_at timestamptz not null,
    held_by uuid,
    created_at timestamptz not null default now()
);

create index holds_to_expire on events.holds (expires_at) where status = 'active';
create index active_holds_of_event on events.holds (event_id, expires_at) where status = 'active';
create unique index one_hold_per_customer on events.holds (event_id, customer_id, purpose) where status = 'active';
create index on events.holds (customer_id);

comment on table events.holds is
'Seats kept for somebody for a while; they count as much as sold ones until they lapse.';

create table events.bookings (
    id uuid primary key default ops.uuid_v7(),
    event_id uuid not null references events.terms,
    organization_id uuid not null,
    customer_id uuid not null references users.profiles,
    seats events.seats not null,
    guest boolean not null default false,
    status events.booking_status not null,
    status_reason varchar(500),
    payment_method events.payment_method not null,
    price_cents events.cents not null,
    currency char(3) not null,
    policy jsonb not null,
    hold_id uuid references events.holds,
    booked_by uuid,
    late boolean not null default false,
    fee_cents events.cents not null default 0,
    created_at timestamptz not null default now(),
    cancelled_at timestamptz,
    constraint cancelled_has_a_time check (cancelled_at is not null or status <> 'cancelled')
);

create unique index one_live_booking_per_customer on events.bookings (event_id, customer_id)
where not guest and status in ('pending_payment', 'held', 'confirmed', 'attended', 'no_show');
create index bookings_of_customer on events.bookings (customer_id, id);
create index bookings_of_event on events.bookings (event_id, id);

-- Every index of what a booking writes is paid for by every booking, in work and in locks: PostgreSQL keeps sixteen of
-- a transaction's locks where no other session has to look. So bookings are found by event, by customer and by id, and
-- an organization's through its events.

comment on column events.bookings.guest is
'Extra seats for guests: the customer may have another booking of the event.';
comment on column events.bookings.price_cents is 'What all its seats cost together.';
comment on column events.bookings.policy is 'The event''s policy as it was when booked: what cancelling costs.';
comment on column events.bookings.booked_by is
'Who did it: the customer, or somebody of the staff; null for a service.';
comment on column events.bookings.late is 'Cancelled after the policy''s cut-off.';
comment on column events.bookings.fee_cents is 'What a late cancellation or a no-show costs by the policy.';

create table events.waitlist_entries (
    id uuid primary key default ops.uuid_v7(),
    event_id uuid not null references events.terms on delete cascade,
    customer_id uuid not null references users.profiles,
    seats events.seats not null,
    place integer not null,
    status events.waitlist_status not null default 'waiting',
    status_reason text,
    hold_id uuid references events.holds,
    offered_at timestamptz,
    offer_expires_at timestamptz,
    offers_lapsed integer not null default 0,
    booking_id uuid references events.bookings,
    joined_at timestamptz not null default now(),
    constraint offered_has_a_hold check (
        (status = 'offered') <= (hold_id is not null and offered_at is not null and offer_expires_at is not null)
    ),
    constraint accepted_has_a_booking check ((status = 'accepted') = (booking_id is not null))
);

create unique index one_waitlist_entry_per_customer on events.waitlist_entries (event_id, customer_id)
where status in ('waiting', 'offered');
create unique index one_person_per_place on events.waitlist_entries (event_id, place);
create index waiting_in_order on events.waitlist_entries (event_id, place) where status = 'waiting';
create index offers_to_expire on events.waitlist_entries (offer_expires_at) where status = 'offered';
create index on events.waitlist_entries (customer_id);
create index on events.waitlist_entries (hold_id) where hold_id is not null;
create index on events.waitlist_entries (booking_id) where booking_id is not null;

comment on column events.waitlist_entries.place is
'Order of the queue; it only grows. Whoever lets an offer lapse takes a new one at the end.';
