-- users.own_profile: return the caller's profile, which the first call creates from the claims.
--
-- The address follows the token, and a change of it locks the profile (events.ensure_customer). A service has no
-- profile, whatever its token says. An erased person stays erased.
--
-- Refuses: 401 unauthenticated, 403 forbidden.

create or replace function users.own_profile()
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_user_id uuid;
begin
    if ops.caller_is_service() then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'A service has no profile. Use the token of a person.')::text;
    end if;
    the_user_id := events.ensure_customer(ops.caller_id(), null, null);

    return (
        select jsonb_build_object(
            'id', p.id, 'name', p.name, 'email', users.verified_address(p),
            'language', p.language, 'created_at', p.created_at
        )
        from users.profiles as p
        where p.id = the_user_id
    );
end;
$$;

comment on function users.own_profile() is
'Return the caller''s profile, which the first call creates from the claims.';

grant execute on function users.own_profile() to authenticated, service_role;
