-- events.series_answer: return the response to the creation of a series, the same for each request with its key.
--
-- Called by the transaction that creates the series, after its events exist: only then is the response complete. The
-- first call with the caller's key stores the response, and later calls return it. Without a key it is the present
-- state.
--
-- Refuses: 404 series_not_found.

create or replace function events.series_answer(series_id uuid, idempotency_key text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_answer jsonb;
begin
    perform users.refuse_erased();
    select k.response::jsonb into the_answer
    from ops.idempotency_keys as k
    where
        k.caller_id = coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000')
        and k.operation = 'create_series'
        and k.key = series_answer.idempotency_key
        and k.response::jsonb ? 'created_at'
        and ops.answered_id(k.response) = series_answer.series_id;

    if found then
        return the_answer;
    end if;

    select to_jsonb(s) into the_answer
    from events.series as s
    where
        s.id = series_answer.series_id
        and (s.organization_id in (select public.user_orgs()) or ops.caller_is_service());

    if not found then
        raise exception using errcode = 'PT404', message = 'series_not_found';
    end if;

    update ops.idempotency_keys as k
    set response = the_answer::text
    where
        k.caller_id = coalesce(ops.caller_id(), '00000000-0000-0000-0000-000000000000')
        and k.operation = 'create_series'
        and k.key = series_answer.idempotency_key
        and ops.answered_id(k.response) = series_answer.series_id;
    return the_answer;
end;
$$;

comment on function events.series_answer(uuid, text) is
'Return the response to the creation of a series, the same for each request with its key.';

grant execute on function events.series_answer(uuid, text) to authenticated, service_role;
