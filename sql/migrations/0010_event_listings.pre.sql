-- What the public sees of an event in a list.

create type events.event_listing as (
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
    waitlisted integer
);

comment on type events.event_listing is 'An event as public lists show it: no private column of any table is in it.';
