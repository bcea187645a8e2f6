-- users.edit_profile: change the caller's name or language; null leaves a value unchanged.
--
-- Locks only the caller's row. Idempotent. A concurrent erasure wins: the caller is refused, and stays erased.
--
-- Refuses: 401 unauthenticated, 403 forbidden, 422 invalid_request.

create or replace function users.edit_profile(name text default null, language text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    known text[];
begin
    perform users.own_profile();

    if not users.is_name(edit_profile.name) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'A name must have 1 to 200 characters, some of them visible. Control characters and'
                ' characters that change the direction of text are not allowed.',
                'errors', jsonb_build_array(jsonb_build_object(
                    'path', '["body", "name"]'::jsonb, 'kind', 'name', 'message', 'This is not a valid name.'
                ))
            )::text;
    end if;

    known := array(select l.code from ref.languages as l order by l.code);
    if edit_profile.language <> all (known) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', format('The language is not supported. Choose one of %s.', array_to_string(known, ', ')),
                'errors', jsonb_build_array(jsonb_build_object(
                    'path', '["body", "language"]'::jsonb, 'kind', 'unknown',
                    'message', format('Choose one of %s.', array_to_string(known, ', ')), 'known', known
                ))
            )::text;
    end if;

    update users.profiles as p
    set
        name = coalesce(edit_profile.name, p.name),
        language = coalesce(edit_profile.language, p.language)
    where p.id = ops.caller_id() and p.erased_at is null;

    return users.own_profile();
end;
$$;

comment on function users.edit_profile(text, text) is
'Change the caller''s name or language; null leaves a value unchanged.';

grant execute on function users.edit_profile(text, text) to authenticated, service_role;
