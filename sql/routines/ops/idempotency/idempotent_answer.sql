-- ops.idempotent_answer: return the response to the first request with an idempotency key; null when the key is new.
--
-- Internal: runs with the rights of the routine that calls it.
--
-- Refuses: 422 idempotency_conflict, when the key was sent before with another request.

create or replace function ops.idempotent_answer(caller_id uuid, operation text, key text, request_hash bytea)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    first_request ops.idempotency_keys;
begin
    select k.* into first_request
    from ops.idempotency_keys as k
    where
        k.caller_id = idempotent_answer.caller_id
        and k.operation = idempotent_answer.operation
        and k.key = idempotent_answer.key;

    if found and first_request.request_hash <> idempotent_answer.request_hash then
        raise exception using errcode = 'PT422', message = 'idempotency_conflict',
            detail = jsonb_build_object(
                'detail', 'This Idempotency-Key was sent with another request. Send a new key for a new request.'
            )::text;
    end if;
    return first_request.response;
end;
$$;

comment on function ops.idempotent_answer(uuid, text, text, bytea) is
'Return the response to the first request with the caller''s key, or null.';
