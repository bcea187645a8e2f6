-- Pin the search path of the functions that earlier migrations made.
--
-- An empty search path does not keep pg_temp out: PostgreSQL looks there first for tables and types unless the path
-- names it. So a caller's temporary domain called text would run its check with the owner's rights.

do $$
declare
    the_function regprocedure;
begin
    foreach the_function in array array[
        'public.user_orgs()', 'public.current_org_id()', 'organizations.orgs_as(organizations.member_role[])',
        'organizations.caller_is(uuid, organizations.member_role[])', 'rating.private_organizations()'
    ]::regprocedure[] loop
        execute format('alter function %s set search_path = pg_catalog, pg_temp', the_function);
    end loop;
end;
$$;
