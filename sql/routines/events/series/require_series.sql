-- events.require_series: lock a series, or refuse a caller who has none of these roles in its organization.
--
-- The lock is held until the transaction ends, so that edits and generators of one series take turns.
--
-- Refuses: 404 series_not_found, also to callers who may not know of it; 403 forbidden, if only the role is missing.

create or replace function events.require_series(series_id uuid, variadic roles organizations.member_role[])
returns events.series
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_series events.series;
begin
    select s.* into the_series
    from events.series as s
    where s.id = require_series.series_id
    for no key update;

    if not found or (
        the_series.organization_id not in (select public.user_orgs())
        and not ops.caller_is_service()
        and (the_series.visibility <> 'public' or the_series.status = 'archived')
    ) then
        raise exception using errcode = 'PT404', message = 'series_not_found';
    end if;

    if not organizations.caller_is(the_series.organization_id, variadic require_series.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', format(
                    'Only members of the series'' organization with one of these roles may do this: %s.',
                    array_to_string(require_series.roles, ', ')
                )
            )::text;
    end if;
    return the_series;
end;
$$;

comment on function events.require_series(uuid, organizations.member_role[]) is
'Lock a series, or refuse a caller who has none of these roles in its organization.';
