-- How many rating events a voter may send in a day. They are counted when they are written, never by a look at events.

alter table rating.settings
add column events_per_voter_and_day integer not null default 2000
constraint events_per_day_are_sensible check (events_per_voter_and_day between 1 and 10000000);

comment on column rating.settings.events_per_voter_and_day is
'Rating events of one voter that are accepted in a day (UTC). What the service sends is not counted.';

create unlogged table rating.voter_days (
    organization_id uuid not null references organizations.organizations on delete cascade,
    voter_id rating.client_id not null,
    day date not null,
    events integer not null,
    primary key (organization_id, voter_id, day)
) with (fillfactor = 50);

comment on table rating.voter_days is
'Rating events of a voter in a day (UTC). Lost in a crash, after which the day''s count starts at zero.';

alter table rating.voter_days enable row level security;
create policy service on rating.voter_days to service_role using (true) with check (true);
grant select on rating.voter_days to app_write;
