-- events.idempotent_id: return the id of the object that a keyed request creates.
--
-- For the first request with a key this is `new_id`, and for a repeated request the id of the first. Called before the
-- object is created. Concurrent requests with one key wait for the first to commit, then get its id. Without a key,
-- each request is the first.
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
'Return the id of the object that a keyed request creates: the first request''s, or the new one.';
