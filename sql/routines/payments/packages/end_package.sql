-- payments.end_package: end the sale of a package; sold ones stay valid.
--
-- For admins and owners of the organization. Repeating it changes nothing. Returns the package.
--
-- Refuses: 404 package_not_found.

create or replace function payments.end_package(package_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_package payments.packages;
begin
    update payments.packages as p
    set active = false
    where p.id = end_package.package_id and organizations.caller_is(p.organization_id, 'admin', 'owner')
    returning p.* into the_package;

    if not found then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;
    return to_jsonb(the_package);
end;
$$;

comment on function payments.end_package(uuid) is 'End the sale of a package; sold ones stay valid.';

grant execute on function payments.end_package(uuid) to authenticated, service_role;
