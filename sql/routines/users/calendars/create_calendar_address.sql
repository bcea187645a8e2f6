-- users.create_calendar_address: give the caller's calendar a secret address, and revoke the former one.
--
-- The caller's program has drawn the secret and sends its SHA-256 alone. Locks the person, so that an erasure leaves no
-- address. Creates a missing profile from the claims. Returns the time.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 422 invalid_request.

create or replace function users.create_calendar_address(secret_hash bytea)
returns timestamptz
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_user_id uuid;
begin
    perform events.lock_person(ops.caller_id());
    the_user_id := (users.own_profile() ->> 'id')::uuid;
    if (length(create_calendar_address.secret_hash) = 32) is not true then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'A calendar address needs the SHA-256 of a secret.')::text;
    end if;
    insert into users.calendar_addresses as a (user_id, secret_hash, created_at)
    values (the_user_id, create_calendar_address.secret_hash, statement_timestamp())
    on conflict on constraint calendar_addresses_pkey do update
    set secret_hash = excluded.secret_hash, created_at = excluded.created_at;
    return statement_timestamp();
end;
$$;

comment on function users.create_calendar_address(bytea) is
'Give the caller''s calendar a secret address, and revoke the former one.';

grant execute on function users.create_calendar_address(bytea) to authenticated, service_role;
