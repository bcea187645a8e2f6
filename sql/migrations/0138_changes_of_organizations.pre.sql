-- Record every change of an organization's settings, terms and people, with its author and both values.

create table organizations.changes (
    id uuid not null default ops.uuid_v7() primary key,
    organization_id uuid not null references organizations.organizations on delete cascade,
    actor_id uuid,
    kind text not null constraint change_kind_is_a_name
    check (kind ~ '^[a-z][a-z_]*\.[a-z][a-z_]*$' and length(kind) <= 80),
    subject_id uuid not null,
    before jsonb constraint before_is_an_object check (jsonb_typeof(before) = 'object'),
    after jsonb constraint after_is_an_object check (jsonb_typeof(after) = 'object'),
    created_at timestamptz not null default clock_timestamp(),
    constraint something_changed check (before is distinct from after)
);

create index changes_of_organization on organizations.changes (organization_id, id);
create index changes_of_subject on organizations.changes (subject_id, id);
create index changes_by_age on organizations.changes using brin (created_at);

comment on table organizations.changes is
'Every change of an organization''s settings, terms and people. organizations.record_change writes it.';
comment on column organizations.changes.actor_id is 'The person who made the change; null for the service.';
comment on column organizations.changes.kind is 'The object and the fact, such as room.created.';
comment on column organizations.changes.before is
'The changed members with their former values; null for a new object. People appear as ids only.';
comment on column organizations.changes.after is
'The changed members with their new values; null for a deleted object.';

alter table organizations.changes enable row level security;

grant select on organizations.changes to app_read, app_write;

create policy service on organizations.changes to service_role using (true) with check (true);

create policy owners on organizations.changes for select to authenticated
using (organization_id in (select organizations.orgs_as('owner')));

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, reason)
values
(
    'organizations.changes', '*', 'changes', 'row', interval '3 years', 'r.created_at < $1', 'delete', 'keep', null
),
(
    'organizations.changes', 'actor_id', '', 'person', null, null, null, 'keep',
    'The record names the person who acted. Goes with the row.'
),
(
    'organizations.changes', 'before', '', 'document', null, null, null, 'keep',
    'Settings, and ids of people: no name or address of a person.'
),
(
    'organizations.changes', 'after', '', 'document', null, null, null, 'keep',
    'Settings, and ids of people: no name or address of a person.'
),
('organizations.changes', 'kind', '', 'code', null, null, null, 'keep', null);
