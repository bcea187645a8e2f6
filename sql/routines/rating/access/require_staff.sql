-- rating.require_staff: refuse every caller except the service and the organization's rating staff
-- (rating.runs_ratings).
--
-- Called before an action that runs with the rights of the service.
--
-- Refuses: 401 unauthenticated, 403 forbidden.

create or replace function rating.require_staff(organization_id uuid default null)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if ops.caller_is_service() then
        return;
    end if;
    if ops.caller_id() is null then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;
    if not rating.runs_ratings(require_staff.organization_id, ops.caller_id()) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'Only staff of the organization may do this.')::text;
    end if;
end;
$$;

comment on function rating.require_staff(uuid) is
'Refuse every caller except the service and the organization''s rating staff.';

grant execute on function rating.require_staff(uuid) to authenticated, service_role;
