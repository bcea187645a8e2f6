-- Keep a row for each public upcoming event in the form in which it is searched: words by rank, and facets.
--
-- One index intersects words, facets and times, so a search reads few pages whatever its filters are. The counters of
-- seats stay in events.inventory, so a booking does not write here. ops.after_migration queues events without a row.

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
    facets tsvector not null,
    title_words tsvector not null,
    name_words tsvector not null,
    words tsvector not null
);

create index listings_by_start on events.listings (starts_at, event_id);
create index listings_by_organization on events.listings (organization_id);
create index listings_by_location on events.listings (location_id);
create index listings_by_instructor on events.listings (instructor_id);

-- A search reads the whole list of pending entries, so the list is short: 8 pages.
create index listings_by_words on events.listings using gin (facets, title_words, name_words, words)
with (fastupdate = on, gin_pending_list_limit = 64);

comment on table events.listings is
'Public upcoming events as they are searched. Triggers write it; the counters of seats are in events.inventory.';
comment on column events.listings.facets is
'Filters as lexemes: organization, series, instructor, city, category, price tier, limited or not, blocks of time.';
comment on column events.listings.title_words is 'Words of the title, which rank first.';
comment on column events.listings.name_words is
'Words of title, category, place, city, instructor and organizer, which rank second.';
comment on column events.listings.words is 'All words, with those of the description, which rank last.';

create table events.scarce_listings (
    event_id uuid primary key,
    starts_at timestamptz not null,
    scarcity integer not null constraint scarcity_is_known check (scarcity between 1 and 3)
);

create index filling_listings_by_start on events.scarce_listings (starts_at, event_id) where scarcity & 1 = 1;
create index full_listings_by_start on events.scarce_listings (starts_at, event_id) where scarcity & 2 = 2;

comment on table events.scarce_listings is
'Listed events that may be full or filling: a small set, so that a search for them does not look at all events.';
comment on column events.scarce_listings.scarcity is '1: it may be filling, 2: it may be full, 3: one of them.';

create table events.stale_listings (
    event_id uuid primary key,
    stale_at timestamptz not null default clock_timestamp()
);

comment on table events.stale_listings is
'Events whose listing is to be written again, such as those of a renamed place. events.refresh_stale_listings does it.';

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
('events.listings', 'facets', 'content', 'keep'),
('events.listings', 'title_words', 'content', 'keep'),
('events.listings', 'name_words', 'content', 'keep'),
('events.listings', 'words', 'content', 'keep');

insert into ops.jobs (name, late_after_seconds)
values ('refresh_listings', 600);
