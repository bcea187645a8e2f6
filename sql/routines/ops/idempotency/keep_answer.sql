-- ops.keep_answer: store the response to the first request with the caller's key, and return it.
--
-- It does not store the customer's id, which erasure could not find in the key of another person: a repeated request
-- adds it again. Without a key it stores nothing. Internal: runs with the rights of the routine that calls it.

create or replace function ops.keep_answer(operation text, key text, answer jsonb)
returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    update ops.idempotency_keys as k
    set response = (keep_answer.answer - 'customer_id')::text
    where
        k.caller_id = coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000')
        and k.operation = keep_answer.operation
        and k.key = keep_answer.key;
    return keep_answer.answer;
end;
$$;

comment on function ops.keep_answer(text, text, jsonb) is
'Store the response to the first request with the caller''s key, and return it.';
