-- Close an organization, a location or a room for a period.

create table events.closures (
    id uuid not null default ops.uuid_v7() primary key,
    organization_id uuid not null references organizations.organizations on delete cascade,
    location_id uuid,
    room_id uuid,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    time_zone text not null references ref.timezones,
    reason text constraint closure_reason_is_short check (length(reason) <= 500),
    ended_at timestamptz,
    created_at timestamptz not null default now(),
    constraint closure_reason_is_readable check (ops.is_text(reason)),
    constraint closure_ends_after_it_starts check (ends_at > starts_at),
    constraint closed_location_is_its_own
    foreign key (organization_id, location_id) references organizations.locations (organization_id, id),
    constraint closed_room_is_its_own
    foreign key (organization_id, room_id) references organizations.rooms (organization_id, id)
);

create index closures_of_organization on events.closures (organization_id, ends_at);
create index closures_of_location on events.closures (organization_id, location_id);
create index closures_of_room on events.closures (organization_id, room_id);
create index closures_of_time_zone on events.closures (time_zone);

comment on table events.closures is
'When an organization, a location or a room is closed: no event takes place there. Without both, all of it is closed.';
comment on column events.closures.reason is 'The text that customers of cancelled events receive.';
comment on column events.closures.ended_at is 'When staff ended it early. Such a closure closes nothing any more.';

alter table events.closures enable row level security;

grant select on events.closures to app_read, app_write;

create policy service on events.closures to service_role using (true) with check (true);

create policy members on events.closures for select to authenticated
using (organization_id in (select public.user_orgs()));

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, reason)
values
(
    'events.closures', 'reason', 'closure_reasons', 'text', interval '13 months', 'r.ends_at < $1', 'null',
    'keep', 'Written about a period, for everyone who booked in it.'
),
('events.closures', 'time_zone', '', 'content', null, null, null, 'keep', null);

insert into ops.limits (name, value, meaning)
values
('closures_per_organization', 500, 'Closures of an organization that are not over.'),
('closure_size', 3000, 'Events, bookings and waitlist entries that one closure cancels, in all.');
