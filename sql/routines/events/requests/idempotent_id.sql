-- events.idempotent_id: the id of what a keyed request makes: the one that its first sending made, or the new one
-- given.
--
-- Called before the thing is made. Rival sendings of one key wait for the first to commit and then get its id. Without
-- a key each request is the first.
--
-- Refuses: 422 idempotency_conflict.

create or replace function events.idempotent_id(operation text, key text, request jsonb, new_id uuid)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_caller_id uuid := coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000');
    the_request_hash bytea := sha256(convert_to(request::text, 'UTF8'));
begin
    if idempotent_id.key is null then
        return new_id;
    end if;

    insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
    values (the_caller_id, idempotent_id.operation, idempotent_id.key, the_request_hash, new_id::text)
    on conflict do nothing;

    if found then
        return new_id;
    end if;
    return ops.idempotent_answer(the_caller_id, idempotent_id.operation, idempotent_id.key, the_request_hash)::uuid;
end;
$$;

comment on function events.idempotent_id(text, text, jsonb, uuid) is
'The id that belongs to a keyed request: of what its first sending made, or the new one.';
