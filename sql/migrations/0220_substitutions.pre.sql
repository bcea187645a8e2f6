-- Keep which instructor leads an event in place of another one.

create table events.substitutions (
    event_id uuid not null primary key references events.terms on delete cascade,
    organization_id uuid not null references organizations.organizations on delete cascade,
    instructor_id uuid not null,
    absent_instructor_id uuid not null,
    note text constraint substitution_note_is_short check (length(note) <= 500),
    created_at timestamptz not null default now(),
    constraint substitution_note_is_readable check (ops.is_text(note)),
    constraint nobody_substitutes_for_themselves check (instructor_id <> absent_instructor_id),
    constraint substitute_is_its_own
    foreign key (organization_id, instructor_id) references organizations.instructors (organization_id, id),
    constraint absent_instructor_is_its_own
    foreign key (organization_id, absent_instructor_id) references organizations.instructors (organization_id, id)
);

create index substitutions_of_substitute on events.substitutions (organization_id, instructor_id);
create index substitutions_of_absent_instructor on events.substitutions (organization_id, absent_instructor_id);

comment on table events.substitutions is
'The instructor who leads an event in place of another one. A row counts while its instructor leads the event.';
comment on column events.substitutions.note is 'A text of staff, for staff alone.';

alter table events.substitutions enable row level security;

grant select on events.substitutions to app_read, app_write;

create policy service on events.substitutions to service_role using (true) with check (true);

create policy members on events.substitutions for select to authenticated
using (organization_id in (select public.user_orgs()));

insert into ops.retention (table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, reason)
values
(
    'events.substitutions', 'note', 'substitution_notes', 'text', interval '13 months', 'r.created_at < $1', 'null',
    'keep', 'Written about an event, for its organization.'
),
(
    'events.substitutions', 'absent_instructor_id', '', 'code', null, null, null, 'keep',
    'A public page of the organization.'
);
