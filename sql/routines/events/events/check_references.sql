-- events.check_references: refuse references to objects that do not exist or belong to another organization.
--
-- Checks the members of `details` that name a location, a room, an instructor, resources, a policy, a category, a
-- language, a time zone or a currency. An archived object counts as none. Foreign keys are the second line of defence.
--
-- Refuses: 422 invalid_request, with the places.

create or replace function events.check_references(organization_id uuid, details jsonb)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    unknown jsonb;
begin
    select jsonb_agg(
        jsonb_build_object(
            'path', jsonb_build_array('body', c.place),
            'kind', 'unknown',
            'message', 'There is nothing with this name or id.'
        )
        order by c.place
    ) into unknown
    from (
        values
        ('location_id', exists (
            select from organizations.locations as l
            where
                l.id = (details ->> 'location_id')::uuid
                and l.organization_id = check_references.organization_id
                and l.archived_at is null
        )),
        ('instructor_id', exists (
            select from organizations.instructors as i
            where
                i.id = (details ->> 'instructor_id')::uuid
                and i.organization_id = check_references.organization_id
                and i.archived_at is null
        )),
        ('room_id', exists (
            select from organizations.rooms as r
            where
                r.id = (details ->> 'room_id')::uuid
                and r.organization_id = check_references.organization_id
                and r.archived_at is null
        )),
        ('resource_ids', not exists (
            select
            from jsonb_array_elements_text(
                case when jsonb_typeof(details -> 'resource_ids') = 'array' then details -> 'resource_ids' end
            ) as g (id)
            where not exists (
                select from organizations.resources as r
                where
                    r.id = g.id::uuid
                    and r.organization_id = check_references.organization_id
                    and r.archived_at is null
            )
        )),
        ('policy_id', exists (
            select from organizations.policies as p
            where
                p.id = (details ->> 'policy_id')::uuid
                and p.organization_id = check_references.organization_id
                and p.archived_at is null
        )),
        ('category', exists (select from ref.event_categories as c where c.slug = details ->> 'category')),
        ('language', exists (select from ref.languages as l where l.code = details ->> 'language')),
        ('time_zone', exists (select from ref.timezones as z where z.name = details ->> 'time_zone')),
        ('currency', exists (select from ref.currencies as c where c.code = details ->> 'currency'))
    ) as c (place, is_known)
    where details ->> c.place is not null and not c.is_known;

    if unknown is not null then
        raise exception using errcode = 'PT422', message = 'invalid_request',
            detail = jsonb_build_object(
                'detail', 'The request is not valid. Correct the places in `errors`, and send it again.',
                'errors', unknown
            )::text;
    end if;
end;
$$;

comment on function events.check_references(
    uuid, jsonb
) is 'Refuse references to objects that do not exist or belong to another organization.';
