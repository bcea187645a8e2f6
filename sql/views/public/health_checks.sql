-- public.health_checks: ops.health_checks with the name and the columns of the earlier system.

create or replace view public.health_checks with (security_invoker = true) as
select
    c.name as check_name,
    c.status,
    c.value,
    c.unit,
    c.details,
    c.checked_at
from ops.health_checks as c
where c.value is not null;

comment on view public.health_checks is 'The state of every health check. See ops.health_checks.';

grant select on public.health_checks to app_write;
