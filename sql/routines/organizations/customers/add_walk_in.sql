-- organizations.add_walk_in: write a person without an account, and return their id.
--
-- `details` has name, email, phone, language, note and tags; all but the name may be null. The address goes into the
-- organization's record and not into the profile: it is not verified, so it links the record to no account
-- (docs/decisions/0016-verified-addresses.md). Nobody can sign in as this person, because the id is random. Runs under
-- the lock of organizations.lock_walk_ins. Internal.
--
-- Refuses: 422 invalid_request.

create or replace function organizations.add_walk_in(
    organization_id uuid, details jsonb, default_language text, request_hash bytea default null
)
returns uuid
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    walk_in_id uuid := gen_random_uuid();
    the_language text := coalesce(add_walk_in.details ->> 'language', add_walk_in.default_language);
begin
    if not exists (select from ref.languages as l where l.code = the_language) then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object('detail', 'The language is not supported.')::text;
    end if;

    insert into users.profiles (id, name, language)
    values (walk_in_id, add_walk_in.details ->> 'name', the_language);

    insert into organizations.customers (organization_id, customer_id, walk_in, email, phone, tags, request_hash)
    values (
        add_walk_in.organization_id, walk_in_id, true, add_walk_in.details ->> 'email', add_walk_in.details ->> 'phone',
        array(select jsonb_array_elements_text(coalesce(nullif(add_walk_in.details -> 'tags', 'null'), '[]'))),
        add_walk_in.request_hash
    );

    if add_walk_in.details ->> 'note' is not null then
        insert into organizations.customer_notes (organization_id, customer_id, author_id, note)
        values (
            add_walk_in.organization_id, walk_in_id, case when not ops.caller_is_service() then ops.caller_id() end,
            add_walk_in.details ->> 'note'
        );
    end if;
    return walk_in_id;
end;
$$;

comment on function organizations.add_walk_in(uuid, jsonb, text, bytea) is
'Write a person without an account, and return their id.';
