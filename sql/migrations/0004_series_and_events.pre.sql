-- What is on: series, their occurrences, and events by month.

create type events.series_status as enum ('active', 'paused', 'archived');
create type events.event_status as enum ('draft', 'scheduled', 'cancelled', 'completed');
create type events.visibility as enum ('public', 'private');

create table events.series (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    title text not null constraint series_title_is_short check (length(title) between 1 and 200),
    description text constraint series_description_fits check (length(description) <= 20000),
    category text references ref.event_categories,
    language char(2) not null references ref.languages,
    time_zone text not null references ref.timezones,
    recurrence text not null constraint recurrence_is_short check (length(recurrence) between 1 and 8000),
    local_start_time time not null,
    start_date date not null,
    end_date date,
    duration_minutes integer not null constraint duration_is_sensible check (duration_minutes between 10 and 600),
    capacity integer constraint series_capacity_is_sensible check (capacity between 0 and 1000000),
    price_cents bigint not null default 0 constraint series_price_is_not_negative
    check (price_cents between 0 and 100000000),
    currency char(3) not null references ref.currencies,
    location_id uuid,
    instructor_id uuid,
    policy_id uuid,
    visibility events.visibility not null default 'public',
    status events.series_status not null default 'active',
    status_reason text,
    generated_until date,
    continues_series_id uuid references events.series on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint series_ends_after_it_starts check (end_date >= start_date),
    constraint series_location_is_its_own
    foreign key (organization_id, location_id) references organizations.locations (organization_id, id),
    constraint series_instructor_is_its_own
    foreign key (organization_id, instructor_id) references organizations.instructors (organization_id, id),
    constraint series_policy_is_its_own
    foreign key (organization_id, policy_id) references organizations.policies (organization_id, id)
);

create index on events.series (organization_id, id);
create index on events.series (organization_id, location_id);
create index on events.series (organization_id, instructor_id);
create index on events.series (organization_id, policy_id);
create index on events.series (category);
create index on events.series (language);
create index on events.series (time_zone);
create index on events.series (currency);
create index on events.series (continues_series_id);
create index series_to_generate on events.series (generated_until nulls first, id) where status = 'active';

comment on column events.series.recurrence is
'RFC 5545 lines in local time without DTSTART: RRULE, and any number of RDATE and EXDATE.';
comment on column events.series.generated_until is 'Occurrences up to and including this local date are there.';
comment on column events.series.continues_series_id is 'The series that this one was split from.';

create table events.events (
    id uuid not null default ops.uuid_v7(),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    organization_id uuid not null references organizations.organizations on delete cascade,
    series_id uuid references events.series on delete set null,
    title text not null constraint event_title_is_short check (length(title) between 1 and 200),
    description text constraint event_description_fits check (length(description) <= 20000),
    category text references ref.event_categories,
    language char(2) not null references ref.languages,
    time_zone text not null references ref.timezones,
    price_cents bigint not null default 0 constraint event_price_is_not_negative
    check (price_cents between 0 and 100000000),
    currency char(3) not null references ref.currencies,
    location_id uuid,
    instructor_id uuid,
    policy jsonb not null constraint policy_is_an_object check (jsonb_typeof(policy) = 'object'),
    visibility events.visibility not null default 'public',
    status events.event_status not null default 'scheduled',
    status_reason text,
    detached boolean not null default false,
    search_config regconfig not null default 'pg_catalog.english',
    search tsvector not null generated always as (
        setweight(to_tsvector(search_config, title), 'A')
        || setweight(to_tsvector(search_config, coalesce(category, '')), 'B')
        || setweight(to_tsvector(search_config, coalesce(left(description, 5000), '')), 'C')
    ) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (id, starts_at),
    constraint event_ends_after_it_starts check (ends_at > starts_at),
    constraint event_location_is_its_own
    foreign key (organization_id, location_id) references organizations.locations (organization_id, id),
    constraint event_instructor_is_its_own
    foreign key (organization_id, instructor_id) references organizations.instructors (organization_id, id)
) partition by range (starts_at);

create table events.events_default partition of events.events default;

create index events_by_start on events.events (starts_at, id) where visibility = 'public' and status = 'scheduled';
create index events_by_organization on events.events (organization_id, starts_at, id);
create index events_by_series on events.events (series_id, starts_at);
create index events_by_location on events.events (organization_id, location_id, starts_at);
create index events_by_instructor on events.events (organization_id, instructor_id, starts_at);
create index events_to_complete on events.events (ends_at) where status = 'scheduled';
create index events_by_words on events.events using gin (search);

comment on table events.events is
'What is on, by month of its start; partitions are made ahead, and the default one is watched to stay empty.';
comment on column events.events.policy is 'The booking policy as it was when the event was made or last edited.';
comment on column events.events.detached is 'Edited by itself: edits of its series leave it alone.';
comment on column events.events.search_config is 'Copied from the event''s language by a trigger.';

create table events.occurrences (
    series_id uuid not null references events.series on delete cascade,
    local_start timestamp not null,
    event_id uuid not null unique,
    primary key (series_id, local_start)
);

comment on table events.occurrences is
'The local starts of a series that were generated, each once whoever generates; a moved event keeps its first one.';

create table events.terms (
    event_id uuid primary key,
    organization_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    status events.event_status not null,
    visibility events.visibility not null,
    price_cents bigint not null,
    currency char(3) not null,
    opens_at timestamptz,
    closes_at timestamptz not null,
    last_offer_at timestamptz not null,
    policy jsonb not null,
    constraint terms_are_of_an_event foreign key (event_id, starts_at)
    references events.events (id, starts_at) on update cascade on delete cascade
);

create index on events.terms (event_id, starts_at);

comment on table events.terms is
'What a booking must know of its event, copied by a trigger: one small row instead of a search through partitions.';

create domain events.seat_count as integer constraint seat_count_is_not_negative check (value >= 0);

create table events.inventory (
    event_id uuid primary key references events.terms on delete cascade,
    capacity events.seat_count,
    taken events.seat_count not null default 0,
    held events.seat_count not null default 0,
    waitlisted events.seat_count not null default 0,
    constraint seats_never_oversold check (taken + held <= capacity)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 200);

comment on table events.inventory is
'The seats of an event: the only counters, written by events.change_inventory alone.';
comment on column events.inventory.capacity is 'Null: without limit.';
comment on column events.inventory.taken is 'Seats of bookings that are confirmed, attended or not shown up for.';
comment on column events.inventory.held is 'Seats of active holds.';
comment on column events.inventory.waitlisted is 'Entries that wait for an offer.';
