-- Insert a consent of each person.
insert into users.consents (user_id, organization_id, purpose, granted, wording, source)
select p, %(organization)s, 'newsletter', true, '2030-05', 'profile'
from unnest(%(people)s::uuid[]) as p;
