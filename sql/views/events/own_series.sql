-- events.own_series: the series of the caller's organizations. A service sees the series of all organizations.

create or replace view events.own_series with (security_invoker = true) as
select s.*
from events.series as s
where s.organization_id in (select public.user_orgs()) or (select ops.caller_is_service());

comment on view events.own_series is 'The series of the organizations that the caller is a member of.';

grant select on events.own_series to app_read;
