-- Describe locations, and add rooms and resources; events and series may name them.

alter table organizations.locations
add column capacity integer constraint location_capacity_is_sensible check (capacity between 1 and 1000000),
add column latitude numeric(8, 6) constraint latitude_is_on_earth check (latitude between -90 and 90),
add column longitude numeric(9, 6) constraint longitude_is_on_earth check (longitude between -180 and 180),
add column accessibility text,
add column directions text,
add column archived_at timestamptz,
add constraint coordinates_are_complete check ((latitude is null) = (longitude is null)) not valid,
add constraint location_descriptions_are_readable check (
    ops.is_text(accessibility) and ops.is_text(directions)
    and length(accessibility) <= 5000 and length(directions) <= 5000
) not valid;

alter table organizations.instructors add column archived_at timestamptz;

alter table organizations.policies add column archived_at timestamptz;

create table organizations.rooms (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    location_id uuid not null,
    name text not null constraint room_name_is_short check (length(name) between 1 and 200),
    capacity integer constraint room_capacity_is_sensible check (capacity between 1 and 1000000),
    accessibility text constraint room_accessibility_is_short check (length(accessibility) <= 5000),
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    unique (organization_id, id),
    constraint room_location_is_its_own
    foreign key (organization_id, location_id) references organizations.locations (organization_id, id),
    constraint room_texts_are_readable check (ops.is_line(name) and ops.is_text(accessibility))
);

create index rooms_of_location on organizations.rooms (organization_id, location_id);

comment on table organizations.rooms is 'Rooms of a location. Two events may not have one room at the same time.';

create table organizations.resources (
    id uuid primary key default ops.uuid_v7(),
    organization_id uuid not null references organizations.organizations on delete cascade,
    name text not null constraint resource_name_is_short check (length(name) between 1 and 200),
    description text constraint resource_description_is_short check (length(description) <= 5000),
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    unique (organization_id, id),
    constraint resource_texts_are_readable check (ops.is_line(name) and ops.is_text(description))
);

comment on table organizations.resources is
'Things that only one event can use at a time, such as a projector or a set of mats.';

alter table organizations.rooms enable row level security;
alter table organizations.resources enable row level security;

grant select on organizations.rooms, organizations.resources to app_read, app_write;

create policy anyone on organizations.rooms for select to anon, authenticated using (true);
create policy service on organizations.rooms to service_role using (true) with check (true);
create policy members on organizations.resources for select to authenticated
using (organization_id in (select public.user_orgs()));
create policy service on organizations.resources to service_role using (true) with check (true);

alter table events.series
add column room_id uuid,
add column resource_ids uuid[] not null default '{}',
add constraint series_room_is_its_own
foreign key (organization_id, room_id) references organizations.rooms (organization_id, id) not valid,
add constraint series_resources_are_few check (cardinality(resource_ids) <= 20) not valid;

-- A small table: an organization has at most 500 series.
-- squawk-ignore require-concurrent-index-creation
create index series_by_room on events.series (organization_id, room_id);

alter table events.events
add column room_id uuid,
add column resource_ids uuid[] not null default '{}';

comment on column events.events.room_id is 'A room of the location. events.occupancies has the foreign key.';
comment on column events.events.resource_ids is 'Resources in use. events.occupancies has the foreign keys.';

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('events.events', 'resource_ids', 'code', 'keep'),
('events.series', 'resource_ids', 'code', 'keep'),
('organizations.locations', 'accessibility', 'content', 'keep'),
('organizations.locations', 'directions', 'content', 'keep'),
('organizations.rooms', 'name', 'content', 'keep'),
('organizations.rooms', 'accessibility', 'content', 'keep'),
('organizations.resources', 'name', 'content', 'keep'),
('organizations.resources', 'description', 'content', 'keep');
