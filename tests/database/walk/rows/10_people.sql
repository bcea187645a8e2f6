-- Insert the people once, and the organization's own rows. Run for both organizations.
insert into users.profiles (id, name, email, email_verified_at)
select p, 'somebody', p || '@example.org', now()
from unnest(%(people)s::uuid[]) as p
on conflict do nothing;

insert into users.calendar_addresses (user_id, secret_hash)
select p, sha256(p::text::bytea)
from unnest(%(people)s::uuid[]) as p
on conflict do nothing;

insert into organizations.organizations (id, slug, name, country, currency, time_zone)
values (%(organization)s, %(side)s, %(side)s, 'CH', 'CHF', 'Europe/Zurich');

insert into organizations.memberships (organization_id, user_id, role)
values
(%(organization)s, %(organization_owner)s, 'owner'),
(%(organization)s, %(organization_viewer)s, 'viewer');

insert into organizations.locations (id, organization_id, name, city, country, time_zone)
values (%(location)s, %(organization)s, 'Hall', 'Zurich', 'CH', 'Europe/Zurich');

insert into organizations.instructors (id, organization_id, user_id, name)
values (%(instructor)s, %(organization)s, %(somebody)s, 'Somebody');

insert into organizations.policies (id, organization_id, name)
values (%(policy)s, %(organization)s, 'Usual');

insert into organizations.changes (organization_id, kind, subject_id, after)
values (%(organization)s, 'policy.created', %(policy)s, '{"name": "Usual"}');
