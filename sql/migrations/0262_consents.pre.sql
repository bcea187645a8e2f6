-- Record people's consent to marketing, for each organization and purpose, with time, wording and source.

create table users.consents (
    id bigint generated always as identity primary key,
    user_id uuid not null references users.profiles on delete cascade,
    organization_id uuid not null references organizations.organizations on delete cascade,
    purpose text not null constraint purpose_is_known check (purpose in ('newsletter', 'offers', 'surveys')),
    granted boolean not null,
    wording text constraint wording_is_a_version check (wording ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    source text not null constraint source_is_known check (source in ('profile', 'unsubscribe_link')),
    decided_at timestamptz not null default statement_timestamp(),
    constraint consent_names_its_wording check (not granted or wording is not null)
);

create index consents_of_person on users.consents (user_id, organization_id, purpose, id);
create index consents_of_organization on users.consents (organization_id);

comment on table users.consents is
'Decisions of people about marketing. The latest one of a person, organization and purpose holds. Rows are only added.';
comment on column users.consents.wording is 'The version of the text that the person accepted. Null for a withdrawal.';

alter table users.consents enable row level security;
grant select on users.consents to app_read, app_write;
create policy own on users.consents for select to authenticated
using (user_id = (select ops.caller_id()));
create policy service on users.consents to service_role using (true) with check (true);

insert into ops.export_rules (table_name, found_by)
values ('users.consents', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure, found_by)
values ('users.consents', '*', 'row', 'delete', 'r.user_id = $1');

insert into ops.retention (table_name, column_name, kind, on_erasure)
values
('users.consents', 'user_id', 'person', 'delete'),
('users.consents', 'purpose', 'code', 'delete'),
('users.consents', 'wording', 'code', 'delete'),
('users.consents', 'source', 'code', 'delete');
