-- payments.list_closings: return a page of the closed days of an organization's tills, newest first.
--
-- For front desk, accountants, admins and owners. With a location, only those of its own till.
--
-- Refuses: 403 forbidden, 404 organization_not_found, 422 invalid_request.

create or replace function payments.list_closings(
    organization_id uuid, location_id uuid default null, after uuid default null, most integer default 100
)
returns table (id uuid, report jsonb)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_organization organizations.organizations := payments.require_desk(
        list_closings.organization_id, list_closings.location_id
    );
begin
    return query
    select c.id, payments.till_report(t, c)
    from payments.till_closings as c
    inner join payments.tills as t on t.id = c.till_id
    where
        c.organization_id = the_organization.id
        and (list_closings.location_id is null or t.location_id = list_closings.location_id)
        and (list_closings.after is null or c.id < list_closings.after)
    order by c.id desc
    limit least(list_closings.most, 101);
end;
$$;

comment on function payments.list_closings(uuid, uuid, uuid, integer) is
'Return a page of the closed days of an organization''s tills, newest first.';

grant execute on function payments.list_closings(uuid, uuid, uuid, integer) to authenticated, service_role;
