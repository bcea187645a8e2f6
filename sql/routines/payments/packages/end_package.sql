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
    select p.* into the_package
    from payments.packages as p
    where p.id = end_package.package_id
    for no key update;
    if not found or not organizations.caller_is(the_package.organization_id, 'admin', 'owner') then
        raise exception using errcode = 'PT404', message = 'package_not_found';
    end if;

    update payments.packages as p
    set active = false
    where p.id = the_package.id
    returning p.* into the_package;
    return to_jsonb(the_package);
end;
$$;

comment on function payments.end_package(uuid) is 'End the sale of a package; sold ones stay valid.';

grant execute on function payments.end_package(uuid) to authenticated, service_role;
