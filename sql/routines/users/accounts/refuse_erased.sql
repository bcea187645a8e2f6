-- users.refuse_erased: refuse a caller who was erased.
--
-- Every routine that people may call starts with it, unless it calls events.ensure_customer. Internal: runs with the
-- rights of the routine that calls it. Locks nothing.
--
-- Refuses: 403 forbidden.

create or replace function users.refuse_erased()
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if users.is_erased(ops.caller_id()) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object('detail', 'This account was erased. Sign up with a new account.')::text;
    end if;
end;
$$;

comment on function users.refuse_erased() is 'Refuse a caller who was erased.';
