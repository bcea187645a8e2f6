-- ops.act_as: set the caller's claims and role for the rest of this transaction.
--
-- Sets them as PostgREST and Supabase do, for the transaction only, so that nothing leaks through a connection pooler.
-- The login decides which role is possible (see 0066_three_logins). Within that role the claims are not verified again,
-- so only the functions' logins may call it.
--
-- A person has a subject. A service has none, so its subject is dropped.
--
-- Refuses: 401 unauthenticated, when the claims name a role that no caller may have, or a person without a subject.

create or replace function ops.act_as(claims jsonb)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    claimed text := coalesce(
        act_as.claims ->> 'role',
        case when act_as.claims ->> 'sub' is null then 'anon' else 'authenticated' end
    );
begin
    if
        claimed not in ('anon', 'authenticated', 'service_role')
        or (claimed = 'authenticated' and coalesce(act_as.claims ->> 'sub', '') = '')
    then
        raise exception using errcode = 'PT401', message = 'unauthenticated';
    end if;

    perform set_config(
        'request.jwt.claims',
        (
            case claimed
                when 'service_role' then act_as.claims - 'sub'
                else coalesce(act_as.claims, '{}'::jsonb)
            end
        )::text,
        true
    );
    perform set_config('role', claimed, true);
end;
$$;

comment on function ops.act_as(jsonb) is 'Set the caller''s claims and role for the rest of this transaction.';

grant execute on function ops.act_as(jsonb) to marquee_public, marquee_people, marquee_service;
