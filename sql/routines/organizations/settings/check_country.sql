-- organizations.check_country: refuse a country that Marquee does not know.
--
-- Internal: runs with the rights of the routine that calls it. A missing country passes.
--
-- Refuses: 422 invalid_request, with the place.

create or replace function organizations.check_country(details jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if
        details ->> 'country' is not null
        and not exists (select from ref.countries as c where c.code = details ->> 'country')
    then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', jsonb_build_array(
                    jsonb_build_object(
                        'path', array['body', 'country'],
                        'kind', 'unknown',
                        'message', 'Marquee does not know this country. Use its two letters (ISO 3166), such as CH.'
                    )
                )
            )::text;
    end if;
end;
$$;

comment on function organizations.check_country(jsonb) is 'Refuse a country that Marquee does not know.';
