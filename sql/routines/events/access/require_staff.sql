-- events.require_staff: return an event's terms, or refuse a caller who has none of these roles in its organization.
--
-- Refuses: 404 event_not_found, also to callers who may not know of the event; 403 forbidden, if only the role is
-- missing.

create or replace function events.require_staff(event_id uuid, variadic roles organizations.member_role[])
returns events.terms
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    the_terms events.terms;
begin
    select t.* into the_terms
    from events.terms as t
    where t.event_id = require_staff.event_id;

    if not found or (
        the_terms.organization_id not in (select public.user_orgs())
        and not ops.caller_is_service()
        and (the_terms.visibility <> 'public' or the_terms.status = 'draft')
    ) then
        raise exception using errcode = 'PT404', message = 'event_not_found';
    end if;

    if not organizations.caller_is(the_terms.organization_id, variadic require_staff.roles) then
        raise exception using errcode = 'PT403', message = 'forbidden',
            detail = jsonb_build_object(
                'detail', 'Only members of the event''s organization with one of these roles may do this: '
                || array_to_string(require_staff.roles, ', ') || '.'
            )::text;
    end if;
    return the_terms;
end;
$$;

comment on function events.require_staff(uuid, organizations.member_role[]) is
'Return an event''s terms, or refuse a caller who has none of these roles in its organization.';
