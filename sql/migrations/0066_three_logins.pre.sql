-- Give anonymous callers, people and services a login each, and bind claims to the role that the login became.
--
-- One login that could become every role made an injection anywhere an injection as the service. Each of the three may
-- become one role. A statement can write any claims, so claims alone prove nothing: they count only as far as the role
-- of the transaction goes, and the login decides which role that may be.
--
-- The former login, marquee_api, keeps working for code that is still running; 0095 takes it away.

do $$
declare
    the_login text;
    the_role text;
begin
    for the_login, the_role in
        select l.login, l.role
        from (
            values ('marquee_public', 'anon'), ('marquee_people', 'authenticated'), ('marquee_service', 'service_role')
        ) as l (login, role)
    loop
        if not exists (select from pg_catalog.pg_roles as r where r.rolname = the_login) then
            begin
                execute format('create role %I login noinherit', the_login);
            exception
                when duplicate_object or unique_violation then
                    null;  -- another database of this server made it just now
            end;
        end if;

        execute format('grant %I to %I', the_role, the_login);
        execute format('grant usage on schema ops to %I', the_login);
        -- Nothing set in a session survives a transaction pooler, so the limits belong to the role.
        execute format('alter role %I set statement_timeout = %L', the_login, '15s');
        execute format('alter role %I set lock_timeout = %L', the_login, '5s');
        execute format('alter role %I set idle_in_transaction_session_timeout = %L', the_login, '15s');
        execute format('alter role %I set timezone = %L', the_login, 'UTC');
    end loop;
end;
$$;

-- Rights are inherited from these two; nobody becomes them.
do $$
begin
    grant app_read to anon with inherit true, set false;
    grant app_read to authenticated with inherit true, set false;
    grant app_read to service_role with inherit true, set false;
    grant app_write to service_role with inherit true, set false;
end;
$$;

-- The setting `role` is what the session became. It stays so inside routines that run as their owner, and PostgreSQL
-- changes it only to a role that the login is a member of. It is `none` for the owner, who may act as anyone, and for a
-- login before it became its role, which may do nothing.

create or replace function ops.claims()
returns jsonb
language sql
stable
parallel safe
return case
    when current_setting('role') in ('authenticated', 'service_role', 'none')
    then nullif(current_setting('request.jwt.claims', true), '')::jsonb
end;

comment on function ops.claims() is
'The verified claims of the caller of this transaction; null for anonymous callers and where none were set.';

create or replace function ops.caller_id()
returns uuid
language sql
stable
parallel safe
return case
    when current_setting('role') in ('authenticated', 'service_role', 'none')
    then (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
end;

create or replace function ops.caller_is_service()
returns boolean
language sql
stable
parallel safe
return current_setting('role') in ('service_role', 'none') and coalesce(
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' = 'service_role', false
);

comment on function ops.caller_is_service() is
'Whether the role and the claims are those of a schedule, a queue or another service.';
