-- Keep a row for each public upcoming event in the form in which it is searched: words by place, and facets.
--
-- One index intersects words, facets and times, so a search reads few pages whatever its filters are. The counters of
-- seats stay in events.inventory, so a booking does not write here. ops.after_migration queues events without a row.
--
-- Few events are full or filling. They have a copy of their lexemes in a second table, so that a search for them reads
-- no others. A booking writes there only if its event becomes full or filling.

create table events.listings (
    event_id uuid primary key,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    organization_id uuid not null,
    series_id uuid,
    location_id uuid,
    instructor_id uuid,
    title text not null,
    category text,
    language char(2) not null,
    time_zone text not null,
    price_cents bigint not null,
    currency char(3) not null,
    price_tier text not null,
    organization_name text not null,
    location_name text,
    city text,
    country char(2),
    instructor_name text,
    lexemes tsvector not null
);

create index listings_by_start on events.listings (starts_at, event_id);
create index listings_by_organization on events.listings (organization_id);
create index listings_by_location on events.listings (location_id);
create index listings_by_instructor on events.listings (instructor_id);

-- A search reads the whole list of pending entries, so the list is short: 8 pages.
create index listings_by_lexemes on events.listings using gin (lexemes)
with (fastupdate = on, gin_pending_list_limit = 64);

comment on table events.listings is
'Public upcoming events as they are searched. Triggers write it; the counters of seats are in events.inventory.';
comment on column events.listings.lexemes is
'All words; of the title with t:; of title, category, place, city, instructor and organizer with n:; and facets.';

create table events.scarce_listings (
    event_id uuid primary key,
    starts_at timestamptz not null,
    scarcity integer not null constraint scarcity_is_known check (scarcity between 1 and 3),
    lexemes tsvector not null
);

create index scarce_listings_by_lexemes on events.scarce_listings using gin (lexemes)
with (fastupdate = on, gin_pending_list_limit = 64);

comment on table events.scarce_listings is
'Listed events that may be full or filling: a small set, so that a search for them does not look at all events.';
comment on column events.scarce_listings.scarcity is '1: it may be filling, 2: it may be full, 3: one of them.';
comment on column events.scarce_listings.lexemes is 'The lexemes of the listing, and facets of the scarcity.';

create table events.stale_listings (
    id bigint generated always as identity primary key,
    event_id uuid not null
);

comment on table events.stale_listings is
'Events whose listing is to be written again, such as those of a renamed place. events.refresh_stale_listings does it.';
comment on column events.stale_listings.event_id is
'Not unique: an insert must not wait for the transaction that deletes an earlier row of the event.';

alter table events.listings enable row level security;
alter table events.scarce_listings enable row level security;
alter table events.stale_listings enable row level security;

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('events.listings', 'title', 'content', 'keep'),
('events.listings', 'category', 'content', 'keep'),
('events.listings', 'time_zone', 'content', 'keep'),
('events.listings', 'price_tier', 'code', 'keep'),
('events.listings', 'organization_name', 'content', 'keep'),
('events.listings', 'location_name', 'content', 'keep'),
('events.listings', 'city', 'content', 'keep'),
('events.listings', 'instructor_name', 'content', 'keep'),
('events.listings', 'lexemes', 'content', 'keep'),
('events.scarce_listings', 'lexemes', 'content', 'keep');

insert into ops.jobs (name, late_after_seconds)
values ('refresh_listings', 600);
