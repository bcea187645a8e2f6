-- Insert a requested erasure of each person.
insert into users.erasure_requests (user_id, due_at)
select p, now() + interval '168 hours'
from unnest(%(people)s::uuid[]) as p
on conflict do nothing;
