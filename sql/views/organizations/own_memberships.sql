-- organizations.own_memberships: the organizations for which the caller may act, with the caller's role in each.

create or replace view organizations.own_memberships with (security_invoker = true) as
select
    m.organization_id,
    o.name,
    o.slug,
    m.role,
    m.created_at
from organizations.memberships as m
inner join organizations.organizations as o on o.id = m.organization_id
where
    m.user_id = (select ops.caller_id())
    and m.organization_id in (select public.user_orgs());

comment on view organizations.own_memberships is
'The organizations for which the caller may act, with the caller''s role in each.';

grant select on organizations.own_memberships to app_read;
