-- organizations.limit_places: refuse another location, room, instructor or resource beyond the limit.
--
-- The caller holds the lock of the organization's row, so that concurrent requests count one after the other. Internal:
-- runs with the rights of the routine that calls it.
--
-- Refuses: 409 too_many_places.

create or replace function organizations.limit_places(number_there bigint)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if limit_places.number_there >= ops.limit_value('places_per_organization') then
        raise exception using errcode = 'PT409', message = 'too_many_places',
            detail = jsonb_build_object('most', ops.limit_value('places_per_organization'))::text;
    end if;
end;
$$;

comment on function organizations.limit_places(bigint) is
'Refuse another location, room, instructor or resource beyond the limit.';
