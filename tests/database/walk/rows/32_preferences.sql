-- Insert a preference of each person.
insert into messaging.preferences (user_id, family, channel, delivery)
select p, 'reminders', 'email', 'off'
from unnest(%(people)s::uuid[]) as p
on conflict do nothing;
