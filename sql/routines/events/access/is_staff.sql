-- events.is_staff: return whether the caller may act for customers of this organization.

create or replace function events.is_staff(organization_id uuid)
returns boolean
language sql
stable
return organizations.caller_is(is_staff.organization_id, 'front_desk', 'editor', 'admin', 'owner');

comment on function events.is_staff(uuid) is 'Return whether the caller may act for customers of this organization.';
