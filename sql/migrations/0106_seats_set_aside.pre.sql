-- Count the free seats that are set aside for the waitlist, and show in lists whether an event can be booked.
--
-- A seat that becomes free while somebody waits is set aside. Seats that were free before stay on sale.

alter table events.inventory add column set_aside integer not null default 0;

alter table events.inventory add constraint seats_set_aside_are_free check (
    set_aside = 0
    or (set_aside > 0 and waitlisted > 0 and coalesce(taken + held + set_aside <= capacity, false))
) not valid;

comment on column events.inventory.set_aside is
'Free seats for waitlist entries: they became free while somebody waited.';

-- A type of its own, because the former search returns events.event_listing and runs until the post migrations.
create type events.listed_event as (
    id uuid,
    series_id uuid,
    title text,
    category text,
    language text,
    starts_at timestamptz,
    ends_at timestamptz,
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
    waitlisted integer,
    booking_open boolean,
    waitlist_open boolean
);

comment on type events.listed_event is 'An event in public lists, without private columns.';
