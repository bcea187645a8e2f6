-- events.current_substitutions: substitutes of instructors at events, for members of the organization.

create or replace view events.current_substitutions with (security_invoker = true) as
select
    s.event_id,
    s.organization_id,
    s.instructor_id,
    s.absent_instructor_id,
    i.name as absent_instructor_name,
    s.note
from events.substitutions as s
inner join organizations.instructors as i on i.id = s.absent_instructor_id
where s.organization_id in (select public.user_orgs()) or (select ops.caller_is_service());

comment on view events.current_substitutions is
'The instructor who leads an event in place of another one. A row counts while its instructor leads the event.';

grant select on events.current_substitutions to app_read;
