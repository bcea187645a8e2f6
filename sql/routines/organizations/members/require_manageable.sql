-- organizations.require_manageable: refuse a caller who may not give or end a role.
--
-- The rule is organizations.may_manage. Internal: the caller is an owner or admin, which other routines have checked.
--
-- Refuses: 403 forbidden.

create or replace function organizations.require_manageable(organization_id uuid, role organizations.member_role)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not organizations.may_manage(require_manageable.organization_id, require_manageable.role) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', case require_manageable.role
                    when 'owner'
                    then 'Ownership changes only by consent. An owner offers it to a member, who accepts.'
                    else 'Only owners manage admins. Ask an owner of the organization.'
                end
            )::text;
    end if;
end;
$$;

comment on function organizations.require_manageable(uuid, organizations.member_role) is
'Refuse a caller who may not give or end a role.';
