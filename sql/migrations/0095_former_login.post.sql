-- Take the former login of the API away: marquee_public, marquee_people and marquee_service have replaced it.
--
-- Roles belong to the server. While another database of it still names the login, the login stays, but it may no longer
-- log in, become another role or use anything here.

do $$
begin
    if not exists (select from pg_catalog.pg_roles as r where r.rolname = 'marquee_api') then
        return;
    end if;

    if to_regprocedure('ops.act_as(jsonb)') is not null then
        revoke execute on function ops.act_as(jsonb) from marquee_api;
    end if;
    revoke usage on schema ops from marquee_api;
    revoke anon from marquee_api;
    revoke authenticated from marquee_api;
    revoke service_role from marquee_api;
    alter role marquee_api nologin password null;

    begin
        drop role marquee_api;
    exception
        when dependent_objects_still_exist then
            raise notice 'Another database of this server still names marquee_api; it stays without any right.';
    end;
end;
$$;
