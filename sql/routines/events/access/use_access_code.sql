-- events.use_access_code: let this transaction book the event whose link or code has this hash (events.has_access).
--
-- The hash is that of the secret, or of the event's id and the code. It gives no rights by itself, and a wrong one
-- changes nothing.
--
-- Refuses: 403 forbidden, to an erased person.

create or replace function events.use_access_code(access_hash bytea)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform users.refuse_erased();
    perform set_config('events.access_hash', coalesce(encode(use_access_code.access_hash, 'hex'), ''), true);
end;
$$;

comment on function events.use_access_code(bytea) is
'Let this transaction book the event whose link or code has this hash.';

grant execute on function events.use_access_code(bytea) to authenticated, service_role;
