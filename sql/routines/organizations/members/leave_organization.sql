-- organizations.leave_organization: end the caller's own membership.
--
-- Locks the memberships of owners, admins and the caller, so that two owners who leave at once do not both leave. A
-- repeated call is refused with 404.
--
-- Refuses: 403 forbidden, to an erased person; 404 member_not_found; 409 last_owner.

create or replace function organizations.leave_organization(organization_id uuid)
returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();

    -- A stranger must not make the members wait.
    if exists (
        select
        from organizations.memberships as m
        where m.organization_id = leave_organization.organization_id and m.user_id = ops.caller_id()
    ) then
        perform organizations.lock_members(leave_organization.organization_id, ops.caller_id());
        perform organizations.end_offers(leave_organization.organization_id, ops.caller_id());
    end if;

    delete from organizations.memberships as m
    where m.organization_id = leave_organization.organization_id and m.user_id = ops.caller_id();
    if not found then
        raise exception using errcode = 'PT404', message = 'member_not_found',
            detail = jsonb_build_object('detail', 'You are not a member of this organization.')::text;
    end if;
end;
$$;

comment on function organizations.leave_organization(uuid) is 'End the caller''s own membership.';

grant execute on function organizations.leave_organization(uuid) to authenticated, service_role;
