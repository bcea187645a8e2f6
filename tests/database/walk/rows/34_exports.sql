-- Insert an export of each person.
insert into users.exports (user_id)
select p
from unnest(%(people)s::uuid[]) as p
on conflict do nothing;
