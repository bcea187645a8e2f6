-- Refuse two events in one room, with one instructor or with one resource at the same time.
--
-- The times are in a table of their own, because an exclusion constraint cannot span the partitions of events.events.
-- A range over (subject, time) needs no extension: two ranges overlap only if they have the same subject.

create type events.subject_time as (
    subject_id uuid,
    at timestamptz
);

create type events.occupancy_period as range (subtype = events.subject_time);

create table events.occupancies (
    event_id uuid not null references events.terms on delete cascade,
    organization_id uuid not null references organizations.organizations on delete cascade,
    subject_id uuid not null generated always as (coalesce(room_id, instructor_id, resource_id)) stored,
    room_id uuid,
    instructor_id uuid,
    resource_id uuid,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    enforced boolean not null,
    primary key (event_id, subject_id),
    constraint occupancy_has_one_subject check (num_nonnulls(room_id, instructor_id, resource_id) = 1),
    constraint occupancy_ends_after_it_starts check (ends_at > starts_at),
    constraint occupied_room_is_its_own
    foreign key (organization_id, room_id) references organizations.rooms (organization_id, id),
    constraint occupied_instructor_is_its_own
    foreign key (organization_id, instructor_id) references organizations.instructors (organization_id, id),
    constraint occupied_resource_is_its_own
    foreign key (organization_id, resource_id) references organizations.resources (organization_id, id),
    constraint never_double_booked exclude using gist (
        events.occupancy_period(
            row(coalesce(room_id, instructor_id, resource_id), starts_at)::events.subject_time,
            row(coalesce(room_id, instructor_id, resource_id), ends_at)::events.subject_time
        ) with &&
    ) where (enforced)
);

create index occupancies_of_subject on events.occupancies (subject_id, starts_at);
create index occupancies_of_organization on events.occupancies (organization_id, ends_at);
create index occupancies_of_room on events.occupancies (organization_id, room_id);
create index occupancies_of_instructor on events.occupancies (organization_id, instructor_id);
create index occupancies_of_resource on events.occupancies (organization_id, resource_id);

comment on table events.occupancies is
'When a room, an instructor or a resource is in use by an event that is not cancelled. A trigger writes it.';
comment on column events.occupancies.enforced is
'Whether the constraint never_double_booked applies: the organization refuses double bookings.';

alter table events.occupancies enable row level security;
