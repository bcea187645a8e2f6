-- organizations.record_membership: record a new, changed or ended membership in the organization's changes.
--
-- A row trigger, so that the service's changes and erasures are recorded too. Records nothing while the organization
-- itself is deleted.

create or replace function organizations.record_membership()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        tg_op = 'DELETE'
        and not exists (select from organizations.organizations as o where o.id = old.organization_id)
    then
        return null;
    end if;

    perform organizations.record_change(
        case when tg_op = 'DELETE' then old.organization_id else new.organization_id end,
        case tg_op when 'INSERT' then 'member.added' when 'UPDATE' then 'member.changed' else 'member.removed' end,
        case when tg_op = 'DELETE' then old.user_id else new.user_id end,
        case when tg_op <> 'INSERT' then jsonb_build_object('role', old.role) end,
        case when tg_op <> 'DELETE' then jsonb_build_object('role', new.role) end
    );
    return null;
end;
$$;

comment on function organizations.record_membership() is
'Record a new, changed or ended membership in the organization''s changes.';

create or replace trigger record_change after insert or delete or update of role on organizations.memberships
for each row execute function organizations.record_membership();
