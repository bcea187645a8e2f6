-- Money of erased people never goes to a wallet.

-- A failed refund of an erased person goes to the organization's unclaimed balances.
alter table payments.refunds drop constraint destination_is_known;
alter table payments.refunds add constraint destination_is_known
check (destination in ('original', 'wallet', 'invoice', 'dispute', 'unclaimed'));

-- Erasure finds imported rows by every verified address that the person had while those rows are kept.
alter table users.profiles
add column former_emails text[],
add column email_changed_at timestamptz,
add constraint erased_has_no_former_address check (erased_at is null or former_emails is null);

comment on column users.profiles.former_emails is
'Earlier verified addresses in lower case, for 90 days after the last change: erasure finds imported rows by them.';
comment on column users.profiles.email_changed_at is 'When a verified address last replaced another one.';

create index former_emails_by_age on users.profiles (email_changed_at) where former_emails is not null;
create index recipients_of_address on ops.alert_recipients (lower(email));

drop function if exists ops.erase_person(uuid, text, text[]);

insert into ops.retention (
    table_name, column_name, rule, kind, period, is_old, at_end, on_erasure, found_by
)
values
(
    'users.profiles', 'former_emails', 'former_emails', 'address', '90 days', 'r.email_changed_at < $1', 'null',
    'null', 'r.id = $1'
);

comment on column ops.retention.found_by is
'A condition on the row r: $1 is the person''s id, $2 their verified addresses, present and former, in lower case, $3 '
'the names of their instructor pages.';

update ops.retention as r
set found_by = replace(r.found_by, 'lower(r.customer_email) = lower($2)', 'lower(r.customer_email) = any ($2)')
where r.found_by like '%lower(r.customer_email) = lower($2)%';

update ops.retention as r
set found_by = replace(r.found_by, 'lower(f.customer_email) = lower($2)', 'lower(f.customer_email) = any ($2)')
where r.found_by like '%lower(f.customer_email) = lower($2)%';

update ops.retention as r
set found_by = 'lower(r.email) = any ($2)'
where r.table_name = 'ops.alert_recipients' and r.found_by = 'r.email = $2';

-- An instructor's name is theirs only in the organizations in which they have a page.
update ops.retention as r
set found_by = 'r.instructor_name = any ($3) and exists ('
    'select from organizations.instructors as i '
    'inner join organizations.organizations as o on o.id = i.organization_id '
    'where i.user_id = $1 and i.name = r.instructor_name and r.organization_id in (o.id::text, o.slug))'
where r.table_name = 'staging.class_templates' and r.column_name = 'instructor_name';

update ops.retention as r
set found_by = 'r.instructor_name = any ($3) and exists ('
    'select from organizations.instructors as i '
    'inner join organizations.organizations as o on o.id = i.organization_id '
    'where i.user_id = $1 and i.name = r.instructor_name and (r.organization_id in (o.id::text, o.slug) '
    'or r.organization_id is null and exists (select from events.series as s where s.organization_id = o.id '
    'and s.id = case when pg_input_is_valid(r.template_id, ''uuid'') then r.template_id::uuid end)))'
where r.table_name = 'staging.class_instances' and r.column_name = 'instructor_name';
