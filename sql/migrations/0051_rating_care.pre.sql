-- How ratings are looked after, and who may see what of them. Writes go through routines, as everywhere.

create table rating.requests (
    request_id uuid not null,
    part integer not null,
    parts integer not null,
    organization_id uuid not null,
    caller_id uuid,
    results jsonb not null,
    finished_at timestamptz not null default now(),
    primary key (request_id, part),
    constraint part_is_one_of_them check (part between 1 and parts)
);

create index requests_by_age on rating.requests using brin (finished_at);

comment on table rating.requests is
'What became of the events of a request that was answered before they were written.';

create table rating.calibrations (
    id bigint generated always as identity primary key,
    organization_id uuid not null references organizations.organizations on delete cascade,
    began_at timestamptz not null,
    finished_at timestamptz not null default now(),
    items bigint not null,
    votes bigint not null,
    applied bigint not null,
    before jsonb not null,
    after jsonb not null,
    mean_difference double precision not null,
    largest_difference double precision not null
);

create index calibrations_of_organization on rating.calibrations (organization_id, id);

comment on table rating.calibrations is
'Each night''s fit of all votes at once, and how far the running ratings were from it.';
comment on column rating.calibrations.applied is
'Items that took over the fit; those that were voted on meanwhile wait for the next.';

insert into ops.partition_policies (table_name, months_behind, months_ahead, retention_months)
values
('rating.votes', 1, 3, null),
('rating.sliders', 1, 3, null),
('rating.fires', 1, 3, null),
('rating.score_history', 1, 3, null);

insert into ops.jobs (name, late_after_seconds)
values
('process_ratings', 900),
('calibrate_ratings', 93600);

insert into ops.alert_rules
(name, metric, aggregate, window_seconds, threshold, for_seconds, cool_down_seconds, severity)
values
('ratings_late', 'rating_queue_age_seconds', 'latest', 300, 600, 60, 3600, 'critical'),
('ratings_failing', 'rating_items_failing', 'latest', 300, 0, 300, 86400, 'warning');

create function rating.private_organizations()
returns setof uuid
language sql
stable
security definer
set search_path = ''
begin atomic
select s.organization_id from rating.settings as s where not s.public;
end;

comment on function rating.private_organizations() is 'Whose scores are for members only; for policies.';
grant execute on function rating.private_organizations() to app_read, app_write;

alter table rating.settings enable row level security;
alter table rating.populations enable row level security;
alter table rating.votes enable row level security;
alter table rating.votes_default enable row level security;
alter table rating.sliders enable row level security;
alter table rating.sliders_default enable row level security;
alter table rating.fires enable row level security;
alter table rating.fires_default enable row level security;
alter table rating.event_keys enable row level security;
alter table rating.item_fires enable row level security;
alter table rating.inbox enable row level security;
alter table rating.dirty_items enable row level security;
alter table rating.item_stats enable row level security;
alter table rating.voters enable row level security;
alter table rating.item_scores enable row level security;
alter table rating.score_history enable row level security;
alter table rating.score_history_default enable row level security;
alter table rating.requests enable row level security;
alter table rating.calibrations enable row level security;

create policy service on rating.settings to service_role using (true) with check (true);
create policy service on rating.populations to service_role using (true) with check (true);
create policy service on rating.votes to service_role using (true) with check (true);
create policy service on rating.sliders to service_role using (true) with check (true);
create policy service on rating.fires to service_role using (true) with check (true);
create policy service on rating.event_keys to service_role using (true) with check (true);
create policy service on rating.item_fires to service_role using (true) with check (true);
create policy service on rating.inbox to service_role using (true) with check (true);
create policy service on rating.dirty_items to service_role using (true) with check (true);
create policy service on rating.item_stats to service_role using (true) with check (true);
create policy service on rating.voters to service_role using (true) with check (true);
create policy service on rating.item_scores to service_role using (true) with check (true);
create policy service on rating.score_history to service_role using (true) with check (true);
create policy service on rating.requests to service_role using (true) with check (true);
create policy service on rating.calibrations to service_role using (true) with check (true);

grant select on
rating.settings, rating.votes, rating.sliders, rating.fires, rating.voters, rating.item_scores, rating.score_history,
rating.requests
to app_read;

grant select on
rating.populations, rating.event_keys, rating.item_fires, rating.inbox, rating.dirty_items, rating.item_stats,
rating.calibrations
to app_write;

-- Scores of those who publish them: anyone. All else: members, and people what is theirs.
create policy published on rating.settings for select to anon, authenticated using (public);

create policy members on rating.settings for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy published on rating.item_scores for select to anon, authenticated
using (organization_id not in (select rating.private_organizations()));

create policy members on rating.item_scores for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy published on rating.score_history for select to anon, authenticated
using (organization_id not in (select rating.private_organizations()));

create policy members on rating.score_history for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy members on rating.votes for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy own on rating.votes for select to authenticated using (voter_id = (select ops.caller_id())::text);

create policy members on rating.sliders for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy own on rating.sliders for select to authenticated using (voter_id = (select ops.caller_id())::text);

create policy members on rating.fires for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy own on rating.fires for select to authenticated using (voter_id = (select ops.caller_id())::text);

create policy members on rating.voters for select to authenticated
using (organization_id in (select public.user_orgs()));

create policy own on rating.voters for select to authenticated using (voter_id = (select ops.caller_id())::text);

create policy own on rating.requests for select to authenticated using (caller_id = (select ops.caller_id()));
