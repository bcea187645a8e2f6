-- ops.first_answer: return the response to the first request with the caller's key, or null if this is the first.
--
-- Called before anything else is written. The first request takes the key here, and stores its response by
-- ops.keep_answer in the same transaction. A concurrent request with the same key waits for that transaction. `request`
-- holds everything that distinguishes requests: path parameters and body. All services share one set of keys. Without a
-- key, each request is the first.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 422 idempotency_conflict, when the key was sent before with another request.

create or replace function ops.first_answer(operation text, key text, request jsonb)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    the_caller_id uuid := coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000');
    the_request_hash bytea := sha256(convert_to(first_answer.request::text, 'UTF8'));
begin
    if first_answer.key is null then
        return null;
    end if;

    insert into ops.idempotency_keys (caller_id, operation, key, request_hash, response)
    values (the_caller_id, first_answer.operation, first_answer.key, the_request_hash, '')
    on conflict do nothing;

    if found then
        return null;
    end if;
    return ops.idempotent_answer(the_caller_id, first_answer.operation, first_answer.key, the_request_hash);
end;
$$;

comment on function ops.first_answer(text, text, jsonb) is
'Return the response to the first request with the caller''s key, or null if this is the first.';
